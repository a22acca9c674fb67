"""The reference pages that are made from the program: ``python -m ddns.cli.pages docs/reference`` writes them."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator

import click

from ddns.cli import exits
from ddns.cli.main import ddns
from ddns.runtime import endpoints, events

_INTRO = """# Commands

`ddns COMMAND --help` prints what stands here. Every command that reads has `--json`, which prints
`{"schema": 1, "command": ..., "data": ...}` on standard output; messages go to standard error. What each exit code
means is in [exit-codes.md](exit-codes.md). This page is made from the program:
`python -m ddns.cli.pages docs/reference`.
"""


def commands_page() -> str:
    """docs/reference/commands.md."""
    return "\n".join([_INTRO, *(_section(context) for context in _contexts())])


def _contexts() -> Iterator[click.Context]:
    """Every command that does something, in the order of the help."""
    waiting = [click.Context(ddns, info_name="ddns", **ddns.context_settings)]
    while waiting:
        context = waiting.pop(0)
        command = context.command
        if isinstance(command, click.Group):
            below = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
            waiting[:0] = [click.Context(c, parent=context, info_name=n) for n, c in below if c is not None]
        else:
            yield context


def _section(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", "", inspect.cleandoc(command.help or ""), "", f"    {usage}", ""]
    records = [param.get_help_record(context) for param in command.get_params(context)]
    rows = [f"| `{names}` | {_cell(text)} |" for names, text in filter(None, records)]
    parts += ["| option | meaning |", "| --- | --- |", *rows, ""]
    lines = [line.strip() for line in (command.epilog or "").splitlines()[2:]]
    return "\n".join([*parts, "```sh", *lines, "```", ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def write(folder: str) -> None:
    """Write the pages."""
    os.makedirs(folder, exist_ok=True)
    pages = {
        "commands.md": commands_page(),
        "endpoints.md": endpoints.page(),
        "events.md": events.page(),
        "exit-codes.md": exits.page(),
    }
    for name, text in pages.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


if __name__ == "__main__":
    write(sys.argv[1])
