"""The fleet lease over the writes of one run: taken at the first one, renewed while they last, given back at the end.

A write may only begin while the lease is ours by its server's word: between taking it and writing the records are read
again, and meanwhile somebody may have deleted it and another machine may have taken it. Every request of a write ends
before the lease does: the time that a write gets never outlives the lease. A provider that compares and sets refuses a
late write by itself; for any other one this is all there is, because a machine that stops between the last look at the
clock and the first byte can't be held back from here.
"""

from __future__ import annotations

from ddns.errors import Deferred, LeaseTaken, LeaseUnavailable, ProviderError
from ddns.ports import Clock, Deadline, Lease, Lock

#: Seconds between the latest end of a request and the end of the lease.
MARGIN = 1.0
#: Seconds of the lease that must be left when a write begins: one request's time limit, and the margin.
LEAST = 15.0 + MARGIN
#: With fewer seconds left than this, it is renewed before a write begins.
_RENEW = 2 * LEAST
#: Seconds that asking for the lease, and giving it back, may take.
_ASK_SECONDS = 10.0
_RELEASE_SECONDS = 3.0


class Leasing:
    """One run's hold on the lease; without a lock, everything is allowed at once."""

    def __init__(self, lock: Lock | None, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._lease: Lease | None = None

    @property
    def wanted(self) -> bool:
        """Whether the machines of a fleet share a lock."""
        return self._lock is not None

    def hold(self, deadline: Deadline, *, sure: bool = False) -> ProviderError | None:
        """Take the lease, or make sure that enough of it is left for a request; else the error why not.

        `sure`: one that we have is renewed, whatever is left of it, because only its server knows whether it is ours.
        A server that can't be reached says nothing against it.
        """
        if self._lock is None:
            return None
        if deadline.left() <= 0:
            return Deferred("no time was left to ask for the fleet lease", until=self._clock.now())
        try:
            if self._lease is None:
                self._lease = self._lock.acquire(deadline.within(_ASK_SECONDS))
            elif sure or self._lease.remaining() < _RENEW:
                self._lease.renew(deadline.within(_ASK_SECONDS))
        except (LeaseTaken, LeaseUnavailable) as error:
            return self._without(error)
        except ProviderError as error:  # credentials
            return error
        if self._lease.remaining() < LEAST:  # it took so long that what was granted is nearly over
            return self._without(LeaseUnavailable("the fleet lease came too late to be used", until=self._clock.now()))
        return None

    def _without(self, error: ProviderError) -> ProviderError | None:
        """The error, and no lease any more; None where the one that we have is long enough without being renewed."""
        if self._lease is not None and isinstance(error, LeaseUnavailable) and self._lease.remaining() >= LEAST:
            return None
        self.release(Deadline(self._clock, _RELEASE_SECONDS))
        return error

    def share(self, deadline: Deadline) -> Deadline:
        """The time in which a write may use the network: never longer than the lease lasts."""
        if self._lease is None:
            return deadline
        return deadline.within(max(0.0, self._lease.remaining() - MARGIN))

    def release(self, deadline: Deadline | None = None) -> None:
        """Give the lease back, if it was had."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release(deadline or Deadline(self._clock, _RELEASE_SECONDS))
