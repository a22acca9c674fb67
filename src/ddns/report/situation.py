"""What is new in how things stand, as events: pure, from what was told before and how this run ended.

What needs a person is told when it begins. What may pass by itself is told when it lasts for two runs: a laptop that is
carried about would fill the log of a fleet otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ddns.errors import Exit, foreign
from ddns.model import Kind, Outcome
from ddns.report.eventids import Event

#: Characters of an event's text, and records that one event names.
_LONGEST, _NAMED = 1500, 10
_WRITTEN = {
    Kind.UPDATED: Event.UPDATED,
    Kind.REPAIRED: Event.REPAIRED,
    Kind.REMOVED: Event.REMOVED,
    Kind.ACCEPTED: Event.ACCEPTED,
}
#: By error code: what stays until a person acts.
_STANDING = {
    "provider.held": Event.HELD,
    "provider.bad_credentials": Event.BAD_CREDENTIALS,
    "provider.not_permitted": Event.NOT_PERMITTED,
    "provider.no_such_zone": Event.NO_SUCH_ZONE,
    "provider.banned": Event.BANNED,
    "provider.clock_skew": Event.CLOCK_SKEW,
    "provider.rejected": Event.REJECTED,
    "provider.conflict": Event.CONTENDED,
    "provider.block": Event.BLOCKED,
}
_PASSING = {
    "address.unknown": Event.NO_ADDRESS,
    "provider.deferred": Event.BREAKER_OPEN,
    "provider.untrusted": Event.UNTRUSTED,
}
_PASSING_EXITS = (Exit.ADDRESS, Exit.UNREACHABLE)


class Told(msgspec.Struct, frozen=True):
    """One event and its text: one line, nothing secret, nothing that a terminal or log would obey."""

    event: Event
    text: str


class Before(msgspec.Struct, frozen=True):
    """What the last status.json told: the error code of each record that had one, and the last exit codes, in order."""

    codes: Mapping[tuple[str, str, str], str] = {}
    exits: Sequence[int] = ()

    @property
    def last(self) -> int:
        """The last exit code, FINE before the first run."""
        return self.exits[-1] if self.exits else int(Exit.FINE)

    @property
    def lasting(self) -> int:
        """The exit code that the last two runs or more had, FINE when they differ."""
        return self.last if len(self.exits) > 1 and self.exits[-2] == self.last else int(Exit.FINE)


def before(document: bytes) -> Before:
    """What a status.json tells; nothing when it is none."""
    try:
        status = json.loads(document)
    except (ValueError, RecursionError):
        return Before()
    if not isinstance(status, dict):
        return Before()
    codes = {}
    for record in _dicts(status.get("records")):
        key = tuple(str(record.get(name)) for name in ("provider", "name", "type"))
        error = record.get("error")
        if isinstance(error, dict):
            codes[key[0], key[1], key[2]] = str(error.get("code"))
    exits = [run["exit"] for run in _dicts(status.get("last_runs")) if isinstance(run.get("exit"), int)]
    last = status.get("run")
    if isinstance(last, dict) and last.get("exit") == Exit.STATE:  # a run that could not be recorded
        exits.append(int(Exit.STATE))
    return Before(codes, exits)


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def news(known: Before, outcomes: Sequence[Outcome], code: int, *, disagree: bool, trace_id: str) -> Iterator[Told]:
    """The events of a run that ended with `code`. `disagree`: sources told different addresses."""
    grouped: dict[Event, list[Outcome]] = {}
    for outcome in outcomes:
        event = _event(known, outcome)
        if event is not None:
            grouped.setdefault(event, []).append(outcome)
    if _begins_to_last(known, code):
        lasting = [outcome for outcome in outcomes if outcome.exit == code]
        grouped.setdefault(_passing(lasting, disagree=disagree), []).extend(lasting)
    for event, concerned in grouped.items():
        yield Told(event, _text(concerned, trace_id))
    if code == Exit.FINE and _was_told(known, outcomes):
        yield Told(Event.RECOVERED, _line(f"every record is right again, {_count(outcomes)}", trace_id))


def _event(known: Before, outcome: Outcome) -> Event | None:
    if outcome.kind in _WRITTEN and outcome.change is not None:
        return _WRITTEN[outcome.kind]
    if outcome.cause is None or outcome.cause.code == known.codes.get(_key(outcome)):
        return None
    return _STANDING.get(outcome.cause.code)


def _key(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.key.provider, outcome.key.name, outcome.key.type.value


def _begins_to_last(known: Before, code: int) -> bool:
    return code in _PASSING_EXITS and known.last == code and known.lasting != code


def _passing(lasting: Iterable[Outcome], *, disagree: bool) -> Event:
    events = [_PASSING.get(outcome.cause.code, Event.UNREACHABLE) for outcome in lasting if outcome.cause]
    if Event.NO_ADDRESS in events:
        return Event.DISAGREE if disagree else Event.NO_ADDRESS
    return next((event for event in (Event.UNTRUSTED, Event.UNREACHABLE) if event in events), Event.BREAKER_OPEN)


def _was_told(known: Before, outcomes: Sequence[Outcome]) -> bool:
    shown = {_key(outcome) for outcome in outcomes}
    standing = any(code in _STANDING for key, code in known.codes.items() if key in shown)
    still_held = any(outcome.cause is not None for outcome in outcomes)
    return not still_held and (standing or known.lasting in _PASSING_EXITS or known.last in (Exit.SETTINGS, Exit.STATE))


def _text(outcomes: Sequence[Outcome], trace_id: str) -> str:
    parts = [_sentence(outcome) for outcome in outcomes[:_NAMED]]
    if len(outcomes) > _NAMED:
        parts.append(f"and {len(outcomes) - _NAMED} more")
    advice = next((outcome.cause.advice for outcome in outcomes if outcome.cause), "")
    return _line("; ".join(parts) + (f". {advice}" if advice else ""), trace_id)


def _sentence(outcome: Outcome) -> str:
    change = outcome.change
    if outcome.cause is not None:
        return f"{outcome.key} at {outcome.key.provider}: {outcome.cause.message}"
    if change is not None:
        return f"{outcome.key} at {outcome.key.provider}: {change.before or 'none'} -> {change.after or 'none'}"
    return f"{outcome.key}: {outcome.kind}"


def _count(outcomes: Sequence[Outcome]) -> str:
    return "1 in all" if len(outcomes) == 1 else f"{len(outcomes)} in all"


def _line(text: str, trace_id: str) -> str:
    return f"{foreign(text, _LONGEST)} (trace_id {trace_id})" if trace_id else foreign(text, _LONGEST)


def trouble(event: Event, text: str, trace_id: str) -> Told:
    """An event that is no record's."""
    return Told(event, _line(text, trace_id))
