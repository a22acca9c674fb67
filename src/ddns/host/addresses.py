"""An address of this machine's own adapters, and whether it is worth publishing. How to read them: `host.adapters`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ddns.address import Address, publishable


@dataclass(frozen=True, slots=True)
class LocalAddress:
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
        lasting = not (self.temporary or self.tentative or self.deprecated)
        return self.up and lasting and publishable(self.address)


def stable(found: Iterable[LocalAddress]) -> list[LocalAddress]:
    """Those that a name may point to; the one that is preferred longest first, then in the order of their numbers."""

    def rank(item: LocalAddress) -> tuple[float, int, int, str]:
        lasts = float("inf") if item.preferred is None else item.preferred
        return -lasts, item.address.version, int(item.address), item.adapter

    return sorted((item for item in found if item.stable), key=rank)
