"""The vocabulary: what may be published, what prints, what covers what."""

from __future__ import annotations

import pickle
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family, Network, publishable
from ddns.errors import (
    AddressError,
    BadCredentials,
    Conflict,
    DdnsError,
    Deferred,
    Exit,
    Held,
    Rejected,
    StateUnwritable,
    Transport,
)
from ddns.model import Change, Kind, Outcome, Reason, RecordKey, RecordType, RRset
from ddns.secret import Secret, SecretRef

KEY = RecordKey("dns", "home.example.com", RecordType.A)
ONE = RRset(frozenset({IPv4Address("1.0.0.1")}), 60)
CHANGE = Change("id", KEY, None, ONE, Reason.CREATE)

# The IANA special-purpose registries of both families, as of 2026, and what lies beside them: (what, network).
SPECIAL = [
    ("this network", "0.0.0.0/8"),
    ("private 10", "10.0.0.0/8"),
    ("carrier-grade NAT", "100.64.0.0/10"),
    ("loopback", "127.0.0.0/8"),
    ("link local", "169.254.0.0/16"),
    ("private 172.16", "172.16.0.0/12"),
    ("protocol assignments", "192.0.0.0/24"),
    ("DS-Lite", "192.0.0.0/29"),
    ("anycast of PCP", "192.0.0.9/32"),
    ("NAT64 discovery", "192.0.0.170/31"),
    ("documentation 1", "192.0.2.0/24"),
    ("AS112 v4", "192.31.196.0/24"),
    ("AMT", "192.52.193.0/24"),
    ("6to4 relay anycast", "192.88.99.0/24"),
    ("private 192.168", "192.168.0.0/16"),
    ("AS112 direct", "192.175.48.0/24"),
    ("benchmarks", "198.18.0.0/15"),
    ("documentation 2", "198.51.100.0/24"),
    ("documentation 3", "203.0.113.0/24"),
    ("multicast", "224.0.0.0/4"),
    ("reserved", "240.0.0.0/4"),
    ("broadcast", "255.255.255.255/32"),
    ("unspecified", "::/128"),
    ("loopback v6", "::1/128"),
    ("mapped", "::ffff:0:0/96"),
    ("mapped public", "::ffff:8.8.8.8/128"),
    ("compatible", "::8.8.8.8/128"),
    ("NAT64", "64:ff9b::/96"),
    ("NAT64 of a public address", "64:ff9b::808:808/128"),
    ("NAT64 local", "64:ff9b:1::/48"),
    ("discard", "100::/64"),
    ("dummy prefix", "100:0:0:1::/64"),
    ("protocol assignments v6", "2001::/23"),
    ("Teredo", "2001::/32"),
    ("benchmarks v6", "2001:2::/48"),
    ("ORCHID", "2001:10::/28"),
    ("ORCHIDv2", "2001:20::/28"),
    ("drone ids", "2001:30::/28"),
    ("documentation v6", "2001:db8::/32"),
    ("6to4", "2002::/16"),
    ("AS112 v6", "2620:4f:8000::/48"),
    ("documentation v6, second", "3fff::/20"),
    ("segment routing", "5f00::/16"),
    ("outside global unicast", "4000::/2"),
    ("unique local", "fc00::/7"),
    ("link local v6", "fe80::/10"),
    ("site local", "fec0::/10"),
    ("multicast v6", "ff00::/8"),
]
NEIGHBOURS = [
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
    "203.0.112.255", "203.0.114.0", "223.255.255.255", "2000::", "2001:200::", "2001:db7:ffff::1", "2001:db9::",
    "2003::", "2620:4f:7fff::1", "2620:4f:8001::", "2606:4700:4700::1111", "3ffe:ffff::1", "3fff:1000::",
]  # fmt: skip


@pytest.mark.parametrize("network", [pytest.param(ip_network(text), id=f"{what} {text}") for what, text in SPECIAL])
def test_special_addresses_are_never_public(network: Network) -> None:
    middle = network.network_address + network.num_addresses // 2
    for address in (network[0], middle, network[-1]):
        assert not publishable(address)
        assert publishable(address, (network,))


@pytest.mark.parametrize("text", NEIGHBOURS)
def test_the_addresses_beside_them_are_public(text: str) -> None:
    assert publishable(ip_address(text))


@given(st.ip_addresses())
def test_nothing_but_global_unicast_is_public(address: IPv4Address | IPv6Address) -> None:
    if publishable(address):
        wrong = {"is_private", "is_multicast", "is_reserved", "is_link_local"}
        assert not any(getattr(address, name) for name in wrong)


def test_a_network_of_one_family_allows_nothing_of_the_other() -> None:
    assert not publishable(IPv6Address("fd00::1"), (IPv4Network("0.0.0.0/0"),))
    assert not publishable(IPv4Address("10.0.0.1"), (IPv6Network("::/0"),))


@pytest.mark.parametrize("allow", [(), (IPv6Network("::/0"),)], ids=["public", "allowed"])
def test_an_address_with_a_zone_is_good_on_one_machine_only(allow: tuple[Network, ...]) -> None:
    assert not publishable(IPv6Address("2606:4700:4700::1111%eth0"), allow)


@pytest.mark.parametrize(
    ("rtype", "text", "value"),
    [
        (RecordType.A, "1.0.0.1", IPv4Address("1.0.0.1")),
        (RecordType.AAAA, "2606:4700:0::1", IPv6Address("2606:4700::1")),
        (RecordType.CNAME, "A.example.", "a.example"),
        (RecordType.TXT, "1.0.0.1", "1.0.0.1"),
    ],
)
def test_a_type_parses_its_values(rtype: RecordType, text: str, value: object) -> None:
    assert rtype.parse(text) == value
    assert rtype.family == {"A": Family.V4, "AAAA": Family.V6}.get(rtype.value)


@pytest.mark.parametrize(
    ("rtype", "text"), [(RecordType.A, "::1"), (RecordType.A, "1.2.3"), (RecordType.AAAA, "1.0.0.1")]
)
def test_a_type_refuses_what_it_does_not_hold(rtype: RecordType, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        rtype.parse(text)


@pytest.mark.parametrize("printed", ["{}", "{!s}", "{!r}", "{:>3}"])
def test_a_secret_does_not_print(printed: str) -> None:
    assert printed.format(Secret("hunter2")) == "***"
    assert Secret("hunter2").reveal() == "hunter2"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("hunter2"))


@pytest.mark.parametrize("text", ["env:TOKEN", "file:/a:b", "dpapi:x", "keyring:y"])
def test_a_reference_reads_as_it_is_written(text: str) -> None:
    ref = SecretRef(text)
    assert (str(ref), repr(ref)) == (text, f"SecretRef('{text}')")
    assert ref.scheme + ":" + ref.place == text
    assert {ref: 1}[SecretRef(text)] == 1
    assert ref != text


@pytest.mark.parametrize("text", ["hunter2", "env:", ":hunter2", "vault:hunter2", ""])
def test_a_pasted_secret_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a reference \(env:NAME") as caught:
        SecretRef(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("have", "want", "covered"),
    [
        pytest.param(RRset(ONE.values, 60), RRset(ONE.values), True, id="any ttl will do"),
        pytest.param(RRset(ONE.values), RRset(ONE.values, 60), True, id="a ttl that can't be seen"),
        pytest.param(RRset(ONE.values, 60), RRset(ONE.values, 300), False, id="another ttl"),
        pytest.param(RRset(frozenset()), RRset(ONE.values), False, id="other values"),
        pytest.param(RRset(ONE.values, 1, {"proxied": True}), RRset(ONE.values), True, id="more than is asked"),
        pytest.param(RRset(ONE.values, 1), RRset(ONE.values, 1, {"proxied": True}), True, id="extra not seen"),
        pytest.param(
            RRset(ONE.values, 1, {"proxied": False}), RRset(ONE.values, 1, {"proxied": True}), False, id="other extra"
        ),
    ],
)
def test_covers(have: RRset, want: RRset, covered: bool) -> None:
    assert have.covers(want) is covered


def test_an_rrset_prints_sorted() -> None:
    rrset = RRset(frozenset(map(IPv4Address, ("1.0.0.2", "1.0.0.1"))))
    assert (str(rrset), str(KEY)) == ("1.0.0.1, 1.0.0.2", "home.example.com A")


@pytest.mark.parametrize(
    ("kind", "cause", "change", "code"),
    [
        *(
            pytest.param(kind, None, None, Exit.FINE, id=kind.value)
            for kind in (Kind.UNCHANGED, Kind.PROVEN, Kind.UPDATED, Kind.REPAIRED, Kind.REMOVED, Kind.ACCEPTED)
        ),
        pytest.param(Kind.YIELDED, None, None, Exit.FINE, id="yielded"),
        pytest.param(Kind.HELD, None, CHANGE, Exit.FINE, id="held by the gateway"),
        pytest.param(Kind.HELD, Held("x"), None, Exit.FINE, id="still held by the gateway"),
        pytest.param(Kind.HELD, Rejected("x"), None, Exit.REFUSED, id="held by the adoption rule"),
        pytest.param(Kind.CONTENDED, Conflict("x"), None, Exit.REFUSED, id="contended"),
        pytest.param(Kind.DEFERRED, Deferred("x", until=1.0), None, Exit.UNREACHABLE, id="deferred"),
        pytest.param(Kind.DEFERRED, Transport("x"), CHANGE, Exit.UNREACHABLE, id="deferred with a change"),
        pytest.param(Kind.FAILED, BadCredentials("x"), None, Exit.REFUSED, id="blocked"),
        pytest.param(Kind.FAILED, AddressError("x"), None, Exit.ADDRESS, id="address unknown"),
        pytest.param(Kind.FAILED, StateUnwritable("x"), None, Exit.STATE, id="state"),
        pytest.param(Kind.FAILED, None, None, Exit.CRASH, id="without a cause"),
    ],
)
def test_exit_code_of_an_outcome(kind: Kind, cause: DdnsError | None, change: Change | None, code: Exit) -> None:
    assert Outcome(kind, KEY, 1.0, change=change, cause=cause).exit is code


def test_family_of_an_address() -> None:
    assert [Family.of(ip_address(text)) for text in ("1.0.0.1", "::1")] == [Family.V4, Family.V6]
