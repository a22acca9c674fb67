"""One run as a process of its own: what it leaks, crashes or waits for ends with it.

It is exactly the command that a scheduled task starts. That costs a start each time (some 0.1 s of processor time), and
spares the resident process what a run needs: memory, open connections, and trust in code that must never fail.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Windows: a process group of its own, so that Ctrl-C reaches only us, and no window. Elsewhere a session does that.
_DETACHED = 0x08000200
#: Characters of a run's output that are kept.
_KEPT = 64_000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. When it could not be `started`, `exit` is 1 and `out` says why."""

    exit: int
    out: str
    started: bool = True


class Child:
    """A run in progress. `done` is called, from another thread, when it has ended."""

    def __init__(self, command: Sequence[str], done: Callable[[], None]) -> None:
        self._ended: Ended | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._done = done
        try:
            self._process = _start(command)
        except OSError as error:
            self._ended = Ended(1, f"the run can't be started: {error.strerror or error}", started=False)
            done()
            return
        self._reader = threading.Thread(target=self._read, name="run", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process:
            kept = b""
            while piece := self._process.stdout.read1(8192):  # type: ignore[attr-defined]  # a pipe is a BufferedReader
                kept = (kept + piece)[-_KEPT:]
            code = self._process.wait()
        self._ended = Ended(code, kept.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n"))
        self._done()

    @property
    def ended(self) -> Ended | None:
        """How it ended; None while it is at work."""
        return self._ended

    def kill(self, patience: float) -> None:
        """End it at once, which a run survives at any point, and wait at most `patience` seconds for that."""
        if self._process is not None:
            self._process.kill()
            self._reader.join(patience)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        creationflags=_DETACHED if sys.platform == "win32" else 0,
        start_new_session=sys.platform != "win32",
    )
