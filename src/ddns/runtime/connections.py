"""From settings to the ways out of this machine: the fleet's lock server, proxies, addresses to leave by."""

from __future__ import annotations

from collections.abc import Callable

from ddns.config.schema import Settings
from ddns.lease import table as leases
from ddns.lease.place import Place
from ddns.model import HttpResponse
from ddns.ports import Deadline, Lock, Log, Tools


def lock(settings: Settings, tools: Tools, log: Log) -> Lock | None:
    """The fleet's lock, connected to when there is something to write."""
    table = settings.lock
    if table is None:
        return None
    place = Place(
        table.kind,
        table.url,
        table.name,
        table.ttl.seconds,
        user=table.user,
        secret=table.secret,
        ca_file=table.ca_file,
        cert_file=table.cert_file,
        key_file=table.key_file,
    )

    def exchange() -> Callable[[str, bytes, Deadline], HttpResponse]:
        from ddns.providers import gateway

        assert table.secret is not None, "config.connections sees to it"
        return gateway.connect(gateway.Settings(token=table.secret), tools).post

    return leases.Late(place, tools, log, exchange)
