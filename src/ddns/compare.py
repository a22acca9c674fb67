"""The step that decides: what was detected, observed and remembered becomes a plan. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from ddns.address import Family
from ddns.beside import narrowed
from ddns.detection import Absent, Detection, Unknown
from ddns.errors import AddressError, Block, Conflict, Deferred, Held, ProviderError, Rejected
from ddns.memory import Intent, Memory, Published, Refused
from ddns.model import (
    Adopt,
    Change,
    Fate,
    Hold,
    Keep,
    Kind,
    Observed,
    Plan,
    Reason,
    RecordKey,
    RecordType,
    Resolution,
    RRset,
    Run,
    Target,
    values_of,
)
from ddns.observe import refusal, wanted

_DAY = 24 * 3600.0
_FIRST_HOLD = 3600.0


class Rules(msgspec.Struct, frozen=True):
    """Settings that deciding needs. `settle`: seconds in which our own write may not be visible yet.

    `insist`: a person asks (`run --now`), so that a hold is over.
    """

    settle: float = 120.0
    insist: bool = False


def compare(
    run: Run,
    targets: Sequence[Target],
    detections: Mapping[Family, Detection],
    observed: Mapping[RecordKey, Observed | ProviderError],
    memory: Memory,
    now: float,
    rules: Rules,
) -> Plan:
    """The plan; every target is in exactly one of its parts."""
    changes: list[Change] = []
    unchanged: list[Keep] = []
    held: list[Hold] = []
    resolved: list[Resolution] = []
    for number, target in enumerate(targets):
        seen = observed.get(target.key)
        published = memory.published.get(target.key)
        intent = memory.intents.get(target.key)
        want = wanted(target, detections)
        if isinstance(seen, Observed):
            seen = narrowed(seen, want, published.rrset if published else None, *_sent(intent))
        if intent is not None and isinstance(seen, Observed):
            resolution = resolve(intent, seen, want, now, rules.settle)
            if resolution is not None:
                resolved.append(resolution)
                published = _after(resolution, published)
            elif not seen.held:
                held.append(_on_its_way(intent, now, rules.settle))
                continue
            elif want is not None:
                held.append(Hold(target.key, Kind.HELD, Held.at(target.key), observed=seen))
                continue
        change_id = f"{run.trace_id}-{number}"
        detection = detections[target.family] if target.family is not None else None
        told = refusal(memory, target.key, want, now)
        item = _decide(change_id, target, detection, want, told, seen, published, now, rules)
        if isinstance(item, Keep) and intent is not None and want is not None and _superseded(intent, seen, want):
            item = Change(change_id, target.key, item.rrset, want, Reason.ADDRESS)
        if isinstance(item, Change):
            changes.append(replace(item, beside=seen.beside) if isinstance(seen, Observed) else item)
        elif isinstance(item, Keep):
            unchanged.append(item)
        else:
            held.append(item)
    return Plan(tuple(changes), tuple(unchanged), tuple(held), tuple(resolved))


def _sent(intent: Intent | None) -> tuple[RRset | None, ...]:
    return (intent.change.before, intent.change.after) if intent is not None else ()


def resolve(intent: Intent, seen: Observed, want: RRset | None, now: float, settle: float) -> Resolution | None:
    """What became of a write whose end was not seen; None while it was acknowledged and may still appear.

    What the gateway holds may appear as long as it says so; anything else for `settle` seconds.
    """
    change = intent.change
    if values_of(seen.rrset) == values_of(change.after):
        return Resolution(change, Fate.ADOPTED, seen)
    if change.untouched(seen.rrset):
        young = 0 <= now - intent.at < settle
        waits = (young or (seen.held and intent.accepted)) and (
            want is None or (intent.accepted and values_of(want) == values_of(change.after))
        )
        return None if waits else Resolution(change, Fate.VOID, seen)
    return Resolution(change, Fate.EXTERNAL, seen)


def _superseded(intent: Intent, seen: Observed | ProviderError | None, want: RRset) -> bool:
    """Whether the gateway holds a value that is wanted no more, and would publish it once it is released."""
    waits = isinstance(seen, Observed) and seen.held and intent.accepted
    return waits and want.values != values_of(intent.change.after)


def _on_its_way(intent: Intent, now: float, settle: float) -> Hold:
    key = intent.change.key
    until = intent.at + settle
    cause = Deferred(f"{key} was sent {now - intent.at:.0f} s ago and is not yet visible", until=until)
    return Hold(key, Kind.ACCEPTED, cause, until)


def _after(resolution: Resolution, published: Published | None) -> Published | None:
    """What is published once the intent is resolved: an adopted write is ours."""
    if resolution.fate is not Fate.ADOPTED or resolution.change.after is None:
        return published
    return Published(resolution.change.after, resolution.observed.at)


def _decide(
    change_id: str,
    target: Target,
    detection: Detection | None,
    want: RRset | None,
    told: Refused | None,
    seen: Observed | ProviderError | None,
    published: Published | None,
    now: float,
    rules: Rules,
) -> Change | Keep | Hold:
    key = target.key
    if isinstance(detection, Unknown):
        return Hold(key, Kind.FAILED, AddressError(_unknown(key, detection)), observed=_seen(seen))
    if isinstance(seen, ProviderError):
        return unread(key, seen)
    ours = published.rrset if published else None
    if isinstance(detection, Absent):
        return Keep(key, _standing(published, seen, now, rules), seen, note=detection.by)
    assert want is not None  # the address is there, or the settings say the value
    if seen is None and told is not None:
        return Hold(key, Kind.FAILED, Rejected(told.message, advice=told.advice), told.until)
    if seen is None:
        return _still_held(key, published, now, rules) or Keep(key, ours)
    if seen.rrset is not None and seen.rrset.covers(want):
        return Keep(key, want, seen)
    if published is None:
        return _foreign(change_id, target, seen, want)
    if values_of(seen.rrset) == published.rrset.values:
        reason = Reason.SETTINGS if seen.rrset and seen.rrset.values == want.values else Reason.ADDRESS
        return Change(change_id, key, seen.rrset, want, reason)
    if want.values != published.rrset.values:  # a new address over somebody else's value: ours is the newer truth
        return Change(change_id, key, seen.rrset, want, Reason.ADDRESS)
    return _drift(change_id, seen, want, published, now, rules)


def unread(key: RecordKey, error: ProviderError) -> Hold:
    """A record that could not be read: a person must act, or the next run tries again."""
    kind = Kind.FAILED if isinstance(error, Block | Rejected) else Kind.DEFERRED
    return Hold(key, kind, error, error.until)


def _standing(published: Published | None, seen: Observed | None, now: float, rules: Rules) -> RRset | None:
    """What stands of our record while its address is absent: nothing of it where something else was read.

    What somebody else put there is theirs: it is neither removed nor replaced as if we had written it. Our value stays
    ours whoever changed its TTL.
    """
    if published is None or seen is None:
        return published.rrset if published else None
    ours = published.rrset
    if seen.rrset is not None and (seen.rrset.values == ours.values or 0 <= now - published.written_at < rules.settle):
        return ours
    return None


def _unknown(key: RecordKey, detection: Unknown) -> str:
    family = "IPv6" if key.type is RecordType.AAAA else "IPv4"
    return f"the public {family} address is not known: {'; '.join(detection.causes)}"


def _seen(seen: Observed | ProviderError | None) -> Observed | None:
    return seen if isinstance(seen, Observed) else None


def _foreign(change_id: str, target: Target, seen: Observed, want: RRset) -> Change | Hold:
    """A record that we did not write: made when missing, taken over when that can't hurt or is asked for."""
    if seen.rrset is None:
        return Change(change_id, target.key, None, want, Reason.CREATE)
    if len(seen.rrset.values) == 1 or target.adopt is Adopt.ALL:
        return Change(change_id, target.key, seen.rrset, want, Reason.ADDRESS)
    cause = Rejected(
        f"{target.key} already has {len(seen.rrset.values)} values ({seen.rrset}) that this machine did not write",
        advice='Remove the others, or set adopt = "all" for this record to replace them.',
    )
    return Hold(target.key, Kind.HELD, cause, observed=seen)


def _still_held(key: RecordKey, published: Published | None, now: float, rules: Rules) -> Hold | None:
    """The hold of an earlier run, while it lasts and nothing else asks for the record."""
    if published is None or published.held_until is None or published.held_until <= now or rules.insist:
        return None
    return Hold(key, Kind.CONTENDED, _contended(key, "it was left alone"), published.held_until)


def _contended(key: RecordKey, stands: str) -> Conflict:
    return Conflict(
        f"{key} was changed by somebody else twice within 24 hours; {stands}",
        advice="Find the other writer and give the name to one of the two, then: ddns run --now",
    )


def _drift(
    change_id: str, seen: Observed, want: RRset, published: Published, now: float, rules: Rules
) -> Change | Keep | Hold:
    """Somebody else changed our record: repaired, unless our own write may still be on its way or they insist."""
    key = seen.key
    if 0 <= now - published.written_at < rules.settle:
        until = published.written_at + rules.settle
        cause = Deferred(
            f"{key} was written {now - published.written_at:.0f} s ago and is not yet visible", until=until
        )
        return Hold(key, Kind.ACCEPTED, cause, until, seen)
    recent = [at for at in published.reversals if 0 <= now - at < _DAY]
    served = published.held_until is not None and published.written_at < published.held_until <= now
    if recent and not served and not rules.insist:
        fresh = now + min(_FIRST_HOLD * 2.0 ** (len(recent) - 1), _DAY)
        held = published.held_until
        until = held if held is not None and held > now else fresh
        return Hold(key, Kind.CONTENDED, _contended(key, f"now it is {seen.rrset or 'gone'}"), until, seen)
    return Change(change_id, key, seen.rrset, want, Reason.DRIFT)
