"""The state: what each transaction leaves, also when the next one never comes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from ddns.errors import (
    AddressError,
    BadCredentials,
    Conflict,
    DdnsError,
    Deferred,
    LeaseTaken,
    Rejected,
    StateNewer,
    StateUnwritable,
    Transport,
)
from ddns.expect import Expectation, Expected
from ddns.memory import BlockNote, BreakerNote, Memory, Published
from ddns.model import Change, Fate, Kind, Observed, Outcome, Reason, RecordKey, RecordType, Resolution, RRset, Run
from ddns.state import ending, schema
from ddns.state.opening import open_store
from ddns.state.schema import StateDamaged, connect
from ddns.state.store import Store
from unit.fakes import START

KEY = RecordKey("dns", "home.example.com", RecordType.A)
V6 = RecordKey("dns", "home.example.com", RecordType.AAAA)
HOUR, DAY = 3600.0, 24 * 3600.0


def rrset(*texts: str, ttl: int | None = 60) -> RRset:
    return RRset(frozenset(map(IPv4Address, texts)), ttl)


OLD, NEW, ALIEN = rrset("1.0.0.1"), rrset("1.0.0.2"), rrset("9.9.9.9")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    opened = open_store(path, START)
    yield opened
    opened.close_file()


def sql(path: str, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Look, or meddle, from outside."""
    with closing(sqlite3.connect(path, isolation_level=None)) as base:
        return base.execute(statement, values).fetchall()


def run(number: int = 0, started: float = START) -> Run:
    return Run(f"trace{number}", "schedule", started)


def end(store: Store, which: Run, code: int = 0, *, expectation: Expectation | None = None, tail: str = "{}") -> None:
    store.close(which, which.started + 1, code, changed=0, expectation=expectation, log=True, tail=tail)


def write(
    store: Store,
    kind: Kind = Kind.UPDATED,
    *,
    after: RRset | None = NEW,
    before: RRset | None = OLD,
    at: float = START,
    cause: DdnsError | None = None,
    until: float | None = None,
    reason: Reason = Reason.ADDRESS,
) -> Change:
    """Intend and settle one change."""
    count = len(store.history(99999))
    change = store.intend(run(started=at), [Change(f"c{count}", KEY, before, after, reason)])[0]
    store.settle(run(), Outcome(kind, KEY, at, after, change, cause=cause, until=until))
    return change


def published(store: Store) -> Published | None:
    return store.recall().published.get(KEY)


def state_of(store: Store) -> str:
    return store.history(1)[0].state


# -- intents and outcomes


def test_a_new_state_remembers_nothing(store: Store) -> None:
    assert store.recall() == Memory()
    assert (store.history(9), store.notes(0), store.last_runs(), store.status_tail()) == ([], [], [], "")


def test_intents_are_numbered_for_ever_and_durable(store: Store, path: str) -> None:
    changes = [Change("a", KEY, OLD, NEW, Reason.ADDRESS), Change("b", V6, None, None, Reason.REMOVE)]
    assert [change.seq for change in store.intend(run(), changes)] == [1, 2]
    assert store.intend(run(), []) == []
    with closing(connect(path)) as other:
        intents = Store(other, path).recall().intents
    assert {
        key: (intent.change.id, intent.change.seq, intent.at, intent.accepted) for key, intent in intents.items()
    } == {
        KEY: ("a", 1, START, False),
        V6: ("b", 2, START, False),
    }
    assert intents[KEY].change == Change("a", KEY, OLD, NEW, Reason.ADDRESS, 1)
    sql(path, "DELETE FROM changes")
    assert store.intend(run(), [Change("c", KEY, OLD, NEW, Reason.ADDRESS)])[0].seq == 3


@pytest.mark.parametrize(
    ("kind", "cause", "state", "still_open"),
    [
        (Kind.UPDATED, None, "applied", False),
        (Kind.REPAIRED, None, "applied", False),
        (Kind.REMOVED, None, "applied", False),
        (Kind.ACCEPTED, None, "accepted", True),
        (Kind.HELD, None, "accepted", True),
        (Kind.CONTENDED, Conflict("x"), "external", False),
        (Kind.DEFERRED, Transport("x", ambiguous=True), "open", True),
        (Kind.DEFERRED, Transport("x"), "refused", False),
        (Kind.DEFERRED, Deferred("x", until=1.0), "refused", False),
        (Kind.FAILED, Rejected("x"), "refused", False),
        (Kind.FAILED, BadCredentials("x"), "refused", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, DdnsError) else str(value),
)
def test_how_an_intent_stands_after_its_outcome(
    store: Store, kind: Kind, cause: DdnsError | None, state: str, still_open: bool
) -> None:
    write(store, kind, cause=cause)
    entry = store.history(1)[0]
    assert (entry.state, entry.detail) == (state, "x" if cause else "")
    assert (KEY in store.recall().intents) is still_open
    assert (published(store) is not None) is kind.wrote


def test_what_we_wrote_is_published(store: Store) -> None:
    write(store)
    assert published(store) == Published(NEW, START, START)
    write(store, after=OLD, at=START + 5)
    assert published(store) == Published(OLD, START + 5, START + 5)


def test_since_is_kept_while_the_value_is_the_same(store: Store) -> None:
    write(store)
    write(store, after=rrset("1.0.0.2", ttl=300), at=START + 5)
    found = published(store)
    assert found is not None
    assert (found.since, found.written_at, found.rrset.ttl) == (START, START + 5, 300)


def test_a_removal_is_published_no_more(store: Store) -> None:
    write(store)
    write(store, Kind.REMOVED, after=None, reason=Reason.REMOVE)
    assert published(store) is None


def prove(store: Store, value: RRset = NEW, at: float = START + 9) -> None:
    store.settle(run(), Outcome(Kind.PROVEN, KEY, at, value, observed=Observed(KEY, value, "api", at - 1)))


def test_a_proof(store: Store) -> None:
    write(store)
    prove(store)
    assert published(store) == Published(NEW, START, START, START + 8, "api")


def test_a_record_found_right_is_ours_from_then_on(store: Store) -> None:
    prove(store)
    assert published(store) == Published(NEW, START + 9, 0.0, START + 8, "api")


def test_a_record_found_missing_is_ours_no_more(store: Store) -> None:
    write(store)
    store.settle(run(), Outcome(Kind.PROVEN, KEY, START + 9, None, observed=Observed(KEY, None, "api", START + 9)))
    assert published(store) is None


def test_what_was_not_right_is_pending_until_it_is(store: Store) -> None:
    write(store)
    store.settle(run(), Outcome(Kind.DEFERRED, KEY, START + 1, cause=Transport("x")))
    found = published(store)
    assert found is not None
    assert found.pending
    prove(store)
    found = published(store)
    assert found is not None
    assert not found.pending


def test_reversals_are_remembered_for_a_day(store: Store) -> None:
    write(store)
    for at in (START, START + HOUR, START + DAY + 1):
        write(store, Kind.REPAIRED, at=at, reason=Reason.DRIFT)
    found = published(store)
    assert found is not None
    assert found.reversals == (START + HOUR, START + DAY + 1)


@pytest.mark.parametrize("ended_by", ["write", "proof"])
def test_a_hold_lasts_until_the_record_is_right(store: Store, ended_by: str) -> None:
    write(store)
    store.settle(run(), Outcome(Kind.CONTENDED, KEY, START + 1, cause=Conflict("x"), until=START + HOUR))
    found = published(store)
    assert found is not None
    assert (found.held_until, found.pending, found.rrset) == (START + HOUR, False, NEW)
    write(store) if ended_by == "write" else prove(store)
    found = published(store)
    assert found is not None
    assert found.held_until is None


@pytest.mark.parametrize(
    ("fate", "rest"), [(Fate.ADOPTED, Published(NEW, START + 3, START + 3)), (Fate.VOID, None), (Fate.EXTERNAL, None)]
)
def test_an_intent_is_resolved(store: Store, fate: Fate, rest: Published | None) -> None:
    change = store.intend(run(), [Change("a", KEY, OLD, NEW, Reason.ADDRESS)])[0]
    seen = Observed(KEY, NEW if fate is Fate.ADOPTED else None, "api", START + 3)
    store.resolve(run(1, START + 5), Resolution(change, fate, seen))
    assert store.recall().intents == {}
    assert published(store) == rest
    entry = store.history(1)[0]
    assert (entry.state, entry.detail) == (fate.value, f"found {seen.rrset or 'none'} at api")


def test_values_of_every_kind_come_back(store: Store) -> None:
    value = RRset(frozenset({IPv6Address("2606:4700::1")}), None, {"proxied": True, "comment": "ü"})
    store.settle(run(), Outcome(Kind.PROVEN, V6, START, value, observed=Observed(V6, value, "api", START)))
    found = store.recall().published[V6].rrset
    assert (found, found.extra) == (value, {"proxied": True, "comment": "ü"})


def test_breakers_and_blocks(store: Store) -> None:
    note = BreakerNote((True, False, True), START, START + 300, 2)
    block = BlockNote("dns", "f00", "provider.banned", "m", "a", START, START + DAY)
    store.note_breaker("dns:f00", note)
    store.note_block("dns:f00", block)
    memory = store.recall()
    assert (memory.breakers, memory.blocks) == ({"dns:f00": note}, {"dns:f00": block})
    store.note_breaker("dns:f00", BreakerNote())
    store.note_block("dns:f00", None)
    memory = store.recall()
    assert (memory.breakers, memory.blocks) == ({"dns:f00": BreakerNote()}, {})


# -- runs


def test_a_run(store: Store) -> None:
    store.begin(run())
    store.close(run(), START + 2, 12, changed=3, expectation=None, log=True, tail='{"a":1}', fingerprint="f1")
    assert store.last_runs() == [(START, START + 2, 12, 1, 3)]
    assert (store.status_tail(), store.recall().fingerprint) == ('{"a":1}', "f1")


def test_a_run_without_end_is_aborted(store: Store) -> None:
    store.begin(run())
    assert store.last_runs() == []
    store.begin(run(1, START + 60))
    assert store.last_runs() == [(START, START, 1, 1, 0)]


def test_the_last_ten_runs_oldest_first(store: Store) -> None:
    for number in range(12):
        which = run(number, START + number)
        store.begin(which)
        end(store, which, number)
    assert [row[2] for row in store.last_runs()] == list(range(2, 12))


EXPECTATION = Expectation(
    "abc", START, START + HOUR, (Expected(4, 0, "1.0.0.1"), Expected(6, -1, "2606:4700::1")), 12, ("env:A", "file:/b c")
)


def loaded(path: str) -> tuple[Expectation | None, bool, float | None]:
    with closing(connect(path)) as base:
        return ending.load(base)


def shown(expectation: Expectation) -> dict[str, object]:
    return {name: str(getattr(expectation, name)) for name in Expectation.__slots__}


@pytest.mark.parametrize("watched", [("env:A", "file:/b c"), ()])
def test_an_expectation_comes_back(store: Store, path: str, watched: tuple[str, ...]) -> None:
    made = Expectation("abc", START, START + HOUR, EXPECTATION.expected, 12, watched)
    store.begin(run())
    end(store, run(), expectation=made)
    found, log, paused = loaded(path)
    assert found is not None
    assert shown(found) == shown(made)
    assert (log, paused) == (True, None)


def test_an_expectation_does_not_outlive_the_next_full_run(store: Store, path: str) -> None:
    store.begin(run())
    end(store, run(), expectation=EXPECTATION)
    store.begin(run(1))
    assert loaded(path) == (None, True, None)


@pytest.mark.parametrize(
    "meddle",
    [
        "UPDATE expectation SET expected = 'nonsense'",
        "UPDATE expectation SET expected = '4|x|1.0.0.1'",
        "UPDATE expectation SET expected = x'ff00'",
        "UPDATE expectation SET expected = 7",
        "UPDATE expectation SET made = 'soon', until = x'00'",
        "UPDATE expectation SET fingerprint = 12, watched = 5, exit = 'none', log = 'x'",
        "INSERT INTO meta VALUES ('paused_until', 'for ever')",
        "INSERT INTO meta VALUES ('paused_until', x'ff')",
    ],
)
def test_a_forged_expectation_is_no_crash(store: Store, path: str, meddle: str) -> None:
    store.begin(run())
    end(store, run(), expectation=EXPECTATION)
    sql(path, meddle)
    try:
        found, _, paused = loaded(path)
    except sqlite3.DatabaseError:
        return  # `quick` goes the full way then
    assert found is None or isinstance(found.made, float)
    assert paused in (None, 0.0)


def test_a_quick_run_is_kept_beside_the_full_ones(store: Store, path: str) -> None:
    store.begin(run())
    end(store, run(), tail='{"host":"h"}')
    with closing(connect(path)) as base:
        ending.record_run(base, path, "quick", "schedule", START + 600, START + 600.05, 0)
        assert ending.last_runs(base) == store.last_runs()
        assert ending.status_tail(base) == '{"host":"h"}'
    assert store.last_runs()[-1] == (START + 600, START + 600.05, 0, 0, 0)


def test_a_pause(store: Store, path: str) -> None:
    store.begin(run())
    end(store, run(), tail='{"paused_until":null,"host":"h"}')
    store.pause(START + HOUR)
    assert (store.paused_until(), loaded(path)[2]) == (START + HOUR, START + HOUR)
    assert store.status_tail() == '{"paused_until":"2027-01-15T09:00:00.000Z","host":"h"}'
    store.pause(None)
    assert (store.paused_until(), loaded(path)[2]) == (None, None)
    assert store.status_tail() == '{"paused_until":null,"host":"h"}'


# -- history


def test_history_and_notes_newest_first(store: Store) -> None:
    write(store, at=START)
    store.note(START + 1, "a note")
    write(store, Kind.DEFERRED, at=START + 2, cause=Transport("h: can't connect"))
    assert [(entry.at, entry.state, entry.detail) for entry in store.history(9)] == [
        (START + 2, "refused", "h: can't connect"),
        (START + 1, "note", "a note"),
        (START, "applied", ""),
    ]
    assert [entry.at for entry in store.history(2)] == [START + 2, START + 1]
    assert (store.notes(START + 1), store.notes(START + 2)) == (["a note"], [])


def test_changes_of_the_last_hour(store: Store) -> None:
    write(store, at=START - HOUR)
    write(store, at=START - HOUR + 1)
    write(store, Kind.DEFERRED, at=START, cause=Transport("x"))
    assert store.changes_since(START - HOUR + 1) == 1


def test_runs_are_kept_for_thirty_days(store: Store, path: str) -> None:
    for number, age in enumerate((31 * DAY, 30 * DAY + 2, 30 * DAY - 2, 0.0)):
        store.begin(run(number, START - age))
        end(store, run(number, START - age))
    assert sql(path, "SELECT trace_id FROM runs ORDER BY id") == [("trace2",), ("trace3",)]


def test_contentions_of_the_last_hour_are_counted_by_run_and_are_no_changes(store: Store) -> None:
    taken = LeaseTaken("pc2 holds the fleet lease ddns for another 9.0 s")
    for number, started in enumerate((START - HOUR - 1, START - 600, START)):
        which = run(number, started)
        store.begin(which)
        for name in ("a.example.com", "b.example.com"):
            key = RecordKey("dns", name, RecordType.A)
            (change,) = store.intend(which, [Change(f"{number}-{name}", key, None, NEW, Reason.CREATE)])
            store.settle(which, Outcome(Kind.YIELDED, key, started, None, change, cause=taken))
        end(store, which)
    assert store.contentions(START - HOUR) == (2, START)
    assert store.contentions(START + 1) == (0, None)
    assert store.changes_since(0.0) == 0
    assert {entry.state for entry in store.history(99)} == {"yielded"}
    assert store.history(1)[0].detail == taken.message
    assert store.recall().intents == {}, "nothing was sent, so nothing is open"


def test_a_record_of_ours_that_was_yielded_is_looked_at_again(store: Store) -> None:
    write(store)
    (change,) = store.intend(run(), [Change("again", KEY, NEW, OLD, Reason.ADDRESS)])
    store.settle(run(), Outcome(Kind.YIELDED, KEY, START + 1, NEW, change, cause=LeaseTaken("x")))
    published = store.recall().published[KEY]
    assert (published.rrset, published.pending) == (NEW, True)


def test_ten_thousand_changes_are_kept_in_small_bites_and_open_ones_always(store: Store, path: str) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.executemany(
            "INSERT INTO changes (id, trace_id, provider, name, type, reason, at, state)"
            " VALUES (?, 't', 'dns', 'a', 'A', 'address', 0, ?)",
            [(str(n), "open" if n == 3 else "applied") for n in range(1, 10_701)],
        )
        base.commit()
    counts = []
    for number in range(3):
        store.begin(run(number))
        end(store, run(number))
        counts += sql(path, "SELECT count(*), min(seq) FROM changes WHERE state = 'applied'")
    assert counts == [(10_199, 502), (10_000, 701), (10_000, 701)]
    assert sql(path, "SELECT seq FROM changes WHERE state = 'open'") == [(3,)]


# -- files that are not as they should be


def broken(path: str) -> str:
    store = open_store(path, START)
    try:
        (note,) = store.notes(0)
        assert store.recall().published == {}
        return note
    finally:
        store.close_file()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database at all, but long enough to be looked at" * 20, b"SQLite format 3\0" + b"\xff" * 4080],
)
def test_a_damaged_state_is_set_aside_and_told(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    Path(path + "-journal").write_bytes(b"old journal")
    note = broken(path)
    aside = f"{path}.damaged-{int(START)}"
    assert note.startswith("the state was damaged (")
    assert note.endswith(f") and is kept as {aside}; history before this is not there")
    assert Path(aside).read_bytes() == content


def test_a_page_that_was_overwritten(store: Store, path: str) -> None:
    for number in range(60):
        store.note(START, f"note {number} " + "x" * 200)
    store.close_file()
    with open(path, "r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 4096)
    assert "malformed" in broken(path) or "damaged" in broken(path)


@pytest.mark.parametrize(
    "meddle",
    [
        "UPDATE records SET rrset = 'nonsense'",
        "UPDATE records SET rrset = '{}'",
        "UPDATE records SET rrset = '[]'",
        """UPDATE records SET rrset = '{"values": ["x"], "ttl": 1, "extra": {}}'""",
        "UPDATE records SET type = 'MX'",
        "UPDATE records SET reversals = '7'",
        "UPDATE changes SET reason = 'because', state = 'open'",
        "DROP TABLE meta",
    ],
)
def test_values_that_can_t_be_understood(store: Store, path: str, meddle: str) -> None:
    write(store)
    store.close_file()
    sql(path, meddle)
    assert broken(path).startswith("the state was damaged (")


def test_a_state_in_use_is_not_taken_for_a_damaged_one(
    store: Store, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store)
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.02)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateUnwritable, match="locked"):
            open_store(path, START)
    assert os.listdir(os.path.dirname(path)) == ["state.db"]
    assert published(store) is not None


def test_a_newer_state_is_left_alone(store: Store, path: str) -> None:
    store.close_file()
    sql(path, "UPDATE meta SET value = '2' WHERE key = 'min_writer'")
    before = Path(path).read_bytes()
    with pytest.raises(StateNewer) as caught:
        open_store(path, START)
    assert caught.value.message == f"{path} was written by a newer version (format 2, this one writes 1)"
    assert Path(path).read_bytes() == before
    assert os.listdir(os.path.dirname(path)) == ["state.db"]


def test_a_full_disk(store: Store, path: str) -> None:
    write(store)
    with closing(connect(path)) as base:
        pages = base.execute("PRAGMA page_count").fetchone()[0]
        base.execute(f"PRAGMA max_page_count = {pages}")
        full = Store(base, path)
        with pytest.raises(StateUnwritable, match="database or disk is full"):
            full.note(START, "x" * 100_000)
        assert full.notes(0) == []
        full.note(START, "short")
    assert store.notes(0) == ["short"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "none" / "state.db")
    with pytest.raises(StateUnwritable, match="unable to open database file"):
        open_store(path, START)


def test_a_state_that_can_t_be_set_aside(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(path).write_bytes(b"garbage" * 100)

    def refuse(*_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StateUnwritable, match=r"is damaged and can't be set aside: Permission denied$"):
        open_store(path, START)


def test_a_path_with_characters_of_a_uri(tmp_path: Path) -> None:
    path = str(tmp_path / "100% what?#.db")
    open_store(path, START).close_file()
    connect(path).close()
    assert os.listdir(tmp_path) == ["100% what?#.db"]


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    change = Change("a", KEY, OLD, NEW, Reason.ADDRESS)
    with pytest.raises(StateDamaged, match="UNIQUE"):
        store.intend(run(), [change, change])
    assert store.recall().intents == {}
    store.note(START, "and it goes on")


def test_a_failed_end_leaves_the_run_open(store: Store, path: str) -> None:
    store.begin(run())
    sql(path, "DROP TABLE expectation")
    with pytest.raises(StateDamaged):
        end(store, run())
    assert store.last_runs() == []


def test_an_unknown_address_is_stored_with_its_advice(store: Store) -> None:
    store.settle(run(), Outcome(Kind.FAILED, KEY, START, cause=AddressError("not known"), until=START + 9))
    row = store.record_rows()[0]
    assert (row["outcome"], row["code"], row["advice"], row["next_at"], row["rrset"]) == (
        "failed", "address.unknown", "See what each source answers with: ddns detect", START + 9, None,
    )  # fmt: skip


@pytest.mark.parametrize("opened", ["create", "connect"])
def test_what_is_committed_is_on_the_disk(path: str, opened: str) -> None:
    """A transaction outlives a loss of power: synchronous FULL, and a rollback journal that is deleted."""
    made = schema.create(path)
    if opened == "connect":
        made.close()
        made = connect(path)
    with closing(made) as base:
        assert base.execute("PRAGMA synchronous").fetchone() == (2,)
        assert base.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_new_state_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_store(str(path), START).close_file()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param("written_at = 'soon'", id="a time that is text"),
        pytest.param("proven_at = 9e999", id="a time without end"),
        pytest.param("reversals = '7'", id="reversals of another shape"),
        pytest.param("reversals = '[\"x\"]'", id="a reversal that is text"),
        pytest.param('rrset = \'{"values": [], "ttl": "x", "extra": {}}\'', id="a TTL that is text"),
        pytest.param("rrset = '[]'", id="an RRset of another shape"),
        pytest.param("held_until = x'00'", id="bytes"),
    ],
)
def test_forged_rows_lead_to_a_rebuild_and_not_to_a_crash(path: str, forged: str) -> None:
    store = open_store(path, START)
    store.begin(run())
    store.settle(run(), Outcome(Kind.PROVEN, KEY, START, OLD, observed=Observed(KEY, OLD, "api", START)))
    store.close_file()
    sql(path, f"UPDATE records SET {forged}")
    rebuilt = open_store(path, START + 1)
    assert (dict(rebuilt.recall().published), len(rebuilt.notes(START))) == ({}, 1)
    rebuilt.close_file()
