"""`ddns run`: detect, compare, and correct what is not right."""

from __future__ import annotations

import click

from ddns.cli import options


@click.command(**options.examples("ddns run", "ddns run --now", "ddns run --full --prove", "ddns run --trial"))
@options.data
@click.option("--now", is_flag=True, help="Ignore blocks, holds and the breaker: a person has acted.")
@click.option("--full", is_flag=True, help="Go the full way, whatever the last run expects.")
@click.option("--prove", is_flag=True, help="Read every record where it is published.")
@click.option("--trial", is_flag=True, help="Load, decrypt, detect and read, but write nothing.")
@click.pass_context
def run(ctx: click.Context, *, data: str | None, now: bool, full: bool, prove: bool, trial: bool) -> None:
    """Learn the public address and correct the records that differ."""
    from ddns import runtime

    ctx.exit(runtime.run(runtime.RunRequest(data, now=now, full=full, prove=prove, trial=trial)))
