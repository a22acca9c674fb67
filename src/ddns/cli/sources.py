"""`ddns sources`: every way to learn the public address that this program has, and which the settings use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.output import emit

if TYPE_CHECKING:
    from ddns.render import Cell, Part, Screen


@click.command(**options.examples("ddns sources", "ddns sources --json"))
@options.data
@options.as_json
def sources(*, data: str | None, as_json: bool) -> None:
    """List every source of the public address, and which ones the settings use. Asks nobody.

    TLS: its answer can't be forged on the way. None takes a proxy, whose address it would tell. A source that failed
    three times in a row rests for a while; `ddns run --now` asks it all the same.
    """
    from ddns.runtime import Start
    from ddns.runtime.looking import known_sources

    rows = known_sources(Start(data))
    if as_json:
        emit("sources", {"sources": rows})
        return
    from ddns.render import Screen

    draw(Screen(), rows, time.time())


def draw(screen: Screen, rows: list[dict[str, Any]], now: float) -> None:
    """A table; those in use come first. `now` in UTC seconds."""
    ordered = sorted(rows, key=lambda row: not row["used"])
    head = ("", "source", "operator", "IP", "TLS", "how", "")
    screen.table([_row(row, now) for row in ordered], head=head)


def _row(row: dict[str, Any], now: float) -> list[Cell]:
    from ddns.render import sign
    from ddns.wording import local, seconds_of

    rests = {family: seconds_of(until) or 0.0 for family, until in row["resting"].items()}
    told: list[Part] = [("in use", "fine") if row["used"] else ""]
    for family, until in rests.items():
        told = [(f"IPv{family[-1]} rests until {local(until, now)}", "waiting")]
    mark = sign("waiting" if rests else "fine" if row["used"] else "new")
    families = " ".join(f"v{family}" for family in row["families"])
    tls = "yes" if row["authenticated"] else "no"
    return [mark, (row["name"], "strong"), row["operator"], families, tls, row["how"], told]
