"""`ddns history`: the changes of this machine's records."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import complete, options
from ddns.cli.output import emit
from ddns.cli.timeline import day_of, days, timelines
from ddns.wording import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddns.cli.timeline import Timeline
    from ddns.render import Cell, Part, Screen
    from ddns.state.rows import HistoryEntry

_DAYS = 30
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


#: What a day saw -> its sign, and the sign's role.
_DAY_SIGNS = {
    "changed": ("●", "fine"),
    "waiting": ("◐", "waiting"),
    "failed": ("✗", "failed"),
    "same": ("─", "address"),
    "unknown": ("·", "dim"),
}


@click.command(
    **options.examples(
        "ddns history", "ddns history --limit 100", "ddns history --name home.example.com", "ddns history --json"
    )
)
@options.data
@options.as_json
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many to show."
)
@click.option("--name", metavar="NAME", shell_complete=complete.record_names, help="Only this name's.")
def history(*, data: str | None, as_json: bool, limit: int, name: str | None) -> None:
    """Show the changes of this machine's records, newest first, and the last 30 days of each record.

    Gaps in what is known of them are shown, too.
    """
    from ddns.runtime.history import history as remembered

    now = time.time()
    entries = remembered(data, 10_000 if name else max(limit, _LOOKED_AT))
    if name:
        wanted = name.rstrip(".").lower()
        entries = [entry for entry in entries if entry.change is None or entry.change.key.name == wanted]
    lines = timelines(entries, days(now, _DAYS))
    told = {
        "entries": [described(entry) for entry in entries[:limit]],
        "per_day": per_day(entries, now),
        "timelines": [_lived(line) for line in lines],
    }
    if as_json:
        emit("history", told)
    else:
        from ddns.render import Screen

        draw(Screen(), told, now, name)


def _lived(line: Timeline) -> dict[str, Any]:
    from ddns.times import utc

    return {
        "name": line.name,
        "type": line.type,
        "provider": line.provider,
        "periods": [
            {
                "values": list(period.values) if period.values is not None else None,
                "since": utc(period.since) if period.since is not None else None,
                "until": utc(period.until) if period.until is not None else None,
            }
            for period in line.periods
        ],
        "days": list(line.days),
    }


def described(entry: HistoryEntry) -> dict[str, Any]:
    """A change, or a note, as JSON values."""
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
    counts = dict.fromkeys(days(now, _DAYS), 0)
    for entry in entries:
        day = day_of(entry.at)
        if entry.change is not None and entry.state in ("applied", "adopted") and day in counts:
            counts[day] += 1
    return [{"day": day, "changes": number} for day, number in counts.items()]


def draw(screen: Screen, told: dict[str, Any], now: float, name: str | None = None) -> None:
    """A line a change, then the days of each record, then those of all; `name`: of this name only."""
    if not told["entries"]:
        screen.line(
            f"No change of {readable(name)} is known; without --name all are shown."
            if name
            else "No change yet: no run has published anything here."
        )
        return
    changes = [_row(entry, now) for entry in told["entries"] if entry["kind"] == "change"]
    notes = [entry for entry in told["entries"] if entry["kind"] == "note"]
    if changes:
        screen.table(changes)
    if changes and notes:
        screen.line()
    for note in notes:
        screen.line(*_note(note, now), hang=2)
    screen.line()
    screen.table([*(_life(line, now) for line in told["timelines"]), _all_days(told["per_day"])])


def _life(line: dict[str, Any], now: float) -> list[Cell]:
    """A record's days, and what it has now."""
    strip: list[Part] = [_DAY_SIGNS[day] for day in line["days"]]
    last = line["periods"][-1] if line["periods"] else None
    since = f" since {_moment(last['since'], now)}" if last and last["since"] else ""
    held: Cell = [(_joined(last["values"]), "address"), (since, "dim")] if last else ("not seen in DNS", "dim")
    return [(readable(line["name"]), "strong"), line["type"], strip, held]


def _all_days(per_day: list[dict[str, Any]]) -> list[Cell]:
    from ddns.render import spark

    counts = [day["changes"] for day in per_day]
    return [f"last {_DAYS} days", "", (spark(counts), "address"), (_times(sum(counts)), "dim")]


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
    return [
        sign(mark),
        (_moment(entry["at"], now), "dim"),
        (readable(entry["name"]), "strong"),
        entry["type"],
        change,
        end,
    ]


def _joined(values: list[str] | None) -> str:
    return ", ".join(values) if values else "none"
