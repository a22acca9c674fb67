"""The life of each record as history tells it: from when to when it had which values, and what each day saw. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddns.model import RRset
    from ddns.state.rows import HistoryEntry

DAY = 86400.0
#: What a change's end means for its day; the later one in this order counts where a day saw several.
_SEEN = {"void": "", "open": "waiting", "accepted": "waiting", "adopted": "changed", "applied": "changed"}
_WEIGHT = ("", "waiting", "changed", "failed")


@dataclass(frozen=True, slots=True)
class Period:
    """A time with the same values; None: no record. `since` None: longer than history goes; `until` None: still."""

    values: tuple[str, ...] | None
    since: float | None
    until: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """One record. `days`: of each day ``changed``, ``waiting``, ``failed``, ``same``, or ``unknown``: nothing known."""

    name: str
    type: str
    provider: str
    periods: tuple[Period, ...]
    days: tuple[str, ...]


def day_of(moment: float) -> str:
    """The local day of a moment."""
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def days(now: float, number: int) -> list[str]:
    """The last local days, today last."""
    return [day_of(now - back * DAY) for back in reversed(range(number))]


def timelines(entries: Sequence[HistoryEntry], window: Sequence[str]) -> list[Timeline]:
    """Of every record that the entries (newest first) tell of, by name; `window`: the days to tell of."""
    by_record: dict[tuple[str, str, str], list[HistoryEntry]] = {}
    for entry in reversed(entries):
        if entry.change is not None:
            key = entry.change.key
            by_record.setdefault((key.name, key.type.value, key.provider), []).append(entry)
    return [_timeline(key, told, window) for key, told in sorted(by_record.items())]


def _timeline(key: tuple[str, str, str], told: Sequence[HistoryEntry], window: Sequence[str]) -> Timeline:
    periods = _periods(told)
    seen: dict[str, str] = {}
    for entry in told:
        day, mark = day_of(entry.at), _SEEN.get(entry.state, "failed")
        seen[day] = max(seen.get(day, ""), mark, key=_WEIGHT.index)
    return Timeline(*key, periods, tuple(_day(day, seen, periods) for day in window))


def _periods(told: Sequence[HistoryEntry]) -> tuple[Period, ...]:
    reached = [(entry.at, entry.change) for entry in told if entry.change and _SEEN.get(entry.state) == "changed"]
    if not reached:
        return ()
    first = reached[0][1].before
    starts: list[tuple[float | None, RRset | None]] = [(None, first)] if first is not None else []
    starts += [(at, change.after) for at, change in reached]
    ends = [at for at, _ in starts[1:]] + [None]
    return tuple(
        Period(tuple(rrset.texts()) if rrset is not None else None, since, until)
        for (since, rrset), until in zip(starts, ends, strict=True)
    )


def _day(day: str, seen: Mapping[str, str], periods: Sequence[Period]) -> str:
    if seen.get(day):
        return seen[day]
    known = any(
        period.values is not None
        and (period.since is None or day_of(period.since) <= day)
        and (period.until is None or day < day_of(period.until))
        for period in periods
    )
    return "same" if known else "unknown"
