"""Which module keeps which kind of lease. A run that writes nothing imports none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ddns.lease.place import Place
from ddns.ports import Deadline, Lease, Lock, Log, Tools

if TYPE_CHECKING:
    from ddns.lease.gateway import Exchange


class Looked(Lock, Protocol):
    """A lock that can be looked at."""

    def look(self, deadline: Deadline) -> None:
        """See `Late.look`."""
        ...


class Late:
    """A lock that is connected to when its lease is first wanted; logs each lease with its token.

    `exchange` gives the way to the own gateway, for the kind that is kept there.
    """

    def __init__(self, place: Place, tools: Tools, log: Log, exchange: Callable[[], Exchange]) -> None:
        self._place = place
        self._tools = tools
        self._log = log
        self._exchange = exchange
        self._lock: Lock | None = None

    def acquire(self, deadline: Deadline) -> Lease:
        """See `ports.Lock`."""
        self._lock = self._lock or self._connected()
        lease = self._lock.acquire(deadline)
        self._log.write("INFO", "fleet lease taken", lease=self._place.name, token=lease.token, ttl=self._place.ttl)
        return lease

    def look(self, deadline: Deadline) -> None:
        """Reach the lock as a run would, and take nothing. Raises LeaseTaken when another machine has the lease."""
        self._connected().look(deadline)

    def _connected(self) -> Looked:
        if self._place.kind == "redis":
            from ddns.lease.redis import RedisLock

            return RedisLock(self._place, self._tools)
        if self._place.kind == "etcd":
            from ddns.lease.etcd import EtcdLock

            return EtcdLock(self._place, self._tools)
        from ddns.lease.gateway import GatewayLock

        return GatewayLock(self._place, self._tools.clock, self._exchange())
