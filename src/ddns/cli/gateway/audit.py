"""`ddns gateway audit`."""

from __future__ import annotations

import click

from ddns.cli import options
from ddns.cli.gateway.common import config, extra
from ddns.cli.output import emit


@click.command(**options.examples("ddns gateway audit", "ddns gateway audit --limit 100", "ddns gateway audit --json"))
@options.data
@config
@options.as_json
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many lines to show.",
)
def audit(*, data: str | None, config: str | None, as_json: bool, limit: int) -> None:
    """Show the last lines of the audit log, and check that no line of it was altered, taken out or put in.

    Exit code 20 when one was.
    """
    with extra():
        from ddns.runtime import serving
    found = serving.read_audit(serving.load(data, config), limit)
    if as_json:
        problem = found.broken.message if found.broken else None
        emit("gateway audit", {"file": found.file, "lines": found.lines, "problem": problem, "entries": found.entries})
    else:
        import time

        from ddns.cli.audit import draw
        from ddns.render import Screen

        draw(Screen(), found.entries, found.lines, time.time())
    if found.broken:
        raise found.broken
