"""The reference page of the settings (docs/reference/settings.md), generated from the types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ddns.config import toml_text
from ddns.config.convert import fields, is_struct, options
from ddns.config.layers import single_tables
from ddns.config.schema import OwnSource, Record
from ddns.config.template import summary
from ddns.config.words import describe

_HEAD = """\
# Settings

<!-- Generated from the types: `ddns config schema --markdown` prints this page, a test compares it. -->

`ddns.toml` is TOML. It begins with `schema = 1`. Unknown keys are errors. `ddns config init` writes a commented file,
`ddns config validate` names every problem with its line, `ddns config schema` prints a JSON Schema for editors.

## Where a value comes from

Strongest first; `ddns config show` tells the origin of each value.

1. Policy: on Windows the registry key `HKLM\\Software\\Policies\\DDNS` (a subkey for each table; `REG_SZ`, `REG_DWORD`,
   `REG_MULTI_SZ`), elsewhere `/etc/ddns/policy.toml`. Secrets are not set by policy.
2. A flag of the command line.
3. Environment: `DDNS_<TABLE>_<KEY>` for the keys of the tables that occur once, lists excepted; for example
   `DDNS_DETECT_TIMEOUT=5s`. An empty variable counts as not set.
4. The file.
5. The default.

Durations are text with a unit (`ms`, `s`, `m`, `h`, `d`): `"90s"`, `"6h"`. Secrets are references, never literal:
`env:NAME`, `file:PATH` (relative to the folder of secrets), `dpapi:ID`, `keyring:ID`.
"""


def page(provider_types: Mapping[str, type[msgspec.Struct]]) -> str:
    """The whole page in Markdown; `provider_types` holds the settings type of each kind of provider."""
    parts = [_HEAD, _section("[[record]]", Record, "One for each name. Repeat the table for further names.")]
    for kind, provider_type in sorted(provider_types.items()):
        about = f'`kind = "{kind}"`. ID is a name of your choice; records refer to it.'
        parts.append(_section(f"[provider.ID]: {kind}", provider_type, about))
        parts += _inner(kind, provider_type)
    for name, table in single_tables().items():
        parts.append(_section(f"[{name}]", table, summary(table)))
        if name == "detect":
            parts.append(
                _section("A source of your own", OwnSource, "A table in `detect.sources`, in place of a name.")
            )
    return "\n".join(parts)


def _inner(kind: str, provider_type: type[msgspec.Struct]) -> list[str]:
    """The sections of the tables in a provider's table."""
    return [
        _section(f"[provider.ID.{name}]: {kind}", table, (table.__doc__ or "").partition("\n")[0])
        for name, field in fields(provider_type).items()
        for table in options(field.type)[0]
        if is_struct(table)
    ]


def _section(title: str, kind: type[msgspec.Struct], about: str) -> str:
    rows = [f"## {title}", "", about, "", "| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in fields(kind).items():
        meaning = next((meta.description for meta in options(field.type)[1] if meta.description), "")
        wanted = describe(field.type).replace("|", "\\|")
        rows.append(f"| `{name}` | {wanted} | {_default(field)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _default(field: msgspec.structs.FieldInfo) -> str:
    default: Any = field.default
    if field.required:
        return "required"
    if default is None or default in ("", (), msgspec.NODEFAULT):
        return ""
    return f"`{toml_text.value(msgspec.to_builtins(default, enc_hook=str))}`"
