"""An HTTP service on loopback with switches for faults; what it answers is its owner's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from ground.http import Ending, Reply, Request, Server
from providers.cast import WAIT, Fault

#: Longer than any answer that is read.
HUGE = b"[" + b"0," * (1 << 20)
_STATUS = {Fault.UNAUTHORIZED: 401, Fault.FORBIDDEN: 403, Fault.NOT_FOUND: 404, Fault.CONFLICT: 409}
_ENDINGS = {Fault.HALF_A_BODY: Ending.HALF_A_BODY, Fault.SLOW: Ending.SLOW, Fault.RESET: Ending.RESET}

PORTAL = b"<!DOCTYPE html><html><body>Welcome to the hotel. good 192.0.2.2</body></html>"


class Web:
    """Serves between `__enter__` and `__exit__`. `writes` tells which requests change something."""

    def __init__(self, answer: Callable[[Request], Reply], writes: Callable[[Request], bool]) -> None:
        self._answer = answer
        self.writes = writes
        self.fault: Fault | None = None
        self.limited: Reply | None = None
        #: How many requests came that change something, whatever became of them.
        self.written = 0
        self.server = Server(self.serve)

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

    def serve(self, request: Request) -> Reply:
        """The answer to a request."""
        self.written += self.writes(request)
        if self.limited is not None:
            return self.limited
        if self.fault is Fault.SERVER_ERROR:
            return Reply(503, b"upstream connect error", {"Content-Type": "text/plain"})
        if self.fault is Fault.GARBAGE:
            return Reply(200, PORTAL, {"Content-Type": "text/html"})
        if self.fault in _STATUS:
            return Reply(_STATUS[self.fault], b"<html>no</html>", {"Content-Type": "text/html"})
        if self.fault is Fault.HUGE:
            return Reply(200, HUGE, {"Content-Type": "application/json"})
        reply = self._answer(request)
        if self.fault is Fault.SILENT and self.writes(request):
            return Reply(ending=Ending.NEVER)
        if self.fault is Fault.WRONG_TYPE:
            return replace(reply, headers={"Content-Type": "image/png"})
        if self.fault is None:
            return reply
        return replace(reply, ending=_ENDINGS.get(self.fault, Ending.WHOLE))

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
