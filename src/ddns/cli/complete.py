"""What a shell offers for an argument, where that is known without much work. Whatever is wrong: nothing is offered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ddns.errors import DdnsError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def folders(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The shell's own way with folders."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The shell's own way with files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def record_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The names that status.json tells of: no settings, no state and no rights are needed for it."""
    from ddns.cli.view import view
    from ddns.runtime import reading

    try:
        seen = view(reading.status(ctx.params.get("data")).document)
    except DdnsError:
        return []
    return beginning({record.name for record in seen.records}, incomplete)


def secret_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The ids in the folder of secrets."""
    from ddns.runtime.storing import stored_ids

    try:
        return beginning(stored_ids(ctx.params.get("data")), incomplete)
    except DdnsError:
        return []


def beginning(texts: Iterable[str], incomplete: str) -> list[str]:
    """Those that begin so, in order."""
    return sorted(text for text in texts if text.startswith(incomplete))
