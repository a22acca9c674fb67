"""Services that can be written and not read: their records are observed at the zone's authoritative servers."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ddns.errors import ProviderError, SettingsError
from ddns.model import Observed, RecordKey
from ddns.net.exchange import Server
from ddns.net.resolver import Authority
from ddns.ports import Deadline, Tools
from ddns.providers import items


class Observer:
    """Reads records at `[proof] servers`, else at the zone's own; without TTL, which is not ours to set."""

    def __init__(self, tools: Tools) -> None:
        """Raises SettingsError when the servers are none."""
        try:
            servers = tuple(map(Server.parse, tools.proof_servers))
        except ValueError as error:
            raise SettingsError(f"proof.servers: {error}") from error
        self._clock = tools.clock
        self._authority = Authority(servers)

    def observed(self, keys: Sequence[RecordKey], deadline: Deadline) -> dict[RecordKey, Observed | ProviderError]:
        """Each record as DNS has it, or the error."""

        def read(key: RecordKey) -> Observed:
            rrset, by = self._authority.read(key.name, key.type, deadline)
            plain = None if rrset is None else replace(rrset, ttl=None)
            return Observed(key, plain, by, self._clock.now())

        return items.observed(keys, read)
