"""When the next run is due: on a grid that does not drift, a little late by chance, never too soon after another run.

Pure: the time comes in, as seconds on a clock that never goes back and that counts the time a machine sleeps.
"""

from __future__ import annotations

from collections.abc import Callable

#: Seconds: what an interval may be, and what it is.
SHORTEST, USUAL, LONGEST = 30.0, 600.0, 86400.0
#: Machines that were switched on together must not ask together: the share of an interval that chance may add.
_SHARE, _MOST = 0.1, 60.0


def usual_jitter(every: float) -> float:
    """Seconds of chance for an interval: a tenth of it, at most a minute."""
    return min(every * _SHARE, _MOST)


class Schedule:
    """The first run is due at once, each later one at a point of the grid plus up to `jitter` seconds.

    Whatever started the run before, the next is at least `every` - `jitter` and, if runs are on time, at most
    `every` + `jitter` seconds later. `random` gives numbers in [0, 1).
    """

    def __init__(self, every: float, jitter: float, now: float, random: Callable[[], float]) -> None:
        if not 0 <= jitter < every:
            raise ValueError(f"a jitter of {jitter} s does not fit an interval of {every} s")
        self._every = every
        self._jitter = jitter
        self._random = random
        self._grid = now
        self._due = now

    @property
    def due(self) -> float:
        """When the next run is to start."""
        return self._due

    def started(self, now: float) -> None:
        """A run starts, for whatever reason. Turns that were missed are not made up."""
        self._grid += self._every * ((now - self._grid) // self._every + 1)  # the first point after now
        chance = self._jitter * self._random()
        self._due = max(self._grid + chance, now + self._every - self._jitter)
