"""The gateway's settings: what is taken, and which mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ddns.gateway.names import check_name, name_of
from ddns.gateway.settings import Cidr, Rate, Zone, Zones
from ddns.model import RecordType
from unit.gateway.stand import settings

TLS = {"plain": False, "cert_file": "c.pem", "key_file": "k.pem"}


def test_what_is_not_set_has_a_default(tmp_path: Path) -> None:
    made = settings(tmp_path)
    assert made.hosts.types == (RecordType.A, RecordType.AAAA)
    assert made.limits.guess == Rate("20/minute")
    assert (made.hosts.must_match_peer, made.listen.trusted_proxies) == (False, ())


@pytest.mark.parametrize(
    ("table", "value", "message"),
    [
        ("schema", 2, "schema"),
        ("name", "two words", "name"),
        ("surprise", 1, "unknown field"),
        ("master_key", "c2VjcmV0", "literal value"),
        ("listen", {"plain": False}, "set cert_file and key_file"),
        ("listen", {"plain": True, "cert_file": "c.pem"}, "set cert_file and key_file"),
        ("listen", {"plain": False, "cert_file": "c.pem"}, "go together"),
        ("listen", {"port": 70000}, "65535"),
        ("listen", {"trusted_proxies": ["10.0.0.0/33"]}, "trusted_proxies"),
        ("hosts", {"template": "dyn.example.test"}, "needs {host} once"),
        ("hosts", {"template": "{host}.{zone}.example.test"}, "needs {host} once"),
        ("hosts", {"template": "{host}.elsewhere.test"}, "lies in none of the zones"),
        ("hosts", {"reserved": ["www."]}, "letters, digits"),
        ("hosts", {"types": ["TXT"]}, "carry an address"),
        ("hosts", {"types": []}, "length >= 1"),
        ("hosts", {"allow_private": ["10.0.0.1/8"]}, "host bits"),
        ("zone", [], "length >= 1"),
        ("zone", [{"name": "example.test", "provider": "nobody"}], "no \\[provider.nobody\\]"),
        ("lease", [{"name": "office", "hosts": []}], "length >= 1"),
        ("lease", [{"name": "two words", "hosts": ["*"]}], "matching regex"),
        ("lease", [{"name": "office", "hosts": ["pc_1"]}], "letters, digits"),
        ("lease", [{"name": "office", "hosts": ["pc1"]}] * 2, "lease office: it is there twice"),
        ("limits", {"host": "often"}, "expected a rate"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, table: str, value: Any, message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        settings(tmp_path, **{table: value})


def test_tls_needs_both_files(tmp_path: Path) -> None:
    assert settings(tmp_path, listen=TLS).listen.cert_file == "c.pem"


def test_the_longest_zone_wins() -> None:
    zones = Zones((Zone(name="Example.test.", provider="a"), Zone(name="dyn.example.test", provider="b")))
    names = ("pc.dyn.example.test", "DYN.example.test", "pc.example.test", "example.test", "myexample.test", "test")
    assert [zones.provider_of(name) for name in names] == ["b", "b", "a", "a", None, None]


def test_networks_and_rates_are_compared_by_what_they_mean() -> None:
    assert Cidr("192.0.2.1") == Cidr("192.0.2.1/32")
    assert Rate("60 per minute") == Rate("60/minute")
    assert len({Rate("60 per minute"), Rate("60/minute"), Rate("61/minute")}) == 2


def test_a_name_that_gets_too_long_for_dns_is_refused() -> None:
    template = "{host}." + ".".join(["x" * 60] * 4)
    assert name_of(template, "pc")
    with pytest.raises(ValueError, match="full domain name"):
        name_of(template, "x" * 63)
    assert check_name("_acme-challenge.Pc.Example.test.") == "_acme-challenge.pc.example.test"
