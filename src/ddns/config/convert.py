"""From parsed TOML to msgspec structs, telling everything that is wrong rather than the first thing.

msgspec converts in one go and stops at the first error. That is the way taken when all is well; when it is not, the
value is walked part by part, and each smallest part that is wrong is reported with its path.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.config.locate import Path
from ddns.config.near import hint
from ddns.config.words import describe, shown
from ddns.secret import SecretRef

#: Told what is wrong, and where.
Report = Callable[[Path, str], None]


def convert(raw: object, kind: Any, path: Path, report: Report) -> Any:
    """`raw` as a value of the type `kind`; None after reporting every problem under `path`.

    `kind` may be a struct, or any type that msgspec knows; other classes are made from text, and their ValueError is
    the message. A value of a type that holds secrets is never repeated.
    """
    try:
        return msgspec.convert(raw, kind, dec_hook=hook)
    except msgspec.ValidationError as error:
        told = 0

        def count(where: Path, text: str) -> None:
            nonlocal told
            told += 1
            report(where, text)

        _descend(raw, kind, path, count)
        if not told:
            report(path, _complaint(raw, kind, str(error)))
        return None


def hook(kind: type[Any], value: object) -> object:
    """Make an instance of a class that msgspec does not know from text. Raises ValueError, TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"expected {describe(kind)}, found {_unless_secret(value, (kind,))}")
    return kind(value)


def options(kind: Any) -> tuple[tuple[Any, ...], tuple[Meta, ...]]:
    """The alternatives of a type, stripped of `Annotated` and None, and what was annotated."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        inner, metas = options(kind.__origin__)
        return inner, (*(m for m in kind.__metadata__ if isinstance(m, Meta)), *metas)
    if origin in (typing.Union, types.UnionType):
        parts = [options(part) for part in typing.get_args(kind) if part is not type(None)]
        return tuple(p for inner, _ in parts for p in inner), tuple(m for _, metas in parts for m in metas)
    return (kind,), ()


@functools.cache
def fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of a struct by the name that a file uses."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def is_struct(kind: object) -> bool:
    """Whether a type is a msgspec struct."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def unknown_keys(raw: Mapping[str, object], known: typing.Iterable[str], path: Path, report: Report) -> None:
    """Report each key that is not one of `known`."""
    known = list(known)
    for key in raw:
        if key not in known:
            report((*path, key), f"unknown key{hint(key, known)}")


def _descend(raw: object, kind: Any, path: Path, report: Report) -> None:
    for option in options(kind)[0]:
        origin, args = typing.get_origin(option), typing.get_args(option)
        if isinstance(raw, dict) and is_struct(option):
            known = fields(option)
            unknown_keys(raw, known, path, report)
            for name, field in known.items():
                if name in raw:
                    convert(raw[name], field.type, (*path, name), report)
                elif field.required:
                    report((*path, name), f"required key is missing{_purpose(field.type)}")
        elif isinstance(raw, dict) and origin is dict:
            for name, value in raw.items():
                convert(value, args[1], (*path, name), report)
        elif isinstance(raw, list) and origin in (tuple, list, frozenset, set):
            for index, value in enumerate(raw):
                convert(value, args[0], (*path, index), report)


def _purpose(kind: Any) -> str:
    text = next((meta.description for meta in options(kind)[1] if meta.description), None)
    return f" ({text.rstrip('.')})" if text else ""


def _complaint(raw: object, kind: Any, error: str) -> str:
    choices = options(kind)[0]
    own = [c for c in choices if isinstance(c, type) and not is_struct(c) and c.__module__ not in ("builtins", "enum")]
    named = _enumerated(choices)
    if isinstance(raw, str) and own and not named:
        return error
    if isinstance(raw, dict) and any(map(is_struct, choices)):
        return error
    wanted = f"expected {describe(kind)}, found {_unless_secret(raw, choices)}"
    return wanted + (hint(raw, named) if isinstance(raw, str) and named else "")


def _enumerated(choices: tuple[Any, ...]) -> list[str]:
    named: list[str] = []
    for choice in choices:
        if typing.get_origin(choice) is typing.Literal:
            named += [value for value in typing.get_args(choice) if isinstance(value, str)]
        elif isinstance(choice, type) and hasattr(choice, "__members__"):
            named += [str(member.value) for member in choice]  # type: ignore[attr-defined]  # an enum, as just asked
    return named


def _unless_secret(raw: object, choices: tuple[Any, ...]) -> str:
    return "a literal value" if SecretRef in choices else shown(raw)
