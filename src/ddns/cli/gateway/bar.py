"""`ddns gateway revoke`, `freeze` and `thaw`: how a host is kept out or back."""

from __future__ import annotations

import click

from ddns.cli import options
from ddns.cli.gateway.common import config, extra
from ddns.cli.output import emit


@click.command(**options.examples("ddns gateway revoke pc7", "ddns gateway revoke pc7 --remove-records"))
@options.data
@config
@options.as_json
@click.option("--remove-records", is_flag=True, help="Take its records out of DNS, too.")
@click.argument("host")
def revoke(*, data: str | None, config: str | None, as_json: bool, remove_records: bool, host: str) -> None:
    """Take HOST's key away for good. Its records stay in DNS unless their removal is asked for."""
    with extra():
        from ddns.runtime import serving
    found = serving.revoke(serving.load(data, config), host, remove_records=remove_records)
    if as_json:
        emit("gateway revoke", {"id": found.id, "label": found.label, "remove_records": remove_records})
    else:
        click.echo(f"revoked {found.label} ({found.id})" + ("; its records go" if remove_records else ""))


@click.command(**options.examples("ddns gateway freeze pc7"))
@options.data
@config
@click.argument("host")
def freeze(*, data: str | None, config: str | None, host: str) -> None:
    """Hold HOST's updates: they are acknowledged as held, and wait."""
    _freeze(data, config, host, frozen=True)


@click.command(**options.examples("ddns gateway thaw pc7"))
@options.data
@config
@click.argument("host")
def thaw(*, data: str | None, config: str | None, host: str) -> None:
    """Release HOST's updates."""
    _freeze(data, config, host, frozen=False)


def _freeze(data: str | None, config: str | None, host: str, *, frozen: bool) -> None:
    with extra():
        from ddns.runtime import serving
    found = serving.freeze(serving.load(data, config), host, frozen=frozen)
    click.echo(f"{'held' if frozen else 'released'}: {found.label}")
