"""`ddns enroll`, also `ddns gateway enroll`: give this machine its identity at a gateway."""

from __future__ import annotations

import click

from ddns.cli import complete, options
from ddns.cli.output import emit


@click.command(
    **options.examples(
        "ddns enroll https://ddns.example.com",
        "ddns enroll https://ddns.example.com --ca-file ca.pem < code.txt",
    )
)
@options.data
@options.as_json
@click.option(
    "--ca-file",
    default="",
    metavar="FILE",
    shell_complete=complete.files,
    help="The CA that the gateway's certificate is of, PEM.",
)
@click.option("--id", "ident", default="gateway", show_default=True, help="What the stored identity is called.")
@click.argument("url")
def enroll(*, data: str | None, as_json: bool, ca_file: str, ident: str, url: str) -> None:
    """Redeem a one-time code at a gateway for this machine's own key.

    The code comes from `ddns gateway code HOST`. It is read from standard input, never from the command line. When no
    answer comes, the same command with the same code goes on from where this one ended.
    """
    from dataclasses import asdict

    from ddns.cli.secret import asked_for
    from ddns.runtime.enrolling import enrol
    from ddns.wording import visible

    found = enrol(data, url, asked_for("Code"), ident=ident, ca_file=ca_file)
    if as_json:
        emit("enroll", asdict(found))
        return
    click.echo(f"enrolled as {visible(found.label)} at gateway {visible(found.gateway)}")
    for name in found.names:
        click.echo(f"  {visible(name)}")
    click.echo(f"\nthe identity is stored as {found.secret}; add to the settings:\n")
    click.echo(visible(found.settings))
