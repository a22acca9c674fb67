"""The questions of `ddns config init` in a terminal: a name, where it is kept, and what that place needs.

Nothing is written while it asks; Ctrl-C leaves everything as it was.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import click

_TYPES = {"A": ("A",), "AAAA": ("AAAA",), "both": ("A", "AAAA")}


@dataclass(frozen=True, slots=True)
class Field:
    """A key that a kind of provider needs, or takes. `about` says what it is; a secret is typed without echo.

    `asked`: "" for what must be given; else it may be left out, and is asked for ``always``, where another key was
    answered (its name), or where that was left out (``!`` and its name).
    `reference` is what the file says of a secret that may be left out.
    """

    name: str
    about: str
    secret: bool
    asked: str = ""
    choices: Sequence[str] = ()
    default: str = ""
    reference: str = ""

    def due(self, given: Mapping[str, str]) -> bool:
        """Whether to ask for it, after these answers."""
        if self.asked.startswith("!"):
            return not given.get(self.asked[1:])
        return self.asked in ("", "always") or bool(given.get(self.asked))


@dataclass(frozen=True, slots=True)
class Subject:
    """What the questions are about: `complaint` says what is wrong with a name, `near` finds the kind that was meant.

    `fields` are the keys that a kind needs from whoever asks for it; `wrong` says what is wrong with all answers.
    """

    kinds: Sequence[str]
    complaint: Callable[[str], str | None]
    near: Callable[[str], str]
    fields: Callable[[str], Sequence[Field]]
    wrong: Callable[[Answers], str]


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
    while True:
        _fields(found, about.fields(found.kind))
        wrong = about.wrong(found)
        if not wrong:
            return found
        click.echo(f"\nError: {wrong}\nOnce more:")


def _fields(found: Answers, fields: Sequence[Field]) -> None:
    """Ask for the keys of a kind. Each is left out where it may be and nothing is typed."""
    given: dict[str, str] = {}
    found.pairs, found.secrets = [], {}
    for item in fields:
        if not item.due(given):
            continue
        if item.about:
            click.echo(f"\n{item.about}")
        if item.secret:
            secret = _hidden(item.name, "none" if item.asked == "always" else "store it later")
            if secret or item.asked != "always":
                found.secrets[item.name] = secret
                found.pairs += [f"{item.name}={item.reference}"] if item.asked else []
            continue
        given[item.name] = _plain(item)
        found.pairs += [f"{item.name}={given[item.name]}"] if given[item.name] not in ("", item.default) else []


def _plain(item: Field) -> str:
    if item.choices:
        return str(click.prompt(item.name, type=click.Choice(item.choices), default=item.default))
    if not item.asked:
        return str(click.prompt(item.name, value_proc=_needed))
    left_out = f"{item.name} (empty: none)"
    return str(click.prompt(left_out, default="", show_default=False, value_proc=str.strip))


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


def _hidden(name: str, empty: str) -> str:
    """A secret, without echo; "" means what `empty` says. Asked for again when it can't be one."""
    while True:
        try:
            text = getpass.getpass(f"{name} (it is not shown; empty: {empty}): ").strip()
        except (EOFError, KeyboardInterrupt):
            raise click.Abort from None
        if text.isprintable():
            return text
        click.echo("Error: one line of text is needed")
