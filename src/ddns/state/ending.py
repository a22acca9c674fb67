"""The part of the state that a no-change run touches: the expectation, and the row of a run. Only SQLite."""

from __future__ import annotations

import sqlite3

from ddns import __version__
from ddns.expect import Expectation, Expected
from ddns.state.schema import translated


def load(base: sqlite3.Connection) -> tuple[Expectation | None, bool, float | None]:
    """The expectation, whether a no-change run is logged, and until when runs are paused.

    Whoever may write the file may have put anything there, of any type: the casts never fail.
    """
    row = base.execute(
        "SELECT CAST(fingerprint AS TEXT), CAST(made AS REAL), CAST(until AS REAL), CAST(expected AS TEXT),"
        " CAST(exit AS INTEGER), CAST(watched AS TEXT), log FROM expectation WHERE id = 1"
    ).fetchone()
    paused = base.execute("SELECT CAST(value AS REAL) FROM meta WHERE key = 'paused_until'").fetchone()
    until = paused[0] if paused else None
    if row is None:
        return None, True, until
    try:
        expected = tuple(_expected(part) for part in row[3].split())
    except ValueError:
        return None, True, until  # forged or from another version: the full way
    if not 0 <= row[4] < 256:  # no process can end so
        return None, True, until
    watched = tuple(row[5].split("\n")) if row[5] else ()
    return Expectation(row[0], row[1], row[2], expected, row[4], watched), bool(row[6]), until


def _expected(text: str) -> Expected:
    family, probe, address = text.split("|")
    return Expected(int(family), int(probe), address)


def save(base: sqlite3.Connection, expectation: Expectation | None, *, log: bool) -> None:
    """Replace the expectation, or take it away. Inside the caller's transaction."""
    base.execute("DELETE FROM expectation")
    if expectation is None:
        return
    expected = " ".join(f"{item.family}|{item.probe}|{item.address}" for item in expectation.expected)
    base.execute(
        "INSERT INTO expectation (id, fingerprint, made, until, expected, exit, watched, log)"
        " VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (
            expectation.fingerprint,
            expectation.made,
            expectation.until,
            expected,
            expectation.exit,
            "\n".join(expectation.watched),
            int(log),
        ),
    )


def record_run(
    base: sqlite3.Connection, path: str, trace_id: str, trigger: str, started: float, ended: float, exit_code: int
) -> None:
    """Store a run that began and ended without the full way. One durable transaction."""
    with translated(path):
        base.execute(
            "INSERT INTO runs (trace_id, trigger, started, ended, exit, full, version) VALUES (?, ?, ?, ?, ?, 0, ?)",
            (trace_id, trigger, started, ended, exit_code, __version__),
        )


def last_runs(base: sqlite3.Connection) -> list[tuple[float, float, int, int, int]]:
    """The last ten runs that ended, oldest first: started, ended, exit, full, changed."""
    rows = base.execute(
        "SELECT started, ended, exit, full, changed FROM runs WHERE ended IS NOT NULL ORDER BY id DESC LIMIT 10"
    ).fetchall()
    return rows[::-1]


def status_tail(base: sqlite3.Connection) -> str:
    """The part of status.json that only a full run changes, "" before the first."""
    row = base.execute("SELECT value FROM meta WHERE key = 'status_tail'").fetchone()
    return row[0] if row else ""
