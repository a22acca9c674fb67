"""What all commands print in one form: JSON for programs, errors for people."""

from __future__ import annotations

from typing import Any

import click

from ddns.cli.answer import form
from ddns.cli.paste import pasted
from ddns.errors import DdnsError, SettingsError
from ddns.wording import visible


def emit(command: str, data: object) -> None:
    """Print the answer of a command as JSON."""
    click.echo(form(command, data))


def tell(error: DdnsError) -> None:
    """Print an error on standard error: what, each problem, what to do."""
    click.echo(f"ddns: {visible(pasted(error.message))}", err=True)
    for problem in error.problems if isinstance(error, SettingsError) else ():
        click.echo(f"  {visible(pasted(problem))}", err=True)
    if error.advice:
        click.echo(visible(pasted(error.advice)), err=True)


class Group(click.Group):
    """A group whose commands end with the exit code of the DdnsError that they raise, and have ``-h``."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 100})
        super().__init__(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours is told and becomes the exit code."""
        try:
            return super().invoke(ctx)
        except DdnsError as error:
            tell(error)
            ctx.exit(int(error.exit))
