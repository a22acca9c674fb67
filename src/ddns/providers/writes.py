"""What providers' writes share: the TTL of new records, and whether a record, read again, is what was supposed."""

from __future__ import annotations

from ddns.errors import Conflict
from ddns.model import Change, RRset, Value

#: The TTL of a record that is new where the settings ask for none.
DEFAULT_TTL = 120


def done(change: Change, now: RRset | None) -> bool:
    """Whether the record already is what the change asks for: a write sent twice finds its own work."""
    return now is None if change.after is None else now is not None and now.covers(change.after)


def check(change: Change, now: RRset | None) -> None:
    """Raise Conflict when the record's values are neither those that were read before nor ours."""
    if not done(change, now) and values(now) != values(change.before):
        raise conflict(change, now)


def conflict(change: Change, now: RRset | None) -> Conflict:
    """The error for a record that somebody else changed."""
    return Conflict(f"{change.key} is not as it was read: expected {_text(change.before)}, found {_text(now)}")


def values(rrset: RRset | None) -> frozenset[Value]:
    """The values, none for no record."""
    return frozenset() if rrset is None else rrset.values


def _text(rrset: RRset | None) -> str:
    return "no record" if rrset is None else str(rrset)
