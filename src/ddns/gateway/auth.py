"""Who asks: checks a request's signature, time and nonce, in this order, and names its host.

Only somebody who holds a host's key learns anything: an unknown host and a wrong signature get the same answer after
the same work. A host that was revoked is told so, once its signature is that of the key that it had.
"""

from __future__ import annotations

import os

from ddns import protocol
from ddns.gateway.ledger import Host, Ledger
from ddns.gateway.problem import Problem
from ddns.gateway.seal import Sealer
from ddns.ports import Clock
from ddns.protocol import ProtocolError, Signed

#: Seconds for which a nonce is remembered: from the earliest moment at which a `ts` is accepted to the last.
REMEMBER = 2 * protocol.WINDOW
_DECOY = "nobody"
_CHALLENGE = {"WWW-Authenticate": protocol.SCHEME}


class Authenticator:
    """Checks requests for one gateway name."""

    def __init__(self, gateway: str, ledger: Ledger, sealer: Sealer, clock: Clock) -> None:
        self._gateway = gateway
        self._ledger = ledger
        self._sealer = sealer
        self._clock = clock
        self._decoy = sealer.seal(_DECOY, os.urandom(32))

    def check(
        self, method: str, target: str, header: str | None, body: bytes, *, revoked: bool = False
    ) -> tuple[Host, Signed]:
        """The host that signed this request, and what it signed. Raises Problem (401; 403 for a revoked host).

        `target` is the path with its query, as it came. `revoked`: a revoked host may ask this, too.
        """
        now = self._clock.now()
        signed, sig = self._parse(header, now)
        host = self._ledger.host(signed.host)
        sealed = None if host is None else host.key or host.former_key
        key = self._sealer.open(_DECOY if host is None or sealed is None else host.id, sealed or self._decoy)
        good = protocol.verify(signed, sig, key, self._gateway, method, target, body)
        if host is None or sealed is None or not good:
            raise Problem(
                "bad-signature",
                401,
                "the host is not known here, or the signature is not made with its key",
                headers=_CHALLENGE,
                server_time=now,
            )
        if abs(signed.ts - now) > protocol.WINDOW:
            raise Problem(
                "clock-skew",
                401,
                f"the request's ts is {signed.ts}, the gateway's time {now:.0f}: more than {protocol.WINDOW} s apart",
                headers=_CHALLENGE,
                server_time=now,
            )
        if not self._ledger.remember(host.id, signed.nonce, now=now, until=now + REMEMBER):
            raise Problem(
                "replayed", 401, "the nonce was used before; each request needs a new one", headers=_CHALLENGE
            )
        if host.revoked_at is not None and not revoked:
            raise Problem("revoked", 403, "the host was revoked; nothing is accepted from it any more")
        return host, signed

    @staticmethod
    def _parse(header: str | None, now: float) -> tuple[Signed, str]:
        if not header:
            raise Problem(
                "unsigned",
                401,
                f"an Authorization header of the scheme {protocol.SCHEME} is needed",
                headers=_CHALLENGE,
                server_time=now,
            )
        try:
            return protocol.parse(header)
        except ProtocolError as error:
            raise Problem("unsigned", 401, str(error), headers=_CHALLENGE, server_time=now) from error
