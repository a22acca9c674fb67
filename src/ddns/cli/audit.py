"""Draws the end of a gateway's audit log. What a line holds may be of any shape: somebody may have altered it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddns.render import Cell, Screen, sign
from ddns.wording import FOR_EVER, local

_SIGNS = {"refused": "failed", "failed": "failed", "repaired": "waiting", "unreadable": "failed"}


def draw(screen: Screen, entries: Sequence[Mapping[str, object]], lines: int | None, now: float) -> None:
    """A row a line, then what the check came to; a chain that is broken (`lines` None) is told elsewhere."""
    if entries:
        screen.table([_row(entry, now) for entry in entries], head=("", "at", "decision", "host", "", "trace"))
        screen.line()
    if lines is not None:
        screen.line(sign("fine"), f" {lines} line{'s' * (lines != 1)}, the chain is unbroken")


def _row(entry: Mapping[str, object], now: float) -> list[Cell]:
    decision = _text(entry.get("decision"))
    at = entry.get("at")
    moment = local(at, now) if isinstance(at, int | float) and 0 < at < FOR_EVER else ""
    who = next((_text(entry[key]) for key in ("name", "label", "host", "claimed") if entry.get(key)), "")
    return [
        sign(_SIGNS.get(decision, "fine")),
        (moment, "dim"),
        (decision, "strong"),
        f"{who} {_text(entry.get('type'))}".rstrip(),
        _what(entry),
        (_text(entry.get("trace_id")), "dim"),
    ]


def _what(entry: Mapping[str, object]) -> str:
    change = (
        f"{_text(entry['old']) or 'none'} → {_text(entry['new']) or 'none'}" if {"old", "new"} <= set(entry) else ""
    )
    told = [change, *(_text(entry.get(key)) for key in ("reason", "detail", "peer"))]
    return "; ".join(filter(None, told))


def _text(value: object) -> str:
    """A value of a line as text on one line."""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else " ".join(str(value).split("\n"))
