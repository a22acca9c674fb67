"""`ddns pause` and `ddns resume`: leave the records alone for a while."""

from __future__ import annotations

import time

import click

from ddns.cli import options
from ddns.cli.output import emit
from ddns.cli.paste import pasted


@click.command(**options.examples("ddns pause", "ddns pause 2h", "ddns pause 18:00", "ddns pause 2026-12-24"))
@options.data
@options.as_json
@click.argument("until", nargs=-1)
def pause(*, data: str | None, as_json: bool, until: tuple[str, ...]) -> None:
    """Let scheduled runs change nothing for a while.

    UNTIL is a duration (2h), a time (18:00) or a date; without it the pause lasts until `ddns resume`. A run that is
    asked for with --now, --full or --prove works all the same.
    """
    from ddns.runtime.pausing import pause as pause_until
    from ddns.times import utc
    from ddns.wording import FOR_EVER, endless, local, relative
    from ddns.wording import until as moment

    now = time.time()
    try:
        ends = moment(" ".join(until), now) if until else FOR_EVER
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="UNTIL") from None
    pause_until(data, ends)
    if as_json:
        emit("pause", {"paused_until": utc(ends)})
    else:
        when = "" if endless(ends) else f" until {local(ends, now)} ({relative(ends, now)})"
        click.echo(pasted(f"paused{when}; `ddns resume` ends it"))


@click.command(**options.examples("ddns resume"))
@options.data
@options.as_json
def resume(*, data: str | None, as_json: bool) -> None:
    """End a pause. The next scheduled run works again."""
    from ddns.runtime.pausing import pause as pause_until

    before = pause_until(data, None)
    was_paused = before is not None and before > time.time()
    if as_json:
        emit("resume", {"was_paused": was_paused})
    else:
        click.echo("runs work again" if was_paused else "runs were not paused")
