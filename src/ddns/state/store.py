"""The state as a full run uses it: memory, intents, outcomes. Each public method is one durable transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import asdict

from ddns import __version__
from ddns.errors import ProviderError, StateError, StateUnwritable
from ddns.expect import Expectation
from ddns.model import (
    BlockNote,
    BreakerNote,
    Change,
    Fate,
    Intent,
    Kind,
    Memory,
    Outcome,
    Published,
    RecordKey,
    Resolution,
    RRset,
    Run,
)
from ddns.state import ending, rows
from ddns.state.schema import StateDamaged, check, connect, create, last_aside, set_aside, translated
from ddns.state.status import EMPTY_TAIL
from ddns.times import utc

_KEEP_RUNS = 30 * 24 * 3600.0
_KEEP_CHANGES = 10_000
_PRUNE_BITE = 500
_DAY = 24 * 3600.0


class Store:
    """Implements `ports.State` on a SQLite file. Make one with `open_store`."""

    def __init__(self, base: sqlite3.Connection, path: str) -> None:
        self._base = base
        self._path = path
        #: Takes secrets out of a provider's words: a later run, which may not have opened them, tells these again.
        self.mask: Callable[[str], str] = str

    def close_file(self) -> None:
        """Close the file."""
        self._base.close()

    def _write(self, statements: Iterable[tuple[str, Sequence[object]]]) -> None:
        with translated(self._path):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                for sql, values in statements:
                    self._base.execute(sql, values)
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with translated(self._path):
            cursor = self._base.execute(sql, values)
            cursor.row_factory = sqlite3.Row
            return cursor.fetchall()

    # -- reading

    def recall(self) -> Memory:
        """All that is remembered. Raises StateDamaged when it can't be understood."""
        try:
            mark = self._rows("SELECT value FROM meta WHERE key = 'fingerprint'")
            return Memory(
                published=dict(self._published()),
                intents=dict(self._intents()),
                blocks={row["name"]: rows.block(row) for row in self._rows("SELECT * FROM blocks")},
                breakers={row["name"]: rows.breaker(row) for row in self._rows("SELECT * FROM breakers")},
                fingerprint=mark[0]["value"] if mark else "",
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise StateDamaged(f"{self._path}: a stored value can't be read: {error}") from error

    def _published(self) -> Iterable[tuple[RecordKey, Published]]:
        for row in self._rows("SELECT * FROM records WHERE rrset IS NOT NULL"):
            published = rows.published(row)
            if published is not None:
                yield rows.key(row), published

    def _intents(self) -> Iterable[tuple[RecordKey, Intent]]:
        for row in self._rows("SELECT * FROM changes WHERE state IN ('open', 'accepted') ORDER BY seq"):
            change = rows.change(row)
            yield change.key, Intent(change, row["at"], row["state"] == "accepted")

    def history(self, limit: int) -> list[rows.HistoryEntry]:
        """The last changes and notes, newest first."""
        entries = [
            rows.HistoryEntry(row["at"], rows.change(row), row["state"], row["detail"])
            for row in self._rows("SELECT * FROM changes ORDER BY seq DESC LIMIT ?", (limit,))
        ]
        entries += [
            rows.HistoryEntry(row["at"], None, "note", row["text"])
            for row in self._rows("SELECT at, text FROM notes ORDER BY id DESC LIMIT ?", (limit,))
        ]
        return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]

    def notes(self, since: float) -> list[str]:
        """What happened to the state itself since then."""
        return [row["text"] for row in self._rows("SELECT text FROM notes WHERE at >= ? ORDER BY id", (since,))]

    def record_rows(self) -> list[sqlite3.Row]:
        """The rows of all records, for status.json."""
        return self._rows("SELECT * FROM records ORDER BY name, type")

    def block_rows(self) -> list[sqlite3.Row]:
        """The rows of all blocks, for status.json."""
        return self._rows("SELECT * FROM blocks ORDER BY provider")

    def changes_since(self, since: float) -> int:
        """How many changes reached DNS since then."""
        sql = "SELECT count(*) AS n FROM changes WHERE at >= ? AND state IN ('applied', 'adopted')"
        return int(self._rows(sql, (since,))[0]["n"])

    def last_runs(self) -> list[tuple[float, float, int, int, int]]:
        """As `ending.last_runs`."""
        with translated(self._path):
            return ending.last_runs(self._base)

    def paused_until(self) -> float | None:
        """Until when runs are paused, or were; None: they are not."""
        found = self._rows("SELECT CAST(value AS REAL) AS value FROM meta WHERE key = 'paused_until'")
        return found[0]["value"] if found else None

    def status_tail(self) -> str:
        """As `ending.status_tail`."""
        with translated(self._path):
            return ending.status_tail(self._base)

    def read_rest(self) -> None:
        """Read what the end of a run reads beside `recall`. Raises StateDamaged when it is no longer text."""
        self.status_tail()
        self.last_runs()
        self.notes(0.0)
        self.record_rows()
        self.block_rows()

    # -- writing

    def note(self, at: float, text: str) -> None:
        """Remember something about the state itself; it shows in history and status."""
        self._write([("INSERT INTO notes (at, text) VALUES (?, ?)", (at, text))])

    def pause(self, until: float | None) -> None:
        """Pause runs until then; None ends the pause. What status.json tells of it goes along."""
        statement = "INSERT OR REPLACE INTO meta (key, value) VALUES ('paused_until', ?)"
        drop = "DELETE FROM meta WHERE key = 'paused_until'"
        statements: list[tuple[str, Sequence[object]]] = [(drop, ()) if until is None else (statement, (repr(until),))]
        told = json.loads(self.status_tail() or EMPTY_TAIL) | {"paused_until": None if until is None else utc(until)}
        tail = json.dumps(told, separators=(",", ":"))
        statements.append(("INSERT OR REPLACE INTO meta (key, value) VALUES ('status_tail', ?)", (tail,)))
        self._write(statements)

    def begin(self, run: Run) -> None:
        """Open a run. Runs that never ended are closed as aborted (exit code 1); the expectation goes."""
        self._write(
            [
                ("UPDATE runs SET ended = started, exit = 1 WHERE ended IS NULL", ()),
                ("DELETE FROM expectation", ()),
                (
                    "INSERT INTO runs (trace_id, trigger, started, full, version) VALUES (?, ?, ?, 1, ?)",
                    (run.trace_id, run.trigger, run.started, __version__),
                ),
            ]
        )

    def intend(self, run: Run, changes: Sequence[Change]) -> list[Change]:
        """Make intents durable, and number them."""
        self._write(
            (
                _INTEND,
                (
                    change.id,
                    run.trace_id,
                    *rows.place(change.key),
                    rows.encode(change.before),
                    rows.encode(change.after),
                    change.reason.value,
                    run.started,
                ),
            )
            for change in changes
        )
        marks = ", ".join("?" * len(changes))
        numbered = self._rows(f"SELECT * FROM changes WHERE id IN ({marks}) ORDER BY seq", [c.id for c in changes])
        return [rows.change(row) for row in numbered]

    def resolve(self, run: Run, resolution: Resolution) -> None:
        """Close the intent of an earlier run; an adopted write is published from then on."""
        change, seen = resolution.change, resolution.observed
        statements: list[tuple[str, Sequence[object]]] = [
            (
                "UPDATE changes SET state = ?, ended = ?, detail = ? WHERE id = ?",
                (resolution.fate.value, run.started, f"found {seen.rrset or 'none'} at {seen.by}", change.id),
            )
        ]
        if resolution.fate is Fate.ADOPTED:
            statements += self._publish(change.key, change.after, seen.at, written=True)
        self._write(statements)

    def settle(self, run: Run, outcome: Outcome) -> None:  # noqa: ARG002 - the port names the run
        """Store one outcome: the record's row, and the end of its intent."""
        key, cause = outcome.key, outcome.cause
        statements: list[tuple[str, Sequence[object]]] = [
            ("INSERT OR IGNORE INTO records (provider, name, type) VALUES (?, ?, ?)", rows.place(key))
        ]
        if outcome.kind.wrote and outcome.change is not None:
            statements += self._publish(key, outcome.change.after, outcome.at, written=True)
        elif outcome.kind is Kind.PROVEN and outcome.observed is not None:
            statements += self._publish(key, outcome.rrset, outcome.at, written=False)
        if outcome.observed is not None and outcome.kind.right:
            statements.append(
                (
                    f"UPDATE records SET proven_at = ?, proven_by = ?, held_until = NULL WHERE {_WHERE}",
                    (outcome.observed.at, outcome.observed.by, *rows.place(key)),
                )
            )
        statements += self._memory_of(outcome)
        if outcome.change is not None:
            detail = self.mask(cause.message) if cause else ""
            statements.append(
                (
                    "UPDATE changes SET state = ?, ended = ?, detail = ? WHERE id = ?",
                    (_intent_state(outcome), outcome.at, detail, outcome.change.id),
                )
            )
        code, advice = (cause.code, cause.advice) if cause is not None else (None, None)
        statements.append(
            (
                f"UPDATE records SET outcome = ?, outcome_at = ?, code = ?, advice = ?, next_at = ? WHERE {_WHERE}",
                (outcome.kind.value, outcome.at, code, advice, outcome.until, *rows.place(key)),
            )
        )
        self._write(statements)

    def _publish(
        self, key: RecordKey, rrset: RRset | None, at: float, *, written: bool
    ) -> list[tuple[str, Sequence[object]]]:
        before = self._rows(f"SELECT rrset, since FROM records WHERE {_WHERE}", rows.place(key))
        old = rows.decode(before[0]["rrset"], key.type) if before else None
        same = old is not None and rrset is not None and old.values == rrset.values
        since = before[0]["since"] if same and before else at
        insert = ("INSERT OR IGNORE INTO records (provider, name, type) VALUES (?, ?, ?)", rows.place(key))
        set_written = "written_at = ?, held_until = NULL, proven_at = NULL, proven_by = '', " if written else ""
        update = f"UPDATE records SET rrset = ?, since = ?, {set_written}pending = 0 WHERE {_WHERE}"
        values = (rows.encode(rrset), since, *((at,) if written else ()), *rows.place(key))
        return [insert, (update, values)]

    def _memory_of(self, outcome: Outcome) -> list[tuple[str, Sequence[object]]]:
        """What a record's next run must know: reversals, holds, writes not yet seen."""
        key = outcome.key
        if outcome.kind is Kind.REPAIRED:
            row = self._rows(f"SELECT reversals FROM records WHERE {_WHERE}", rows.place(key))
            times = [at for at in (json.loads(row[0]["reversals"]) if row else []) if 0 <= outcome.at - at < _DAY]
            return [
                (
                    f"UPDATE records SET reversals = ? WHERE {_WHERE}",
                    (json.dumps([*times, outcome.at]), *rows.place(key)),
                )
            ]
        if outcome.kind is Kind.CONTENDED and outcome.until is not None:
            return [(f"UPDATE records SET held_until = ? WHERE {_WHERE}", (outcome.until, *rows.place(key)))]
        if not outcome.kind.right:
            return [(f"UPDATE records SET pending = 1 WHERE {_WHERE}", rows.place(key))]
        return []

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        """Store a breaker's memory."""
        calls = "".join("x" if failed else "." for failed in note.calls)
        sql = "INSERT OR REPLACE INTO breakers (name, calls, opened_at, open_until, openings) VALUES (?, ?, ?, ?, ?)"
        self._write([(sql, (name, calls, note.opened_at, note.open_until, note.openings))])

    def note_block(self, name: str, note: BlockNote | None) -> None:
        """Store a block, or lift it."""
        if note is None:
            self._write([("DELETE FROM blocks WHERE name = ?", (name,))])
            return
        sql = (
            "INSERT OR REPLACE INTO blocks (name, provider, fingerprint, code, message, advice, since, retry_at)"
            " VALUES (:name, :provider, :fingerprint, :code, :message, :advice, :since, :retry_at)"
        )
        with translated(self._path):
            self._base.execute(sql, {"name": name, **asdict(note), "message": self.mask(note.message)})

    def close(
        self,
        run: Run,
        ended: float,
        exit_code: int,
        *,
        changed: int,
        expectation: Expectation | None,
        log: bool,
        tail: str,
        fingerprint: str = "",
    ) -> None:
        """End a run: its row, the expectation, the status of its records; one transaction, then a little pruning."""
        with translated(self._path):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.execute(
                    "UPDATE runs SET ended = ?, exit = ?, changed = ? WHERE trace_id = ? AND ended IS NULL",
                    (ended, exit_code, changed, run.trace_id),
                )
                ending.save(self._base, expectation, log=log)
                self._base.execute(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES ('status_tail', ?), ('fingerprint', ?)",
                    (tail, fingerprint),
                )
                self._prune(ended)
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def _prune(self, now: float) -> None:
        self._base.execute(
            "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE started < ? ORDER BY id LIMIT ?)",
            (now - _KEEP_RUNS, _PRUNE_BITE),
        )
        self._base.execute(
            "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE seq <="
            " (SELECT max(seq) FROM changes) - ? AND state NOT IN ('open', 'accepted') ORDER BY seq LIMIT ?)",
            (_KEEP_CHANGES, _PRUNE_BITE),
        )


_WHERE = "provider = ? AND name = ? AND type = ?"
_INTEND = (
    "INSERT INTO changes (id, trace_id, provider, name, type, before, after, reason, at, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')"
)


def _intent_state(outcome: Outcome) -> str:
    """How the intent of a change stands after its outcome; ``open`` and ``accepted`` are looked at by the next run."""
    if outcome.kind.wrote:
        return "applied"
    if outcome.kind in (Kind.ACCEPTED, Kind.HELD):
        return "accepted"
    if outcome.kind is Kind.CONTENDED:
        return Fate.EXTERNAL.value
    in_doubt = isinstance(outcome.cause, ProviderError) and outcome.cause.in_doubt
    return "open" if in_doubt else "refused"


def open_store(path: str, now: float) -> Store:
    """Open the state, make it if there is none; a damaged one is set aside and a new one notes the gap.

    Raises StateNewer, StateUnwritable.
    """
    try:
        return _checked(_connect_or_create(path, now), path)
    except StateDamaged as damage:
        aside = set_aside(path, now)
        note = f"the state was damaged ({damage.message}) and is kept as {aside}; history before this is not there"
        return Store(create(path, (now, note)), path)


def _connect_or_create(path: str, now: float) -> sqlite3.Connection:
    try:
        return connect(path)
    except StateUnwritable as error:
        if "unable to open" not in error.message:
            raise
        aside = last_aside(path)  # a rebuild that was killed between its two steps
        note = f"there was no state but a damaged one, kept as {aside}; history before this is not there"
        return create(path, (now, note) if aside else None)


def _checked(base: sqlite3.Connection, path: str) -> Store:
    """A store all of which can be read. Raises StateDamaged; the file is closed then, so that it can be renamed."""
    try:
        check(base, path)
        store = Store(base, path)
        store.recall()
        store.read_rest()
    except StateError:
        base.close()
        raise
    return store
