"""An address of this machine's own adapters, and whether it is worth publishing. How to read them: `host.adapters`."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from ddns.address import Address, Family, Network, publishable


class LocalAddress(msgspec.Struct, frozen=True):
    """One address of one adapter, as the system describes it.

    `temporary`: made by chance and given up within days (RFC 8981). `tentative`: not yet, or not at all, known to be
    nobody else's. `deprecated`: no longer used for new connections. `preferred`: seconds until then, None: for ever.
    """

    adapter: str
    address: Address
    up: bool = True
    temporary: bool = False
    tentative: bool = False
    deprecated: bool = False
    preferred: float | None = None

    @property
    def stable(self) -> bool:
        """Whether a name may point here: in use, lasting, and reachable from everywhere (no ULA, no link-local)."""
        return self.lasting and publishable(self.address)

    @property
    def lasting(self) -> bool:
        """Whether it is in use, and stays."""
        return self.up and not (self.temporary or self.tentative or self.deprecated)


def stable(found: Iterable[LocalAddress]) -> list[LocalAddress]:
    """Those that a name may point to; the one that is preferred longest first, then in the order of their numbers."""
    return _ranked(item for item in found if item.stable)


def _ranked(found: Iterable[LocalAddress]) -> list[LocalAddress]:
    def rank(item: LocalAddress) -> tuple[float, int, int, str]:
        lasts = float("inf") if item.preferred is None else item.preferred
        return -lasts, item.address.version, int(item.address), item.adapter

    return sorted(found, key=rank)


def best(found: Iterable[LocalAddress], family: Family, source: str, allow: tuple[Network, ...] = ()) -> Address | None:
    """The one of a family that a name may point to: that which packets leave from (`source`), else one beside it.

    "Beside" is in the same /64: temporary IPv6 addresses, which packets leave from, have their lasting one there. Else
    the first of `stable`. `allow` names networks that count though they are not public.
    """
    able = [item for item in found if item.lasting and publishable(item.address, allow)]
    able = [item for item in able if Family.of(item.address) is family]
    leaving = ip_address(source) if source else None
    near = [item for item in able if leaving is not None and _together(item.address, leaving)]
    same = [item for item in near if item.address == leaving]
    chosen = same or _ranked(near) or _ranked(able)
    return chosen[0].address if chosen else None


def _together(one: Address, other: Address) -> bool:
    """The same address, or the same /64."""
    return one == other or (one.version == other.version == 6 and int(one) >> 64 == int(other) >> 64)
