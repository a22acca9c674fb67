"""The state as a full run uses it: memory, intents, outcomes. Each public method is one durable transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import asdict

from ddns import __version__
from ddns.address import Family
from ddns.expect import Expectation
from ddns.memory import BlockNote, BreakerNote, Intent, Memory, Published, Refused, Rest, Visibility
from ddns.model import Change, Outcome, RecordKey, Resolution, Run
from ddns.moves import Move
from ddns.state import ending, retirement, rows, settling
from ddns.state.schema import LATER, StateDamaged, translated
from ddns.state.settling import Statement
from ddns.state.status import EMPTY_TAIL
from ddns.times import utc

_KEEP_RUNS = 30 * 24 * 3600.0
_KEEP_CHANGES = 10_000
_KEEP_MOVES = 1000
_PRUNE_BITE = 500
_DAY = 24 * 3600.0


class Store:
    """Implements `ports.State` on a SQLite file. Made by `opening.open_store`."""

    def __init__(self, base: sqlite3.Connection, path: str) -> None:
        self._base = base
        self._path = path
        #: Takes secrets out of a provider's words: a later run, which may not have opened them, tells these again.
        self.mask: Callable[[str], str] = str

    def close_file(self) -> None:
        """Close the file."""
        self._base.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self._path):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def _write(self, statements: Iterable[Statement]) -> None:
        with self._transaction():
            for sql, values in statements:
                self._base.execute(sql, values)

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
                rested=dict(self._rested()),
                refused=dict(self._refused()),
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

    def _refused(self) -> Iterable[tuple[RecordKey, Refused]]:
        if self._there("refused"):
            for row in self._rows("SELECT * FROM refused"):
                yield rows.key(row), rows.refused(row)

    def _rested(self) -> Iterable[tuple[tuple[str, Family], Rest]]:
        if self._there("rested"):
            for row in self._rows("SELECT * FROM rested"):
                yield (str(row["name"]), Family(row["family"])), rows.rest(row)

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
        entries += [rows.HistoryEntry(move.at, None, "note", str(move)) for move in self.moves(limit)]
        return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]

    def moves(self, limit: int = 20) -> list[Move]:
        """The last moves to another network, oldest first. Raises StateDamaged."""
        if not self._there("moves"):
            return []
        found = self._rows("SELECT * FROM moves ORDER BY id DESC LIMIT ?", (limit,))
        try:
            return [rows.move(row) for row in reversed(found)]
        except ValueError as error:
            raise StateDamaged(f"{self._path}: a stored value can't be read: {error}") from error

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

    def contentions(self, since: float) -> tuple[int, float | None]:
        """In how many runs since then another machine held the fleet's lease, and when that was last."""
        sql = "SELECT count(DISTINCT trace_id) AS n, max(at) AS last FROM changes WHERE at >= ? AND state = 'yielded'"
        row = self._rows(sql, (since,))[0]
        return int(row["n"]), row["last"]

    def last_runs(self) -> list[tuple[float, float, int, int, int]]:
        """As `ending.last_runs`."""
        with translated(self._path):
            return ending.last_runs(self._base)

    def paused_until(self) -> float | None:
        """Until when runs are paused, or were; None: they are not."""
        found = self._rows("SELECT CAST(value AS REAL) AS value FROM meta WHERE key = 'paused_until'")
        return found[0]["value"] if found else None

    def retired_at(self) -> float | None:
        """Since when the records are withdrawn (`retire`); None: they are not."""
        found = self._rows("SELECT CAST(value AS REAL) AS value FROM meta WHERE key = 'retired_at'")
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
        self.moves()

    # -- writing

    def note(self, at: float, text: str) -> None:
        """Remember something about the state itself; it shows in history and status."""
        self._write([("INSERT INTO notes (at, text) VALUES (?, ?)", (at, text))])

    def note_move(self, move: Move) -> None:
        """Remember that the address went to another network; the last thousand are kept."""
        values = (move.at, move.family.value, ", ".join(move.before), move.after)
        statements: list[Statement] = [
            (LATER["moves"], ()),
            ("INSERT INTO moves (at, family, before, after) VALUES (?, ?, ?, ?)", values),
            ("DELETE FROM moves WHERE id <= (SELECT max(id) FROM moves) - ?", (_KEEP_MOVES,)),
        ]
        self._write(statements)

    def retire(self, at: float, until: float) -> None:
        """Let no run do anything, whatever it is asked for, until `pause(None)`; shown as a pause until then.

        A mark beside the state says it too, so that a state which is made anew knows.
        """
        retirement.mark(self._path, at)
        self.retired(at, until)

    def retired(self, at: float, until: float) -> None:
        """What `retire` leaves in the state: also where only the mark was left."""
        self._write([("INSERT OR REPLACE INTO meta (key, value) VALUES ('retired_at', ?)", (repr(at),))])
        self.pause(until)

    def pause(self, until: float | None) -> None:
        """Pause runs until then; None ends the pause, and a retirement. What status.json tells of it goes along."""
        if until is None:
            retirement.unmark(self._path)
        statement = "INSERT OR REPLACE INTO meta (key, value) VALUES ('paused_until', ?)"
        drop = "DELETE FROM meta WHERE key = 'paused_until'"
        statements: list[Statement] = [(drop, ()) if until is None else (statement, (repr(until),))]
        if until is None:
            statements.append(("DELETE FROM meta WHERE key = 'retired_at'", ()))
        told = json.loads(self.status_tail() or EMPTY_TAIL) | {"paused_until": None if until is None else utc(until)}
        if until is None:
            told.pop("retired_at", None)
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

    def intend(self, run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
        """Make intents durable, and number them."""
        sent = run.started if at is None else at
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
                    sent,
                ),
            )
            for change in changes
        )
        marks = ", ".join("?" * len(changes))
        numbered = self._rows(f"SELECT * FROM changes WHERE id IN ({marks}) ORDER BY seq", [c.id for c in changes])
        return [rows.change(row) for row in numbered]

    def resolve(self, run: Run, resolution: Resolution) -> None:
        """Close the intent of an earlier run; an adopted write is published from then on."""
        self._write(settling.resolved(run, resolution, self._record(resolution.change.key)))

    def settle(self, run: Run, outcome: Outcome) -> None:  # noqa: ARG002 - the port names the run
        """Store one outcome: the record's row, and the end of its intent."""
        self._write(settling.settled(outcome, self._record(outcome.key), self.mask))

    def _record(self, key: RecordKey) -> sqlite3.Row | None:
        found = self._rows(f"SELECT * FROM records WHERE {settling.WHERE}", rows.place(key))
        return found[0] if found else None

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        """Store a breaker's memory."""
        calls = "".join("x" if failed else "." for failed in note.calls)
        sql = "INSERT OR REPLACE INTO breakers (name, calls, opened_at, open_until, openings) VALUES (?, ?, ?, ?, ?)"
        self._write([(sql, (name, calls, note.opened_at, note.open_until, note.openings))])

    def disown(self, key: RecordKey) -> None:
        """Forget that a record is ours, and what was intended with it."""
        forget = f"UPDATE records SET rrset = NULL, pending = 0, code = NULL, advice = NULL WHERE {settling.WHERE}"
        end = f"UPDATE changes SET state = 'external' WHERE {settling.WHERE} AND state IN ('open', 'accepted')"
        self._write([(forget, rows.place(key)), (end, rows.place(key))])

    def note_visibility(self, seen: Visibility) -> None:
        """Store how long a write took to be seen."""
        self._write(settling.visible(seen))

    def visibility(self, limit: int = 10) -> list[Visibility]:
        """The last intervals that were measured, newest first."""
        if not self._there("visibility"):
            return []
        found = self._rows("SELECT * FROM visibility ORDER BY id DESC LIMIT ?", (limit,))
        return [Visibility(rows.key(row), row["at"], row["lower"], row["upper"]) for row in found]

    def _there(self, table: str) -> bool:
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))

    def note_rest(self, name: str, family: Family, rest: Rest | None) -> None:
        """Store that a source rests, or that it is well again; those that nobody speaks of any more go."""
        statements: list[Statement] = [(LATER["rested"], ())]
        statements.append(("DELETE FROM rested WHERE name = ? AND family = ?", (name, family.value)))
        if rest is not None:
            values = (name, family.value, rest.failures, rest.since, rest.until, self.mask(rest.problem))
            insert = "INSERT INTO rested (name, family, failures, since, until, problem) VALUES (?, ?, ?, ?, ?, ?)"
            statements.append((insert, values))
            statements.append(("DELETE FROM rested WHERE since < ?", (rest.since - _KEEP_RUNS,)))
        self._write(statements)

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
        with self._transaction():
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


_INTEND = (
    "INSERT INTO changes (id, trace_id, provider, name, type, before, after, reason, at, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')"
)
