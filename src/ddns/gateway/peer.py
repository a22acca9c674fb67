"""Where a request comes from: the socket's peer, or what a trusted proxy says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from ddns.address import Address, Network


def parse(text: str) -> Address | None:
    """An address, an IPv4 one in its own form even where it came mapped into IPv6; None when it is none."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        return ipaddress.IPv6Address(int(address))  # without a scope, which only this machine understands
    return address


def client_address(peer: str, forwarded: Sequence[str], trusted: Iterable[Network]) -> Address | None:
    """The client's address: the last hop that is not a trusted proxy.

    `forwarded` are the X-Forwarded-For headers in their order. A hop that is no address ends the walk: what stands
    before it could have been written by anybody. None: the peer has no IP address.
    """
    networks = tuple(trusted)
    address = parse(peer)
    for hop in reversed([hop for line in forwarded for hop in line.split(",")]):
        if address is None or not any(address in network for network in networks if network.version == address.version):
            break
        before = parse(hop)
        if before is None:
            break
        address = before
    return address
