"""The ledger against a model of itself, over restarts; and what a second process and a newer format mean to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ddns.errors import StateNewer, StateUnwritable
from ddns.gateway.ledger import (
    Code,
    Entry,
    Host,
    Intent,
    Moved,
    Receipt,
    RecordState,
    Redemption,
    Reused,
    Stale,
    Update,
    Values,
)
from ddns.gateway.ledger.engine import Engine
from ddns.gateway.ledger.sqlite import SqliteLedger
from ddns.model import RecordType

NAMES = ("a.example.test", "b.example.test")
VALUES = st.sampled_from([None, ("192.0.2.1",), ("192.0.2.2",)])


def update(name: str = NAMES[0], *, seq: int | None = 1, idem: str = "i", seen: int = 0, **more: object) -> Update:
    """A wish for an A record."""
    values: Values | None = ("192.0.2.1",)
    fields = {"host": "h", "type": RecordType.A, "values": values, "ttl": 60, "trace_id": "t", "now": 1.0}
    return Update(**{**fields, "name": name, "seq": seq, "idem": idem, "seen": seen, "digest": f"{name}", **more})  # type: ignore[arg-type]  # the fields of an Update


class Machine(RuleBasedStateMachine):
    """Accepts, settles and restarts in any order; `wanted` is what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = SqliteLedger(self.folder / "ledger.db")
        self.wanted: dict[str, tuple[int, Values | None, RecordState]] = {}
        self.receipts: dict[str, tuple[str, int, RecordState]] = {}
        self.last_revision = 0

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    @rule(
        name=st.sampled_from(NAMES),
        seq=st.none() | st.integers(1, 8),
        idem=st.sampled_from("pqrstuvw"),
        values=VALUES,
        late=st.booleans(),
    )
    def accept(self, name: str, seq: int | None, idem: str, values: Values | None, *, late: bool) -> None:
        entry = self.ledger.entry(name, RecordType.A)
        seen = (0 if entry is None else entry.revision) + late
        wish = update(name, seq=seq, idem=idem, seen=seen, values=values, digest=f"{name}{values}")
        current = self.wanted.get(name, (0, None, RecordState.CONFIRMED))[0]
        result = self.ledger.accept(wish)
        if idem in self.receipts:
            digest, number, state = self.receipts[idem]
            if digest == wish.digest:
                assert isinstance(result, Receipt)
                assert (result.repeated, result.seq, result.state) == (True, number, state)
            else:
                assert result == Reused()
        elif seq is not None and seq <= current:
            assert result == Stale(current)
        elif late:
            assert result == Moved()
        else:
            number = current + 1 if seq is None else seq
            assert isinstance(result, Receipt)
            assert (result.repeated, result.seq, result.state) == (False, number, RecordState.QUEUED)
            assert result.revision > self.last_revision
            self.last_revision = result.revision
            self.wanted[name] = (number, values, RecordState.QUEUED)
            self.receipts[idem] = (wish.digest, number, RecordState.QUEUED)

    @rule(name=st.sampled_from(NAMES), fails=st.booleans(), overtaken=st.booleans())
    def settle(self, name: str, *, fails: bool, overtaken: bool) -> None:
        entry = next((entry for entry in self.ledger.queued(10) if entry.name == name), None)
        if entry is None:
            return
        if overtaken:  # an update arrives while this one is written
            idem = f"over{self.last_revision}"
            wish = update(name, seq=None, idem=idem, seen=entry.revision, digest="over")
            result = self.ledger.accept(wish)
            assert isinstance(result, Receipt)
            self.last_revision = result.revision
            self.wanted[name] = (result.seq, ("192.0.2.1",), RecordState.QUEUED)
            self.receipts[idem] = ("over", result.seq, RecordState.QUEUED)
        if fails:
            self.ledger.fail(entry, "refused")
        else:
            self.ledger.confirm(entry, 2.0)
        state = RecordState.FAILED if fails else RecordState.CONFIRMED
        for idem, (digest, seq, known) in self.receipts.items():
            receipt = self.ledger.receipt("h", idem)
            assert receipt is not None
            if receipt.name == name and receipt.revision <= entry.revision and known is RecordState.QUEUED:
                self.receipts[idem] = (digest, seq, state)
        if not overtaken:
            self.wanted[name] = (*self.wanted[name][:2], state)

    @rule()
    def restart(self) -> None:
        self.ledger.close()
        self.ledger = SqliteLedger(self.folder / "ledger.db")

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        for name, (seq, values, state) in self.wanted.items():
            entry = self.ledger.entry(name, RecordType.A)
            assert entry is not None
            assert (entry.seq, entry.values, entry.state) == (seq, values, state)
        queued = {name for name, (_, _, state) in self.wanted.items() if state is RecordState.QUEUED}
        assert {entry.name for entry in self.ledger.queued(10)} == queued
        assert self.ledger.waiting()[0] == len(queued)
        for idem, (_, seq, state) in self.receipts.items():
            receipt = self.ledger.receipt("h", idem)
            assert receipt is not None
            assert (receipt.seq, receipt.state) == (seq, state)


TestMachine = Machine.TestCase
TestMachine.settings = hypothesis_settings(max_examples=25, stateful_step_count=25, deadline=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def enrolled(ledger: SqliteLedger, host_id: str = "h") -> Host:
    """A host in the ledger."""
    ledger.add_code(Code("code", "pc1", NAMES, 0.0, 10.0))
    host = ledger.redeem(Redemption("code", "machine", "key", lambda _id: b"sealed", host_id, 1.0))
    assert isinstance(host, Host)
    return host


def test_intents_stay_open_until_their_record_is_settled(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.accept(update())
    (entry,) = ledger.queued(10)
    ledger.intend([Intent("c1", entry.name, entry.type, entry.revision, None, 1.0)])
    ledger.close()
    ledger = SqliteLedger(path)
    assert ledger.intent(entry.name, entry.type) == Intent("c1", entry.name, entry.type, entry.revision, None, 1.0)
    ledger.confirm(entry, 2.0)
    assert ledger.intent(entry.name, entry.type) is None
    ledger.close()


def test_a_frozen_host_is_held_until_it_is_released(path: Path) -> None:
    ledger = SqliteLedger(path)
    host = enrolled(ledger)
    ledger.freeze(host.id, True)
    held = ledger.accept(update())
    assert isinstance(held, Receipt)
    assert (held.state, ledger.queued(10)) == (RecordState.HELD, [])
    ledger.freeze(host.id, False)
    assert [entry.name for entry in ledger.queued(10)] == [NAMES[0]]
    receipt = ledger.receipt("h", "i")
    assert receipt is not None
    assert receipt.state is RecordState.QUEUED
    ledger.close()


def test_a_revoked_host_has_neither_key_nor_names(path: Path) -> None:
    ledger = SqliteLedger(path)
    host = enrolled(ledger)
    ledger.set_password(host.id, "hash")
    ledger.revoke(host.id, now=5.0, remove_records=False)
    gone = ledger.host(host.id)
    assert gone is not None
    assert (gone.key, gone.names, gone.password, gone.revoked_at) == (None, (), "", 5.0)
    assert (ledger.host_named("pc1"), ledger.hosts()) == (None, [])
    ledger.close()


def test_many_threads_share_the_ledger(path: Path) -> None:
    ledger = SqliteLedger(path)
    results: list[object] = []

    def work(number: int) -> None:
        results.append(ledger.accept(update(f"n{number}.example.test", idem=f"i{number}")))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.revision for result in results if isinstance(result, Receipt)) == list(range(1, 41))
    ledger.close()


def test_a_job_that_fails_takes_nobody_along(path: Path) -> None:
    """Two jobs in one commit: the second one is undone and raises, the first one stands."""
    ledger = SqliteLedger(path)
    engine = ledger._engine
    blocked, go = threading.Event(), threading.Event()

    def block(_db: object) -> None:
        blocked.set()
        go.wait(10)

    def wrong(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO meta (name, value) VALUES ('half', 'done')")
        raise ZeroDivisionError

    caught: list[type[BaseException]] = []

    def call_wrong() -> None:
        try:
            engine.call(wrong)
        except ZeroDivisionError as error:
            caught.append(type(error))

    threads = [
        threading.Thread(target=engine.call, args=(block,)),
        threading.Thread(target=ledger.accept, args=(update(),)),
        threading.Thread(target=call_wrong),
    ]
    threads[0].start()
    assert blocked.wait(10)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert caught == [ZeroDivisionError]
    assert engine.call(lambda db: db.execute("SELECT count(*) FROM meta WHERE name = 'half'").fetchone()[0]) == 0
    assert ledger.receipt("h", "i") is not None
    ledger.close()


def test_two_processes_may_write(path: Path) -> None:
    one, other = SqliteLedger(path), SqliteLedger(path)
    enrolled(one)
    assert [host.label for host in other.hosts()] == ["pc1"]
    other.freeze("h", True)
    host = one.host("h")
    assert host is not None
    assert host.frozen
    one.close()
    other.close()


def test_old_idempotency_keys_are_forgotten_and_old_nonces(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.accept(update(now=0.0))
    ledger.accept(update(NAMES[1], idem="j", now=31 * 86400.0))
    assert ledger.receipt("h", "i") is None
    assert ledger.receipt("h", "j") is not None
    assert ledger.remember("h", "n", now=0.0, until=600.0)
    assert not ledger.remember("h", "n", now=600.0, until=1200.0)
    assert ledger.remember("other", "n", now=600.0, until=1200.0)
    assert ledger.remember("h", "m", now=601.0, until=1201.0)
    assert ledger._engine.call(lambda db: db.execute("SELECT count(*) FROM nonce").fetchone()[0]) == 2
    ledger.close()


def test_the_ledger_of_a_newer_gateway_is_left_alone(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger._engine.call(lambda db: db.execute("UPDATE meta SET value = '2' WHERE name = 'min_writer'"))
    ledger.close()
    with pytest.raises(StateNewer, match="newer gateway"):
        SqliteLedger(path)


def test_what_is_no_ledger_or_can_not_be_opened_is_said(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"this is not a database, by any means at all")
    with pytest.raises(StateUnwritable, match="not a database"):
        SqliteLedger(path)
    with pytest.raises(StateUnwritable, match="unable to open"):
        SqliteLedger(tmp_path / "nowhere" / "ledger.db")


def test_a_closed_ledger_says_so(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.close()
    with pytest.raises(StateUnwritable, match="closed"):
        ledger.hosts()


def test_an_entry_is_a_value_of_the_core(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.accept(update())
    (entry,) = ledger.queued(1)
    assert isinstance(entry, Entry)
    assert entry.rrset is not None
    assert (entry.rrset.texts(), entry.rrset.ttl) == (["192.0.2.1"], 60)
    ledger.close()


def test_the_ledger_is_readable_by_its_owner_only_whatever_the_folder(path: Path) -> None:
    path.parent.chmod(0o755)
    before = os.umask(0o022)
    try:
        ledger = SqliteLedger(path)
    finally:
        os.umask(before)
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    ledger.close()
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm"), "0o600")


def test_what_is_acknowledged_is_on_the_disk(tmp_path: Path) -> None:
    """An acknowledged update outlives a loss of power: in WAL mode only synchronous FULL flushes each commit."""
    engine = Engine(tmp_path / "ledger.db")
    try:
        assert engine.call(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2
        assert engine.call(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    finally:
        engine.close()
