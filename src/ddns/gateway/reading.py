"""What DNS says of one record, read while a client waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddns.errors import ProviderError
from ddns.gateway.ledger import Values
from ddns.gateway.settings import Zones
from ddns.gateway.settling import stored_values
from ddns.model import RecordKey, RecordType
from ddns.ports import Clock, Deadline, Provider

#: Seconds that DNS has to say what stands in it.
READ_LIMIT = 2.0
#: Seconds for which a server that did not answer in time is not asked again: each question would hold a thread.
SILENCE = 3.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A record as DNS has it, or as DNS last confirmed it."""

    values: Values | None
    ttl: int | None


class Reader:
    """Reads through the zones' providers; safe to share between threads."""

    def __init__(self, zones: Zones, providers: Mapping[str, Provider], clock: Clock) -> None:
        self._zones = zones
        self._providers = providers
        self._clock = clock
        self._silent_until: dict[str, float] = {}

    def read(self, name: str, record_type: RecordType) -> Reading | None:
        """The record in DNS, None when it can't be read now. A zone must hold the name."""
        id_ = self._zones.provider_of(name)
        assert id_ is not None
        if self._clock.monotonic() < self._silent_until.get(id_, 0.0):
            return None
        key, deadline = RecordKey(id_, name, record_type), Deadline(self._clock, READ_LIMIT)
        seen = self._providers[id_].observe([key], deadline)[key]
        if isinstance(seen, ProviderError):
            # Also where the server says that it has no such zone: it says so while it loads, and a client must not
            # give up.
            if deadline.left() < READ_LIMIT / 4:
                self._silent_until[id_] = self._clock.monotonic() + SILENCE
            return None
        return Reading(stored_values(seen.rrset), None if seen.rrset is None else seen.rrset.ttl)
