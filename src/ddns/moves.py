"""A jump of the public address to another network: seen in what was published before, told once. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import msgspec

from ddns.address import Address, Family
from ddns.memory import Published

#: Bits of an address that stay the same while it stays in one network, roughly that of one provider.
_NETWORK_BITS = {4: 16, 6: 32}


class Move(msgspec.Struct, frozen=True):
    """Networks (CIDR) from which, and to which, the address of a family went. `at`: UTC seconds."""

    family: Family
    before: tuple[str, ...]
    after: str
    at: float

    def __str__(self) -> str:
        return f"IPv{self.family.value}: moved to another network: {', '.join(self.before)} -> {self.after}"


def moved(new: Address, published: Iterable[Published], known: Sequence[Move], now: float) -> Move | None:
    """The move of an address outside the networks of all that was published before; None where there is none.

    One that is among the `known` is not told again until something else was published since.
    """
    before: dict[str, float] = {}
    for item in published:
        for old in item.rrset.values:
            if not isinstance(old, str) and old.version == new.version:
                before[_network(old)] = max(item.since, before.get(_network(old), 0.0))
    here = _network(new)
    if not before or here in before:
        return None
    family, since = Family.of(new), max(before.values())
    told = next((move for move in reversed(known) if move.family is family), None)
    if told is not None and told.after == here and since <= told.at <= now:
        return None
    return Move(family, tuple(sorted(before)), here, now)


def _network(address: Address) -> str:
    return str(ipaddress.ip_network((address, _NETWORK_BITS[address.version]), strict=False))
