"""An HTTP service on loopback with switches for faults; what it answers is its owner's business."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from ground.http import Ending, Reply, Request, Server
from providers.cast import WAIT, Fault

PORTAL = b"<!DOCTYPE html><html><body>Welcome to the hotel. good 192.0.2.2</body></html>"


class Web:
    """Serves between `__enter__` and `__exit__`. `writes` tells which requests change something."""

    def __init__(self, answer: Callable[[Request], Reply], writes: Callable[[Request], bool]) -> None:
        self._answer = answer
        self._writes = writes
        self.fault: Fault | None = None
        self.limited: Reply | None = None
        self.server = Server(self._respond)

    @property
    def root(self) -> str:
        """Its root, without a final slash."""
        return self.server.url.rstrip("/")

    def limit(self, body: bytes = b"") -> None:
        """Answer 429 from now on."""
        self.limited = Reply(429, body, {"Retry-After": str(WAIT)})

    def fail(self, fault: Fault | None) -> None:
        """Have a fault from now on."""
        self.fault = fault
        if fault is Fault.REFUSED:
            self.server.close()

    def _respond(self, request: Request) -> Reply:
        if self.limited is not None:
            return self.limited
        if self.fault is Fault.SERVER_ERROR:
            return Reply(503, b"upstream connect error", {"Content-Type": "text/plain"})
        if self.fault is Fault.GARBAGE:
            return Reply(200, PORTAL, {"Content-Type": "text/html"})
        reply = self._answer(request)
        if self.fault is Fault.SILENT and self._writes(request):
            return Reply(ending=Ending.NEVER)
        if self.fault is Fault.HALF_A_BODY:
            return Reply(reply.status, reply.body, reply.headers, Ending.HALF_A_BODY)
        return reply

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
