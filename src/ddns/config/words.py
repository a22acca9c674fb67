"""How messages about settings speak: types, values and keys in the words of the file's author."""

from __future__ import annotations

import datetime as dt
import enum
import re
import types
import typing
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.config.locate import Path
from ddns.config.schema import Duration
from ddns.secret import SecretRef

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
    Duration: 'a number with a unit (ms, s, m, h, d) such as "90s"',
    SecretRef: "a reference (env:NAME, file:PATH, dpapi:ID or keyring:ID)",
    dt.datetime: "a date",
    dt.date: "a date",
    dt.time: "a time of day",
}

#: Patterns that have better words than themselves.
_PATTERNS = {"^https://": " that begins with https://", "^https?://": " that begins with https:// or http://"}


def escaped(text: str) -> str:
    r"""The text with everything unprintable as TOML writes it: ``\u001b``."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def quoted(text: str) -> str:
    """The text in quotes, on one line, shortened."""
    return f'"{escaped(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")}"'


def shown(value: object) -> str:
    """A value as a message repeats it. Text that may carry credentials (a URL with user or query) is not."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if abs(value) < 1 << 63 else "a number that is too large"
    if isinstance(value, str):
        return "text that is not repeated here" if "://" in value and ("@" in value or "?" in value) else quoted(value)
    return _NAMES.get(type(value), type(value).__name__)


def dotted(path: Path) -> str:
    """A path as the file would write it: ``record[0].name``, ``provider."my dns".token``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else quoted(part))
    return text


def describe(kind: Any, metas: tuple[Meta, ...] = ()) -> str:
    """What a type accepts, in words. A `Meta` may give them itself as ``extra={"expected": ...}``."""
    for meta in metas:
        if meta.extra and "expected" in meta.extra:
            return str(meta.extra["expected"])
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return describe(kind.__origin__, (*metas, *(m for m in kind.__metadata__ if isinstance(m, Meta))))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(part, metas) for part in args if part is not type(None))
    return _named(kind, origin, args) + _limits(kind, metas)


def _named(kind: Any, origin: Any, args: tuple[Any, ...]) -> str:
    if origin is typing.Literal:
        return _one_of(args)
    if origin in (tuple, list, set, frozenset):
        return f"a list, each {describe(args[0])}"
    if origin is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return "a table"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _one_of(tuple(member.value for member in kind))
    return _NAMES.get(kind) or f"a value of type {getattr(kind, '__name__', kind)}"


def _one_of(values: tuple[object, ...]) -> str:
    texts = [shown(value) for value in values]
    return " or ".join(texts) if len(texts) < 3 else "one of " + ", ".join(texts)


def _limits(kind: Any, metas: tuple[Meta, ...]) -> str:
    parts = []
    for meta in metas:
        if meta.ge is not None and meta.le is not None:
            parts.append(f" from {meta.ge} to {meta.le}")
        elif meta.ge is not None or meta.le is not None:
            parts.append(f" of at least {meta.ge}" if meta.ge is not None else f" of at most {meta.le}")
        if meta.pattern is not None:
            parts.append(_PATTERNS.get(meta.pattern, f" that matches {meta.pattern}"))
        if meta.min_length is not None:
            parts.append(" that is not empty" if kind is str else f", at least {meta.min_length} of them")
        if meta.max_length is not None:
            parts.append(f" of at most {meta.max_length} characters" if kind is str else f", at most {meta.max_length}")
    return "".join(parts)
