"""What an outcome does to the state, as statements for one transaction. Pure: the record's row in, statements out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from ddns.errors import ProviderError, Rejected
from ddns.memory import Visibility
from ddns.model import Fate, Kind, Outcome, RecordKey, Resolution, RRset, Run
from ddns.state import rows
from ddns.state.schema import LATER

Statement = tuple[str, tuple[object, ...]]

WHERE = "provider = ? AND name = ? AND type = ?"
_DAY = 24 * 3600.0
#: Seconds for which a record that is refused as it is asked for is left alone.
REFUSED_SECONDS = _DAY
_REFUSED = (
    "INSERT OR REPLACE INTO refused (provider, name, type, wish, since, until, message, advice)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_SEEN = "INSERT INTO visibility (at, provider, name, type, lower, upper) VALUES (?, ?, ?, ?, ?, ?)"
_END = "UPDATE changes SET state = ?, ended = ?, detail = ? WHERE id = ?"


def resolved(run: Run, resolution: Resolution, row: sqlite3.Row | None) -> list[Statement]:
    """The end of an intent of an earlier run."""
    change, seen = resolution.change, resolution.observed
    detail = f"found {seen.rrset or 'none'} at {seen.by}"
    ended: Statement = (_END, (resolution.fate.value, run.started, detail, change.id))
    if resolution.fate is not Fate.ADOPTED:
        return [ended]
    return [ended, *_published(change.key, change.after, seen.at, row, written=True)]


def settled(outcome: Outcome, row: sqlite3.Row | None, mask: Callable[[str], str]) -> list[Statement]:
    """One outcome: what is published, what the next run must know, the end of the intent, what status shows."""
    key, cause, change = outcome.key, outcome.cause, outcome.change
    statements = [_there(key)]
    if outcome.kind.wrote and change is not None:
        statements += _published(key, change.after, outcome.at, row, written=True)
    elif outcome.kind is Kind.PROVEN and outcome.observed is not None:
        statements += _published(key, outcome.rrset, outcome.at, row, written=False)
    if outcome.observed is not None and outcome.kind.right:
        proof = (outcome.observed.at, outcome.observed.by)
        statements.append(_update("proven_at = ?, proven_by = ?, held_until = NULL", proof, key))
    statements += _for_the_next_run(outcome, row)
    statements += _refusal(outcome, mask)
    seen = _became_visible(outcome, row)
    statements += visible(seen) if seen is not None else []
    if change is not None:
        detail = mask(cause.message) if cause else ""
        statements.append((_END, (_intent_state(outcome), outcome.at, detail, change.id)))
    code, advice = (cause.code, cause.advice) if cause is not None else (None, None)
    shown = (outcome.kind.value, outcome.at, code, advice, outcome.until)
    statements.append(_update("outcome = ?, outcome_at = ?, code = ?, advice = ?, next_at = ?", shown, key))
    return statements


def _there(key: RecordKey) -> Statement:
    return "INSERT OR IGNORE INTO records (provider, name, type) VALUES (?, ?, ?)", rows.place(key)


def _update(columns: str, values: tuple[object, ...], key: RecordKey) -> Statement:
    return f"UPDATE records SET {columns} WHERE {WHERE}", (*values, *rows.place(key))


def _published(
    key: RecordKey, rrset: RRset | None, at: float, row: sqlite3.Row | None, *, written: bool
) -> list[Statement]:
    """A record that is now as `rrset`; `since` stays while the values do, and a write waits for its own proof.

    What was found so, and is not what we wrote last, has no time at which we wrote it: others made it.
    """
    old = rows.decode(row["rrset"], key.type) if row is not None else None
    same = old is not None and rrset is not None and old.values == rrset.values
    since = row["since"] if row is not None and same else at
    columns, values = "rrset = ?, since = ?, pending = 0", (rows.encode(rrset), since)
    if not written:
        columns += "" if same else ", written_at = NULL"
        return [_there(key), _update(columns, values, key)]
    columns += ", written_at = ?, held_until = NULL, proven_at = NULL, proven_by = ''"
    return [_there(key), _update(columns, (*values, at), key)]


def _for_the_next_run(outcome: Outcome, row: sqlite3.Row | None) -> list[Statement]:
    """Reversals, holds, writes that were not yet seen."""
    if outcome.kind is Kind.REPAIRED:
        before = json.loads(row["reversals"]) if row is not None else []
        times = [at for at in before if 0 <= outcome.at - at < _DAY]
        return [_update("reversals = ?", (json.dumps([*times, outcome.at]),), outcome.key)]
    if outcome.kind is Kind.CONTENDED and outcome.until is not None:
        return [_update("held_until = ?", (outcome.until,), outcome.key)]
    return [] if outcome.kind.right else [_update("pending = 1", (), outcome.key)]


def _refusal(outcome: Outcome, mask: Callable[[str], str]) -> list[Statement]:
    """A refusal rests the record; its end ends the rest. One with an `until` is such a rest, told again."""
    key, cause, change = outcome.key, outcome.cause, outcome.change
    if outcome.kind is Kind.FAILED and isinstance(cause, Rejected) and outcome.until is None:
        wish = rows.encode(change.after) if change is not None else None
        told = (wish, outcome.at, outcome.at + REFUSED_SECONDS, mask(cause.message), cause.advice)
        return [(LATER["refused"], ()), (_REFUSED, (*rows.place(key), *told))]
    if outcome.kind.right and outcome.kind is not Kind.UNCHANGED:
        return [(LATER["refused"], ()), (f"DELETE FROM refused WHERE {WHERE}", rows.place(key))]
    return []


def _became_visible(outcome: Outcome, row: sqlite3.Row | None) -> Visibility | None:
    """The interval, where an earlier run looked too early and this one sees the write."""
    if outcome.kind is not Kind.PROVEN or row is None or row["outcome"] != Kind.ACCEPTED.value:
        return None
    wrote, looked = row["written_at"], row["outcome_at"]
    if not wrote or not looked or not wrote <= looked <= outcome.at:
        return None
    return Visibility(outcome.key, outcome.at, looked - wrote, outcome.at - wrote)


def visible(seen: Visibility) -> list[Statement]:
    """How long a write took to be seen. The last hundred are kept."""
    values = (seen.at, *rows.place(seen.key), seen.lower, seen.upper)
    drop = "DELETE FROM visibility WHERE id <= (SELECT max(id) FROM visibility) - 100"
    return [(LATER["visibility"], ()), (_SEEN, values), (drop, ())]


def _intent_state(outcome: Outcome) -> str:
    """How the intent of a change stands after its outcome; ``open`` and ``accepted`` are looked at by the next run."""
    if outcome.kind.wrote:
        return "applied"
    if outcome.kind in (Kind.ACCEPTED, Kind.HELD):
        return "accepted"
    if outcome.kind is Kind.CONTENDED:
        return Fate.EXTERNAL.value
    if outcome.kind is Kind.YIELDED:
        return Kind.YIELDED.value
    in_doubt = isinstance(outcome.cause, ProviderError) and outcome.cause.in_doubt
    return "open" if in_doubt else "refused"
