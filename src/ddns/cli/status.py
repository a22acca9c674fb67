"""`ddns status`: where this machine's records stand, from status.json alone."""

from __future__ import annotations

import time

import click

from ddns.cli import options
from ddns.cli.output import emit
from ddns.cli.verdict import troubles
from ddns.cli.view import view
from ddns.errors import Exit


@click.command(**options.examples("ddns status", "ddns status --json", "ddns status --data ./demo"))
@options.data
@options.as_json
@click.pass_context
def status(ctx: click.Context, *, data: str | None, as_json: bool) -> None:
    """Show where every record stands, and what to do if it is wrong.

    Reads only the status that each run leaves: it needs no rights and disturbs no run. Exit code 20 when something is
    wrong.
    """
    from ddns.runtime import reading

    now = time.time()
    try:
        found = reading.status(data)
    except reading.NoStatus:
        if as_json:
            emit("status", None)
        raise
    seen = view(found.document)
    wrong = troubles(seen, now)
    if as_json:
        emit("status", found.document)
    else:
        from ddns.cli.screen import draw
        from ddns.render import Screen

        draw(Screen(), seen, wrong, found.whose, found.log, now)
    ctx.exit(int(Exit.DEGRADED if wrong else Exit.FINE))
