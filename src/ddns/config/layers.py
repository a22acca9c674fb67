"""Where a value comes from: policy, flag, environment, file, default, the strongest first."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ddns.config.convert import Report, fields, is_struct, options
from ddns.config.locate import Path
from ddns.config.near import hint
from ddns.config.schema import Settings

PREFIX = "DDNS_"


class Origin(msgspec.Struct, frozen=True):
    """Who set a value: `layer` is policy, flag, environment, file or default; `where` is the place in it."""

    layer: str
    where: str


class Layer(msgspec.Struct, frozen=True):
    """One source of settings, in the shape of the file. `places` names where a path was found, if not by its key."""

    name: str
    tree: Mapping[str, Any]
    places: Mapping[Path, str] = {}

    def holds(self, path: Path) -> bool:
        """Whether this layer sets the path, or something within it."""
        here: Any = self.tree
        for part in path:
            if isinstance(part, str):
                if not isinstance(here, Mapping) or part not in here:
                    return False
            elif not isinstance(here, list) or part >= len(here):
                return False
            here = here[part]
        return True


def merge(layers: Sequence[Layer]) -> dict[str, Any]:
    """One tree of all layers, the strongest first; tables are merged key by key, everything else is replaced."""
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        _lay(merged, layer.tree)
    return merged


def _lay(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping):
            old = below.get(key)
            table: dict[str, Any] = dict(old) if isinstance(old, dict) else {}
            _lay(table, value)
            below[key] = table
        else:
            below[key] = value


def strongest(layers: Sequence[Layer], path: Path) -> tuple[Layer | None, Path]:
    """The layer that decides a path, and how much of the path it holds: of a missing key, the table around it."""
    for end in range(len(path), 0, -1):
        for layer in layers:
            if layer.holds(path[:end]):
                return layer, path[:end]
    return None, ()


@functools.cache
def single_tables() -> dict[str, type[msgspec.Struct]]:
    """The tables that occur once, by name: those whose keys the environment may set."""
    return {
        name: next(choice for choice in options(info.type)[0] if is_struct(choice))
        for name, info in fields(Settings).items()
        if any(map(is_struct, options(info.type)[0]))
    }


def environment(environ: Mapping[str, str], report: Report) -> Layer:
    """The layer of ``DDNS_<TABLE>_<KEY>``. Empty ones count as not set; other names with the prefix are not ours."""
    tables, tree, places = single_tables(), dict[str, Any](), dict[Path, str]()
    for variable in sorted(environ):
        name, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        if not variable.startswith(PREFIX) or name not in tables or not key or not environ[variable]:
            continue
        known = fields(tables[name])
        path = (name, key)
        places[path] = variable
        if key not in known:
            choices = [f"{PREFIX}{name}_{other}".upper() for other in known]
            report(path, f"unknown setting{hint(variable, choices)}")
        elif not _scalar(known[key].type):
            report(path, "this key holds a list; set it in the file")
        else:
            tree.setdefault(name, {})[key] = plain(environ[variable], known[key].type)
    return Layer("environment", tree, places)


def coerced(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A policy's tree with its numbers and texts in the types of the schema (a registry has no booleans)."""
    tables = single_tables()
    result = dict(tree)
    for name, table in tree.items():
        if name in tables and isinstance(table, Mapping):
            known = fields(tables[name])
            result[name] = {k: plain(v, known[k].type) if k in known else v for k, v in table.items()}
    return result


def plain(value: Any, kind: Any) -> Any:
    """Text (or a 0 and 1) as the number or boolean that the type asks for; unchanged when it isn't one."""
    choices = options(kind)[0]
    if bool in choices and not isinstance(value, bool):
        return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower(), value)
    if int in choices and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value


def _scalar(kind: Any) -> bool:
    return not any(
        hasattr(choice, "__origin__") and choice.__origin__ in (tuple, list, dict) for choice in options(kind)[0]
    )
