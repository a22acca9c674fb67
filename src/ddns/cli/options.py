"""What commands share: the options that many have, and how their examples are written."""

from __future__ import annotations

from typing import TypedDict

import click

from ddns.cli import complete, paste


def _folder(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value == "" or (value is not None and "\0" in value):
        raise click.BadParameter("a folder's name is needed")
    paste.given(ctx, "--data", value)
    return value


data = click.option(
    "--data",
    metavar="DIR",
    callback=_folder,
    shell_complete=complete.folders,
    help="Keep settings, secrets and state in this folder, not in the usual places.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Examples(TypedDict):
    """Keyword arguments of click's decorators."""

    epilog: str


def examples(*lines: str) -> Examples:
    """``@click.command(**examples("ddns run"))``: the command's help ends with these lines to copy."""
    return {"epilog": "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)}
