"""Fleet leases: of the hosts that share a name, one at a time may write where this gateway does not reach.

A host gets only a lease that the operator lists it for (`[[lease]]`): a host whose key was stolen can then neither keep
others from writing nor learn who has what.

Time is the monotonic clock's, so that setting the gateway's clock neither ends a lease nor prolongs one. A gateway
that starts knows from the ledger who had which lease, not for how long: it lets each last its whole time once more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ddns.gateway.audit import Audit
from ddns.gateway.ledger import LeaseRow, Ledger
from ddns.gateway.problem import Problem
from ddns.gateway.settings import SharedLease
from ddns.gateway.updates import Asked
from ddns.ports import Clock

LONGEST = 600.0


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/lease`. `ttl` in seconds; `token` is that of the lease to be renewed or released."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]
    action: Literal["take", "renew", "release"]
    ttl: Annotated[float, Meta(gt=0, le=LONGEST)] = 60.0
    token: int = 0


class Leases:
    """The leases of one gateway; only one gateway serves from a ledger. `shared`: those that there are."""

    def __init__(self, ledger: Ledger, audit: Audit, clock: Clock, shared: Iterable[SharedLease]) -> None:
        self._ledger = ledger
        self._audit = audit
        self._clock = clock
        self._shared = {lease.name: lease for lease in shared}
        self._lock = threading.Lock()
        #: By name: the row, and the monotonic time at which it is over.
        self._known: dict[str, tuple[LeaseRow, float]] = {}

    def answer(self, asked: Asked, raw: bytes) -> dict[str, object]:
        """What a request comes to. Raises Problem."""
        try:
            body = msgspec.json.decode(raw, type=Body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Problem("malformed", 400, f"the body is not about a lease: {error}") from error
        shared = self._shared.get(body.name)
        if shared is None or not shared.admits(asked.host.label):  # one answer: which leases there are is not told
            raise Problem("not-your-lease", 403, f"no [[lease]] {body.name} of this gateway lists the host")
        with self._lock:
            return self._take(asked, body) if body.action == "take" else self._change(asked, body)

    def _take(self, asked: Asked, body: Body) -> dict[str, object]:
        """A lease that the host has already is granted anew: whoever asks again has lost the first answer, or died."""
        held, left = self._held(body.name)
        if held is not None and left > 0 and held.host != asked.host.id:
            raise self._taken(held, left)
        token = self._ledger.grant_lease(body.name, asked.host.id, body.ttl)
        self._keep(LeaseRow(body.name, asked.host.id, token, body.ttl))
        self._audit.write(
            "leased", trace_id=asked.trace_id, host=asked.host.id, lease=body.name, token=token, peer=str(asked.peer)
        )
        return {"token": token, "ttl": body.ttl}

    def _change(self, asked: Asked, body: Body) -> dict[str, object]:
        held, left = self._held(body.name)
        if held is None or held.token != body.token or held.host != asked.host.id:
            if held is not None and left > 0 and held.host != asked.host.id:
                raise self._taken(held, left)
            raise Problem("lease-over", 409, f"this host does not have the lease {body.name} with this token")
        if body.action == "release":
            self._ledger.free_lease(body.name, body.token)
            self._known[body.name] = (held, self._clock.monotonic())
            return {"token": body.token, "ttl": 0.0}
        if left <= 0:
            raise Problem("lease-over", 409, f"the lease {body.name} is over; take it again")
        self._keep(held)
        return {"token": held.token, "ttl": held.ttl}

    def _held(self, name: str) -> tuple[LeaseRow | None, float]:
        """The last grant of a lease, and the seconds that it still lasts."""
        if name not in self._known:
            row = self._ledger.lease(name)
            if row is None:
                return None, 0.0
            self._keep(row)
        row, over = self._known[name]
        return row, over - self._clock.monotonic()

    def _keep(self, row: LeaseRow) -> None:
        self._known[row.name] = (row, self._clock.monotonic() + row.ttl)

    def _taken(self, held: LeaseRow, left: float) -> Problem:
        host = self._ledger.host(held.host)
        label = held.host if host is None else host.label
        detail = f"{label} has the lease {held.name} for another {left:.1f} s"
        return Problem("lease-taken", 409, detail, holder=label, remaining=round(left, 3))
