"""Addresses of this machine's own adapters: as the kernel's messages tell them, and which may be published."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from ddns.address import Family
from ddns.host.adapters import read
from ddns.host.addresses import LocalAddress, best, stable
from ddns.host.linux import adapters

PUBLIC4, PUBLIC6 = IPv4Address("8.8.4.4"), IPv6Address("2a00:1450::7")
FOR_EVER = 0xFFFFFFFF


def attribute(kind: int, data: bytes) -> bytes:
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + bytes(-length % 4)


def message(kind: int, body: bytes) -> bytes:
    length = 16 + len(body)
    return struct.pack("=IHHII", length, kind, 0, 1, 0) + body + bytes(-length % 4)


def told(address: str, flags: int = 0x80, preferred: int = FOR_EVER, wide: int | None = None, peer: str = "") -> bytes:
    """An address message's body as the kernel has it."""
    parsed = ip_address(address)
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    body = struct.pack("=BBBBI", family, 64, flags & 0xFF, 0, 2)
    if peer:
        body += attribute(1, ip_address(peer).packed) + attribute(2, parsed.packed)
    else:
        body += attribute(1, parsed.packed)
    body += attribute(6, struct.pack("=IIII", preferred, FOR_EVER, 0, 0))
    return body if wide is None else body + attribute(8, struct.pack("=I", wide))


LINKS = {2: ("eth0", True)}


def decoded(body: bytes) -> ifaddrmsg:
    """As the library reads it off the kernel's socket."""
    found = ifaddrmsg(message(20, body))
    found.decode()
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (told("8.8.4.4"), LocalAddress("eth0", PUBLIC4)),
        (told("8.8.4.4", flags=0x01), LocalAddress("eth0", PUBLIC4)),
        (told("8.8.4.4", preferred=300), LocalAddress("eth0", PUBLIC4, preferred=300.0)),
        (told("8.8.4.4", peer="10.0.0.1"), LocalAddress("eth0", PUBLIC4)),
        (told("2a00:1450::7"), LocalAddress("eth0", PUBLIC6)),
        (told("2a00:1450::7", flags=0x01), LocalAddress("eth0", PUBLIC6, temporary=True)),
        (told("2a00:1450::7", flags=0x20, preferred=0), LocalAddress("eth0", PUBLIC6, deprecated=True, preferred=0.0)),
        (told("2a00:1450::7", flags=0x40), LocalAddress("eth0", PUBLIC6, tentative=True)),
        (told("2a00:1450::7", flags=0x44), LocalAddress("eth0", PUBLIC6)),
        (told("2a00:1450::7", flags=0x08), LocalAddress("eth0", PUBLIC6, tentative=True)),
        (told("2a00:1450::7", flags=0, wide=0x121), LocalAddress("eth0", PUBLIC6, temporary=True, deprecated=True)),
    ],
    ids=[
        "IPv4", "secondary IPv4", "lease", "point to point", "IPv6", "temporary", "deprecated", "tentative",
        "optimistic", "duplicate", "wide flags",
    ],
)  # fmt: skip
def test_a_message_of_the_kernel(body: bytes, expected: LocalAddress) -> None:
    assert adapters.address(decoded(body), LINKS) == expected


def test_another_family_is_passed_over() -> None:
    assert adapters.address(decoded(struct.pack("=BBBBI", socket.AF_PACKET, 0, 0, 0, 2)), LINKS) is None


def test_an_adapter_that_went_away_has_its_number() -> None:
    found = adapters.address(decoded(told("8.8.4.4")), {})
    assert found is not None
    assert found.adapter == "2"


def test_this_machine_has_a_loopback_that_no_name_may_point_to() -> None:
    found = read()
    assert LocalAddress("lo", IPv4Address("127.0.0.1")) in found
    assert not [item for item in stable(found) if item.adapter == "lo"]


GOOD = LocalAddress("eth0", PUBLIC6)


@pytest.mark.parametrize(
    "bad",
    [
        LocalAddress("eth0", PUBLIC6, temporary=True),
        LocalAddress("eth0", PUBLIC6, tentative=True),
        LocalAddress("eth0", PUBLIC6, deprecated=True),
        LocalAddress("eth0", PUBLIC6, up=False),
        LocalAddress("eth0", IPv6Address("fd00::2")),
        LocalAddress("eth0", IPv6Address("fe80::1")),
        LocalAddress("eth0", IPv4Address("192.168.1.2")),
        LocalAddress("eth0", IPv4Address("100.64.0.1")),
        LocalAddress("lo", IPv6Address("::1")),
    ],
    ids=["temporary", "tentative", "deprecated", "down", "ULA", "link-local", "private", "CGNAT", "loopback"],
)
def test_what_no_name_may_point_to(bad: LocalAddress) -> None:
    assert stable([bad, GOOD]) == [GOOD]


def test_the_one_that_lasts_longest_is_first() -> None:
    short = LocalAddress("eth0", IPv6Address("2a00::1"), preferred=60.0)
    long = LocalAddress("eth0", IPv6Address("2a00::2"), preferred=600.0)
    assert stable([short, GOOD, long]) == [GOOD, long, short]
    assert stable([GOOD, LocalAddress("eth1", PUBLIC4)])[0].address == PUBLIC4


LASTING, TEMPORARY = IPv6Address("2a00:1450::7"), IPv6Address("2a00:1450::dead:beef")
OTHER = LocalAddress("eth1", IPv6Address("2a02::1"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (str(LASTING), LASTING),
        (str(TEMPORARY), LASTING),
        ("2a02::1", OTHER.address),
        ("2001:db8::1", LASTING),
        ("", LASTING),
    ],
    ids=["itself", "its temporary one", "another adapter", "elsewhere", "no route"],
)
def test_the_address_that_a_name_points_to(source: str, expected: IPv6Address) -> None:
    found = [LocalAddress("eth0", TEMPORARY, temporary=True), OTHER, LocalAddress("eth0", LASTING)]
    assert best(found, Family.V6, source) == expected
    assert best(found, Family.V4, source) is None


def test_no_other_address_is_taken_where_none_will_do() -> None:
    found = [LocalAddress("eth0", TEMPORARY, temporary=True), LocalAddress("eth0", IPv6Address("fd00::2"))]
    assert best(found, Family.V6, str(TEMPORARY)) is None
    assert best(found, Family.V6, "", (ip_network("fd00::/8"),)) == IPv6Address("fd00::2")
