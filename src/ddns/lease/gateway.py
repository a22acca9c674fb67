"""A lease at the fleet's own gateway: signed as every request to it is, kept in its ledger.

``POST /v1/lease`` with `name`, `action` (take, renew, release), `ttl` and `token`; 200 answers `token` and `ttl`, 409
``lease-taken`` says that another host has it, and for how long; 403 ``not-your-lease`` that the gateway's settings
list this host for no lease of that name.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from ddns import protocol
from ddns.errors import Block, LeaseLost, LeaseUnavailable, ProviderError
from ddns.lease.place import CALL_SECONDS, Granted, Place, taken
from ddns.ports import Clock, Deadline, HttpResponse

#: Sends one signed POST (path, body) and returns the answer. Raises ProviderError.
Exchange = Callable[[str, bytes, Deadline], HttpResponse]


class GatewayLock:
    """Implements `ports.Lock`."""

    def __init__(self, place: Place, clock: Clock, exchange: Exchange) -> None:
        self._place = place
        self._clock = clock
        self._exchange = exchange

    def acquire(self, deadline: Deadline) -> Granted:
        """See `ports.Lock`."""
        asked_at = self._clock.monotonic()
        answer = self._call("take", 0, deadline)
        token, ttl = answer.get("token"), answer.get("ttl")
        if not isinstance(token, int) or not isinstance(ttl, int | float) or not 0 < ttl <= self._place.ttl:
            raise self._unavailable("the gateway's answer grants no lease")
        return Granted(
            token,
            self._clock,
            asked_at,
            float(ttl),
            renew=lambda deadline: self._again("renew", token, deadline),
            release=lambda deadline: self._again("release", token, deadline),
        )

    def look(self, deadline: Deadline) -> None:
        """Ask who has the lease, and take nothing. Raises LeaseTaken when somebody has, ProviderError as `acquire`.

        What is asked is to renew one that there can't be: the gateway checks who asks and what for, and refuses.
        """
        with contextlib.suppress(LeaseLost):
            self._call("renew", 0, deadline)

    def _again(self, action: str, token: int, deadline: Deadline) -> None:
        self._call(action, token, deadline)

    def _call(self, action: str, token: int, deadline: Deadline) -> dict[str, Any]:
        wish = {"name": self._place.name, "action": action, "ttl": self._place.ttl, "token": token}
        try:
            response = self._exchange("/v1/lease", json.dumps(wish).encode(), deadline.within(CALL_SECONDS))
        except Block:
            raise
        except ProviderError as error:
            raise self._unavailable(f"the gateway grants no lease: {error.message}") from error
        answer = _object(response.body)
        if response.status == 200:
            return answer
        slug = protocol.problem_slug(answer.get("type"))
        if slug == "lease-taken":
            left = answer.get("remaining")
            raise taken(self._place.name, str(answer.get("holder", "")), left if isinstance(left, int | float) else 0.0)
        if slug == "lease-over":
            raise LeaseLost(f"the fleet lease {self._place.name} ended before it was renewed", until=self._clock.now())
        raise self._unavailable(f"the gateway grants no lease (HTTP {response.status}{', ' + slug if slug else ''})")

    def _unavailable(self, message: str) -> LeaseUnavailable:
        return LeaseUnavailable(message, until=self._clock.now())


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
