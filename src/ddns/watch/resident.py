"""The resident program on a real machine: the loop with this machine's clock, network, and runs."""

from __future__ import annotations

import random
from collections.abc import Callable

from ddns.runtime import resident
from ddns.watch.child import Child
from ddns.watch.loop import NETWORK, RESUME, Loop, Told
from ddns.watch.schedule import Schedule, usual_jitter
from ddns.watch.wake import Wake


def watch(data: str | None, every: float, tell: Callable[[Told], None], ready: Callable[[bool], None]) -> None:
    """Run every so many seconds, and when the network changes, until a signal says to end.

    `tell` hears of each run that ended. `ready` is called once, and told whether changes of the network are heard.
    """
    with Wake() as wake, wake.on_signals():
        _loop(wake, data, every, tell, ready)


def serve(
    data: str | None,
    every: float,
    tell: Callable[[Told], None],
    ready: Callable[[bool], None],
    ended: Callable[[], None],
) -> int:
    """The same as a service of the system, until the system says to end; then `ended` is called. Raises UsageError."""
    with Wake() as wake:

        def work() -> int:
            _loop(wake, data, every, tell, ready)
            ended()
            return 0

        return resident.serve(work, wake.stop, lambda: wake.tell(RESUME))


def _loop(
    wake: Wake, data: str | None, every: float, tell: Callable[[Told], None], ready: Callable[[bool], None]
) -> None:
    command = resident.run_command(data)
    schedule = Schedule(every, usual_jitter(every), resident.elapsed(), random.random)
    with resident.network_changes(lambda: wake.tell(NETWORK)) as heard:
        ready(heard)
        Loop(
            schedule,
            wake,
            lambda: Child(command, wake.tell),
            tell,
            elapsed=resident.elapsed,
            slept=resident.slept,
        ).run()
