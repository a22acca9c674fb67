"""What the state tells: the memory of a full run, and what history and status show. Nothing is written here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from ddns.address import Family
from ddns.memory import Intent, Memory, Published, Refused, Rest, Visibility
from ddns.model import RecordKey
from ddns.moves import Move
from ddns.state import ending, rows, settling
from ddns.state.schema import StateDamaged, translated


class Reader:
    """Reads an open SQLite file at `path`. Each method raises StateError."""

    def __init__(self, base: sqlite3.Connection, path: str) -> None:
        self._base = base
        self._path = path

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

    def visibility(self, limit: int = 10) -> list[Visibility]:
        """The last intervals that were measured, newest first."""
        if not self._there("visibility"):
            return []
        found = self._rows("SELECT * FROM visibility ORDER BY id DESC LIMIT ?", (limit,))
        return [Visibility(rows.key(row), row["at"], row["lower"], row["upper"]) for row in found]

    def _record(self, key: RecordKey) -> sqlite3.Row | None:
        found = self._rows(f"SELECT * FROM records WHERE {settling.WHERE}", rows.place(key))
        return found[0] if found else None

    def _there(self, table: str) -> bool:
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with translated(self._path):
            cursor = self._base.execute(sql, values)
            cursor.row_factory = sqlite3.Row
            return cursor.fetchall()
