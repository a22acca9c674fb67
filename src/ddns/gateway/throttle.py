"""How often a host, and an address, may ask; and how often an address may guess."""

from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from ddns.address import Address
from ddns.gateway.problem import Problem
from ddns.gateway.settings import Limits


class Throttle:
    """Counts in memory: a restart forgets, which costs an attacker more than it gives."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def address(self, address: Address | None) -> None:
        """Count a request from an address. Raises Problem (429)."""
        self._hit(self._limits.address.item, "address", _network(address))

    def host(self, host_id: str) -> None:
        """Count a request of a host that was authenticated. Raises Problem (429)."""
        self._hit(self._limits.host.item, "host", host_id)

    def before_guess(self, address: Address | None) -> None:
        """Refuse an address that guessed wrong too often. Raises Problem (429)."""
        item = self._limits.guess.item
        if not self._limiter.test(item, "guess", _network(address)):
            raise self._problem(item, "guess", _network(address))

    def wrong_guess(self, address: Address | None) -> None:
        """Count a wrong signature, code or password."""
        self._limiter.hit(self._limits.guess.item, "guess", _network(address))

    def _hit(self, item: RateLimitItem, kind: str, key: str) -> None:
        if not self._limiter.hit(item, kind, key):
            raise self._problem(item, kind, key)

    def _problem(self, item: RateLimitItem, kind: str, key: str) -> Problem:
        reset = self._limiter.get_window_stats(item, kind, key).reset_time
        wait = max(1, math.ceil(reset - time.time()))  # the library's clock is this one
        return Problem(
            "throttled", 429, f"more than {item} from this {kind}", headers={"Retry-After": str(wait)}, limited=kind
        )


def _network(address: Address | None) -> str:
    """One customer: an IPv4 address, an IPv6 /64."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)
