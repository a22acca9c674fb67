"""Nuitka's command line, of options.toml and of what is known only when building."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windows.errors import BuildError
from windows.resources import version as resource

FILE = Path(__file__).with_name("options.toml")
ROUTES = ("wine", "native")


@dataclass(frozen=True)
class Options:
    """options.toml, checked."""

    sources_left_out: tuple[str, ...]
    options: tuple[str, ...]
    forbidden: tuple[str, ...]
    unneeded: tuple[str, ...]
    bytecode: tuple[str, ...]
    routes: Mapping[str, tuple[str, ...]]

    def command_line(self, route: str, version: str, icon: str, output: str, report: str) -> tuple[str, ...]:
        """Everything but the program's folder, for "wine" or "native". Paths as the Nuitka of that route knows them."""
        return (
            *self.options,
            *self.routes[route],
            f"--nofollow-import-to={','.join((*self.forbidden, *self.unneeded))}",
            *(f"--noinclude-custom-mode={name}:bytecode" for name in self.bytecode),
            f"--windows-icon-from-ico={icon}",
            *resource.nuitka(version),
            f"--output-dir={output}",
            f"--report={report}",
        )


def load(file: Path = FILE) -> Options:
    """Read them. Raises BuildError: what is no TOML, a key that is missing or unknown, a value that is no text list."""
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{file.name} can't be read: {error}") from error
    lists = ("sources_left_out", "options", "forbidden", "unneeded", "bytecode")
    unknown = sorted(set(told) - {*lists, *ROUTES})
    if unknown:
        raise BuildError(f"{file.name}: unknown keys: {', '.join(unknown)}")
    routes = {route: _texts(file, told.get(route), "options", f"{route}.") for route in ROUTES}
    left_out, every, forbidden, unneeded, bytecode = (_texts(file, told, key) for key in lists)
    return Options(left_out, every, forbidden, unneeded, bytecode, routes)


def _texts(file: Path, table: Any, key: str, prefix: str = "") -> tuple[str, ...]:
    value = table.get(key) if isinstance(table, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BuildError(f"{file.name}: {prefix}{key} must be a list of texts")
    return tuple(value)
