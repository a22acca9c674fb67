"""`ddns providers` as a person and a program see it."""

from __future__ import annotations

import sys
import types

import pytest

from ddns.model import RecordType
from ddns.ports import Capabilities
from ddns.providers import bridge, table
from ddns.providers.presets import SERVICES
from unit.terminal import ddns


def test_every_kind_and_service_is_drawn() -> None:
    done = ddns("providers", width=100)
    assert (done.code, done.err) == (0, "")
    first = [line.split()[0] for line in done.lines if line]
    assert set(table.MODULES) <= set(first)
    assert set(SERVICES) <= set(first)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds whose abilities no change of a real one changes."""
    for kind, can in {
        "able": Capabilities(batch=True, compare_and_set=True, types=frozenset(RecordType), min_ttl=30),
        "blind": Capabilities(read=False),
    }.items():
        module = types.ModuleType(f"made_up_{kind}")
        module.__dict__.update(WHO=f"Quite {kind}", CAPABILITIES=can)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(table.MODULES, kind, module.__name__)


def test_what_is_said_of_one(made_up: None) -> None:
    lines = [" ".join(line.split()) for line in ddns("providers", width=120).lines]
    assert "able Quite able A, AAAA, CNAME, TXT API yes yes 30 s" in lines
    assert "blind Quite blind A, AAAA name servers no no theirs" in lines
    assert "zoneedit Zoneedit A 10 min" in lines


def test_a_narrow_terminal_loses_nothing() -> None:
    text = ddns("providers", width=40).text
    assert all(name in text for name in (*table.MODULES, *SERVICES))
    assert "least TTL 30 s" in text


def test_as_json(made_up: None) -> None:
    told = ddns("providers", "--json").json("providers")
    kinds = {kind["kind"]: kind for kind in told["kinds"]}
    assert kinds.keys() == table.MODULES.keys()
    assert kinds["able"] == {
        "kind": "able",
        "title": "Quite able",
        "read_back": "api",
        "types": ["A", "AAAA", "CNAME", "TXT"],
        "ipv6": True,
        "batch": True,
        "compare_and_set": True,
        "min_ttl": 30,
    }
    assert (kinds["blind"]["read_back"], kinds["blind"]["batch"]) == ("dns", False)
    services = {known["service"]: known for known in told["services"]}
    assert services.keys() == SERVICES.keys()
    assert (services["loopia"]["types"], services["loopia"]["ipv6"]) == (["A"], False)
    assert (services["desec"]["least_seconds"], services["noip"]["least_seconds"]) == (60, None)
    assert {known["read_back"] for known in services.values()} == {"dns"}


def test_its_help_has_an_example() -> None:
    done = ddns("providers", "--help")
    assert "ddns providers --json" in done.out


def test_lexicons_services() -> None:
    told = {one["provider"]: one["complete"] for one in ddns("providers", "--json").json("providers")["lexicon"]}
    assert told == bridge.names()
    text = ddns("providers", width=80).text
    assert all(name + ("" if complete else "*") in text for name, complete in told.items())


def test_without_lexicon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "installed", lambda: False)
    assert ddns("providers", "--json").json("providers")["lexicon"] is None
    assert "needs dns-lexicon, which is not installed here" in ddns("providers", width=80).text
