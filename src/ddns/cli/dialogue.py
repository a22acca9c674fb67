"""The questions of `ddns config init` in a terminal: a name, where it is kept, and what that place needs.

Nothing is written while it asks; Ctrl-C leaves everything as it was.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import click

_TYPES = {"A": ("A",), "AAAA": ("AAAA",), "both": ("A", "AAAA")}


@dataclass(frozen=True, slots=True)
class Field:
    """A key that a kind of provider needs. `about` says what it is; a secret is typed without echo."""

    name: str
    about: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """What the questions are about: `complaint` says what is wrong with a name, `near` finds the kind that was meant.

    `fields` are the keys that a kind needs from whoever asks for it.
    """

    kinds: Sequence[str]
    complaint: Callable[[str], str | None]
    near: Callable[[str], str]
    fields: Callable[[str], Sequence[Field]]


@dataclass(slots=True)
class Answers:
    """What was answered; all empty: an example is wanted. `secrets`: key of the provider to text."""

    name: str = ""
    types: tuple[str, ...] = ()
    kind: str = ""
    gateway: str = ""
    pairs: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)


def possible() -> bool:
    """Whether a person can be asked: both ends are a terminal."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def ask(about: Subject) -> Answers:
    """Ask. Raises click.Abort when the person leaves."""
    found = Answers()
    click.echo("A few questions; Ctrl-C ends it, and nothing is written then.\n")
    found.name = click.prompt(
        "Full name to keep, such as home.example.com (empty: only an example file)",
        default="",
        show_default=False,
        value_proc=lambda text: _checked(text, about.complaint),
    )
    if not found.name:
        return found
    found.types = _TYPES[
        click.prompt("Address types", type=click.Choice(list(_TYPES), case_sensitive=False), default="A")
    ]
    click.echo(f"\nKinds of providers: {', '.join(about.kinds)}")
    found.kind = click.prompt("Where is the name kept?", value_proc=lambda text: _kind(text, about))
    if found.kind == "gateway":
        found.gateway = click.prompt("URL of the gateway", value_proc=_needed)
        return found
    for item in about.fields(found.kind):
        if item.about:
            click.echo(f"\n{item.about}")
        if item.secret:
            found.secrets[item.name] = _hidden(item.name)
        else:
            value = click.prompt(item.name, value_proc=_needed)
            found.pairs.append(f"{item.name}={value}")
    return found


def _checked(text: str, complaint: Callable[[str], str | None]) -> str:
    text = text.strip()
    wrong = complaint(text) if text else None
    if wrong:
        raise click.UsageError(wrong)
    return text


def _kind(text: str, about: Subject) -> str:
    text = text.strip()
    if text not in about.kinds:
        raise click.UsageError(f'unknown kind of provider "{text}"{about.near(text)}')
    return text


def _needed(text: str) -> str:
    if not text.strip():
        raise click.UsageError("a value is needed")
    return text.strip()


def _hidden(name: str) -> str:
    """A secret, without echo; "" when it is to be stored later. Asked for again when it can't be one."""
    while True:
        try:
            text = getpass.getpass(f"{name} (it is not shown; empty: store it later): ").strip()
        except (EOFError, KeyboardInterrupt):
            raise click.Abort from None
        if text.isprintable():
            return text
        click.echo("Error: one line of text is needed")
