"""`ddns secret`: keep a token, key or password where only the program reads it."""

from __future__ import annotations

import getpass
import io
import sys

import click

from ddns.cli import options
from ddns.cli.output import Group, emit

#: Characters; a longer text is a file that was piped in by mistake.
_LONGEST = 16384


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()  # a windowless process has none


def _piped() -> str:
    if sys.stdin is None:
        return ""
    if sys.platform == "win32" and isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig")  # not the machine's code page; PowerShell may begin with a mark
    return sys.stdin.read(_LONGEST + 1)


def asked_for(what: str) -> str:
    """One line from standard input, without echo where that is a terminal. Raises click.UsageError."""
    if _at_a_terminal():
        text = getpass.getpass(f"{what}: ")
    else:
        try:
            text = _piped()
        except UnicodeDecodeError:
            raise click.UsageError(f"{what}: what came on standard input is no text") from None
    text = text.strip()
    if not text:
        raise click.UsageError(f"{what}: nothing came on standard input")
    if len(text) > _LONGEST or not text.isprintable():
        raise click.UsageError(f"{what}: one line of text is needed on standard input")
    return text


@click.group(cls=Group, **options.examples("ddns secret set cloudflare"))
def secret() -> None:
    """Keep secrets out of the settings file."""


@secret.command(
    name="set", **options.examples("ddns secret set cloudflare", "pass show dns | ddns secret set main-token")
)
@options.data
@options.as_json
@click.argument("ident", metavar="ID")
def set_(*, data: str | None, as_json: bool, ident: str) -> None:
    """Store a secret under ID and print the reference for the settings.

    It is read from standard input, never from the command line, which others can see.
    """
    from ddns.runtime.storing import checked_name, store

    checked_name(ident)
    reference = store(data, ident, asked_for("Secret"))
    if as_json:
        emit("secret set", {"reference": reference})
    else:
        click.echo(reference)
