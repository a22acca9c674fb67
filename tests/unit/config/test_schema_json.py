"""The JSON Schema and the loader accept the same files."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.config import toml_text
from ddns.config.schema_json import json_schema
from ddns.errors import SettingsError
from unit.config.shapes import SOURCES, TYPES, loaded

SCHEMA = json_schema(TYPES)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Tree = dict[str, Any]

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
DURATIONS = st.builds("{}{}".format, st.integers(1, 500), st.sampled_from(["ms", "s", " m"]))
SECRETS = st.builds("{}:{}".format, st.sampled_from(["env", "file", "dpapi", "keyring"]), st.text("abc\n:", min_size=1))
OWN_SOURCES = st.fixed_dictionaries(
    {"url": st.sampled_from(["https://ip.example.com", "http://192.0.2.1/"]), "operator": st.text(max_size=3)},
    optional={"json": st.text(max_size=3), "families": st.lists(st.sampled_from([4, 6])), "ca_file": st.text()},
)
PROBES = ["", "opendns", "dns://192.0.2.1:5353/whoami.test", "http://192.0.2.1/"]
CLOUDS = st.fixed_dictionaries(
    {"kind": st.just("cloud"), "token": SECRETS},
    optional={
        "zone": st.text(max_size=5),
        "url": st.sampled_from(["https://a", "http://b"]),
        "pause": DURATIONS,
        "algorithm": st.sampled_from(["one", "two"]),
        "strict": st.booleans(),
        "retries": st.integers(0, 9),
        "key": SECRETS,
    },
)
GATES = st.fixed_dictionaries({"kind": st.just("gateway"), "host": st.text(min_size=1, max_size=3), "key": SECRETS})
RECORDS = st.fixed_dictionaries(
    {"provider": st.just("main")},
    optional={
        "types": st.sampled_from([["A"], ["AAAA"], ["AAAA", "A"]]),
        "ttl": st.integers(1, 604800),
        "proxied": st.booleans(),
        "adopt": st.sampled_from(["single", "all"]),
    },
)


@st.composite
def settings(draw: st.DrawFn) -> Tree:
    names = draw(st.lists(LABELS, unique=True, max_size=3))
    tree: Tree = {
        "schema": 1,
        "record": [{"name": f"{name}.example.com", **draw(RECORDS)} for name in names],
        "provider": {"main": draw(CLOUDS | GATES), **draw(st.dictionaries(st.text(max_size=3), CLOUDS, max_size=1))},
        "gateway": {"url": "https://gw.example.com"},
    }
    tables = st.fixed_dictionaries(
        {},
        optional={
            "detect": st.fixed_dictionaries(
                {},
                optional={
                    "sources": st.lists(st.sampled_from(SOURCES) | OWN_SOURCES, min_size=1, max_size=3),
                    "probe4": st.sampled_from(PROBES),
                    "allow_private": st.lists(st.sampled_from(["10.0.0.0/8", "fd00::/8"])),
                    "timeout": DURATIONS,
                },
            ),
            "proof": st.fixed_dictionaries({}, optional={"every": DURATIONS, "servers": st.just(["192.0.2.1:53"])}),
            "retry": st.fixed_dictionaries({}, optional={"attempts": st.integers(1, 10), "policy": st.just("fixed")}),
            "log": st.fixed_dictionaries({}, optional={"keep": st.integers(0, 100), "level": st.just("WARN")}),
        },
    )
    return {**tree, **draw(tables)}


def accepted(tree: Tree) -> bool:
    text = "".join(f"{toml_text.key(key)} = {toml_text.value(value)}\n" for key, value in tree.items())
    try:
        loaded(text)
    except SettingsError:
        return False
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*path, key))
    return found


WRONG = [-1, 0, 1, 5, 10**7, 1.5, True, "", "x", "A", "single", "env:", "90", "1h", [], ["x"], {}, {"x": 1}]
#: What only the loader judges: rules between keys, and the forms of names, networks and servers.
RULED = {"name", "provider", "sources", "allow_private", "servers", "timeout", "every", "settle", "base", "jitter"}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(settings())
def test_good_settings_are_accepted_by_both(tree: Tree) -> None:
    VALIDATOR.validate(tree)
    assert accepted(tree)


@given(settings(), st.data())
def test_what_one_refuses_the_other_refuses(tree: Tree, data: st.DataObject) -> None:
    changed = copy.deepcopy(tree)
    path = data.draw(st.sampled_from(places(changed)))
    here: Any = changed
    for part in path[:-1]:
        here = here[part]
    deed = data.draw(st.sampled_from(["replace", "remove", "rename"]))
    if deed == "replace" or isinstance(here, list):
        here[path[-1]] = data.draw(st.sampled_from(WRONG))
    else:
        value = here.pop(path[-1])
        if deed == "rename":
            here[f"{path[-1]}_"] = value
    if accepted(changed):
        VALIDATOR.validate(changed)
    elif not ruled(path):
        assert not VALIDATOR.is_valid(changed)


FULL: Tree = {
    "schema": 1,
    "record": [
        {"name": "a.example.com", "provider": "main", "types": ["A"], "ttl": 60, "proxied": True, "adopt": "all"},
        {"name": "b.example.com", "provider": "gw"},
    ],
    "provider": {
        "main": {
            "kind": "cloud",
            "token": "env:T",
            "zone": "z",
            "url": "https://a",
            "pause": "1s",
            "algorithm": "two",
            "strict": False,
            "retries": 3,
            "key": "file:k",
        },
        "gw": {"kind": "gateway", "host": "h", "key": "env:K"},
    },
    "gateway": {"url": "https://gw.example.com", "ca_file": "ca.pem"},
    "detect": {
        "sources": ["ipify", {"url": "https://ip", "operator": "me", "json": "ip", "families": [4], "ca_file": "x"}],
        "probe4": "",
        "probe6": "",
        "allow_private": ["10.0.0.0/8"],
        "timeout": "10s",
    },
    "proof": {"every": "6h", "settle": "1m", "servers": ["192.0.2.1:53"]},
    "retry": {"policy": "fixed", "attempts": 5, "base": "1s", "jitter": "1s"},
    "log": {"level": "WARN", "max_bytes": 5000, "keep": 3},
}


def changes() -> Iterator[tuple[tuple[Any, ...], Tree]]:
    """The full file with each value replaced by each wrong one, removed, renamed; each table with one key more."""
    for path in places(FULL):
        for wrong in [*WRONG, None, ...]:
            changed = copy.deepcopy(FULL)
            here: Any = changed
            for part in path[:-1]:
                here = here[part]
            value = here[path[-1]]
            if wrong is None:
                del here[path[-1]]
            elif wrong is not ...:
                here[path[-1]] = wrong
            elif isinstance(value, dict):
                value["extra"] = "x"
            elif isinstance(here, dict):
                here[f"{path[-1]}_"] = here.pop(path[-1])
            yield path, changed


def ruled(path: tuple[Any, ...]) -> bool:
    """Whether a rule, and not only the types, may refuse a change there."""
    return bool(RULED & set(path[2:] if path[0] == "provider" else path)) or path in {
        ("gateway",),
        ("record",),
        ("provider",),
        ("provider", "main"),
        ("provider", "gw"),
    }


def test_every_single_change_to_a_full_file_is_judged_alike() -> None:
    verdicts = set()
    for path, changed in changes():
        verdict = accepted(changed), VALIDATOR.is_valid(changed)
        verdicts.add(verdict)
        assert verdict in {(True, True), (False, False)} or (verdict == (False, True) and ruled(path)), changed
    assert verdicts == {(True, True), (False, False), (False, True)}


@pytest.mark.parametrize(
    "path", [("record", "items", "name"), ("detect", "timeout"), ("log", "level"), ("gateway", "url")]
)
def test_keys_are_described(path: tuple[str, ...]) -> None:
    part: Any = SCHEMA["properties"]
    for name in path:
        part = part[name]
        part = part.get("properties", part)
    assert part["description"]


def test_defaults_are_told() -> None:
    detect = SCHEMA["properties"]["detect"]["properties"]
    assert detect["timeout"]["default"] == "10s"
    assert detect["sources"]["default"] == list(SOURCES)
    assert SCHEMA["properties"]["record"]["items"]["properties"]["types"]["default"] == ["A"]
