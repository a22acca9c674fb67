"""`ddns gateway code`, `add` and `password`: how a host comes in."""

from __future__ import annotations

import click

from ddns.cli import options
from ddns.cli.gateway.common import config, extra
from ddns.cli.output import emit


@click.command(
    **options.examples("ddns gateway code pc7", "ddns gateway code pc7 --valid 1h", "ddns gateway code pc7 --rebind")
)
@options.data
@config
@options.as_json
@click.option("--valid", default="24h", show_default=True, metavar="DURATION", help="How long the code is good.")
@click.option("--rebind", is_flag=True, help="The host may move from the machine that has it to another one.")
@click.argument("host")
def code(*, data: str | None, config: str | None, as_json: bool, valid: str, rebind: bool, host: str) -> None:
    """Mint a one-time enrolment code for HOST, a label such as pc7."""
    import time

    from ddns.wording import until

    now = time.time()
    try:
        seconds = until(valid, now) - now
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--valid") from None
    with extra():
        from ddns.runtime import serving
    minted = serving.mint_code(serving.load(data, config), host, seconds=seconds, rebind=rebind)
    if as_json:
        emit("gateway code", {"host": host, "code": minted})
    else:
        click.echo(minted)


@click.command(**options.examples("ddns gateway add router1", "ddns gateway add router1 --json"))
@options.data
@config
@options.as_json
@click.argument("host")
def add(*, data: str | None, config: str | None, as_json: bool, host: str) -> None:
    """Add HOST without enrolment, for a router or an old client that speaks dyndns2. Its password is shown once."""
    with extra():
        from ddns.runtime import serving
    added, made = serving.add_host(serving.load(data, config), host)
    if as_json:
        told = {"id": added.id, "label": added.label, "names": list(added.names), "user": added.label, "password": made}
        emit("gateway add", told)
        return
    click.echo(f"added {added.label} ({added.id})")
    for name in added.names:
        click.echo(f"  {name}")
    click.echo(f"\nuser name  {added.label}\npassword   {made}")


@click.command(**options.examples("ddns gateway password router1"))
@options.data
@config
@options.as_json
@click.argument("host")
def password(*, data: str | None, config: str | None, as_json: bool, host: str) -> None:
    """Make a new dyndns2 password for HOST, for routers and old clients. It is shown once."""
    with extra():
        from ddns.runtime import serving
    made = serving.set_password(serving.load(data, config), host)
    if as_json:
        emit("gateway password", {"user": host, "password": made})
    else:
        click.echo(made)
