"""Values to rows and back: how the state spells RRsets, changes and notes."""

from __future__ import annotations

import json
import sqlite3

import msgspec

from ddns.address import Family
from ddns.memory import BlockNote, BreakerNote, Published, Refused, Rest
from ddns.model import Change, Reason, RecordKey, RecordType, RRset
from ddns.moves import Move


class HistoryEntry(msgspec.Struct, frozen=True):
    """One change, or one note (`change` None): about the state itself, or of a move. For `ddns history`."""

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
    ttl, extra = data["ttl"], data["extra"]
    if not (ttl is None or isinstance(ttl, int)) or not isinstance(extra, dict):
        raise ValueError(f"{text!r} is not an RRset")
    return RRset(frozenset(map(rtype.parse, data["values"])), ttl, extra)


def place(key: RecordKey) -> tuple[str, str, str]:
    """A key as the columns provider, name, type."""
    return key.provider, key.name, key.type.value


def key(row: sqlite3.Row) -> RecordKey:
    """The key of a row that has those columns."""
    return RecordKey(row["provider"], row["name"], RecordType(row["type"]))


def published(row: sqlite3.Row) -> Published | None:
    """What a row of `records` says of a record that we own, None when we own it no more. Raises ValueError.

    The account that runs the task can write the file, so that types and times are not taken for granted.
    """
    rrset = decode(row["rrset"], key(row).type)
    if rrset is None:
        return None
    return Published(
        rrset,
        _time(row["since"]) or 0.0,
        _time(row["written_at"]) or 0.0,
        _time(row["proven_at"]),
        str(row["proven_by"]),
        tuple(at for value in json.loads(row["reversals"]) if (at := _time(value)) is not None),
        _time(row["held_until"]),
        bool(row["pending"]),
    )


#: The end of the year 9999, the last that the standard library can draw. UTC seconds.
_LAST_SECOND = 253402300799.0


def _time(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and -_LAST_SECOND < value < _LAST_SECOND):
        return value
    raise ValueError(f"{value!r} is not a time")


def change(row: sqlite3.Row) -> Change:
    """The change of a row of `changes`."""
    where = key(row)
    before, after = decode(row["before"], where.type), decode(row["after"], where.type)
    return Change(row["id"], where, before, after, Reason(row["reason"]), row["seq"])


def block(row: sqlite3.Row) -> BlockNote:
    """The note of a row of `blocks`."""
    provider, fingerprint, code, message, advice = (
        str(row[name]) for name in ("provider", "fingerprint", "code", "message", "advice")
    )
    since, retry_at = _time(row["since"]) or 0.0, _time(row["retry_at"]) or 0.0
    return BlockNote(provider, fingerprint, code, message, advice, since, retry_at)


def refused(row: sqlite3.Row) -> Refused:
    """The note of a row of `refused`."""
    wish, since, until = decode(row["wish"], key(row).type), _time(row["since"]), _time(row["until"])
    return Refused(since or 0.0, until or 0.0, str(row["message"]), str(row["advice"]), wish)


def breaker(row: sqlite3.Row) -> BreakerNote:
    """The note of a row of `breakers`."""
    calls = tuple(mark == "x" for mark in str(row["calls"]))
    return BreakerNote(calls, _time(row["opened_at"]), _time(row["open_until"]), min(max(int(row["openings"]), 0), 20))


def move(row: sqlite3.Row) -> Move:
    """The move of a row of `moves`."""
    before = tuple(str(row["before"]).split(", "))
    return Move(Family(row["family"]), before, str(row["after"]), _time(row["at"]) or 0.0)


def rest(row: sqlite3.Row) -> Rest:
    """The note of a row of `rested`."""
    since, until = _time(row["since"]) or 0.0, _time(row["until"]) or 0.0
    return Rest(min(max(int(row["failures"]), 0), 1000), since, until, str(row["problem"]))
