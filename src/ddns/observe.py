"""The step that reads: decides which records must be seen at the provider, and asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ddns.address import Family
from ddns.detection import Available, Detection, Unknown
from ddns.errors import ProviderError
from ddns.memory import Memory, Published, Refused
from ddns.model import Observed, RecordKey, RRset, Target
from ddns.ports import Deadline, Provider


def wanted(target: Target, detections: Mapping[Family, Detection]) -> RRset | None:
    """The RRset that the target should have; None when its address is unknown or absent."""
    value, found = target.value, detections[target.family] if target.family is not None else None
    if isinstance(found, Available):
        value = found.address if target.host_rule is None else target.host_rule.of(found.address)
    return None if value is None else RRset(frozenset({value}), target.ttl, target.extra)


def needs(
    targets: Sequence[Target],
    detections: Mapping[Family, Detection],
    memory: Memory,
    now: float,
    *,
    every: float,
    prove: bool = False,
) -> list[RecordKey]:
    """The records to read: an intent is open, a change is likely, or a proof is due (every `every` seconds).

    The oldest unconfirmed come first, so that a run short of time does not starve them.
    """
    chosen = []
    for target in targets:
        if refusal(memory, target.key, wanted(target, detections), now) is not None:
            continue
        if target.key in memory.intents:
            chosen.append(target.key)
            continue
        if target.family is not None and isinstance(detections[target.family], Unknown):
            continue
        want, published = wanted(target, detections), memory.published.get(target.key)
        if published is None:
            if want is not None:
                chosen.append(target.key)
        elif prove or due(published, now, every) or (want is not None and not published.rrset.covers(want)):
            chosen.append(target.key)
    age = {key: published.proven_at or 0.0 for key, published in memory.published.items()}
    return sorted(chosen, key=lambda key: age.get(key, 0.0))


def refusal(memory: Memory, key: RecordKey, want: RRset | None, now: float) -> Refused | None:
    """Why the record is left alone as it is wanted, if it is: the provider refused just that."""
    told = memory.refused.get(key)
    if told is None or key in memory.intents or not told.since <= now < told.until:
        return None
    return told if told.wish is None or want is None or told.wish == want else None


def due(published: Published, now: float, every: float) -> bool:
    """Whether the record must be read: not yet seen, a hold is over, or not read or written for over `every` seconds.

    At that very second an expectation still holds; both sides of the border are drawn alike.
    """
    served = published.held_until is not None and published.held_until <= now
    return published.pending or served or now - last_seen(published, now) > every


def last_seen(published: Published, now: float) -> float:
    """When the record was last read or written. A clock that was set back leaves times in the future.

    A proof of the future counts as long ago, so that it is made again; a write of the future does not count.
    """
    proven = published.proven_at or 0.0
    if proven > now:
        return 0.0
    return max(proven, published.written_at) if published.written_at <= now else proven


def observe(
    keys: Sequence[RecordKey], providers: Mapping[str, Provider], deadline: Deadline
) -> dict[RecordKey, Observed | ProviderError]:
    """Read the records, each provider in its share of the time."""
    seen: dict[RecordKey, Observed | ProviderError] = {}
    names = list(dict.fromkeys(key.provider for key in keys))
    for position, name in enumerate(names):
        share = deadline.within(deadline.left() / (len(names) - position))
        seen |= providers[name].observe([key for key in keys if key.provider == name], share)
    return seen


def raised(target: Target, seen: Observed | ProviderError | None, providers: Mapping[str, Provider]) -> Target:
    """The target with a TTL that its provider takes; it would look like drift for ever otherwise."""
    if target.ttl is None or not isinstance(seen, Observed):
        return target  # nothing is decided about the TTL, and the provider may not even be open
    return replace(target, ttl=max(target.ttl, providers[target.key.provider].capabilities.min_ttl))
