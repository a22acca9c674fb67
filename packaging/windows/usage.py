"""Processor time of a build: of this process, its children, and the programs of one Wine prefix (nobody's children)."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform != "win32":
    import resource

_EVERY = 2.0  # seconds; what a program used after the last look is lost
_TICK = 100  # USER_HZ: what /proc counts in, on every Linux that this runs on


class Usage:
    """A context manager that looks at the programs of `prefix` now and then."""

    def __init__(self, prefix: Path) -> None:
        self._mark = f"WINEPREFIX={prefix}".encode()
        self._seen: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="usage", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def seconds(self) -> float:
        """So far."""
        total = sum(self._seen.copy().values())
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            used = resource.getrusage(who)
            total += used.ru_utime + used.ru_stime
        return total

    def _watch(self) -> None:
        while not self._over.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        own = os.getpid()
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/environ", "rb") as environ:
                        ours = self._mark in environ.read().split(b"\0")
                    with open(f"/proc/{name}/stat") as stat:
                        fields = stat.read().rpartition(")")[2].split()
                except OSError:  # it ended, or is another user's
                    continue
                if ours and int(fields[1]) != own:  # our children are counted when they end
                    self._seen[int(name)] = (int(fields[11]) + int(fields[12])) / _TICK
