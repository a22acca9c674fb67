"""The command line: imports only the command that is asked for, and turns every end into an exit code."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from ddns import __version__
from ddns.cli.options import examples
from ddns.cli.output import Group, tell
from ddns.edition import NOTE
from ddns.errors import DdnsError
from ddns.unread import undelivered, unread
from ddns.wording import visible

#: Command -> module and attribute. What an edition of the program lacks (a module) is not offered.
COMMANDS = {
    "run": "ddns.cli.run:run",
    "plan": "ddns.cli.plan:plan",
    "status": "ddns.cli.status:status",
    "history": "ddns.cli.history:history",
    "detect": "ddns.cli.detect:detect",
    "providers": "ddns.cli.providers:providers",
    "sources": "ddns.cli.sources:sources",
    "doctor": "ddns.cli.doctor:doctor",
    "support-bundle": "ddns.cli.bundle:bundle",
    "pause": "ddns.cli.pause:pause",
    "resume": "ddns.cli.pause:resume",
    "remove": "ddns.cli.remove:remove",
    "watch": "ddns.cli.watch:watch",
    "service": "ddns.cli.service:service",
    "config": "ddns.cli.config:config",
    "secret": "ddns.cli.secret:secret",
    "enroll": "ddns.cli.enroll:enroll",
    "gateway": "ddns.cli.gateway:gateway",
    "demo": "ddns.cli.demo:demo",
    "completion": "ddns.cli.completion:completion",
}

INTERRUPTED = 130


class Commands(Group):
    """The root: commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of a user's day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name == module:
                return None
            raise
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, with whole summaries."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(200)) for name, command in found if command])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a near match for a name that is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            ctx.fail(f'No such command "{args[0]}".{hint}')
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    **examples("ddns config init", "ddns run", "ddns status"),
)
@click.version_option(__version__, "--version", prog_name="ddns", message=f"%(prog)s %(version)s{NOTE}")
def ddns() -> None:
    """Keep DNS records at this machine's public address.

    What ends with another exit code than 0 says why, and what to do; the codes are in docs/reference/exit-codes.md.
    """


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing but a bug leaves by an exception."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a stream that is no text file takes everything
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # the suppressed case
    if "_DDNS_COMPLETE" in os.environ:  # a shell asks what could be typed next
        from ddns.cli.completion import register

        register()
    try:
        code = _code(ddns.main(list(arguments), prog_name="ddns", standalone_mode=False))
        sys.stdout.flush()
    except click.ClickException as error:
        _usage(error)
        code = error.exit_code
    except DdnsError as error:
        tell(error)
        code = int(error.exit)
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except SystemExit as end:  # click's way out when nobody reads any more
        code = _code(end.code) and unread()
    except OSError as error:
        if not undelivered(error):
            raise
        code = unread(error)
    return code


def _code(result: Any) -> int:
    return result if isinstance(result, int) else 0


def _usage(error: click.ClickException) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # a group without a command: the help says it all
        click.echo(error.format_message(), err=True)
        return
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(visible(context.get_usage()), err=True)
        click.echo(f"Try: {context.command_path} --help\n", err=True)
    message = error.format_message().replace(",\n\t", ", ").replace("\n\t", " ")  # click lists choices a line each
    click.echo(f"ddns: {visible(message)}", err=True)
