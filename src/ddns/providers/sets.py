"""Services that keep whole RRsets: one name and type is one object, which is read and written as one.

What such a service brings is an `Api`; reading again before a write, and comparing, are here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from ddns.errors import ProviderError
from ddns.model import Applied, Change, Observed, RecordKey, RRset
from ddns.ports import Capabilities, Clock, Deadline
from ddns.providers import items, writes
from ddns.providers.zones import Finder, Zone


class Api(Protocol):
    """What a service brings. Each method raises ProviderError."""

    def read(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RRset | None:
        """The RRset of exactly this name and type; None when there is none."""
        ...

    def write(self, zone: Zone, change: Change, now: RRset | None, deadline: Deadline) -> Applied | None:
        """Bring about ``change.after`` (None: remove it) where `now` stands; what it does not ask for stays.

        Returns how far it got where the service tells; None: it is done.
        """
        ...


class SetProvider:
    """The provider over an `Api`; see `ports.Provider`."""

    def __init__(self, api: Api, zones: Finder, clock: Clock, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._api = api
        self._zones = zones
        self._clock = clock

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Read each RRset."""

        def read(key: RecordKey) -> Observed:
            rrset = self._api.read(self._zones.of(key, deadline), key, deadline)
            return Observed(key, rrset, "api", self._clock.now())

        return items.observed(keys, read)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Write each RRset, after it was read again: what is as asked is not written."""
        return items.applied(changes, lambda change: self._write(change, deadline))

    def _write(self, change: Change, deadline: Deadline) -> Applied | None:
        zone = self._zones.of(change.key, deadline)
        now = self._api.read(zone, change.key, deadline)
        writes.check(change, now)
        return None if change.done(now) else self._api.write(zone, change, now, deadline)
