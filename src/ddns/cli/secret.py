"""`ddns secret`: keep a token, key or password where only the program reads it."""

from __future__ import annotations

import getpass
import io
import sys
from typing import TYPE_CHECKING

import click

from ddns.cli import complete, options
from ddns.cli.output import Group, emit
from ddns.cli.paste import pasted
from ddns.wording import visible

if TYPE_CHECKING:
    from ddns.render import Screen
    from ddns.runtime.storing import Kept

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


_keyring = click.option(
    "--keyring", is_flag=True, help='In the keyring of the system, not in a file. Needs the extra "keyring".'
)


@click.group(cls=Group, **options.examples("ddns secret set cloudflare", "ddns secret list"))
def secret() -> None:
    """Keep secrets out of the settings file."""


@secret.command(
    name="set", **options.examples("ddns secret set cloudflare", "pass show dns | ddns secret set main-token")
)
@options.data
@options.as_json
@_keyring
@click.argument("ident", metavar="ID", shell_complete=complete.secret_ids)
def set_(*, data: str | None, as_json: bool, keyring: bool, ident: str) -> None:
    """Store a secret under ID and print the reference for the settings.

    It is read from standard input, never from the command line, which others can see.
    """
    from ddns.runtime.storing import checked_name, store

    checked_name(ident)
    reference = store(data, ident, asked_for("Secret"), keyring=keyring)
    if as_json:
        emit("secret set", {"reference": reference})
    else:
        click.echo(reference)


@secret.command(name="list", **options.examples("ddns secret list", "ddns secret list --json"))
@options.data
@options.as_json
def list_(*, data: str | None, as_json: bool) -> None:
    """List the secrets that are stored or that settings name, and where. Never what is in them."""
    from dataclasses import asdict

    from ddns.runtime.storing import kept

    found, unknown = kept(data)
    if as_json:
        emit("secret list", {"secrets": [asdict(one) for one in found], "problem": unknown or None})
        return
    from ddns.render import Screen

    _draw(Screen(), found)
    if unknown:
        click.echo(f"which of them are used can't be told: {visible(unknown)}", err=True)


def _draw(screen: Screen, found: list[Kept]) -> None:
    from ddns.render import Cell, sign

    if not found:
        screen.line(pasted("No secret is stored, and the settings name none; store one with: ddns secret set ID"))
        return
    rows: list[list[Cell]] = []
    for one in found:
        mark = ("fine" if one.used_by else "new") if one.there else "failed"
        told = ", ".join(one.used_by) or "not used"
        place = one.place if one.there else one.problem or f"not there: {one.place}"
        rows.append([sign(mark), (one.reference, "strong"), (place, "dim"), told])
    screen.table(rows, head=("", "reference", "stored in", "used by"))


@secret.command(**options.examples("ddns secret remove cloudflare", "ddns secret remove --keyring cloudflare"))
@options.data
@options.as_json
@_keyring
@click.option("--force", is_flag=True, help="Also when the settings name it.")
@click.argument("ident", metavar="ID", shell_complete=complete.secret_ids)
def remove(*, data: str | None, as_json: bool, keyring: bool, force: bool, ident: str) -> None:
    """Remove the secret that is stored under ID. One that the settings name stays, unless --force is given."""
    from ddns.runtime.storing import remove as take_away

    reference = take_away(data, ident, keyring=keyring, force=force)
    if as_json:
        emit("secret remove", {"reference": reference})
    else:
        click.echo(f"removed {reference}")
