"""`ddns watch`: stay, and run again and again."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import click

from ddns.cli import options
from ddns.unread import left, unread
from ddns.wording import span, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddns.watch.loop import Told

T = TypeVar("T")

_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(s|m|h|d)")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Seconds of an interval. Raises BadParameter."""
    from ddns.watch.schedule import LONGEST, SHORTEST

    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter(f'expected a duration such as 30s, 10m or 1h, found "{visible(value)}"')
    found = float(match[1]) * _UNITS[match[2]]
    if not SHORTEST <= found <= LONGEST:
        raise click.BadParameter(f"{value} is not from {span(SHORTEST)} to {span(LONGEST)}")
    return found


every = click.option(
    "--every",
    metavar="DURATION",
    default="10m",
    show_default=True,
    callback=seconds,
    help="Run so often, 30s to 1d; up to a tenth of it, at most a minute, is added by chance.",
)


@click.command(**options.examples("ddns watch", "ddns watch --every 30s", "ddns watch --json"))
@options.data
@every
@options.as_json
def watch(*, data: str | None, every: float, as_json: bool) -> None:
    """Run at once, again and again, and when the network changes, until Ctrl-C.

    For machines that want an answer in seconds, or have no scheduler. Each run is a process of its own, the same as
    `ddns run`, and one that fails does not end the watch. Ends with 0 when it is told to end (Ctrl-C, SIGTERM). With
    --json each run is one line.
    """
    from ddns.watch.resident import watch as stay

    def ready(heard: bool) -> None:  # noqa: FBT001 - a callback with one argument
        if not as_json:
            heeds = (
                ", and when the network changes" if heard else "; this system does not tell when the network changes"
            )
            click.echo(f"watching: a run every {span(every)}{heeds}; Ctrl-C ends it")

    stay(data, every, _going_on(_tell_json if as_json else _tell), _going_on(ready))


def _going_on(tell: Callable[[T], None]) -> Callable[[T], None]:
    """Tell, and go on where that can't be written: a full disk behind the output must not end the runs."""

    def told(what: T) -> None:
        try:
            tell(what)
            sys.stdout.flush()
        except OSError as error:
            if left(error):
                raise
            unread(error)

    return told


def _tell(told: Told) -> None:
    clock = time.strftime("%H:%M:%S")
    for line in told.ended.out.splitlines():
        click.echo(f"{clock}  {visible(line)}")
    if told.killed:
        click.echo(f"{clock}  the run was ended after {span(told.seconds)}")
    elif told.ended.exit:
        click.echo(f"{clock}  exit {told.ended.exit} (reason to run: {told.reason})")


def _tell_json(told: Told) -> None:
    data = {
        "reason": told.reason,
        "exit": told.ended.exit,
        "seconds": round(told.seconds, 3),
        "killed": told.killed,
        "output": told.ended.out.splitlines(),
    }
    click.echo(json.dumps({"schema": 1, "command": "watch", "data": data}, separators=(",", ":")))
