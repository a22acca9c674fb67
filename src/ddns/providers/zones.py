"""Which zone of an account holds a name: the one that the settings name, else the longest parent that is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from ddns.errors import NoSuchZone
from ddns.model import RecordKey
from ddns.ports import Deadline
from ddns.providers import answers


class Zone(msgspec.Struct, frozen=True):
    """A zone of the account: its name (lower case, Punycode, no final dot), and the service's id where it has one.

    `min_ttl` is the least TTL in seconds that the service allows in this zone, 0 when it does not say.
    """

    name: str
    id: str = ""
    min_ttl: int = 0

    def relative(self, name: str, apex: str = "@") -> str:
        """A name below the zone as its left part; `apex` for the zone itself."""
        return apex if name == self.name else name.removesuffix("." + self.name)


#: Looks a zone up by its exact name; None when the account has no such zone. Raises ProviderError.
Find = Callable[[str, Deadline], Zone | None]


class Finder(Protocol):
    """Finds the zone that holds a record. Raises NoSuchZone, ProviderError."""

    def of(self, key: RecordKey, deadline: Deadline) -> Zone:
        """The zone of a record."""
        ...


class Zones:
    """A `Finder` that asks for a name and its parents, for each once.

    `who` is the service's name, `named` the zone of the settings or "".
    """

    def __init__(self, who: str, find: Find, named: str = "", *, advice: str = "") -> None:
        self._who = who
        self._find = find
        self._named = answers.ascii_name(named) if named else ""
        self._advice = advice
        self._known: dict[str, Zone | None] = {}

    def of(self, key: RecordKey, deadline: Deadline) -> Zone:
        """The zone that holds a record. Raises NoSuchZone."""
        for candidate in self._candidates(key):
            if candidate not in self._known:
                self._known[candidate] = self._find(candidate, deadline)
            found = self._known[candidate]
            if found is not None:
                return found
        raise NoSuchZone(f"{self._who}: the account has no zone that holds {key.name}", advice=self._advice or None)

    def _candidates(self, key: RecordKey) -> Sequence[str]:
        name = answers.ascii_name(key.name)
        if not self._named:
            return parents(name)
        if name != self._named and not name.endswith("." + self._named):
            raise NoSuchZone(f"{key.name} does not lie in the zone {self._named}")
        return [self._named]


def parents(name: str) -> list[str]:
    """What a zone that holds a name may be called, longest first: no top level, no wildcard (PowerDNS refuses it)."""
    labels = name.removeprefix("*.").split(".")
    return [".".join(labels[cut:]) for cut in range(max(1, len(labels) - 1))]
