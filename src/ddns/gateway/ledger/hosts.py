"""Hosts, names, codes and nonces in SQLite: each function runs inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3

from ddns.gateway.ledger import Code, CodeRefusal, Host, RecordState, Redemption
from ddns.gateway.ledger import records as _records

_COLUMNS = "id, label, machine, key, password, frozen, created_at, last_seen, revoked_at"


def by_id(db: sqlite3.Connection, host_id: str) -> Host | None:
    """See `Ledger.host`."""
    row = db.execute(f"SELECT {_COLUMNS} FROM host WHERE id = ?", (host_id,)).fetchone()  # noqa: S608  # a constant
    return None if row is None else _host(db, row)


def by_label(db: sqlite3.Connection, label: str) -> Host | None:
    """See `Ledger.host_named`."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM host WHERE label = ? AND revoked_at IS NULL",  # noqa: S608  # a constant
        (label,),
    ).fetchone()
    return None if row is None else _host(db, row)


def in_force(db: sqlite3.Connection) -> list[Host]:
    """See `Ledger.hosts`."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM host WHERE revoked_at IS NULL ORDER BY label"  # noqa: S608  # a constant
    ).fetchall()
    return [_host(db, row) for row in rows]


def _host(db: sqlite3.Connection, row: sqlite3.Row) -> Host:
    names = db.execute("SELECT name FROM name WHERE host = ? ORDER BY name", (row["id"],)).fetchall()
    return Host(
        id=row["id"],
        label=row["label"],
        names=tuple(name["name"] for name in names),
        machine=row["machine"],
        key=row["key"],
        created_at=row["created_at"],
        last_seen=row["last_seen"],
        revoked_at=row["revoked_at"],
        frozen=bool(row["frozen"]),
        password=row["password"],
        former_key=_former_key(db, row["id"]) if row["revoked_at"] is not None else None,
    )


def _former_key(db: sqlite3.Connection, host_id: str) -> bytes | None:
    row = db.execute("SELECT key FROM former_key WHERE host = ?", (host_id,)).fetchone()
    return None if row is None else bytes(row["key"])


def add(db: sqlite3.Connection, host: Host) -> Host | None:
    """See `Ledger.add_host`."""
    standing = by_label(db, host.label)
    for name in host.names:
        owner = _owner(db, name)
        standing = standing or (None if owner is None else by_id(db, owner))
    if standing is not None:
        return standing
    db.execute(
        "INSERT INTO host (id, label, machine, key, password, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (host.id, host.label, host.machine, host.key, host.password, host.created_at),
    )
    db.executemany("INSERT INTO name (name, host) VALUES (?, ?)", [(name, host.id) for name in host.names])
    return None


def set_password(db: sqlite3.Connection, host_id: str, password_hash: str) -> None:
    """See `Ledger.set_password`."""
    db.execute("UPDATE host SET password = ? WHERE id = ?", (password_hash, host_id))


def freeze(db: sqlite3.Connection, host_id: str, *, frozen: bool) -> None:
    """See `Ledger.freeze`."""
    db.execute("UPDATE host SET frozen = ? WHERE id = ?", (int(frozen), host_id))
    if not frozen:
        for table in ("record", "answer"):
            db.execute(
                f"UPDATE {table} SET state = ? WHERE host = ? AND state = ?",  # noqa: S608  # two constants
                (RecordState.QUEUED, host_id, RecordState.HELD),
            )


def revoke(db: sqlite3.Connection, host_id: str, *, now: float, remove_records: bool) -> None:
    """See `Ledger.revoke`."""
    if remove_records:
        for entry in _records.of_host(db, host_id):
            if entry.values is not None or entry.state in (RecordState.FAILED, RecordState.HELD):
                _records.want_absent(db, entry, now)
    host = by_id(db, host_id)
    if host is None or host.revoked_at is not None:
        return
    db.execute("DELETE FROM name WHERE host = ?", (host_id,))
    if host.key is not None:
        db.execute("INSERT OR REPLACE INTO former_key (host, key) VALUES (?, ?)", (host_id, host.key))
    db.execute("UPDATE host SET key = NULL, password = '', revoked_at = ? WHERE id = ?", (now, host_id))
    # A code that was not used yet may lie on the machine that is shut out.
    db.execute(
        "UPDATE code SET expires_at = min(expires_at, ?) WHERE used_at IS NULL"
        " AND label = (SELECT label FROM host WHERE id = ?)",
        (now, host_id),
    )


def add_code(db: sqlite3.Connection, code: Code) -> None:
    """See `Ledger.add_code`."""
    db.execute(
        "INSERT INTO code (digest, label, names, rebind, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (code.digest, code.label, json.dumps(code.names), int(code.rebind), code.created_at, code.expires_at),
    )


def redeem(db: sqlite3.Connection, use: Redemption) -> Host | CodeRefusal:
    """See `Ledger.redeem`."""
    code = db.execute(
        "SELECT label, names, rebind, expires_at, used_at, machine, key_digest, host FROM code WHERE digest = ?",
        (use.code,),
    ).fetchone()
    if code is None:
        return CodeRefusal.INVALID
    if code["used_at"] is not None:
        if (code["machine"], code["key_digest"]) != (use.machine, use.key_digest):
            return CodeRefusal.USED
        host = by_id(db, code["host"])
        return CodeRefusal.USED if host is None or host.revoked_at is not None else host
    if use.now >= code["expires_at"]:
        return CodeRefusal.EXPIRED
    label, names = code["label"], json.loads(code["names"])
    standing = by_label(db, label)
    if standing is not None and standing.machine != use.machine:
        if not code["rebind"]:
            return CodeRefusal.OTHER_MACHINE
        revoke(db, standing.id, now=use.now, remove_records=False)
        standing = None
    host_id = use.new_id if standing is None else standing.id
    if any(_owner(db, name) not in (None, host_id) for name in names):
        return CodeRefusal.NAME_TAKEN
    _install(db, host_id, label, use, names)
    db.execute(
        "UPDATE code SET used_at = ?, machine = ?, key_digest = ?, host = ? WHERE digest = ?",
        (use.now, use.machine, use.key_digest, host_id, use.code),
    )
    return by_id(db, host_id) or CodeRefusal.INVALID


def _owner(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT host FROM name WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["host"])


def _install(db: sqlite3.Connection, host_id: str, label: str, use: Redemption, names: list[str]) -> None:
    db.execute(
        "INSERT INTO host (id, label, machine, key, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET key = excluded.key",
        (host_id, label, use.machine, use.seal(host_id), use.now),
    )
    db.execute("DELETE FROM name WHERE host = ?", (host_id,))
    mine = [(host_id, name) for name in names]
    db.executemany("INSERT INTO name (host, name) VALUES (?, ?)", mine)
    # What stands there is its own from now on, so that its operator can freeze and remove it before its first update.
    db.executemany("UPDATE record SET host = ? WHERE name = ?", mine)


def remember(db: sqlite3.Connection, host_id: str, nonce: str, *, now: float, until: float) -> bool:
    """See `Ledger.remember`."""
    db.execute(
        "DELETE FROM nonce WHERE (host, nonce) IN (SELECT host, nonce FROM nonce WHERE until < ? LIMIT 100)", (now,)
    )
    fresh = db.execute("INSERT OR IGNORE INTO nonce (host, nonce, until) VALUES (?, ?, ?)", (host_id, nonce, until))
    saw(db, host_id, now=now)
    return fresh.rowcount == 1


def saw(db: sqlite3.Connection, host_id: str, *, now: float) -> None:
    """See `Ledger.saw`."""
    db.execute("UPDATE host SET last_seen = ? WHERE id = ?", (now, host_id))
