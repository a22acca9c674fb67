"""The state's file: its tables, how it is opened, and what happens when it is damaged or newer than we are.

One SQLite file with a rollback journal and `synchronous=FULL`. Changes to this format only ever add tables and
columns, and every statement names its columns; a breaking format would be a new file beside this one.
"""

from __future__ import annotations

import os
import sqlite3

from ddns.errors import StateError, StateNewer, StateUnwritable, foreign

#: Seconds to wait for somebody else who reads or writes the file.
BUSY_SECONDS = 2.0
#: Our format. A file whose `min_writer` is above this is left alone.
WRITER = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, trigger TEXT NOT NULL, started REAL NOT NULL, ended REAL,
    exit INTEGER, full INTEGER NOT NULL, changed INTEGER NOT NULL DEFAULT 0, version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, trace_id TEXT NOT NULL, provider TEXT NOT NULL,
    name TEXT NOT NULL, type TEXT NOT NULL, before TEXT, after TEXT, reason TEXT NOT NULL, at REAL NOT NULL,
    state TEXT NOT NULL, ended REAL, detail TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS changes_open ON changes (state) WHERE state IN ('open', 'accepted');
CREATE TABLE IF NOT EXISTS records (
    provider TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, rrset TEXT, since REAL, written_at REAL,
    proven_at REAL, proven_by TEXT NOT NULL DEFAULT '', pending INTEGER NOT NULL DEFAULT 0,
    reversals TEXT NOT NULL DEFAULT '[]', held_until REAL, outcome TEXT, outcome_at REAL, code TEXT, advice TEXT,
    next_at REAL, PRIMARY KEY (provider, name, type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS breakers (
    name TEXT PRIMARY KEY, calls TEXT NOT NULL, opened_at REAL, open_until REAL, openings INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    name TEXT PRIMARY KEY, provider TEXT NOT NULL, fingerprint TEXT NOT NULL, code TEXT NOT NULL,
    message TEXT NOT NULL, advice TEXT NOT NULL, since REAL NOT NULL, retry_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS expectation (
    id INTEGER PRIMARY KEY CHECK (id = 1), fingerprint TEXT NOT NULL, made REAL NOT NULL, until REAL NOT NULL,
    expected TEXT NOT NULL, exit INTEGER NOT NULL, watched TEXT NOT NULL, log INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rested (
    name TEXT NOT NULL, family INTEGER NOT NULL, failures INTEGER NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
    problem TEXT NOT NULL DEFAULT '', PRIMARY KEY (name, family)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
    provider TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, wish TEXT, since REAL NOT NULL, until REAL NOT NULL,
    message TEXT NOT NULL, advice TEXT NOT NULL, PRIMARY KEY (provider, name, type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS visibility (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    lower REAL NOT NULL, upper REAL);
CREATE TABLE IF NOT EXISTS moves (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, family INTEGER NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, at REAL NOT NULL, text TEXT NOT NULL);
"""

#: What states of earlier versions lack, by name; made when it is first written to.
LATER = {
    table: next(text for text in _TABLES.split(";\n") if f"EXISTS {table} " in text)
    for table in ("rested", "refused", "visibility", "moves")
}


class StateDamaged(StateError):
    """The file is not a state, or parts of it can't be read. `rebuild` sets it aside."""

    code = "state.damaged"
    default_advice = "Nothing to do: the next `ddns run` sets it aside and reads the records from DNS again."


class translated:  # noqa: N801 - reads as the statement that it is: `with translated(path):`
    """Turns SQLite's errors into ours: damaged, or not writable. A class, because contextlib costs the cheap path."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.OperationalError) and not _of_damage(error):
            raise StateUnwritable(f"{self._path}: {foreign(str(error))}") from error
        if isinstance(error, sqlite3.DatabaseError):
            raise StateDamaged(f"{self._path}: {foreign(str(error))}") from error
        if isinstance(error, UnicodeDecodeError):  # SQLite quotes a damaged schema in its message
            raise StateDamaged(f"{self._path}: a text in it is not text") from error


def _of_damage(error: sqlite3.OperationalError) -> bool:
    """Whether tables, columns or texts are not as we wrote them; the other codes are of the disk and of rights."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR or str(error).startswith("Could not decode")


def connect(path: str) -> sqlite3.Connection:
    """Open an existing state. Raises StateDamaged, StateNewer, StateUnwritable (also when there is none)."""
    with translated(path):
        # isolation_level None: transactions are where the code says BEGIN, nowhere else.
        base = sqlite3.connect(f"file:{_quoted(path)}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        with translated(path):
            base.execute("PRAGMA synchronous=FULL")
            row = base.execute("SELECT value FROM meta WHERE key = 'min_writer'").fetchone()
    except StateError as error:
        base.close()
        if "no such table" in error.message:  # a file that is empty or was cut off before its tables were made
            raise StateDamaged(f"{path}: it holds no state") from None
        raise  # busy or unreadable is not damaged
    if row is not None and (not row[0].isdigit() or int(row[0]) > WRITER):
        base.close()
        raise StateNewer(f"{path} was written by a newer version (format {row[0]}, this one writes {WRITER})")
    return base


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def create(path: str, note: tuple[float, str] | None = None) -> sqlite3.Connection:
    """Make a new state in one transaction, `note` (UTC seconds, text) included. Raises StateUnwritable."""
    try:  # noqa: SIM105 - contextlib costs the cheap path
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would let others read it
    except OSError:
        pass  # SQLite fails at the same, and is asked next
    with translated(path):
        base = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            base.execute("PRAGMA synchronous=FULL")
            base.execute("BEGIN IMMEDIATE")
            for statement in _TABLES.split(";\n"):
                base.execute(statement)
            base.execute("INSERT INTO meta (key, value) VALUES ('schema', ?), ('min_writer', ?)", (str(WRITER), "1"))
            if note is not None:
                base.execute("INSERT INTO notes (at, text) VALUES (?, ?)", note)
            base.execute("COMMIT")
        except sqlite3.DatabaseError:
            base.close()
            raise
    return base


def check(base: sqlite3.Connection, path: str) -> None:
    """Look through every page. Raises StateDamaged."""
    with translated(path):
        found = base.execute("PRAGMA quick_check(1)").fetchone()
    if found is None or found[0] != "ok":
        raise StateDamaged(f"{path}: {foreign(found[0]) if found else 'unreadable'}")


def set_aside(path: str, now: float) -> str:
    """Rename a damaged state (and its journal) and return the new name of the file. Raises StateUnwritable."""
    aside = f"{path}.damaged-{int(now)}"
    while os.path.exists(aside):  # of a run in the same second, or of a clock that went back: nothing is overwritten
        aside += "+"
    try:
        for ending in ("-journal", ""):
            if os.path.exists(path + ending):
                os.replace(path + ending, aside + ending)
    except OSError as error:
        raise StateUnwritable(f"{path} is damaged and can't be set aside: {error.strerror}") from error
    return aside


def last_aside(path: str) -> str | None:
    """The damaged state that was set aside last; None if there never was one."""
    folder, name = os.path.split(path)
    try:
        kept = [entry for entry in os.listdir(folder) if entry.startswith(name + ".damaged-")]
    except OSError:
        return None
    return os.path.join(folder, max(kept)) if kept else None
