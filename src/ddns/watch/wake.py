"""What ends a wait before its time: a stop, a change of the network, a resume, the end of a run.

A socket pair, because on Windows nothing else that CPython waits for is ended by Ctrl-C as well as by a thread.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Self

#: What tells a program to end. Ctrl-Break and Windows' closing of a console are SIGBREAK.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Wake:
    """Told from any thread or signal handler; waited for by one. Use it as a context manager, or `close` it."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._reasons: dict[str, None] = {}
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back; nobody may tell anything any more."""
        self._read.close()
        self._write.close()

    @property
    def stopped(self) -> bool:
        """Whether the end was asked for."""
        return self._stopped

    def stop(self) -> None:
        """Ask for the end."""
        self._stopped = True
        self.tell()

    def tell(self, reason: str = "") -> None:
        """End the wait; a `reason` is kept until `reason` takes it."""
        if reason:
            self._reasons[reason] = None
        with contextlib.suppress(OSError):  # full: it wakes as it is; closed: nobody waits
            self._write.send(b"\0")

    def take(self) -> str:
        """The oldest reason that nobody took, "" when there is none."""
        for reason in tuple(self._reasons):
            del self._reasons[reason]
            return reason
        return ""

    def wait(self, seconds: float) -> None:
        """Return after that time, or as soon as anything was told."""
        if select.select([self._read], [], [], max(0.0, seconds))[0]:
            with contextlib.suppress(BlockingIOError):
                while self._read.recv(4096):
                    pass

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Inside, signals to end are calls of `stop`. Does nothing in another thread than the first."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
        before = {number: signal.signal(number, self._signalled) for number in numbers}
        waking = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(waking)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True
        self.tell()
