"""Commands in advice that mean the same folder as the command that gives it: they can be pasted as they are."""

from __future__ import annotations

import os

import click

from ddns.quoting import quoted
from ddns.wording import pasteable

_GIVEN, _OPERATOR = "ddns.given", "ddns.operator"


def given(ctx: click.Context, option: str, path: str | None) -> None:
    """Remember an option that names a folder or file."""
    if path is not None:
        ctx.meta.setdefault(_GIVEN, {})[option] = f" {option} {quoted(os.path.abspath(path))}"


def operator(ctx: click.Context) -> None:
    """Remember that a gateway's operator is at work: commands of the gateway are for this machine, too."""
    ctx.meta[_OPERATOR] = True


def pasted(text: str) -> str:
    """The text, with what was given on this command line in each command that it names."""
    ctx = click.get_current_context(silent=True)
    found: dict[str, str] = ctx.meta.get(_GIVEN, {}) if ctx is not None else {}
    if ctx is None or not found:
        return text
    text = pasteable(text, found.get("--data", ""))
    return pasteable(text, "".join(found.values()), gateway=True) if _OPERATOR in ctx.meta else text
