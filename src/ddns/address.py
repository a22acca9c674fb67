"""IP addresses: families, and which of them may stand in public DNS."""

from __future__ import annotations

import enum
import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Family(enum.IntEnum):
    """An IP address family."""

    V4 = 4
    V6 = 6

    @classmethod
    def of(cls, address: Address) -> Family:
        """The family of an address."""
        return cls(address.version)


class HostRule:
    """The address of another host of this network: the first bits of this machine's, then a suffix of its own.

    Written as the suffix with the length of the prefix: ``::1:2:3:4/64``. Raises ValueError.
    """

    __slots__ = ("_bits", "_suffix", "text")

    def __init__(self, text: str) -> None:
        suffix, slash, length = text.partition("/")
        if not slash or not (length.isascii() and length.isdigit() and 1 <= int(length[:4]) <= 127):
            raise ValueError("expected a suffix with the length of the prefix, such as ::1:2:3:4/64")
        self.text = text
        self._bits = 128 - int(length)
        try:
            self._suffix = int(ipaddress.IPv6Address(suffix))
        except ValueError:
            raise ValueError(f"{suffix[:60]!r} is not an IPv6 suffix, such as ::1:2:3:4") from None
        if self._suffix >> self._bits:
            raise ValueError(f"the suffix has bits within the first {length}, which are this machine's")
        if not self._suffix:
            raise ValueError("the suffix has no bits; it would be the address of the network itself")

    def of(self, address: Address) -> Address:
        """The other host's address."""
        return ipaddress.IPv6Address(int(address) >> self._bits << self._bits | self._suffix)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostRule) and (self._bits, self._suffix) == (other._bits, other._suffix)

    def __hash__(self) -> int:
        return hash((self._bits, self._suffix))


#: Networks whose addresses are never published unless the settings allow them. Our own table, because
#: `ipaddress.is_global` differs between patch levels and lets some of these pass.
#: Source: the IANA special-purpose registries.
_NOT_PUBLIC_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16"),
    )
)


def publishable(address: Address, allow: tuple[Network, ...] = ()) -> bool:
    """Whether an address may stand in public DNS: global unicast, or inside a network that `allow` names.

    One with a zone (``%eth0``) means something on one machine only.
    """
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return False
    if any(address.version == net.version and address in net for net in allow):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in net for net in _NOT_PUBLIC_V6)
