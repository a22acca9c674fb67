"""The real clock."""

from __future__ import annotations

import sys
import time

if sys.platform == "linux":

    def _ticks() -> float:
        """As time.monotonic, with the time that the machine sleeps: a lease ends meanwhile, and so does a deadline."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    _ticks = time.monotonic  # on Windows it goes on while the machine sleeps


class SystemClock:
    """Implements `ports.Clock`."""

    def now(self) -> float:
        """UTC seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return _ticks()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
