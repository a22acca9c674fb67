"""The ledger's tables. Changes are additive: new tables, and new columns that have a default."""

from __future__ import annotations

#: The format that this program writes; a file whose `min_writer` is above it is left alone.
VERSION = 1

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "INSERT OR IGNORE INTO meta (name, value) VALUES ('min_writer', '1'), ('revision', '0')",
    """CREATE TABLE IF NOT EXISTS host (
        id TEXT PRIMARY KEY,
        label TEXT NOT NULL,
        machine TEXT NOT NULL,
        key BLOB,
        password TEXT NOT NULL DEFAULT '',
        frozen INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        last_seen REAL,
        revoked_at REAL
    ) WITHOUT ROWID""",
    # The keys of revoked hosts, still sealed: nothing is accepted from them, but they are told why.
    "CREATE TABLE IF NOT EXISTS former_key (host TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID",
    "CREATE UNIQUE INDEX IF NOT EXISTS host_label ON host (label) WHERE revoked_at IS NULL",
    """CREATE TABLE IF NOT EXISTS name (
        name TEXT PRIMARY KEY,
        host TEXT NOT NULL REFERENCES host (id)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS name_host ON name (host)",
    """CREATE TABLE IF NOT EXISTS code (
        digest TEXT PRIMARY KEY,
        label TEXT NOT NULL,
        names TEXT NOT NULL,
        rebind INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        used_at REAL,
        machine TEXT,
        key_digest TEXT,
        host TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS nonce (
        host TEXT NOT NULL,
        nonce TEXT NOT NULL,
        until REAL NOT NULL,
        PRIMARY KEY (host, nonce)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS nonce_until ON nonce (until)",
    # "values" is a keyword of SQL, hence wanted. JSON null: the record is to be absent.
    """CREATE TABLE IF NOT EXISTS record (
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        host TEXT NOT NULL,
        wanted TEXT NOT NULL,
        ttl INTEGER,
        revision INTEGER NOT NULL UNIQUE,
        seq INTEGER NOT NULL,
        state TEXT NOT NULL,
        trace_id TEXT NOT NULL,
        updated_at REAL NOT NULL,
        confirmed TEXT NOT NULL DEFAULT 'null',
        confirmed_at REAL,
        problem TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (name, type)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS record_state ON record (state, revision)",
    "CREATE INDEX IF NOT EXISTS record_host ON record (host)",
    """CREATE TABLE IF NOT EXISTS answer (
        host TEXT NOT NULL,
        idem TEXT NOT NULL,
        digest TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        revision INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        state TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (host, idem)
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS answer_record ON answer (name, type, revision)",
    "CREATE INDEX IF NOT EXISTS answer_at ON answer (at)",
    """CREATE TABLE IF NOT EXISTS intent (
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        before TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (name, type)
    ) WITHOUT ROWID""",
    # Rows stay when a lease is over: the token only ever grows. ttl in seconds, 0 when nobody has it.
    """CREATE TABLE IF NOT EXISTS lease (
        name TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        token INTEGER NOT NULL,
        ttl REAL NOT NULL
    ) WITHOUT ROWID""",
)
