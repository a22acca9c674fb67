"""The address of this machine's own adapter, for machines whose adapters have public ones. Nobody is asked.

How the system is asked is handed in: adapters of this program do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ddns.address import Address, Family
from ddns.errors import SourceError
from ddns.ports import Deadline, Net

#: The lasting public address of a family, None when no adapter has one. Raises OSError.
Find = Callable[[Family], Address | None]


class InterfaceSource(msgspec.Struct, frozen=True):
    """The adapter's address. Not authenticated: who answers DHCP, or announces a prefix, decides what it is."""

    find: Find
    name: str = "interface"
    operator: str = "this machine"
    suffices: bool = False
    authenticated: bool = False
    families: frozenset[Family] = frozenset(Family)

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:  # noqa: ARG002 - the port's signature
        """The one lasting address. Raises SourceError when there is none; another one is never taken instead."""
        try:
            found = self.find(family)
        except OSError as error:
            raise SourceError(f"{self.name}: the system does not list its addresses: {error.strerror}") from error
        if found is None:
            raise SourceError(
                f"{self.name}: no adapter has a lasting public IPv{family.value} address"
                " (temporary, deprecated, tentative and private ones do not count)"
            )
        return found
