"""status.json, whole: what every user may read, and what nobody may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from ddns import __version__
from ddns.errors import AddressError, BadCredentials, Conflict, Deferred, NotPermitted, RateLimited, Transport
from ddns.memory import BlockNote, Visibility
from ddns.model import Change, Kind, Observed, Outcome, Reason, RecordKey, RecordType, RRset, Run
from ddns.state import ending
from ddns.state.opening import open_store
from ddns.state.schema import connect
from ddns.state.standing import tail
from ddns.state.status import document
from ddns.state.store import Store
from ddns.times import utc
from unit.fakes import START

KEY = RecordKey("dns", "home.example.com", RecordType.A)
V6 = RecordKey("dns", "home.example.com", RecordType.AAAA)
GONE = RecordKey("former", "old.example.com", RecordType.A)
ONE = RRset(frozenset({IPv4Address("1.0.0.1")}), 60)
EVERY = 6 * 3600.0
CANARY = "hunter2-canary"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "state.db"), START)
    yield opened
    opened.close_file()


def a_full_run(store: Store) -> bytes:
    """One record proven, one limited, one that is in the settings no more, a block with a provider's words, a note."""
    run = Run("abc123", "schedule", START)
    store.begin(run)
    store.note(START - 8 * 86400, "an old note")
    store.note(START - 60, "the state was damaged")
    store.settle(run, Outcome(Kind.PROVEN, KEY, START + 1, ONE, observed=Observed(KEY, ONE, "api", START + 0.5)))
    store.settle(
        run, Outcome(Kind.DEFERRED, V6, START + 1, cause=RateLimited(f"too fast: {CANARY}"), until=START + 90.25)
    )
    change = store.intend(run, [Change("c", GONE, None, ONE, Reason.CREATE)])[0]
    store.settle(run, Outcome(Kind.FAILED, GONE, START + 1, change=change, cause=BadCredentials(CANARY)))
    store.note_block("dns:f00d", BlockNote("dns", "f00d", "provider.banned", CANARY, CANARY, START - 60, START + 86400))
    store.note_block("former:f00d", BlockNote("former", "f00d", "provider.banned", "m", "a", START, START + 1))
    text = tail(store, [KEY, V6], host='pc"1', now=START + 2, every=EVERY)
    store.close(run, START + 2, 13, changed=1, expectation=None, log=True, tail=text)
    return document(
        trace_id="abc123", started=START, ended=START + 2, exit_code=13, full=True, last_runs=store.last_runs(),
        tail=text,
    )  # fmt: skip


RECORDS = [
    {
        "name": "home.example.com",
        "type": "A",
        "provider": "dns",
        "address": "1.0.0.1",
        "since": "2027-01-15T08:00:01.000Z",
        "outcome": "proven",
        "proven_at": "2027-01-15T08:00:00.500Z",
        "proven_by": "api",
        "next_at": "2027-01-15T14:00:00.500Z",
        "error": None,
    },
    {
        "name": "home.example.com",
        "type": "AAAA",
        "provider": "dns",
        "address": None,
        "since": None,
        "outcome": "deferred",
        "proven_at": None,
        "proven_by": None,
        "next_at": "2027-01-15T08:01:30.250Z",
        "error": {
            "code": "provider.rate_limited",
            "advice": "Nothing to do: the next call waits as long as the provider asks.",
        },
    },
]
TAIL = {
    "host": 'pc"1',
    "records": RECORDS,
    "blocks": [
        {
            "provider": "dns",
            "code": "provider.banned",
            "since": "2027-01-15T07:59:00.000Z",
            "retry_at": "2027-01-16T08:00:00.000Z",
        }
    ],
    "paused_until": None,
    "changes_last_hour": 0,
    "contentions_last_hour": 0,
    "contended_at": None,
    "notes": ["the state was damaged"],
}
FULL_RUN = {
    "started": "2027-01-15T08:00:00.000Z",
    "ended": "2027-01-15T08:00:02.000Z",
    "exit": 13,
    "full": True,
}


def test_the_whole_document_of_a_full_run(store: Store) -> None:
    text = a_full_run(store)
    assert text.endswith(b"}\n")
    expected = {
        "schema": 1,
        "version": __version__,
        "written_at": "2027-01-15T08:00:02.000Z",
        "run": {"id": "abc123", **FULL_RUN},
        "last_runs": [{**FULL_RUN, "changed": 1}],
        "health": {"runs": 1, "fine": 0, "changed": 1, "interval": None},
        **TAIL,
    }
    assert text.decode() == json.dumps(expected, separators=(",", ":")) + "\n"


def test_the_whole_document_of_a_quick_run(store: Store, tmp_path: Path) -> None:
    a_full_run(store)
    path = str(tmp_path / "state.db")
    with closing(connect(path)) as base:
        ending.record_run(base, path, "def456", "schedule", START + 600, START + 600.05, 0)
        text = document(
            trace_id="def456", started=START + 600, ended=START + 600.05, exit_code=0, full=False,
            last_runs=ending.last_runs(base), tail=ending.status_tail(base),
        )  # fmt: skip
    quick = {"started": "2027-01-15T08:10:00.000Z", "ended": "2027-01-15T08:10:00.049Z", "exit": 0, "full": False}
    expected = {
        "schema": 1,
        "version": __version__,
        "written_at": "2027-01-15T08:10:00.049Z",
        "run": {"id": "def456", **quick},
        "last_runs": [{**FULL_RUN, "changed": 1}, {**quick, "changed": 0}],
        "health": {"runs": 2, "fine": 1, "changed": 1, "interval": 600},
        **TAIL,
    }
    assert text.decode() == json.dumps(expected, separators=(",", ":")) + "\n"


def test_nothing_that_nobody_may_read(store: Store) -> None:
    text = a_full_run(store).decode()
    for forbidden in (CANARY, "f00d", "old.example.com", "former", "an old note"):
        assert forbidden not in text
    # The state knows them, so that the test is about what is left out.
    assert CANARY in str([tuple(row) for row in store.block_rows()])
    assert CANARY in store.history(1)[0].detail or CANARY in str(store.history(9))


def test_before_the_first_full_run_there_is_an_empty_tail() -> None:
    text = document(trace_id="a", started=START, ended=START, exit_code=10, full=True, last_runs=[], tail="")
    told = json.loads(text)
    assert (told["records"], told["blocks"], told["notes"], told["host"], told["health"]) == (
        [], [], [], "", {"runs": 0, "fine": 0, "changed": 0, "interval": None},
    )  # fmt: skip


def test_a_record_never_tried_has_no_next_time(store: Store) -> None:
    store.settle(Run("r", "schedule", START), Outcome(Kind.UNCHANGED, KEY, START, note="no route"))
    told = json.loads(tail(store, [KEY], host="h", now=START, every=EVERY, paused_until=START + 60))
    assert (told["records"][0]["next_at"], told["paused_until"]) == (None, "2027-01-15T08:01:00.000Z")


TROUBLES: list[tuple[Outcome, float | None]] = [
    (Outcome(Kind.UNCHANGED, KEY, START + 1), START + 0.5 + EVERY),
    (Outcome(Kind.CONTENDED, KEY, START + 1, cause=Conflict("m"), until=START + 3600), START + 3600),
    (Outcome(Kind.FAILED, KEY, START + 1, cause=BadCredentials("m")), START + 86400),
    (Outcome(Kind.FAILED, KEY, START + 1, cause=NotPermitted("m")), None),
    (Outcome(Kind.FAILED, KEY, START + 1, cause=AddressError("m")), None),
    (Outcome(Kind.DEFERRED, KEY, START + 1, cause=Transport("m")), None),
]


@pytest.mark.parametrize(("outcome", "next_at"), TROUBLES, ids=lambda value: getattr(value, "kind", None))
def test_only_a_right_record_waits_for_its_proof(store: Store, outcome: Outcome, next_at: float | None) -> None:
    run = Run("r", "schedule", START)
    store.settle(run, Outcome(Kind.PROVEN, KEY, START, ONE, observed=Observed(KEY, ONE, "api", START + 0.5)))
    store.note_block("a", BlockNote("dns", "a", "provider.bad_credentials", "m", "a", START - 9, START - 1))
    store.note_block("b", BlockNote("dns", "b", "provider.bad_credentials", "m", "a", START, START + 86400))
    store.note_block("c", BlockNote("former", "c", "provider.not_permitted", "m", "a", START, START + 7))
    store.settle(run, outcome)

    (told,) = json.loads(tail(store, [KEY], host="h", now=START + 2, every=EVERY))["records"]

    assert told["next_at"] == (None if next_at is None else utc(next_at))


def test_health_tells_how_long_writes_take_to_be_seen(store: Store, tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    for lower, upper in ((1.0, 3.25), (40.0, None), (4.0, 9.0)):
        store.note_visibility(Visibility(KEY, START, lower, upper))
    end = a_full_run(store)
    with closing(connect(path)) as base:
        later = document(
            trace_id="b", started=START, ended=START, exit_code=0, full=False,
            last_runs=ending.last_runs(base), tail=ending.status_tail(base),
        )  # fmt: skip
    for text in (end, later):
        told = json.loads(text)
        assert told["health"]["visibility"] == {"lower": 4.0, "upper": 9.0, "at": "2027-01-15T08:00:00.000Z"}
        assert told["health"]["visibility_delay"] == 9.0
        assert told["host"] == TAIL["host"]


def test_a_write_that_a_later_run_sees_gives_an_interval(store: Store) -> None:
    """The first look came too early: more than that, at most until the second."""
    change = Change("v", KEY, None, ONE, Reason.CREATE)
    store.settle(Run("v", "schedule", START), Outcome(Kind.UPDATED, KEY, START, ONE, change))
    store.settle(
        Run("v", "schedule", START),
        Outcome(Kind.ACCEPTED, KEY, START + 60, cause=Deferred("not yet", until=START + 120)),
    )
    store.settle(
        Run("v", "schedule", START),
        Outcome(Kind.PROVEN, KEY, START + 660, ONE, observed=Observed(KEY, ONE, "ns", START + 660)),
    )
    store.settle(
        Run("v", "schedule", START),
        Outcome(Kind.PROVEN, KEY, START + 900, ONE, observed=Observed(KEY, ONE, "ns", START + 900)),
    )
    assert store.visibility() == [Visibility(KEY, START + 660, 60.0, 660.0)]
