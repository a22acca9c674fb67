"""How the demonstration is stopped: the first signal ends it, and every process that it started ends with it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
#: Seconds that a process has to end after it was told to.
_GRACE = 15


class _Stop:
    """Turns the first signal into KeyboardInterrupt, though not while a process is being started."""

    def __init__(self) -> None:
        self.signals = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        self.starting = False
        self.asked = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if not self.starting:
            self.end()

    def end(self) -> None:
        for number in self.signals:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the cleaning up short
        raise KeyboardInterrupt


_stop = _Stop()


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Raises KeyboardInterrupt inside at the first signal to stop; those after it are ignored."""
    _stop.asked = False
    before = {number: signal.signal(number, _stop.handle) for number in _stop.signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def child(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that lives inside the block only. `options` as for `subprocess.Popen`."""
    process = None
    try:
        _stop.starting = True
        try:
            process = subprocess.Popen(command, **options)
        finally:
            _stop.starting = False
        if _stop.asked:  # nobody would have known the process, had it been cut short
            _stop.end()
        yield process
    finally:
        if process is not None:
            with process:  # closes its pipes
                process.terminate()
                process.wait(_GRACE)
