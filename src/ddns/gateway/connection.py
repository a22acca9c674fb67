"""A connection whose requests must arrive in time: uvicorn limits only the pause between two requests.

Without this, a client that sends nothing, or a byte now and then, holds its connection for ever; enough of them and
nobody else gets one.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds from the moment a request may begin until its last byte must be here.
REQUEST_LIMIT = 20.0


class TimedConnection(H11Protocol):
    """Ends a connection whose request does not become whole."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base does
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._let_go()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Called for what arrives, and at the end of an answer for what arrived meanwhile."""
        super().handle_events()
        self._watch()

    def _watch(self) -> None:
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY) or self.transport.is_closing():
            self._let_go()
        elif self._deadline is None:
            # abort, not close: over TLS, close would wait for a client that does not answer.
            self._deadline = self.loop.call_later(REQUEST_LIMIT, self.transport.abort)

    def _let_go(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
