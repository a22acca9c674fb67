"""`ddns gateway revoke`, `retire`, `freeze` and `thaw`: how a host is kept out or back."""

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


@click.command(**options.examples("ddns gateway retire hexample2345", "ddns gateway retire pc7 --json"))
@options.data
@config
@options.as_json
@click.argument("host")
def retire(*, data: str | None, config: str | None, as_json: bool, host: str) -> None:
    """Take HOST out for good: its key, and the records it owns.

    For a machine that went without `ddns remove --all --revoke`. HOST is a label or, also for a host that is revoked
    already, the id that `ddns remove --json` told. The records go as soon as the gateway runs and reaches DNS. In the
    JSON, `waiting` are those that are still there. May be repeated; exit code 0, or 2 for a host that there never was.
    """
    with extra():
        from ddns.runtime import serving
    found, waiting = serving.retire(serving.load(data, config), host)
    if as_json:
        left = [{"name": entry.name, "type": entry.type.value, "state": entry.state.value} for entry in waiting]
        emit("gateway retire", {"id": found.id, "label": found.label, "waiting": left})
        return
    click.echo(f"retired {found.label} ({found.id})")
    for entry in waiting:
        click.echo(f"  {entry.name} {entry.type} is on its way out of DNS")


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
