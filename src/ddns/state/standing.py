"""The tail of status.json: where each record stands. Made by full runs.

Every user may read it, so it holds no secret, no words of a provider, and no id of account or zone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from ddns.model import Kind, RecordKey, RecordType
from ddns.moves import Move
from ddns.state.reader import Reader
from ddns.state.rows import decode
from ddns.times import utc

_NOTES_SHOWN = 7 * 24 * 3600.0
_RIGHT = frozenset(kind.value for kind in Kind if kind.right)


def tail(
    reader: Reader, keys: Sequence[RecordKey], *, host: str, now: float, every: float, paused_until: float | None = None
) -> str:
    """A JSON object's text. `keys`: the records of the settings; others that the state still knows are not shown."""
    shown = {(key.provider, key.name, key.type.value) for key in keys}
    rows = [row for row in reader.record_rows() if (row["provider"], row["name"], row["type"]) in shown]
    providers = {key.provider for key in keys}
    contentions, contended_at = reader.contentions(now - 3600.0)
    blocks = [row for row in reader.block_rows() if row["provider"] in providers]
    moves = [_move(move) for move in reader.moves() if move.at >= now - _NOTES_SHOWN]
    health, retired = visibility(reader), reader.retired_at()
    return json.dumps(
        {
            **({"health": health} if health else {}),
            "host": host,
            "records": [_record(row, _next_at(row, blocks, every)) for row in rows],
            "blocks": [_block(row) for row in blocks],
            "paused_until": _utc(paused_until),
            **({"retired_at": utc(retired)} if retired is not None else {}),
            "changes_last_hour": reader.changes_since(now - 3600.0),
            "contentions_last_hour": contentions,
            "contended_at": _utc(contended_at),
            "notes": reader.notes(now - _NOTES_SHOWN),
            **({"moves": moves} if moves else {}),
        },
        separators=(",", ":"),
    )


def visibility(reader: Reader) -> dict[str, object]:
    """How long writes take to be seen: the last interval, and the longest of the last ten; empty if none is known."""
    seen = reader.visibility()
    if not seen:
        return {}
    last, delays = seen[0], [item.upper for item in seen if item.upper is not None]
    upper = round(last.upper, 1) if last.upper is not None else None
    return {
        "visibility": {"lower": round(last.lower, 1), "upper": upper, "at": utc(last.at)},
        "visibility_delay": round(max(delays), 1) if delays else None,
    }


def _move(move: Move) -> dict[str, object]:
    return {"at": utc(move.at), "family": move.family.value, "from": list(move.before), "to": move.after}


def _utc(seconds: float | None) -> str | None:
    return None if seconds is None else utc(seconds)


def _next_at(row: sqlite3.Row, blocks: Sequence[sqlite3.Row], every: float) -> float | None:
    """When a right record is proven next, or one that is not right is tried next; None: as soon as a run comes."""
    if row["next_at"]:
        return float(row["next_at"])
    if row["outcome"] in _RIGHT:
        last = max(row["proven_at"] or 0.0, row["written_at"] or 0.0)
        return last + every if last else None
    same = (row["provider"], row["code"])
    return max((block["retry_at"] for block in blocks if (block["provider"], block["code"]) == same), default=None)


def _record(row: sqlite3.Row, next_at: float | None) -> dict[str, object]:
    rrset = decode(row["rrset"], RecordType(row["type"]))
    return {
        "name": row["name"],
        "type": row["type"],
        "provider": row["provider"],
        "address": ", ".join(rrset.texts()) if rrset else None,
        "since": _utc(row["since"]) if rrset else None,
        "outcome": row["outcome"],
        "proven_at": _utc(row["proven_at"]),
        "proven_by": row["proven_by"] or None,
        "next_at": _utc(next_at),
        "error": {"code": row["code"], "advice": row["advice"]} if row["code"] else None,
    }


def _block(row: sqlite3.Row) -> dict[str, object]:
    return {
        "provider": row["provider"],
        "code": row["code"],
        "since": _utc(row["since"]),
        "retry_at": _utc(row["retry_at"]),
    }
