"""Values of others beside ours, under one name and type. Pure.

The steps know only what is ours: an observation is `narrowed` to it, and a change is made `whole` again for the
provider, which reads and writes the RRset that all owners share, and refuses to write one that it does not expect.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ddns.model import Change, Observed, RRset, Value


def narrowed(seen: Observed, *ours: RRset | None) -> Observed:
    """The observation with only those values that are in one of `ours`; of a type that is not shared, as it is."""
    if not seen.key.type.shared or seen.rrset is None:
        return seen
    own = seen.rrset.values & _values(ours)
    beside = seen.rrset.values - own
    if not beside:
        return seen
    # One TTL is of all values: what others chose is neither compared nor changed.
    return replace(seen, rrset=RRset(own, None, seen.rrset.extra) if own else None, beside=beside)


def _values(rrsets: Iterable[RRset | None]) -> frozenset[Value]:
    return frozenset().union(*(rrset.values for rrset in rrsets if rrset is not None))


def whole(change: Change) -> Change:
    """The change as the provider sees it: the values of others before and after."""
    if not change.beside:
        return change
    return replace(change, before=_with(change.before, change), after=_with(change.after, change), beside=frozenset())


def _with(rrset: RRset | None, change: Change) -> RRset:
    if rrset is None:
        return RRset(change.beside)
    return RRset(rrset.values | change.beside, None, rrset.extra)


def again(change: Change, seen: Observed) -> tuple[Change, Observed]:
    """The change beside what stands there now, and the observation narrowed to what is ours."""
    ours = narrowed(seen, change.before, change.after)
    return (replace(change, beside=ours.beside) if ours.beside != change.beside else change), ours
