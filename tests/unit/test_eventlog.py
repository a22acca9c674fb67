"""What is told to the event log: ids that stay, changes of situation only, one line, nothing secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns import __main__ as entry
from ddns import host
from ddns.address import Family
from ddns.detection import Answer, Detected, Unknown
from ddns.errors import (
    AddressError,
    BadCredentials,
    Block,
    ClockSkew,
    Conflict,
    DdnsError,
    Deferred,
    Held,
    Rejected,
    SettingsError,
    StateNewer,
    StateUnwritable,
    Transport,
    Untrusted,
)
from ddns.host import eventlog
from ddns.model import Change, Kind, Outcome, Reason, RecordKey, RecordType, RRset
from ddns.report.eventids import MEANINGS, Event, Level, page
from ddns.report.situation import Before, Told, before, news
from ddns.runtime import RunRequest, Start, events
from ddns.runtime.compose import Seams
from ddns.runtime.full import full_run
from unit.terminal import ROOT

KEY = RecordKey("dns", "home.example.com", RecordType.A)
ONE, TWO = (RRset(frozenset({IPv4Address(text)})) for text in ("8.8.4.4", "8.8.8.8"))
CHANGE = Change("c", KEY, ONE, TWO, Reason.ADDRESS, 1)
FINE = Outcome(Kind.UNCHANGED, KEY, 1.0, ONE)
GOOD, BAD = Before(exits=(0, 0)), Before({("dns", "home.example.com", "A"): "provider.bad_credentials"}, (0, 12))


def failed(cause: DdnsError, kind: Kind = Kind.FAILED) -> Outcome:
    return Outcome(kind, KEY, 1.0, cause=cause)


def told(known: Before, *outcomes: Outcome, disagree: bool = False) -> list[tuple[Event, str]]:
    """The events of a run with these outcomes."""
    code = int(max((outcome.exit for outcome in outcomes), default=0))
    return [(item.event, item.text) for item in news(known, outcomes, code, disagree=disagree, trace_id="t1")]


def test_the_ids_are_those_that_filters_were_written_for() -> None:
    assert {event.name: event.value for event in Event} == {
        "UPDATED": 100,
        "REPAIRED": 101,
        "REMOVED": 102,
        "ACCEPTED": 103,
        "RECOVERED": 110,
        "SERVICE_STARTED": 120,
        "SERVICE_STOPPED": 121,
        "NO_ADDRESS": 200,
        "DISAGREE": 201,
        "UNREACHABLE": 202,
        "BREAKER_OPEN": 203,
        "HELD": 204,
        "STATE_REBUILT": 205,
        "UNTRUSTED": 206,
        "MOVED": 207,
        "SETTINGS": 300,
        "BAD_CREDENTIALS": 301,
        "NOT_PERMITTED": 302,
        "NO_SUCH_ZONE": 303,
        "BANNED": 304,
        "CLOCK_SKEW": 305,
        "REJECTED": 306,
        "CONTENDED": 307,
        "BLOCKED": 309,
        "STATE_UNWRITABLE": 310,
        "STATE_UNUSABLE": 311,
        "RUN_FAILED": 320,
        "CRASH": 390,
    }


def test_every_event_has_an_id_of_the_message_file_a_level_and_a_meaning() -> None:
    assert list(MEANINGS) == list(Event)
    assert all(1 <= event <= 1000 for event in Event)
    assert [event.level for event in (Event.UPDATED, Event.HELD, Event.CRASH)] == list(Level)


def test_the_page_is_that_of_the_program() -> None:
    assert (ROOT / "docs/reference/events.md").read_text(encoding="utf-8") == page()


def test_a_run_where_all_is_well_tells_nothing() -> None:
    assert told(GOOD, FINE) == []
    assert told(Before(), FINE) == []


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (Kind.UPDATED, Event.UPDATED),
        (Kind.REPAIRED, Event.REPAIRED),
        (Kind.REMOVED, Event.REMOVED),
        (Kind.ACCEPTED, Event.ACCEPTED),
    ],
)
def test_every_write_is_told(kind: Kind, event: Event) -> None:
    text = "home.example.com A at dns: 8.8.4.4 -> 8.8.8.8 (trace_id t1)"
    assert told(GOOD, Outcome(kind, KEY, 1.0, TWO, CHANGE)) == [(event, text)]


def test_a_write_that_is_still_waited_for_is_not_told_again() -> None:
    assert told(GOOD, Outcome(Kind.ACCEPTED, KEY, 1.0, cause=Deferred("not yet", until=9.0))) == []


STANDING = [
    (failed(BadCredentials("no")), Event.BAD_CREDENTIALS),
    (failed(ClockSkew("late", seconds=9.0)), Event.CLOCK_SKEW),
    (failed(Rejected("a CNAME")), Event.REJECTED),
    (failed(Rejected("two values"), Kind.HELD), Event.REJECTED),
    (failed(Conflict("two writers"), Kind.CONTENDED), Event.CONTENDED),
    (failed(Held.at(KEY), Kind.HELD), Event.HELD),
    (failed(Block("no")), Event.BLOCKED),
]


@pytest.mark.parametrize(("outcome", "event"), STANDING, ids=lambda value: str(getattr(value, "name", "")))
def test_what_needs_a_person_is_told_once(outcome: Outcome, event: Event) -> None:
    assert outcome.cause is not None
    text = f"home.example.com A at dns: {outcome.cause.message}. {outcome.cause.advice} (trace_id t1)"
    assert told(GOOD, outcome) == [(event, text)]
    assert told(Before({("dns", "home.example.com", "A"): outcome.cause.code}), outcome) == []


def test_every_block_has_an_event_of_its_own() -> None:
    kinds = Block.__subclasses__()
    found = [told(GOOD, failed(kind("no")))[0][0] for kind in kinds]
    assert len(set(found)) == len(kinds)
    assert Event.BLOCKED not in found


PASSING = [
    (failed(AddressError("nobody answers")), Event.NO_ADDRESS),
    (failed(Transport("no route")), Event.UNREACHABLE),
    (failed(Untrusted("not its name")), Event.UNTRUSTED),
    (failed(Deferred("left alone", until=9.0), Kind.DEFERRED), Event.BREAKER_OPEN),
]


@pytest.mark.parametrize(("outcome", "event"), PASSING, ids=lambda value: str(getattr(value, "name", "")))
def test_what_may_pass_is_told_when_it_lasts_and_once(outcome: Outcome, event: Event) -> None:
    code = int(outcome.exit)
    assert told(Before(exits=(0, 0)), outcome) == []
    assert [event for event, _ in told(Before(exits=(0, code)), outcome)] == [event]
    assert [event for event, _ in told(Before(exits=(code,)), outcome)] == [event]
    assert told(Before(exits=(0, code, code)), outcome) == []
    assert told(Before(exits=(code,) * 10), outcome) == []


def test_sources_that_disagree_have_their_own_event() -> None:
    outcome = failed(AddressError("two answers"))
    assert [event for event, _ in told(Before(exits=(0, 11)), outcome, disagree=True)] == [Event.DISAGREE]


@pytest.mark.parametrize(
    "known",
    [BAD, Before(exits=(11, 11)), Before(exits=(13, 13, 13)), Before(exits=(0, 10)), Before(exits=(0, 15))],
    ids=["block", "address", "provider", "settings", "state"],
)
def test_that_it_is_well_again_is_told_once(known: Before) -> None:
    assert told(known, FINE) == [(Event.RECOVERED, "every record is right again, 1 in all (trace_id t1)")]
    assert told(Before(exits=(*known.exits, 0)), FINE) == []


def test_what_was_not_told_does_not_recover() -> None:
    assert told(Before(exits=(0, 13)), FINE) == []
    assert told(Before({("dns", "gone.example.com", "A"): "provider.banned"}, (0, 0)), FINE) == []


def test_many_records_are_one_event() -> None:
    def outcome(number: int) -> Outcome:
        key = RecordKey("dns", f"h{number}.example.com", RecordType.A)
        return Outcome(Kind.FAILED, key, 1.0, cause=BadCredentials("no", advice="Do."))

    [(event, text)] = told(GOOD, *map(outcome, range(12)))
    assert event is Event.BAD_CREDENTIALS
    assert text.startswith("h0.example.com A at dns: no; h1.example.com A at dns: no; ")
    assert text.endswith("; h9.example.com A at dns: no; and 2 more. Do. (trace_id t1)")


@given(st.text(max_size=5000))
def test_a_text_is_one_line_that_can_be_printed(foreign: str) -> None:
    [(_, text)] = told(GOOD, failed(Rejected(foreign)))
    assert text.isprintable()
    assert len(text) < 1600


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["records", "last_runs", "run", "error", "exit", "code", "name"]), inner),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_a_status_holds(document: bytes) -> None:
    assert isinstance(before(document), Before)


SETTINGS = """schema = 1
[[record]]
name = "home.example.com"
provider = "dns"
[provider.dns]
kind = "desec"
token = "file:token"
"""


class Kept:
    """An event log in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []

    def __call__(self, event_id: int, level: str, text: str) -> None:
        self.lines.append((event_id, level, text))

    @property
    def ids(self) -> list[int]:
        return [event_id for event_id, _, _ in self.lines]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], Kept]:
    """A whole run with settings; no source answers."""

    def whole(settings: str) -> Kept:
        (tmp_path / "ddns.toml").write_text(settings, encoding="utf-8")
        kept = Kept()
        from unit.fakes import FakeNet

        full_run(Start(str(tmp_path)), RunRequest(str(tmp_path), full=True), Seams(net=FakeNet, report=kept))
        return kept

    return whole


def test_wrong_settings_are_told_once_and_their_end(run: Callable[[str], Kept]) -> None:
    wrong = run(SETTINGS + "prxy = true\n")
    assert wrong.ids == [300]
    assert "prxy" in wrong.lines[0][2]
    assert run(SETTINGS + "prxy = true\n").ids == []
    assert run("schema = 1\n").ids == [110]


def test_no_address_is_told_in_the_second_run_of_each_time(run: Callable[[str], Kept]) -> None:
    assert [run(SETTINGS).ids for _ in range(4)] == [[], [200], [], []]
    assert run("schema = 1\n").ids == [110]


def test_a_rebuilt_state_is_told(run: Callable[[str], Kept], tmp_path: Path) -> None:
    run("schema = 1\n")
    (tmp_path / "state" / "state.db").write_bytes(b"not a database" * 100)
    kept = run("schema = 1\n")
    assert kept.ids == [205]
    assert "the state was damaged" in kept.lines[0][2]
    assert run("schema = 1\n").ids == []


@pytest.mark.parametrize(("error", "event"), [(StateUnwritable("full disk"), 310), (StateNewer("newer"), 311)])
def test_a_state_that_can_not_be_used_is_told_once(error: DdnsError, event: int, tmp_path: Path) -> None:
    places, kept = host.places(str(tmp_path)), Kept()
    events.state_unusable(places, error, "t1", kept)
    assert kept.lines == [(event, "error", f"{error.message}. {error.advice} (trace_id t1)")]
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "status.json").write_text(json.dumps({"run": {"exit": 15}, "last_runs": [{"exit": 0}]}))
    events.state_unusable(places, error, "t1", kept)
    assert len(kept.lines) == 1


def test_a_secret_is_masked(tmp_path: Path) -> None:
    kept = Kept()
    teller = events.Events(host.places(str(tmp_path)), "t1", lambda line: line.replace("hunter2", "***"), kept)
    teller.settings_wrong(SettingsError("wrong", ("hunter2 is no number",)))
    assert "***" in kept.lines[0][2]
    assert "hunter2" not in kept.lines[0][2]


def test_disagreement_is_seen_in_the_answers(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "status.json").write_text(json.dumps({"last_runs": [{"exit": 0}, {"exit": 11}]}))
    answers = (Answer("a", "A", True, address=IPv4Address("8.8.4.4")), Answer("b", "B", True, problem="silent"))
    for number, expected in ((0, 200), (1, 201)):
        kept = Kept()
        teller = events.Events(host.places(str(tmp_path)), "t1", str, kept)
        detected = {Family.V4: Detected(Unknown(("no",)), answers[1 - number :])}
        teller.ended([failed(AddressError("no"))], detected, 11)
        assert kept.ids == [expected]


def test_a_crash_tells_where_and_not_what() -> None:
    kept = Kept()
    try:
        raise ValueError("hunter2")
    except ValueError as error:
        events.crashed(type(error), error.__traceback__, kept)
    ((event, level, text),) = kept.lines
    assert (event, level) == (390, "error")
    assert text.startswith("the program crashed: ValueError in test_eventlog.py, line ")


def test_a_crash_of_the_program_is_told_as_python_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept()
    monkeypatch.setattr(events.crashed, "__defaults__", (kept,))
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError as error:
        entry._crashed(type(error), error, error.__traceback__)
    assert "ZeroDivisionError: by nothing" in capsys.readouterr().err
    assert kept.ids == [390]


def test_a_service_tells_its_begin_its_end_and_what_can_not_go_on() -> None:
    kept = Kept()
    events.service_started(600.0, kept)
    events.service_stopped(kept)
    events.run_failed("the run can't be started: no", 0.0, kept)
    events.run_failed("", 301.0, kept)
    assert kept.lines == [
        (120, "information", "the service runs every 10 min"),
        (121, "information", "the service was stopped"),
        (320, "error", "the run can't be started: no"),
        (320, "error", "a run of the service was ended after 5 min"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there it is written")
def test_where_there_is_no_event_log_nothing_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    eventlog.report(100, "information", "text")
    assert capfd.readouterr() == ("", "")


def test_told_is_a_value() -> None:
    assert Told(Event.UPDATED, "a") == Told(Event.UPDATED, "a")
