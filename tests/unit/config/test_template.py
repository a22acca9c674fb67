"""The file that `init` writes: valid, and in step with the types."""

from __future__ import annotations

import re
import tomllib

import pytest

from ddns.config.reference import page
from ddns.config.schema import Settings
from ddns.config.template import template
from ddns.providers import table
from unit.config.shapes import TYPES, Cloud, loaded


def uncommented(text: str) -> str:
    return re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)


def test_without_names_it_keeps_nothing_and_is_valid() -> None:
    text = template(kind="cloud", provider_type=Cloud)
    assert loaded(text).settings == Settings(schema=1)


def test_with_names_it_is_valid_as_it_stands() -> None:
    text = template(
        kind="cloud",
        provider_type=Cloud,
        names=["a.example.com", "b.example.com"],
        ident="my dns",
        record={"types": ["A", "AAAA"], "ttl": 60},
        provider={"zone": 'ex"ample'},
        gateway={"url": "https://gw.example.com"},
    )
    settings = loaded(text).settings
    assert [(r.name, r.provider, r.types, r.ttl) for r in settings.record] == [
        ("a.example.com", "my dns", ("A", "AAAA"), 60),
        ("b.example.com", "my dns", ("A", "AAAA"), 60),
    ]
    assert (settings.provider["my dns"].zone, str(settings.provider["my dns"].token)) == (
        'ex"ample',
        "file:my dns-token",
    )
    assert settings.gateway is not None
    assert settings.gateway.url == "https://gw.example.com"


def test_every_default_stands_there_as_a_comment_with_its_value() -> None:
    text = uncommented(template(kind="cloud", provider_type=Cloud, names=["a.example.com"]))
    live, plain = loaded(text).settings, loaded(template(kind="cloud", provider_type=Cloud, names=["a.example.com"]))
    assert (live.detect, live.proof, live.retry, live.log) == (
        plain.settings.detect,
        plain.settings.proof,
        plain.settings.retry,
        plain.settings.log,
    )
    assert (live.record, live.provider) == (plain.settings.record, plain.settings.provider)
    tree = tomllib.loads(text)
    for name in ("detect", "proof", "retry", "log", "gateway"):
        assert set(tree[name]) == set(getattr(live, name).__struct_fields__)
    assert all(f"({name} is not set)" in text or name in tree["record"][0] for name in live.record[0].__struct_fields__)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_commented_example_is_valid_toml(kind: str) -> None:
    tree = tomllib.loads(uncommented(template(kind=kind, provider_type=TYPES[kind])))
    assert tree["record"] == [
        {"name": "home.example.com", "provider": "main", "types": ["A"], "adopt": "single"},
    ]
    assert tree["provider"]["main"]["kind"] == kind


def test_the_reference_page_tells_every_key_of_every_kind() -> None:
    text = page({kind: table.load(kind).Settings for kind in table.MODULES})
    for kind in table.MODULES:
        section = text.partition(f"## [provider.ID]: {kind}\n")[2].partition("\n## ")[0]
        for name in table.load(kind).Settings.__struct_fields__:
            assert f"\n| `{name}` | " in section
