"""Records, receipts and intents in SQLite: each function runs inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from ddns.gateway.ledger import Entry, Intent, Moved, Receipt, RecordState, Reused, Revoked, Stale, Update, Values
from ddns.model import RecordType

#: Seconds for which an idempotency key is known.
KEEP_ANSWERS = 30 * 86400.0

_COLUMNS = "name, type, host, wanted, ttl, revision, seq, state, trace_id, updated_at, confirmed, confirmed_at, problem"


def entry(db: sqlite3.Connection, name: str, record_type: RecordType) -> Entry | None:
    """See `Ledger.entry`."""
    rows = _select(db, "WHERE name = ? AND type = ?", (name, record_type))
    return rows[0] if rows else None


def of_host(db: sqlite3.Connection, host_id: str) -> list[Entry]:
    """See `Ledger.entries`."""
    return _select(db, "WHERE host = ? ORDER BY name, type", (host_id,))


def queued(db: sqlite3.Connection, limit: int) -> list[Entry]:
    """See `Ledger.queued`."""
    return _select(db, "WHERE state = ? ORDER BY revision LIMIT ?", (RecordState.QUEUED, limit))


def _select(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Entry]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM record {where}", values)  # noqa: S608  # `where` is one of the above
    return [
        Entry(
            name=row["name"],
            type=RecordType(row["type"]),
            host=row["host"],
            values=_values(row["wanted"]),
            ttl=row["ttl"],
            revision=row["revision"],
            seq=row["seq"],
            state=RecordState(row["state"]),
            trace_id=row["trace_id"],
            updated_at=row["updated_at"],
            confirmed=_values(row["confirmed"]),
            confirmed_at=row["confirmed_at"],
            problem=row["problem"],
        )
        for row in rows.fetchall()
    ]


def _values(text: str) -> Values | None:
    parsed = json.loads(text)
    return None if parsed is None else tuple(parsed)


def waiting(db: sqlite3.Connection) -> tuple[int, float | None]:
    """See `Ledger.waiting`."""
    row = db.execute(
        "SELECT count(*) AS number, min(updated_at) AS since FROM record WHERE state = ?", (RecordState.QUEUED,)
    ).fetchone()
    return row["number"], row["since"]


def receipt(db: sqlite3.Connection, host_id: str, idem: str) -> Receipt | None:
    """See `Ledger.receipt`."""
    row = db.execute(
        "SELECT name, type, revision, seq, state, digest FROM answer WHERE host = ? AND idem = ?", (host_id, idem)
    ).fetchone()
    if row is None:
        return None
    return Receipt(
        row["name"],
        RecordType(row["type"]),
        row["revision"],
        row["seq"],
        RecordState(row["state"]),
        row["digest"],
        repeated=True,
    )


def accept(db: sqlite3.Connection, update: Update) -> Receipt | Stale | Reused | Moved | Revoked:
    """See `Ledger.accept`."""
    host = db.execute("SELECT frozen, revoked_at FROM host WHERE id = ?", (update.host,)).fetchone()
    if host is not None and host["revoked_at"] is not None:
        return Revoked()
    before = receipt(db, update.host, update.idem)
    if before is not None:
        return before if before.digest == update.digest else Reused()
    standing = entry(db, update.name, update.type)
    seq = 0 if standing is None else standing.seq
    if update.seq is not None and update.seq <= seq:
        return Stale(seq)
    if (0 if standing is None else standing.revision) != update.seen:
        return Moved()
    number = seq + 1 if update.seq is None else update.seq
    state = RecordState.HELD if host is not None and host["frozen"] else RecordState.QUEUED
    revision = _store(db, update, number, state)
    db.execute(
        "INSERT INTO answer (host, idem, digest, name, type, revision, seq, state, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (update.host, update.idem, update.digest, update.name, update.type, revision, number, state, update.now),
    )
    db.execute(
        "DELETE FROM answer WHERE (host, idem) IN (SELECT host, idem FROM answer WHERE at < ? LIMIT 100)",
        (update.now - KEEP_ANSWERS,),
    )
    return Receipt(update.name, update.type, revision, number, state, update.digest)


def _next_revision(db: sqlite3.Connection) -> int:
    row = db.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision' RETURNING value").fetchone()
    return int(row["value"])


def _store(db: sqlite3.Connection, update: Update, seq: int, state: RecordState) -> int:
    revision = _next_revision(db)
    db.execute(
        "INSERT INTO record (name, type, host, wanted, ttl, revision, seq, state, trace_id, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name, type) DO UPDATE SET host = excluded.host,"
        " wanted = excluded.wanted, ttl = excluded.ttl, revision = excluded.revision, seq = excluded.seq,"
        " state = excluded.state, trace_id = excluded.trace_id, updated_at = excluded.updated_at, problem = ''",
        (
            update.name, update.type, update.host, json.dumps(update.values), update.ttl, revision, seq, state,
            update.trace_id, update.now,
        ),
    )  # fmt: skip
    return revision


def want_absent(db: sqlite3.Connection, standing: Entry, now: float) -> None:
    """Queue the removal of a record, whoever held it."""
    db.execute(
        "UPDATE record SET wanted = 'null', revision = ?, seq = seq + 1, state = ?, updated_at = ?, problem = ''"
        " WHERE name = ? AND type = ?",
        (_next_revision(db), RecordState.QUEUED, now, standing.name, standing.type),
    )


def intend(db: sqlite3.Connection, intents: Sequence[Intent]) -> None:
    """See `Ledger.intend`."""
    db.executemany(
        "INSERT OR REPLACE INTO intent (name, type, id, revision, before, at) VALUES (?, ?, ?, ?, ?, ?)",
        [(i.name, i.type, i.id, i.revision, json.dumps(i.before), i.at) for i in intents],
    )


def intent_of(db: sqlite3.Connection, name: str, record_type: RecordType) -> Intent | None:
    """See `Ledger.intent`."""
    row = db.execute(
        "SELECT id, revision, before, at FROM intent WHERE name = ? AND type = ?", (name, record_type)
    ).fetchone()
    if row is None:
        return None
    return Intent(row["id"], name, record_type, row["revision"], _values(row["before"]), row["at"])


def confirm(db: sqlite3.Connection, settled: Entry, now: float) -> None:
    """See `Ledger.confirm`."""
    db.execute(
        "UPDATE record SET confirmed = ?, confirmed_at = ? WHERE name = ? AND type = ?",
        (json.dumps(settled.values), now, settled.name, settled.type),
    )
    _settle(db, settled, RecordState.CONFIRMED, "")
    db.execute("DELETE FROM intent WHERE name = ? AND type = ?", (settled.name, settled.type))


def fail(db: sqlite3.Connection, settled: Entry, problem: str) -> None:
    """See `Ledger.fail`."""
    _settle(db, settled, RecordState.FAILED, problem)
    db.execute("DELETE FROM intent WHERE name = ? AND type = ?", (settled.name, settled.type))


def _settle(db: sqlite3.Connection, settled: Entry, state: RecordState, problem: str) -> None:
    db.execute(
        "UPDATE record SET state = ?, problem = ? WHERE name = ? AND type = ? AND revision = ?",
        (state, problem, settled.name, settled.type, settled.revision),
    )
    # Updates that were overtaken before they were published are settled with the one that overtook them.
    db.execute(
        "UPDATE answer SET state = ? WHERE name = ? AND type = ? AND revision <= ? AND state = ?",
        (state, settled.name, settled.type, settled.revision, RecordState.QUEUED),
    )
