"""What every kind of lock server is told, and a lease as every kind of them grants it."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable

import msgspec

from ddns.errors import LeaseLost, LeaseTaken, ProviderError, foreign
from ddns.ports import Clock, Deadline
from ddns.secret import SecretRef

#: Seconds that one call to a lock server may take.
CALL_SECONDS = 5.0
#: Of what was granted we use a little less: two clocks never run quite alike.
_USED = 0.99


class Place(msgspec.Struct, frozen=True):
    """Where the lease is, and how long it lasts. `ttl` in seconds."""

    kind: str
    url: str
    name: str
    ttl: float
    user: str = ""
    secret: SecretRef | None = None
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


def holder() -> str:
    """What the lease is marked with: this machine's name, for people, and what no other holder has."""
    return f"{socket.gethostname()[:64]} {os.getpid()} {secrets.token_hex(8)}"


def taken(name: str, by: str, seconds: float) -> LeaseTaken:
    """The error for a lease that another machine has for some more seconds. `by`: as `holder` made it, or anything."""
    who = foreign(by.partition(" ")[0], 64) or "another machine"
    return LeaseTaken(f"{who} holds the fleet lease {name} for another {max(seconds, 0.0):.1f} s")


class Granted:
    """A lease that a server granted: implements `ports.Lease`.

    Its time is that of the monotonic clock, which nobody sets, and is counted from before the call that granted it:
    the server's count began later, so ours ends first. `renew` and `release` are the server's part.
    """

    def __init__(
        self,
        token: int,
        clock: Clock,
        asked_at: float,
        ttl: float,
        *,
        renew: Callable[[Deadline], None],
        release: Callable[[Deadline], None],
    ) -> None:
        self._token = token
        self._clock = clock
        self._ttl = ttl * _USED
        self._ends = asked_at + self._ttl
        self._renew = renew
        self._release = release

    @property
    def token(self) -> int:
        """See `ports.Lease`."""
        return self._token

    def remaining(self) -> float:
        """See `ports.Lease`."""
        return max(0.0, self._ends - self._clock.monotonic())

    def renew(self, deadline: Deadline) -> None:
        """See `ports.Lease`."""
        asked_at = self._clock.monotonic()
        try:
            self._renew(deadline)
        except (LeaseTaken, LeaseLost):
            self._ends = asked_at
            raise
        self._ends = asked_at + self._ttl

    def release(self, deadline: Deadline) -> None:
        """See `ports.Lease`."""
        self._ends = self._clock.monotonic()
        # What can't be given back ends by itself: nobody is told of it.
        with contextlib.suppress(ProviderError):
            self._release(deadline)
