"""A status.json as values.

Anybody may have written the file: what is not of its shape becomes nothing, never an error.
"""

from __future__ import annotations

from ddns.cli.value import Value
from ddns.wording import readable, seconds_of, visible

TYPE_CHECKING = False  # as typing has it, whose import costs more than this module
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

#: Runs that the strip shows.
_RUNS = 10


class Record(Value):
    """One record, as far as the file tells. Moments are UTC seconds; texts are fit for a terminal."""

    name: str
    type: str
    provider: str
    address: str
    since: float | None
    outcome: str
    proven_at: float | None
    proven_by: str
    next_at: float | None
    code: str
    advice: str


class Blocked(Value):
    """A provider that refuses until a person acts."""

    provider: str
    code: str
    since: float | None
    retry_at: float | None


class Ran(Value):
    """One run that ended."""

    started: float | None
    ended: float | None
    exit: int
    changed: int


class Moved(Value):
    """A jump of the public address to another network. `before`: the networks that it was in, as one text."""

    at: float | None
    family: int
    before: str
    after: str


class View(Value):
    """The whole file. `trace_id` is of the last run, "" where that ended without the full way."""

    host: str
    version: str
    written_at: float | None
    exit: int
    trace_id: str
    records: tuple[Record, ...]
    blocks: tuple[Blocked, ...]
    runs: tuple[Ran, ...]
    paused_until: float | None
    notes: tuple[str, ...]
    #: In how many runs of the hour before the last full run another machine held the fleet's lease, and when last.
    contentions: int = 0
    contended_at: float | None = None
    #: The last jump of each family to another network, within the week before the last full run.
    moves: tuple[Moved, ...] = ()
    #: Since when the records are withdrawn by `ddns remove --all`.
    retired_at: float | None = None


def view(document: Mapping[str, Any]) -> View:
    """The file's content; unknown fields are ignored."""
    run = document.get("run")
    notes = document.get("notes")
    return View(
        host=_text(document, "host"),
        version=_text(document, "version"),
        written_at=seconds_of(document.get("written_at")),
        exit=_number(run, "exit") if isinstance(run, dict) else 0,
        trace_id=_text(run, "id") if isinstance(run, dict) and run.get("full") is True else "",
        records=tuple(record for record in map(_record, _tables(document, "records")) if record.name),
        blocks=tuple(map(_blocked, _tables(document, "blocks"))),
        runs=tuple(map(_ran, _tables(document, "last_runs")))[-_RUNS:],
        paused_until=seconds_of(document.get("paused_until")),
        notes=tuple(_line(note) for note in notes if isinstance(note, str)) if isinstance(notes, list) else (),
        contentions=_number(document, "contentions_last_hour"),
        contended_at=seconds_of(document.get("contended_at")),
        moves=tuple({m.family: m for m in map(_moved, _tables(document, "moves")) if m.before and m.after}.values()),
        retired_at=seconds_of(document.get("retired_at")),
    )


def _record(table: Mapping[str, Any]) -> Record:
    error = table.get("error")
    error = error if isinstance(error, dict) else {}
    return Record(
        name=readable(_text(table, "name")),
        type=_text(table, "type"),
        provider=_text(table, "provider"),
        address=_text(table, "address"),
        since=seconds_of(table.get("since")),
        outcome=_text(table, "outcome"),
        proven_at=seconds_of(table.get("proven_at")),
        proven_by=_text(table, "proven_by"),
        next_at=seconds_of(table.get("next_at")),
        code=_text(error, "code"),
        advice=_text(error, "advice"),
    )


def _blocked(table: Mapping[str, Any]) -> Blocked:
    return Blocked(
        provider=_text(table, "provider"),
        code=_text(table, "code"),
        since=seconds_of(table.get("since")),
        retry_at=seconds_of(table.get("retry_at")),
    )


def _moved(table: Mapping[str, Any]) -> Moved:
    before = table.get("from")
    networks = [_line(item) for item in before if isinstance(item, str)] if isinstance(before, list) else []
    return Moved(seconds_of(table.get("at")), _number(table, "family"), ", ".join(networks), _text(table, "to"))


def _ran(table: Mapping[str, Any]) -> Ran:
    started, ended = seconds_of(table.get("started")), seconds_of(table.get("ended"))
    return Ran(started, ended, _number(table, "exit"), _number(table, "changed"))


def _tables(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = document.get(name)
    return (item for item in found if isinstance(item, dict)) if isinstance(found, list) else iter(())


def _line(text: str) -> str:
    return visible(text.replace("\n", " "))


def _text(table: Mapping[str, Any], name: str) -> str:
    found = table.get(name)
    return _line(found) if isinstance(found, str) else ""


def _number(table: Mapping[str, Any], name: str) -> int:
    found = table.get(name)
    return found if isinstance(found, int) else 0
