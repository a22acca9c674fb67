"""What a full run tells: one log line and one line for people a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pytest

from ddns.address import Family
from ddns.detection import Absent, Answer, Available, Unknown
from ddns.errors import Conflict, RateLimited
from ddns.model import Change, Kind, Observed, Outcome, Reason, RecordKey, RecordType, RRset
from ddns.report.events import outcome_line, tell_detection, tell_outcome

KEY = RecordKey("dns", "home.example.com", RecordType.A)
ONE, TWO = (RRset(frozenset({IPv4Address(text)}), 60) for text in ("1.0.0.1", "1.0.0.2"))
CHANGE = Change("c", KEY, ONE, TWO, Reason.ADDRESS, 1)
CREATE = Change("c", KEY, None, TWO, Reason.CREATE, 1)
REMOVE = Change("c", KEY, ONE, None, Reason.REMOVE, 1)
LIMITED = RateLimited("too many calls", advice="Wait.")


@dataclass
class Kept:
    """A log in memory."""

    lines: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def write(self, level: str, message: str, **details: object) -> None:
        self.lines.append((level, message, {name: value for name, value in details.items() if value is not None}))


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome(Kind.UPDATED, KEY, 1.0, TWO, CHANGE), "updated 1.0.0.1 -> 1.0.0.2"),
        (Outcome(Kind.UPDATED, KEY, 1.0, TWO, CREATE), "updated none -> 1.0.0.2"),
        (Outcome(Kind.REMOVED, KEY, 1.0, None, REMOVE), "removed 1.0.0.1 -> none"),
        (Outcome(Kind.UNCHANGED, KEY, 1.0, ONE), "unchanged 1.0.0.1"),
        (Outcome(Kind.UNCHANGED, KEY, 1.0, note="no route"), "unchanged (no route)"),
        (Outcome(Kind.PROVEN, KEY, 1.0, ONE, observed=Observed(KEY, ONE, "api", 1.0)), "proven 1.0.0.1 (by api)"),
        (Outcome(Kind.DEFERRED, KEY, 1.0, cause=LIMITED), "deferred: too many calls. Wait."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_for_people(outcome: Outcome, text: str) -> None:
    assert outcome_line(outcome) == f"home.example.com A: {text}"


RECORD = {"name": "home.example.com", "type": "A", "provider": "dns"}


@pytest.mark.parametrize(
    ("outcome", "level", "details"),
    [
        (
            Outcome(Kind.UPDATED, KEY, 1.0, TWO, CHANGE),
            "INFO",
            {"outcome": "updated", "old": ["1.0.0.1"], "new": ["1.0.0.2"], "reason": "address", "change": "c"},
        ),
        (
            Outcome(Kind.PROVEN, KEY, 1.0, ONE, observed=Observed(KEY, ONE, "api", 1.0)),
            "INFO",
            {"outcome": "proven", "new": ["1.0.0.1"], "observed_by": "api"},
        ),
        (
            Outcome(Kind.DEFERRED, KEY, 1.0, cause=LIMITED, until=9.0),
            "WARN",
            {
                "outcome": "deferred",
                "until": 9.0,
                "error": {"code": "provider.rate_limited", "message": "too many calls", "advice": "Wait."},
            },
        ),
        (Outcome(Kind.HELD, KEY, 1.0), "WARN", {"outcome": "held"}),
        (
            Outcome(Kind.CONTENDED, KEY, 1.0, cause=Conflict("two writers", advice="a")),
            "ERROR",
            {"outcome": "contended", "error": {"code": "provider.conflict", "message": "two writers", "advice": "a"}},
        ),
        (Outcome(Kind.FAILED, KEY, 1.0, note="n"), "ERROR", {"outcome": "failed", "note": "n"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_log_line(outcome: Outcome, level: str, details: dict[str, object]) -> None:
    log = Kept()
    tell_outcome(log, outcome)
    assert log.lines == [(level, f"home.example.com A: {outcome.kind}", RECORD | details)]


HONEST = Answer("a", "A", True, address=IPv4Address("1.0.0.1"))
LIAR = Answer("b", "B", True, address=IPv4Address("9.9.9.9"))
SILENT = Answer("c", "C", True, problem="c: no answer")


def test_an_address_that_all_agree_on() -> None:
    log = Kept()
    tell_detection(log, Family.V4, Available(IPv4Address("1.0.0.1"), ("A", "C")), [HONEST, SILENT])
    assert log.lines == [
        (
            "INFO",
            "IPv4: 1.0.0.1",
            {"family": 4, "address": "1.0.0.1", "agreed_by": ["A", "C"], "disagree": [], "problems": ["c: no answer"]},
        )
    ]


def test_a_liar_is_named() -> None:
    log = Kept()
    tell_detection(log, Family.V4, Available(IPv4Address("1.0.0.1"), ("A",)), [HONEST, LIAR])
    (level, _, details) = log.lines[0]
    assert (level, details["disagree"]) == ("WARN", [{"source": "b", "address": "9.9.9.9"}])


def test_no_address() -> None:
    log = Kept()
    tell_detection(log, Family.V6, Absent("no route"), [SILENT])
    tell_detection(log, Family.V4, Unknown(("c: no answer",)), [HONEST, SILENT])
    assert [(level, message) for level, message, _ in log.lines] == [
        ("INFO", "IPv6: absent"),
        ("WARN", "IPv4: unknown"),
    ]
    assert log.lines[0][2] == {"family": 6, "disagree": [], "problems": [], "because": "no route"}
