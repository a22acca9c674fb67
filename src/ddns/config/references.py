"""Which secrets the settings name, and under which keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ddns.config.locate import Path
from ddns.config.words import dotted
from ddns.errors import SettingsError
from ddns.secret import SecretRef


def references(value: object, path: Path = ()) -> Iterator[tuple[str, SecretRef]]:
    """The references in settings that are loaded, each with its key's dotted name, however deep it stands."""
    if isinstance(value, SecretRef):
        yield dotted(path), value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from references(getattr(value, name), (*path, name))
    else:
        for key, below in _items(value):
            yield from references(below, (*path, key))


def written(data: bytes, name: str) -> Iterator[tuple[str, SecretRef]]:
    """The same of a file that another program reads (the gateway's): every text that is a reference.

    `name` is what messages call the file. Raises SettingsError when it is no TOML.
    """
    try:
        tree = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{name} can't be read: it is no TOML") from error
    yield from _written(tree, ())


def _written(value: Any, path: Path) -> Iterator[tuple[str, SecretRef]]:
    if isinstance(value, str):
        try:
            yield dotted(path), SecretRef(value)
        except ValueError:
            return
    else:
        for key, below in _items(value):
            yield from _written(below, (*path, key))


def _items(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        yield from ((str(key), below) for key, below in value.items())
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
