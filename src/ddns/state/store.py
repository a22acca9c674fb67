"""The state as a full run writes it: intents, outcomes, notes. Each public method is one durable transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import asdict

from ddns import __version__
from ddns.address import Family
from ddns.expect import Expectation
from ddns.memory import BlockNote, BreakerNote, Rest, Visibility
from ddns.model import Change, Outcome, RecordKey, Resolution, Run
from ddns.moves import Move
from ddns.state import ending, retirement, rows, settling
from ddns.state.reader import Reader
from ddns.state.schema import LATER, translated
from ddns.state.settling import Statement
from ddns.state.status import EMPTY_TAIL
from ddns.times import utc

_KEEP_RUNS = 30 * 24 * 3600.0
_KEEP_CHANGES = 10_000
_KEEP_MOVES = 1000
_PRUNE_BITE = 500
_INTEND = (
    "INSERT INTO changes (id, trace_id, provider, name, type, before, after, reason, at, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')"
)


class Store(Reader):
    """Implements `ports.State` on a SQLite file. Made by `opening.open_store`."""

    def __init__(self, base: sqlite3.Connection, path: str) -> None:
        super().__init__(base, path)
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
