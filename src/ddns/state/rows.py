"""Values to rows and back: how the state spells RRsets, changes and notes."""

from __future__ import annotations

import json
import sqlite3

import msgspec

from ddns.model import BlockNote, BreakerNote, Change, Reason, RecordKey, RecordType, RRset


class HistoryEntry(msgspec.Struct, frozen=True):
    """One change, or one note about the state itself (`change` None), for `ddns history`."""

    at: float
    change: Change | None
    state: str
    detail: str


def encode(rrset: RRset | None) -> str | None:
    """An RRset as JSON text."""
    if rrset is None:
        return None
    return json.dumps({"values": rrset.texts(), "ttl": rrset.ttl, "extra": dict(rrset.extra)})


def decode(text: str | None, rtype: RecordType) -> RRset | None:
    """An RRset from JSON text."""
    if text is None:
        return None
    data = json.loads(text)
    return RRset(frozenset(map(rtype.parse, data["values"])), data["ttl"], data["extra"])


def place(key: RecordKey) -> tuple[str, str, str]:
    """A key as the columns provider, name, type."""
    return key.provider, key.name, key.type.value


def key(row: sqlite3.Row) -> RecordKey:
    """The key of a row that has those columns."""
    return RecordKey(row["provider"], row["name"], RecordType(row["type"]))


def change(row: sqlite3.Row) -> Change:
    """The change of a row of `changes`."""
    where = key(row)
    before, after = decode(row["before"], where.type), decode(row["after"], where.type)
    return Change(row["id"], where, before, after, Reason(row["reason"]), row["seq"])


def block(row: sqlite3.Row) -> BlockNote:
    """The note of a row of `blocks`."""
    fields = ("provider", "fingerprint", "code", "message", "advice", "since", "retry_at")
    return BlockNote(*(row[name] for name in fields))


def breaker(row: sqlite3.Row) -> BreakerNote:
    """The note of a row of `breakers`."""
    return BreakerNote(
        tuple(mark == "x" for mark in row["calls"]), row["opened_at"], row["open_until"], row["openings"]
    )
