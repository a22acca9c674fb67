"""Reading the settings: bytes in, checked values out, or every problem at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from ddns.config import names, rules
from ddns.config.convert import Report, convert, fields, options, unknown_keys
from ddns.config.document import Problems, Text, parse
from ddns.config.layers import Layer, Origin, coerced, environment, merge, single_tables, strongest
from ddns.config.locate import Path
from ddns.config.near import hint
from ddns.config.schema import Record, Settings
from ddns.config.words import dotted, quoted, shown
from ddns.secret import SecretRef

T = TypeVar("T")


class Loaded:
    """Settings, and where they come from. `kinds` names the kind of each provider ID."""

    def __init__(self, settings: Settings, kinds: Mapping[str, str], layers: Sequence[Layer], text: Text) -> None:
        self.settings = settings
        self.kinds = kinds
        self._layers = layers
        self._text = text

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self._text.name

    def where(self, key: str) -> str:
        """The place of a key (its dotted name), as the messages about settings begin."""
        origin = self.origins[key]
        return origin.where if origin.layer == "file" else f"{origin.layer} {origin.where}".strip()

    @functools.cached_property
    def values(self) -> Mapping[Path, Any]:
        """Every key with its value as the file writes it, defaults included; keys without a value are left out."""
        tree = msgspec.to_builtins(self.settings, enc_hook=str, str_keys=True)
        tree["provider"] = {i: {"kind": self.kinds[i], **table} for i, table in tree["provider"].items()}
        return dict(_leaves(tree, ()))

    @functools.cached_property
    def origins(self) -> Mapping[str, Origin]:
        """The origin of every key, by its dotted name. Worked out when asked for: a run doesn't."""
        found: dict[str, Origin] = {}
        for path in self.values:
            layer, held = strongest(self._layers, path)
            if layer is None or len(held) < len(path):
                found[dotted(path)] = Origin("default", "")
            else:
                where = self._text.place(path) if layer.name == "file" else layer.places.get(path, layer.name)
                found[dotted(path)] = Origin(layer.name, where)
        return found


def load(
    data: bytes,
    path: str,
    *,
    provider_type: Callable[[str], type[msgspec.Struct]],
    kinds: Sequence[str],
    sources: Sequence[str],
    environ: Mapping[str, str],
    policy: Mapping[str, object],
    flags: Mapping[str, object] | None = None,
) -> Loaded:
    """Read the settings of a client from the bytes of `ddns.toml` and the layers above it.

    `path` is what messages call the file. `provider_type` gives the settings type of one of the `kinds`; it is asked
    only for kinds in use. `sources` are the names of the built-in sources. `policy` and `flags` have the shape of the
    file. Raises SettingsError with all problems, in the order of the file, those of other layers last.
    """
    text, raw = parse(data, path)
    layers = [Layer("policy", coerced(policy)), Layer("flag", flags or {}), Layer("file", raw)]
    problems = Problems(layers, text)
    layers.insert(2, environment(environ, problems.add_environment))
    merged = merge(layers)
    reader = _Reader(merged, provider_type, kinds, problems)
    settings = reader.settings(sources)
    reader.refuse_secrets(layers[0])
    problems.raise_if_any()
    return Loaded(settings, reader.kinds_of, layers, text)


def read(data: bytes, path: str, kind: type[T]) -> T:
    """Any settings file as a msgspec struct of the type `kind`; same messages, no layers. Raises SettingsError."""
    text, raw = parse(data, path)
    problems = Problems([Layer("file", raw)], text)
    value = convert(raw, kind, (), problems.add)
    problems.raise_if_any()
    return cast("T", value)


class _Reader:
    """One reading of the merged tree; each part is converted alone, so that one wrong part hides no other."""

    def __init__(
        self,
        merged: Mapping[str, Any],
        provider_type: Callable[[str], type[msgspec.Struct]],
        kinds: Sequence[str],
        problems: Problems,
    ) -> None:
        self._merged = merged
        self._provider_type = provider_type
        self._kinds = kinds
        self._report: Report = problems.add
        #: Kind by provider ID; of a provider whose kind is wrong, the ID with an empty kind.
        self.kinds_of: dict[str, str] = {}

    def settings(self, sources: Sequence[str]) -> Settings:
        """The whole; of use only when nothing was reported."""
        known = fields(Settings)
        unknown_keys(self._merged, known, (), self._report)
        parts: dict[str, Any] = {"schema": 1}
        self._schema()
        for name in single_tables():
            if name in self._merged:
                value = convert(self._merged[name], known[name].type, (name,), self._report)
                parts.update({} if value is None else {name: value})
        parts["provider"] = self._providers()
        parts["record"] = self._records()
        rules.check(self._merged, self.kinds_of, sources, self._report)
        return Settings(**parts)

    def _schema(self) -> None:
        if "schema" not in self._merged:
            self._report(("schema",), 'required key is missing; begin the file with "schema = 1"')
        elif self._merged["schema"] != 1 or isinstance(self._merged["schema"], bool):
            found = shown(self._merged["schema"])
            self._report(("schema",), f"expected 1, found {found}; this version of ddns reads schema 1 only")

    def _records(self) -> tuple[Record, ...]:
        raw = self._merged.get("record", [])
        if not isinstance(raw, list):
            self._report(("record",), f"expected a list of tables, found {shown(raw)}; write [[record]]")
            return ()
        read = [convert(item, Record, ("record", index), self._report) for index, item in enumerate(raw)]
        return tuple(msgspec.structs.replace(r, name=names.normal(r.name)) for r in read if r is not None)

    def _providers(self) -> dict[str, msgspec.Struct]:
        raw = self._merged.get("provider", {})
        if not isinstance(raw, dict):
            self._report(("provider",), f"expected tables, found {shown(raw)}; write [provider.ID]")
            return {}
        read = {ident: self._provider(ident, table) for ident, table in raw.items()}
        return {ident: settings for ident, settings in read.items() if settings is not None}

    def _provider(self, ident: str, table: object) -> msgspec.Struct | None:
        here = ("provider", ident)
        self.kinds_of[ident] = ""
        if not isinstance(table, dict):
            self._report(here, f"expected a table, found {shown(table)}; write [provider.ID]")
            return None
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in self._kinds:
            self._report((*here, "kind"), self._unknown_kind(kind))
            return None
        self.kinds_of[ident] = kind
        own = {key: value for key, value in table.items() if key != "kind"}
        settings_type = self._provider_type(kind)
        return cast("msgspec.Struct | None", convert(own, settings_type, here, self._report))

    def _unknown_kind(self, kind: object) -> str:
        known = ", ".join(sorted(self._kinds))
        if kind is None:
            return f"required key is missing; the kinds are {known}"
        if not isinstance(kind, str):
            return f"expected one of {known}, found {shown(kind)}"
        return f"unknown kind {quoted(kind)}{hint(kind, self._kinds) or f'; the kinds are {known}'}"

    def refuse_secrets(self, policy: Layer) -> None:
        """Secrets are not settings of a policy: every user of a machine may read those."""
        for single, its_type in single_tables().items():
            its_table = policy.tree.get(single, {})
            self._no_secret((single,), its_type, its_table if isinstance(its_table, Mapping) else {})
        tables = policy.tree.get("provider", {})
        for ident, kind in self.kinds_of.items():
            table = tables.get(ident, {}) if isinstance(tables, Mapping) else {}
            if not kind or not isinstance(table, Mapping):
                continue
            self._no_secret(("provider", ident), self._provider_type(kind), table)

    def _no_secret(self, path: Path, kind: type[msgspec.Struct], table: Mapping[str, object]) -> None:
        if not table:
            return  # most machines have no policy: reading the types of all tables takes 3 ms
        for name, field in fields(kind).items():
            if name in table and SecretRef in options(field.type)[0]:
                self._report((*path, name), "a secret is not set by policy; set it in the file")


def _leaves(tree: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every key with its value, of a tree of builtins; lists of scalars are values."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(tree, list | tuple) and any(isinstance(item, dict) for item in tree):
        for index, item in enumerate(tree):
            yield from _leaves(item, (*path, index))
    elif tree is not None and path not in {("record",), ("provider",)}:
        yield path, list(tree) if isinstance(tree, tuple) else tree
