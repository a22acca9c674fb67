"""What a build is doing, and for how long: one line a stage, on a terminal with a counter that moves."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.status import Status


@dataclass(frozen=True)
class Spent:
    """A stage's name, its time, and the processor time of everything that worked for it, in seconds."""

    stage: str
    wall: float
    cpu: float


@dataclass
class Progress:
    """Shows stages one after another and keeps their times; a context manager, whose end is that of the last stage.

    Without a terminal: a line when a stage begins and one when it is over. `cpu` tells the processor time so far.
    """

    out: TextIO = field(default_factory=lambda: sys.stderr)
    cpu: Callable[[], float] = lambda: 0.0
    spent: list[Spent] = field(default_factory=list)
    _status: Status | None = None
    _stage: str = ""
    _since: tuple[float, float] = (0.0, 0.0)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close(said="stopped" if kind else "done")

    def begin(self, stage: str, about: str) -> None:
        """The stage before is over, if there is one; this one begins. From any thread."""
        with self._lock:
            self._close(said="done")
            self._stage, self._since = stage, (time.monotonic(), self.cpu())
            if self.out.isatty() and os.environ.get("TERM") != "dumb":
                self._status = Console(file=self.out).status(f"{stage}: {about}")
                self._status.start()
            else:
                self._say(f"{stage:8} {about}")

    def so_far(self) -> list[Spent]:
        """Every stage until now, the one that is running last."""
        with self._lock:
            return [*self.spent, self._running()] if self._stage else list(self.spent)

    def detail(self, text: str) -> None:
        """What the stage is at now; only a terminal shows it. From any thread."""
        with self._lock:
            if self._status:
                seconds = _words(time.monotonic() - self._since[0])
                self._status.update(f"{self._stage}: {text} ({seconds})")

    def note(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            if self._status:
                self._status.stop()
            self._say(text)
            if self._status:
                self._status.start()

    def _close(self, said: str) -> None:
        if self._status:
            self._status.stop()
        if self._stage:
            over = self._running()
            self.spent.append(over)
            self._say(f"{self._stage:8} {said} after {_words(over.wall)}")
        self._status, self._stage = None, ""

    def _running(self) -> Spent:
        return Spent(self._stage, time.monotonic() - self._since[0], self.cpu() - self._since[1])

    def _say(self, text: str) -> None:
        print(f"exe: {text}", file=self.out, flush=True)


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
