"""The life of a record from its changes: which values from when to when, and what each day saw."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from ddns.cli.timeline import DAY, Period, day_of, days, timelines
from ddns.model import Change, Reason, RecordKey, RecordType, RRset
from ddns.state.rows import HistoryEntry
from unit.terminal import NOW

KEY = RecordKey("main", "home.example.com", RecordType.A)
ONE, TWO = (RRset(frozenset({IPv4Address(text)})) for text in ("192.0.2.1", "192.0.2.2"))
A, B = ("192.0.2.1",), ("192.0.2.2",)


def entry(back: float, before: RRset | None, after: RRset | None, state: str = "applied") -> HistoryEntry:
    """A change so many days ago."""
    reason = Reason.CREATE if before is None else Reason.REMOVE if after is None else Reason.ADDRESS
    return HistoryEntry(NOW - back * DAY, Change(f"c{back}", KEY, before, after, reason), state, "")


@pytest.mark.parametrize(
    ("entries", "periods", "strip"),
    [
        ([entry(2, None, ONE)], [Period(A, NOW - 2 * DAY, None)], "..css"),
        (
            [entry(1, ONE, TWO)],
            [Period(A, None, NOW - DAY), Period(B, NOW - DAY, None)],
            "ssscs",
        ),
        (
            [entry(1, ONE, None), entry(3, None, ONE)],
            [Period(A, NOW - 3 * DAY, NOW - DAY), Period(None, NOW - DAY, None)],
            ".csc.",
        ),
        ([entry(0, None, ONE, "accepted")], [], "....w"),
        ([entry(0, ONE, TWO, "refused")], [], "....f"),
        ([entry(0, ONE, TWO, "void")], [], "....."),
        (
            [entry(0, ONE, TWO, "external"), entry(0, None, ONE)],
            [Period(A, NOW, None)],
            "....f",
        ),
        ([entry(90, None, ONE)], [Period(A, NOW - 90 * DAY, None)], "sssss"),
    ],
    ids=["made", "moved", "removed", "accepted", "refused", "void", "overtaken", "long ago"],
)
def test_a_life(entries: list[HistoryEntry], periods: list[Period], strip: str, at_now: None) -> None:
    names = {"c": "changed", "w": "waiting", "f": "failed", "s": "same", ".": "unknown"}
    (line,) = timelines(entries, days(NOW, 5))
    assert list(line.periods) == periods
    assert list(line.days) == [names[mark] for mark in strip]


def test_records_are_apart_and_in_order_and_notes_are_no_record(at_now: None) -> None:
    other = RecordKey("main", "a.example.com", RecordType.AAAA)
    made = Change("o", other, None, None, Reason.CREATE)
    told = [entry(1, None, ONE), HistoryEntry(NOW, made, "open", ""), HistoryEntry(NOW, None, "note", "a gap")]
    found = timelines(told, days(NOW, 3))
    assert [(line.name, line.type) for line in found] == [("a.example.com", "AAAA"), ("home.example.com", "A")]
    assert found[0].days == ("unknown", "unknown", "waiting")


def test_days_are_local_and_end_today(at_now: None) -> None:
    assert days(NOW, 3) == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert day_of(NOW) == "2026-11-22"
