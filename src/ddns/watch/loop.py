"""The loop of the resident program. Time, runs and reasons to run come in, so that tests own them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ddns.watch.child import Ended
from ddns.watch.schedule import SHORTEST, Schedule

#: Why a run was started.
START, SCHEDULE, NETWORK, RESUME = "start", "schedule", "network", "resume"
#: Seconds of quiet after a change of the network: changes come in swarms, and an address is not usable at once.
SETTLE = 3.0
#: Seconds after which an ending swarm is no reason to wait any longer.
_SETTLE_MOST = 15.0
#: Seconds between the start of a run and one that a change asks for: a network that comes and goes asks for many.
APART = SHORTEST
#: Seconds after which a run is ended. It has a time limit of its own, of two minutes.
LIMIT = 300.0
#: Seconds that a wait lasts at most: where a clock stands still while the machine sleeps, it is noticed so late.
_LONGEST_WAIT = 30.0
#: Seconds that a run in progress gets when the end was asked for, and those that it is waited for after it was killed.
_GRACE, _KILLED = 0.5, 0.3


class Running(Protocol):
    """A run in progress."""

    @property
    def ended(self) -> Ended | None:
        """How it ended; None while it is at work."""
        ...

    def kill(self, patience: float) -> None:
        """End it at once."""
        ...


class Waking(Protocol):
    """What ends a wait; see `wake.Wake`."""

    @property
    def stopped(self) -> bool:
        """Whether the end was asked for."""
        ...

    def take(self) -> str:
        """The oldest reason that nobody took, "" when there is none."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after that time, or as soon as anything was told."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """One run that ended. `killed`: it took longer than it may, or the end was asked for."""

    reason: str
    seconds: float
    ended: Ended
    killed: bool = False

    @property
    def overdue(self) -> bool:
        """Whether it took longer than it may."""
        return self.killed and self.seconds >= LIMIT


class Loop:
    """Runs, one at a time, until the end is asked for.

    `elapsed` counts seconds and never goes back, and counts on while the machine sleeps; `slept` is the seconds that it
    has slept since it was switched on. `start` starts a run; its end must end a wait.
    """

    def __init__(
        self,
        schedule: Schedule,
        wake: Waking,
        start: Callable[[], Running],
        tell: Callable[[Told], None],
        *,
        elapsed: Callable[[], float],
        slept: Callable[[], int],
    ) -> None:
        self._schedule = schedule
        self._wake = wake
        self._start = start
        self._tell = tell
        self._elapsed = elapsed
        self._slept_since = slept
        self._slept = slept()
        self._reason = ""
        self._first_change = self._last_change = 0.0
        self._last_start = -APART

    def run(self) -> None:
        """Loop. Returns when the end was asked for."""
        reason = START
        while not self._wake.stopped:
            if reason:
                self._run(reason)
                reason = ""
            else:
                reason = self._rest()

    def _rest(self) -> str:
        """Wait for the next run; the reason for it, "" when there is none yet."""
        self._look()
        now = self._elapsed()
        at = self._next()
        if now < at:
            self._wake.wait(min(at - now, _LONGEST_WAIT))
            return ""
        reason, self._reason = self._reason or SCHEDULE, ""
        return reason

    def _next(self) -> float:
        """When the next run starts, as far as it is known."""
        if not self._reason:
            return self._schedule.due
        quiet = min(self._last_change + SETTLE, self._first_change + _SETTLE_MOST)
        return max(quiet, self._last_start + APART)

    def _look(self) -> None:
        """Take in what happened."""
        now = self._elapsed()
        slept = self._slept_since()
        if abs(slept - self._slept) > 1:  # rounding makes one second of nothing
            self._changed(RESUME, now)
        self._slept = slept
        while reason := self._wake.take():
            self._changed(reason, now)

    def _changed(self, reason: str, now: float) -> None:
        if not self._reason:
            self._reason, self._first_change = reason, now
        self._last_change = now

    def _run(self, reason: str) -> None:
        began = self._last_start = self._elapsed()
        self._schedule.started(began)
        running = self._start()
        ends, killed = began + LIMIT, False
        while running.ended is None:
            if self._wake.stopped and not killed:
                ends = min(ends, self._elapsed() + _GRACE)
            left = ends - self._elapsed()
            if left <= 0:
                killed = True
                running.kill(_KILLED)
                break
            self._wake.wait(min(left, _LONGEST_WAIT))
        ended = running.ended or Ended(1, "")
        self._tell(Told(reason, self._elapsed() - began, ended, killed))
