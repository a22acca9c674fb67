"""Whose address a request comes from, and what `/ip` tells."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from ddns.gateway.peer import client_address
from unit.gateway.stand import stand

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # not a proxy: it may write what it likes
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.66, 198.51.100.7"], "198.51.100.7"),  # what stands before it is anybody's
        ("10.0.0.1", ["203.0.113.66", "198.51.100.7,10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["198.51.100.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7:80"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("2001:db8:1::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("", ["198.51.100.7"], None),
        ("unix:", [], None),
    ],
)
def test_the_address_is_the_last_hop_that_is_no_trusted_proxy(
    peer: str, forwarded: list[str], address: str | None
) -> None:
    found = client_address(peer, forwarded, TRUSTED)
    assert (None if found is None else str(found)) == address


def test_ip_tells_the_address_as_the_settings_trust_it(tmp_path: Path) -> None:
    header = {"X-Forwarded-For": "198.51.100.7"}
    with stand(tmp_path, listen={"trusted_proxies": ["10.0.0.0/8"]}) as gateway:
        assert gateway.ask("GET", "/ip", peer="192.0.2.1", headers=header).body == {"address": "192.0.2.1"}
        through = gateway.ask("GET", "/ip", peer="10.0.0.1", headers=header)
        assert (through.body, through.headers["cache-control"]) == ({"address": "198.51.100.7"}, "no-store")
        assert gateway.ask("GET", "/healthz").body == {"status": "ok"}
