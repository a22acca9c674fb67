"""The fleet's lock: reached as a run would reach it. The lease is never taken."""

from __future__ import annotations

from ddns.cycle import World
from ddns.errors import LeaseTaken, ProviderError
from ddns.lease.table import Late
from ddns.runtime.doctor.finding import Finding, ok, problem

AREA, WHAT = "credentials", "lock"
_SECONDS = 10.0


def look(world: World) -> list[Finding]:
    """Whether the lock can be used; nothing where the settings name none. That another machine has it is fine."""
    lock = world.lock
    if not isinstance(lock, Late):
        return []
    try:
        lock.look(world.deadline.within(_SECONDS))
    except LeaseTaken as error:
        return [ok(AREA, WHAT, f"the lock answers; {error.message}")]
    except ProviderError as error:
        return [problem(AREA, WHAT, error.message, error.advice)]
    return [ok(AREA, WHAT, "the lock answers, and nobody holds the lease; it was not taken")]
