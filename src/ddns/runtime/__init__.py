"""The composition root, the only one: it knows every adapter and hands them to the steps.

`run` is what Task Scheduler starts. `quick` ends most runs; `full` composes the rest. Modules here import what they
need inside functions, because the no-change run must not pay for the others.
"""

from __future__ import annotations

import os
import sys
import time

from ddns import host


class RunRequest:
    """One `ddns run`, as the command line words it; both routes of `__main__` build the same."""

    __slots__ = ("data", "full", "now", "prove", "trial")

    def __init__(
        self,
        data: str | None = None,
        *,
        now: bool = False,
        full: bool = False,
        prove: bool = False,
        trial: bool = False,
    ) -> None:
        self.data = data
        self.now = now
        self.full = full
        self.prove = prove
        self.trial = trial

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunRequest) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # mutable by nobody, yet not meant as a key

    def __repr__(self) -> str:
        return f"RunRequest({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"

    @property
    def quick(self) -> bool:
        """Whether asking one probe may be enough."""
        return not (self.now or self.full or self.prove or self.trial)

    @property
    def trigger(self) -> str:
        """How history calls this run."""
        return next((name for name in ("trial", "now", "prove", "full") if getattr(self, name)), "schedule")


class Start:
    """What every run knows as it begins. `started` is UTC seconds."""

    __slots__ = ("data", "places", "started", "trace_id")

    def __init__(self, data: str | None) -> None:
        self.data = data
        self.places = host.places(data)
        self.started = time.time()
        self.trace_id = os.urandom(8).hex()


def say(text: str) -> None:
    """A line on standard output. That it can't be had any more is no failure of a run: the rest of it goes nowhere."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        from ddns.unread import unread

        unread(error)


def run(request: RunRequest) -> int:
    """One run, start to end; returns the exit code."""
    from ddns.errors import BusyError, StateError

    try:
        start = Start(request.data)
    except StateError as error:
        from ddns.runtime.closing import complain

        complain(error)
        return int(error.exit)
    if request.trial:  # beside a run in progress, and before there is a state
        from ddns.runtime.looking import trial_run

        return trial_run(start, request)
    if not (os.path.lexists(start.places.config_file) or os.path.lexists(start.places.state)):
        from ddns.runtime.closing import nothing_here  # a mistyped folder is told, and not filled

        return nothing_here(start)
    try:
        lock = host.InstanceLock(start.places.state)
    except BusyError as error:
        from ddns.runtime.closing import complain

        complain(error, start.places.option)
        return int(error.exit)
    except StateError as error:
        from ddns.runtime.closing import unusable

        return unusable(start, error)
    try:
        if request.quick:
            from ddns.runtime.quick import quick_run

            code = quick_run(start)
            if code is not None:
                return code
        from ddns.runtime.full import full_run

        return full_run(start, request)
    finally:
        lock.release()
