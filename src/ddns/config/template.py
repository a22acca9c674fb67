"""The settings file that `ddns config init` writes: what was asked for, and every default as a comment.

Lines of prose begin with ``# ``; a key that is commented out begins with ``#`` and no space, ready to be uncommented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ddns.config import toml_text
from ddns.config.convert import fields, options
from ddns.config.layers import single_tables
from ddns.config.schema import Record, Settings
from ddns.secret import STORED, SecretRef

_HEAD = """\
# The settings of ddns. Lines that begin with # and a key are defaults: uncomment one to change it.
# Check with: ddns config validate. See what is in force, and why, with: ddns config show.

schema = 1
"""
_EXAMPLE = "home.example.com"


def template(
    *,
    kind: str,
    provider_type: type[msgspec.Struct],
    names: Sequence[str] = (),
    ident: str = "main",
    record: Mapping[str, Any] | None = None,
    provider: Mapping[str, Any] | None = None,
    gateway: Mapping[str, Any] | None = None,
) -> str:
    """The text of a commented settings file.

    `names` become one record each, with the keys of `record`; `provider` holds the keys of the one provider, of the
    kind `kind`. Without names, both are written as a commented example. Keys that must be there and are not given are
    written with a value to be replaced.
    """
    live = bool(names)
    parts = [_HEAD]
    for index, name in enumerate(names or (_EXAMPLE,)):
        given = {"name": name, "provider": ident, **(record or {})}
        about = ["A name that this machine keeps at its own address. Repeat the table for further names."]
        parts.append(_table("[[record]]", Record, given, about if not index else [], live=live, brief=index > 0))
    keys = {"kind": kind, **(provider or {})}
    header = f"[provider.{toml_text.key(ident)}]"
    parts.append(_table(header, provider_type, keys, ["Where the records are kept."], live=live, ident=ident))
    for name, table in single_tables().items():
        optional = fields(Settings)[name].default is None
        given = dict(gateway or {}) if name == "gateway" else {}
        about = [summary(table)]
        parts.append(_table(f"[{name}]", table, given, about, live=bool(given) or not optional))
    return "\n".join(parts)


def summary(table: type[msgspec.Struct]) -> str:
    """What a table is about: its docstring behind the colon."""
    text = (table.__doc__ or "").partition(": ")[2].partition("\n")[0]
    return text[:1].upper() + text[1:]


def _table(
    header: str,
    kind: type[msgspec.Struct],
    given: Mapping[str, Any],
    about: Sequence[str],
    *,
    live: bool,
    brief: bool = False,
    ident: str = "",
) -> str:
    """One table: keys in the order of the schema. `brief`: without those at their defaults, and without prose."""
    mark = "" if live else "#"
    lines = [f"# {text}" for text in about] + [f"{mark}{header}"]
    known = fields(kind)
    lines += [f"{mark}{toml_text.key(key)} = {toml_text.value(given[key])}" for key in given if key not in known]
    for name, field in known.items():
        if brief and name not in given:
            continue
        if not brief:
            lines += [f"# {text}" for text in _descriptions(field.type)]
        if name in given or field.required:
            lines.append(f"{mark}{name} = {toml_text.value(given.get(name, _placeholder(name, field.type, ident)))}")
        elif field.default is None:
            lines.append(f"# ({name} is not set)")
        else:
            value = _example(field.type) or msgspec.to_builtins(field.default, enc_hook=str)
            lines.append(f"#{name} = {toml_text.value(value)}")
    return "\n".join(lines) + "\n"


def _descriptions(kind: Any) -> list[str]:
    return [meta.description for meta in options(kind)[1] if meta.description][:1]


def _example(kind: Any) -> Any:
    extras = (meta.extra or {} for meta in options(kind)[1])
    return next((extra["placeholder"] for extra in extras if "placeholder" in extra), None)


def _placeholder(name: str, kind: Any, ident: str) -> Any:
    """What stands for a key that must be given: a reference for a secret, else an empty text that `validate` names.

    A `Meta` may give it itself as ``extra={"placeholder": ...}``.
    """
    choices, example = options(kind)[0], _example(kind)
    if example is not None:
        return example
    if SecretRef in choices:
        return f"{STORED}:{ident}-{name}"
    if name == "url":
        return "https://ddns.example.com"
    return 0 if int in choices else ""
