"""`ddns service`: the resident program as a Windows service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ddns.cli import options
from ddns.cli.output import Group, emit
from ddns.cli.watch import every
from ddns.errors import Exit

if TYPE_CHECKING:
    from ddns.runtime.resident import Service
    from ddns.watch.loop import Told


class _Commands(Group):
    """`run` is what Windows calls: it is not shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Those for people, in the order of a service's life."""
        return [name for name in self.commands if not self.commands[name].hidden]


@click.group(cls=_Commands, **options.examples("ddns service install", "ddns service start", "ddns service status"))
def service() -> None:
    """Keep `ddns watch` running as a Windows service."""


@service.command(
    **options.examples(
        "ddns service install", "ddns service install --every 30s", "ddns service install --account 'CORP\\ddns$'"
    )
)
@options.data
@every
@click.option(
    "--account",
    metavar="NAME",
    default="",
    help="LocalService unless given. One that needs no password: NetworkService, LocalSystem, or a group managed one.",
)
@options.as_json
def install(*, data: str | None, every: float, account: str, as_json: bool) -> None:
    """Make the service, or make an existing one so.

    It starts with the machine, and again when it fails. The service itself gets rights to its folders, its account
    gets none. Needs an administrator.
    """
    from ddns.runtime import resident

    unknown = resident.install(data, f"{every:g}s", _account(account, resident.LOCAL_SERVICE))
    for what in unknown:
        click.echo(f"ddns: this Windows does not know {what}", err=True)
    _show("service install", resident.query(), as_json=as_json)


def _account(name: str, usual: str) -> str:
    """The name as Windows wants it."""
    known = {"": usual, "localservice": usual, "networkservice": r"NT AUTHORITY\NetworkService"}
    return known.get(name.lower(), name)


@service.command(**options.examples("ddns service start"))
@options.as_json
@click.pass_context
def start(ctx: click.Context, *, as_json: bool) -> None:
    """Start the service, and wait until it runs. Exit code 20 when it does not."""
    from ddns.runtime import resident

    found = resident.start()
    _show("service start", found, as_json=as_json)
    ctx.exit(int(Exit.FINE if found.state == "running" else Exit.DEGRADED))


@service.command(**options.examples("ddns service stop"))
@options.as_json
@click.pass_context
def stop(ctx: click.Context, *, as_json: bool) -> None:
    """Stop the service, and wait for its end. Exit code 20 when it does not end."""
    from ddns.runtime import resident

    found = resident.stop()
    _show("service stop", found, as_json=as_json)
    ctx.exit(int(Exit.FINE if found.state == "stopped" else Exit.DEGRADED))


@service.command(**options.examples("ddns service remove"))
@options.data
@options.as_json
def remove(*, data: str | None, as_json: bool) -> None:
    """Stop the service and remove it with its rights; settings, secrets and state stay."""
    from ddns.runtime import resident

    resident.remove(data)
    _show("service remove", resident.query(), as_json=as_json)


@service.command(**options.examples("ddns service status", "ddns service status --json"))
@options.as_json
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """Say whether the service runs. Needs no rights. Exit code 20 when it does not."""
    from ddns.runtime import resident

    found = resident.query()
    _show("service status", found, as_json=as_json)
    ctx.exit(int(Exit.FINE if found.state == "running" else Exit.DEGRADED))


@service.command(hidden=True, **options.examples("ddns service run"))
@options.data
@every
@click.pass_context
def run(ctx: click.Context, *, data: str | None, every: float) -> None:
    """Be the service. Windows calls this."""
    from ddns.runtime import events
    from ddns.watch.resident import serve

    def tell(told: Told) -> None:
        if told.overdue or not told.ended.started:
            events.run_failed(told.ended.out, told.seconds)

    ctx.exit(serve(data, every, tell, lambda _heard: events.service_started(every), events.service_stopped))


def _show(command: str, found: Service, *, as_json: bool) -> None:
    if as_json:
        emit(
            command,
            {
                "state": found.state,
                "account": found.account or None,
                "command": found.command or None,
                "start": found.start or None,
                "process": found.process or None,
                "exit": found.exit,
            },
        )
        return
    text = f"DDNS: {found.state}"
    if found.process:
        text += f", process {found.process}"
    elif found.exit:
        text += f", last exit {found.exit}"
    if found.installed:
        text += f"; start {found.start}, account {found.account}\n{found.command}"
    click.echo(text)
