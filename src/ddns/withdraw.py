"""The step that decides what `ddns remove` takes away: only what is ours, and still as we wrote it. Pure.

A record that was taken over goes as one that was written. Only of texts, which several owners share, a value that stood
there before this machine wanted the same is somebody's, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddns.beside import narrowed
from ddns.compare import resolve, unread
from ddns.errors import Conflict, Deferred, ProviderError
from ddns.memory import Memory
from ddns.model import Change, Fate, Hold, Keep, Kind, Observed, Plan, Reason, RecordKey, Resolution, RRset, Run

_NOT_READ = ProviderError("it was not read")


def owned(memory: Memory) -> list[RecordKey]:
    """The records that this machine published, or may have: a write whose end it did not see."""
    return sorted({*memory.published, *memory.intents})


def withdraw(
    run: Run,
    keys: Sequence[RecordKey],
    observed: Mapping[RecordKey, Observed | ProviderError],
    memory: Memory,
    now: float,
    settle: float,
) -> Plan:
    """The plan that removes `keys`; each is in exactly one of its parts. `settle` as in `compare.Rules`."""
    changes: list[Change] = []
    unchanged: list[Keep] = []
    held: list[Hold] = []
    resolved: list[Resolution] = []
    for number, key in enumerate(keys):
        seen = observed.get(key, _NOT_READ)
        published, intent = memory.published.get(key), memory.intents.get(key)
        if isinstance(seen, ProviderError):
            held.append(unread(key, seen))
            continue
        ours, since = (published.rrset, published.written_at) if published else (None, 0.0)
        sent = (intent.change.before, intent.change.after) if intent else ()
        seen = narrowed(seen, ours, *sent)
        if intent is not None:
            end = resolve(intent, seen, None, now, settle)
            if end is not None:
                resolved.append(end)
                ours, since = (end.change.after, intent.at) if end.fate is Fate.ADOPTED else (ours, since)
            elif not seen.held:
                held.append(_too_early(key, seen, intent.at, now, settle))
                continue
            else:  # the gateway would publish it once it is released
                changes.append(_removal(run, number, seen))
                continue
        if seen.rrset is None and not seen.held:
            unchanged.append(Keep(key, None, seen, note="gone already"))
        elif key.type.shared and ours is not None and not since:
            unchanged.append(Keep(key, None, seen, note="it stood there before this machine, and stays"))
        elif _as_written(seen.rrset, ours) or seen.held:
            changes.append(_removal(run, number, seen))
        elif 0 <= now - since < settle:
            held.append(_too_early(key, seen, since, now, settle))
        else:
            held.append(_foreign(key, seen))
    return Plan(tuple(changes), tuple(unchanged), tuple(held), tuple(resolved))


def _removal(run: Run, number: int, seen: Observed) -> Change:
    return Change(f"{run.trace_id}-{number}", seen.key, seen.rrset, None, Reason.REMOVE, beside=seen.beside)


def _as_written(seen: RRset | None, ours: RRset | None) -> bool:
    return seen is not None and ours is not None and seen.values == ours.values


def _too_early(key: RecordKey, seen: Observed, since: float, now: float, settle: float) -> Hold:
    until = since + settle
    cause = Deferred(
        f"{key} was written {now - since:.0f} s ago and is not yet visible; it can't be told whether it is ours",
        until=until,
    )
    return Hold(key, Kind.DEFERRED, cause, until, seen)


def _foreign(key: RecordKey, seen: Observed) -> Hold:
    cause = Conflict(
        f"{key} is {seen.rrset}, which this machine did not write; it was not touched",
        advice="Remove it at the provider if it is to go.",
    )
    return Hold(key, Kind.CONTENDED, cause, observed=seen)
