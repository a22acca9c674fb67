"""`ddns history`: the changes of this machine's records."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddns.render import Cell, Part, Screen
    from ddns.state.rows import HistoryEntry

_DAYS = 30
_DAY = 86400.0
#: What the line of days looks at; more changes than that in a month are a trouble of their own.
_LOOKED_AT = 2000

#: End state of a change -> sign and words.
_ENDS = {
    "applied": ("fine", "in DNS"),
    "adopted": ("fine", "found in DNS"),
    "accepted": ("waiting", "sent, not yet seen"),
    "open": ("waiting", "end not yet known"),
    "void": ("new", "never arrived"),
    "external": ("failed", "overtaken by somebody else"),
    "refused": ("failed", "refused"),
}


@click.command(**options.examples("ddns history", "ddns history --limit 100", "ddns history --json"))
@options.data
@options.as_json
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many to show.")
def history(*, data: str | None, as_json: bool, limit: int) -> None:
    """Show the changes of this machine's records, newest first.

    Gaps in what is known of them are shown, too.
    """
    from ddns.runtime.history import history as remembered

    now = time.time()
    entries = remembered(data, max(limit, _LOOKED_AT))
    told = {"entries": [_described(entry) for entry in entries[:limit]], "per_day": per_day(entries, now)}
    if as_json:
        emit("history", told)
    else:
        from ddns.render import Screen

        draw(Screen(), told, now)


def _described(entry: HistoryEntry) -> dict[str, Any]:
    from ddns.times import utc

    change = entry.change
    if change is None:
        return {"at": utc(entry.at), "kind": "note", "text": entry.detail}
    return {
        "at": utc(entry.at),
        "kind": "change",
        "name": change.key.name,
        "type": change.key.type.value,
        "provider": change.key.provider,
        "from": change.before.texts() if change.before else None,
        "to": change.after.texts() if change.after else None,
        "reason": change.reason.value,
        "state": entry.state,
        "detail": entry.detail or None,
        "id": change.id,
    }


def per_day(entries: Sequence[HistoryEntry], now: float) -> list[dict[str, Any]]:
    """Changes that reached DNS on each of the last 30 local days, the oldest day first."""
    days = [time.strftime("%Y-%m-%d", time.localtime(now - back * _DAY)) for back in reversed(range(_DAYS))]
    counts = dict.fromkeys(days, 0)
    for entry in entries:
        day = time.strftime("%Y-%m-%d", time.localtime(entry.at))
        if entry.change is not None and entry.state in ("applied", "adopted") and day in counts:
            counts[day] += 1
    return [{"day": day, "changes": number} for day, number in counts.items()]


def draw(screen: Screen, told: dict[str, Any], now: float) -> None:
    """A line a change, then the days."""
    from ddns.render import spark

    if not told["entries"]:
        screen.line("No change yet: no run has published anything here.")
        return
    changes = [_row(entry, now) for entry in told["entries"] if entry["kind"] == "change"]
    notes = [entry for entry in told["entries"] if entry["kind"] == "note"]
    if changes:
        screen.table(changes)
    if changes and notes:
        screen.line()
    for note in notes:
        screen.line(*_note(note, now), hang=2)
    counts = [day["changes"] for day in told["per_day"]]
    screen.line()
    screen.line(f"last {_DAYS} days  ", (spark(counts), "address"), (f"  {_times(sum(counts))}", "dim"))


def _times(number: int) -> str:
    return "1 change" if number == 1 else f"{number} changes"


def _note(note: dict[str, Any], now: float) -> list[Part]:
    from ddns.render import sign

    return [sign("waiting"), f" {_moment(note['at'], now)}  ", note["text"]]


def _moment(text: str, now: float) -> str:
    from ddns.wording import local, seconds_of

    seconds = seconds_of(text)
    return local(seconds, now) if seconds is not None else text


def _row(entry: dict[str, Any], now: float) -> list[Cell]:
    from ddns.render import sign

    mark, words = _ENDS.get(entry["state"], ("new", entry["state"]))
    change: Cell = [(_joined(entry["from"]), "dim"), " → ", (_joined(entry["to"]), "address")]
    end: list[Part] = [(f"{entry['reason']}, {words}", "dim" if mark == "fine" else mark)]
    if mark == "failed" and entry["detail"]:
        end.append((f": {entry['detail']}", "dim"))
    return [sign(mark), (_moment(entry["at"], now), "dim"), (entry["name"], "strong"), entry["type"], change, end]


def _joined(values: list[str] | None) -> str:
    return ", ".join(values) if values else "none"
