"""Writing under a fleet's lease: nothing without it, nothing that outlives it; what was read before is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address

import pytest

from ddns.errors import (
    BadCredentials,
    DdnsError,
    Deferred,
    Exit,
    LeaseLost,
    LeaseTaken,
    LeaseUnavailable,
    ProviderError,
)
from ddns.leasing import LEAST, MARGIN
from ddns.model import Applied, Change, Kind, Outcome, Plan, Reason, RecordKey, RecordType, RRset, Run
from ddns.ports import Deadline, Lease, Lock
from ddns.publish import publish
from ddns.resilience import Retry
from unit.fakes import START, TIMEOUT_BEFORE, UNREACHABLE, Dns, FakeClock, FakeProvider, FakeState

RUN = Run("trace", "schedule", START)
TTL = 60.0


def rrset(text: str) -> RRset:
    return RRset(frozenset({IPv4Address(text)}), 60)


OLD, NEW, ALIEN = rrset("1.0.0.1"), rrset("1.0.0.2"), rrset("9.9.9.9")


def key(number: int, provider: str = "dns") -> RecordKey:
    return RecordKey(provider, f"h{number}.example.com", RecordType.A)


def change(number: int, provider: str = "dns") -> Change:
    return Change(f"trace-{provider}-{number}", key(number, provider), OLD, NEW, Reason.ADDRESS)


class FakeLock:
    """A lock server: `refusal` is raised instead of a lease; `lasts` seconds; `lost` is raised by a renewal."""

    def __init__(self, clock: FakeClock, lasts: float = TTL) -> None:
        self.clock = clock
        self.lasts = lasts
        self.refusal: DdnsError | None = None
        self.lost: DdnsError | None = None
        self.then: Callable[[], None] = lambda: None
        self.told: list[str] = []

    def acquire(self, deadline: Deadline) -> Lease:
        self.told.append("acquire")
        self.then()
        if self.refusal is not None:
            raise self.refusal
        return FakeLease(self)


class FakeLease:
    def __init__(self, lock: FakeLock) -> None:
        self._lock = lock
        self._ends = lock.clock.monotonic() + lock.lasts
        self.token = 1

    def remaining(self) -> float:
        return max(0.0, self._ends - self._lock.clock.monotonic())

    def renew(self, deadline: Deadline) -> None:
        self._lock.told.append("renew")
        if self._lock.lost is not None:
            if not isinstance(self._lock.lost, LeaseUnavailable) or isinstance(self._lock.lost, LeaseLost):
                self._ends = 0.0
            raise self._lock.lost
        self._ends = self._lock.clock.monotonic() + self._lock.lasts

    def release(self, deadline: Deadline) -> None:
        self._lock.told.append("release")


class Stand:
    """Records that stand at `OLD` at two providers, a lock and a state."""

    def __init__(self, *, compare_and_set: bool = True, lasts: float = TTL) -> None:
        self.clock = FakeClock()
        self.dns = Dns()
        self.state = FakeState()
        self.lock = FakeLock(self.clock, lasts)
        self.provider = FakeProvider(self.dns, self.clock, compare_and_set=compare_and_set)
        self.other = FakeProvider(self.dns, self.clock, name="other")
        for number in (1, 2, 3):
            self.dns.records[key(number).name, RecordType.A] = OLD

    def publish(self, *changes: Change, attempts: int = 5) -> list[Outcome]:
        lock: Lock = self.lock
        return list(
            publish(
                RUN, Plan(changes), {"dns": self.provider, "other": self.other}, self.state, policy=Retry(attempts),
                clock=self.clock, deadline=self.clock.deadline(100.0), random=lambda: 0.0, lock=lock,
            )
        )  # fmt: skip

    @property
    def written(self) -> list[str]:
        return [write.name for write in self.dns.writes if write.by in ("fake", "other")]


def test_a_write_is_made_under_the_lease_and_the_lease_is_given_back() -> None:
    stand = Stand()
    stand.provider.meanwhile = lambda _: stand.lock.told.append("write")
    outcomes = stand.publish(change(1), change(2))
    assert [outcome.kind for outcome in outcomes] == [Kind.UPDATED, Kind.UPDATED]
    assert stand.lock.told == ["acquire", "renew", "write", "write", "release"]


def test_two_providers_share_one_lease() -> None:
    stand = Stand()
    assert [o.kind for o in stand.publish(change(1), change(2, "other"))] == [Kind.UPDATED, Kind.UPDATED]
    assert stand.lock.told == ["acquire", "renew", "renew", "release"]


def test_what_writes_nothing_asks_for_nothing() -> None:
    stand = Stand()
    assert stand.publish() == []
    assert stand.lock.told == []


def test_the_loser_writes_nothing_keeps_the_record_and_says_who_won() -> None:
    stand = Stand()
    stand.lock.refusal = LeaseTaken("pc2 holds the fleet lease ddns for another 9.0 s")
    (outcome,) = stand.publish(change(1))
    assert (outcome.kind, outcome.rrset, outcome.exit) == (Kind.YIELDED, OLD, Exit.FINE)
    assert outcome.cause is stand.lock.refusal
    assert outcome.change is not None, "history tells of it"
    assert not outcome.kind.right, "the next run looks again"
    assert (stand.written, stand.provider.reads, stand.lock.told) == ([], [], ["acquire"])


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (LeaseUnavailable("no way", until=START), Kind.DEFERRED, Exit.UNREACHABLE),
        (BadCredentials("no"), Kind.FAILED, Exit.REFUSED),
    ],
    ids=["unreachable", "credentials"],
)
def test_nothing_is_ever_written_without_it(error: DdnsError, kind: Kind, code: Exit) -> None:
    stand = Stand(compare_and_set=False)
    stand.lock.refusal = error
    outcomes = stand.publish(change(1), change(2), change(3, "other"))
    assert [(o.kind, o.exit, o.cause) for o in outcomes] == [(kind, code, error)] * 3
    assert stand.written == []


@pytest.mark.parametrize("compare_and_set", [True, False])
def test_what_another_holder_wrote_meanwhile_is_not_written_again(compare_and_set: bool) -> None:
    stand = Stand(compare_and_set=compare_and_set)

    def first() -> None:
        stand.dns.put(key(1).name, RecordType.A, NEW, "pc2")
        stand.dns.put(key(2).name, RecordType.A, ALIEN, "pc2")

    stand.lock.then = first
    found = {outcome.key: outcome for outcome in stand.publish(change(1), change(2), change(3))}
    assert [found[key(n)].kind for n in (1, 2, 3)] == [Kind.PROVEN, Kind.YIELDED, Kind.UPDATED]
    assert (found[key(2)].rrset, found[key(2)].exit) == (ALIEN, Exit.FINE)
    assert stand.written == [key(3).name]
    assert {change.key for change in stand.state.intended} == {key(2), key(3)}


def test_a_record_that_can_t_be_read_under_the_lease_is_put_off() -> None:
    stand = Stand(compare_and_set=False)
    stand.provider.read_faults.append(UNREACHABLE)
    assert [o.kind for o in stand.publish(change(1))] == [Kind.DEFERRED]
    assert (stand.written, stand.lock.told) == ([], ["acquire", "release"])


def test_no_request_outlives_the_lease() -> None:
    """A holder that is stopped between two writes: each one's time is the lease's, so the late one is not sent."""
    stand = Stand(compare_and_set=False)
    left: list[float] = []

    class Slow(FakeProvider):
        def apply(
            self, changes: Sequence[Change], deadline: Deadline
        ) -> Iterator[tuple[Change, Applied | ProviderError]]:
            left.append(deadline.left())
            return super().apply(changes, deadline)

    stand.provider = Slow(stand.dns, stand.clock, compare_and_set=False)
    stand.publish(change(1))
    assert left == [TTL - MARGIN]


def test_a_holder_that_wakes_too_late_begins_no_write() -> None:
    stand = Stand(compare_and_set=False)
    stand.provider.write_faults.append(TIMEOUT_BEFORE)

    def stop(_change: Change) -> None:
        stand.clock.tick(TTL + 1)
        stand.lock.lost = LeaseTaken("pc2 holds the fleet lease ddns for another 50.0 s")

    stand.provider.meanwhile = stop  # in the middle of the first try
    (outcome,) = stand.publish(change(1))
    assert (outcome.kind, outcome.cause) == (Kind.YIELDED, stand.lock.lost)
    assert len(stand.provider.sent) == 1
    assert stand.written == []


def test_a_lease_that_ends_soon_is_renewed_before_the_next_try() -> None:
    stand = Stand(lasts=LEAST + 5)
    stand.provider.write_faults.append(TIMEOUT_BEFORE)
    assert [o.kind for o in stand.publish(change(1))] == [Kind.UPDATED]
    assert stand.lock.told == ["acquire", "renew", "renew", "release"]


@pytest.mark.parametrize(
    ("lost", "kind"),
    [(LeaseLost("deleted", until=START), Kind.DEFERRED), (LeaseTaken("pc2 holds it"), Kind.YIELDED)],
    ids=["deleted", "taken"],
)
def test_a_lease_that_is_lost_while_the_records_are_read_again_allows_nothing(lost: DdnsError, kind: Kind) -> None:
    """However much of its time is left: somebody else may have it by now."""
    stand = Stand(compare_and_set=False)
    stand.lock.lost = lost
    outcomes = stand.publish(change(1), change(2))
    assert [(o.kind, o.cause) for o in outcomes] == [(kind, lost)] * 2
    assert (stand.written, stand.provider.sent) == ([], [])
    assert stand.lock.told == ["acquire", "renew", "release"]


def test_a_server_that_is_gone_does_not_end_a_lease_that_is_long_enough() -> None:
    stand = Stand(lasts=LEAST + 5)
    stand.provider.write_faults.append(TIMEOUT_BEFORE)
    stand.lock.lost = LeaseUnavailable("no way", until=START)
    assert [o.kind for o in stand.publish(change(1))] == [Kind.UPDATED]


def test_a_server_that_is_gone_ends_one_that_is_too_short() -> None:
    stand = Stand(compare_and_set=False)
    stand.provider.write_faults.append(TIMEOUT_BEFORE)
    stand.provider.meanwhile = lambda _: stand.clock.tick(TTL - 5)
    stand.lock.lost = LeaseUnavailable("no way", until=START)
    assert [(o.kind, o.cause) for o in stand.publish(change(1))] == [(Kind.DEFERRED, stand.lock.lost)]
    assert len(stand.provider.sent) == 1


def test_a_lease_that_comes_too_late_is_not_used() -> None:
    stand = Stand(lasts=LEAST - 1)
    (outcome,) = stand.publish(change(1))
    assert isinstance(outcome.cause, LeaseUnavailable)
    assert (stand.written, stand.lock.told) == ([], ["acquire", "release"])


def test_without_time_nobody_is_asked() -> None:
    stand = Stand()
    stand.clock.tick(0)
    outcomes = list(
        publish(
            RUN, Plan((change(1),)), {"dns": stand.provider}, stand.state, policy=Retry(1), clock=stand.clock,
            deadline=stand.clock.deadline(0.0), random=lambda: 0.0, lock=stand.lock,
        )
    )  # fmt: skip
    assert [type(outcome.cause) for outcome in outcomes] == [Deferred]
    assert stand.lock.told == []
