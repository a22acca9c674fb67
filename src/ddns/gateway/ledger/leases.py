"""Leases in SQLite: who has which, and the last token. Each function runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3

from ddns.gateway.ledger import LeaseRow


def of_name(db: sqlite3.Connection, name: str) -> LeaseRow | None:
    """See `Ledger.lease`."""
    row = db.execute("SELECT name, host, token, ttl FROM lease WHERE name = ?", (name,)).fetchone()
    return LeaseRow(row["name"], row["host"], row["token"], row["ttl"]) if row else None


def grant(db: sqlite3.Connection, name: str, host: str, ttl: float) -> int:
    """See `Ledger.grant_lease`."""
    row = db.execute(
        "INSERT INTO lease (name, host, token, ttl) VALUES (?, ?, 1, ?) ON CONFLICT (name) DO UPDATE"
        " SET host = excluded.host, token = lease.token + 1, ttl = excluded.ttl RETURNING token",
        (name, host, ttl),
    ).fetchone()
    return int(row["token"])


def free(db: sqlite3.Connection, name: str, token: int) -> None:
    """See `Ledger.free_lease`."""
    db.execute("UPDATE lease SET ttl = 0 WHERE name = ? AND token = ?", (name, token))
