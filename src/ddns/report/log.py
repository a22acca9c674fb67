"""The JSON log of a full run: levels, rotation, secrets masked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from ddns.ports import Clock
from ddns.report.line import line, rotate

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")


class JsonLog:
    """Implements `ports.Log` on a file. A log that can't be written is told on standard error, once, and is no failure.

    `append(path, data)` returns the file's new length; `mask` takes secrets out of a line.
    """

    def __init__(
        self,
        path: str,
        trace_id: str,
        *,
        clock: Clock,
        append: Callable[[str, bytes], int],
        mask: Callable[[str], str],
    ) -> None:
        self._path = path
        self._trace_id = trace_id
        self._clock = clock
        self._append = append
        self._mask = mask
        self._level = 1
        self._max_bytes = 1_000_000
        self._keep = 5
        self._broken = False
        self._held = False

    def configure(self, level: str, max_bytes: int, keep: int) -> None:
        """Take over the `[log]` table, once it is known."""
        self._level = LEVELS.index(level)
        self._max_bytes = max_bytes
        self._keep = keep

    @property
    def tells_info(self) -> bool:
        """Whether INFO lines are written."""
        return self._level <= 1

    def write(self, level: str, message: str, **details: object) -> None:
        """Append one line."""
        if LEVELS.index(level) < self._level or self._broken:
            return
        text = line(
            self._clock.now(),
            level,
            self._trace_id,
            json.dumps(message),
            json.dumps(details, default=str, separators=(",", ":")),
        )
        try:
            length = self._append(self._path, self._mask(text).encode())
        except OSError as error:
            self._broken = True
            sys.stderr.write(f"ddns: the log can't be written: {self._path}: {error.strerror}\n")
            return
        if length > self._max_bytes and not self._held:
            self._rotate()

    def _rotate(self) -> None:
        try:
            rotate(self._path, self._keep)
        except OSError as error:  # on Windows a reader holds it: this run's lines still go to its end
            self._held = True
            sys.stderr.write(f"ddns: the log can't be set aside: {self._path}: {error.strerror}\n")
