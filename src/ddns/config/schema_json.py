"""The JSON Schema (2020-12) of the settings file, for editors; generated from the types, so that both say the same.

`msgspec.json.schema` can't be used: it has no way to write a default of a class of ours, such as a `Duration`.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.config.convert import fields, is_struct
from ddns.config.schema import Duration, Settings
from ddns.secret import SecretRef

Schema = dict[str, Any]

_LEAVES: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Duration: {"type": "string", "pattern": r"^\s*[0-9]{1,12}(\.[0-9]{1,9})?\s*(ms|s|m|h|d)\s*$"},
    SecretRef: {"type": "string", "pattern": rf"^({'|'.join(SecretRef.SCHEMES)}):[\s\S]+$"},
}
_NUMBERS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_TEXTS = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
_LISTS = {"min_length": "minItems", "max_length": "maxItems"}
_ANY = {"description": "description", "title": "title", "examples": "examples"}


def json_schema(provider_types: Mapping[str, type[msgspec.Struct]]) -> Schema:
    """The schema of `ddns.toml`; `provider_types` holds the settings type of each kind of provider."""
    whole = _object(Settings)
    kinds = [_provider(kind, provider_type) for kind, provider_type in sorted(provider_types.items())]
    whole["properties"]["provider"]["additionalProperties"] = {"oneOf": kinds} if kinds else False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ddns.toml", **whole}


def _provider(kind: str, provider_type: type[msgspec.Struct]) -> Schema:
    table = _object(provider_type)
    table["properties"] = {"kind": {"const": kind}, **table["properties"]}
    table["required"] = ["kind", *table["required"]]
    return table


def _object(kind: type[msgspec.Struct]) -> Schema:
    properties: Schema = {}
    for name, field in fields(kind).items():
        properties[name] = _schema(field.type)
        default = field.default
        if not field.required and not isinstance(default, msgspec.Struct) and default not in (None, msgspec.NODEFAULT):
            properties[name]["default"] = _listed(msgspec.to_builtins(default, enc_hook=str))
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": properties,
        "required": [name for name, field in fields(kind).items() if field.required],
        "additionalProperties": False,
    }


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _schema(kind: Any) -> Schema:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        schema = _schema(kind.__origin__)
        for meta in kind.__metadata__:
            schema |= _constraints(meta, schema.get("type")) if isinstance(meta, Meta) else {}
        return schema
    if origin in (typing.Union, types.UnionType):
        choices = [_schema(part) for part in args if part is not type(None)]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if origin is typing.Literal:
        return {"enum": list(args)}
    if origin in (tuple, list, set, frozenset):
        return {"type": "array", "items": _schema(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": True if args[1] is Any else _schema(args[1])}
    if is_struct(kind):
        return _object(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    return dict(_LEAVES[kind])


def _constraints(meta: Meta, of: str | None) -> Schema:
    names = {**_ANY, **_NUMBERS, **(_LISTS if of == "array" else _TEXTS)}
    found = {name: getattr(meta, own) for own, name in names.items()}
    return {name: value for name, value in found.items() if value is not None} | (meta.extra_json_schema or {})
