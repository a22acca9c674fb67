"""The step that writes: intents first, every end an outcome, nothing written twice or in somebody's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from ddns.errors import (
    AddressError,
    BadCredentials,
    Conflict,
    Deferred,
    Held,
    NoSuchZone,
    ProviderError,
    RateLimited,
    Rejected,
    StateUnwritable,
    Transport,
)
from ddns.model import (
    Applied,
    AppliedState,
    Change,
    Fate,
    Hold,
    Keep,
    Kind,
    Observed,
    Outcome,
    Plan,
    Reason,
    RecordKey,
    RecordType,
    Resolution,
    RRset,
    Run,
)
from ddns.ports import Deadline, Provider, State
from ddns.publish import publish
from ddns.resilience import Retry
from ddns.state.opening import open_store
from ddns.state.schema import connect
from ddns.state.store import Store
from unit.fakes import (
    BAD_CREDENTIALS,
    BANNED,
    LIMITED,
    LIMITED_LONG,
    MALFORMED,
    MALFORMED_AFTER,
    NOT_PERMITTED,
    REJECTED,
    SERVER_SIDE,
    SERVER_SIDE_AFTER,
    START,
    TIMEOUT_AFTER,
    TIMEOUT_BEFORE,
    UNREACHABLE,
    Dns,
    FakeClock,
    FakeProvider,
    FakeState,
    Fault,
)

NAME = "home.example.com"
KEY = RecordKey("dns", NAME, RecordType.A)
RUN = Run("trace", "schedule", START)


def rrset(*texts: str, ttl: int | None = 60) -> RRset:
    return RRset(frozenset(map(IPv4Address, texts)), ttl)


OLD, NEW, ALIEN = rrset("1.0.0.1"), rrset("1.0.0.2"), rrset("9.9.9.9")
CHANGE = Change("trace-0", KEY, OLD, NEW, Reason.ADDRESS)
REMOVAL = Change("trace-0", KEY, OLD, None, Reason.REMOVE)


@dataclass
class Stand:
    """A provider over DNS in which `OLD` stands, and a state."""

    compare_and_set: bool = True
    attempts: int = 5
    seconds: float = 60.0
    clock: FakeClock = field(default_factory=FakeClock)
    dns: Dns = field(default_factory=Dns)
    state: FakeState = field(default_factory=FakeState)

    def __post_init__(self) -> None:
        self.dns.records[NAME, RecordType.A] = OLD
        self.provider = FakeProvider(self.dns, self.clock, compare_and_set=self.compare_and_set)

    def publish(self, *changes: Change, **providers: Provider) -> list[Outcome]:
        return self.carry_out(Plan(changes or (CHANGE,)), providers=providers)

    def carry_out(
        self, plan: Plan, state: State | None = None, providers: Mapping[str, Provider] | None = None
    ) -> list[Outcome]:
        return list(
            publish(
                RUN, plan, providers or {"dns": self.provider}, state or self.state, policy=Retry(self.attempts),
                clock=self.clock, deadline=self.clock.deadline(self.seconds), random=lambda: 0.0,
            )
        )  # fmt: skip

    @property
    def own_writes(self) -> int:
        return sum(write.by == "fake" for write in self.dns.writes)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.CREATE, Kind.UPDATED), (Reason.ADDRESS, Kind.UPDATED), (Reason.SETTINGS, Kind.UPDATED),
        (Reason.DRIFT, Kind.REPAIRED), (Reason.REMOVE, Kind.REMOVED),
    ],
)  # fmt: skip
def test_a_write(reason: Reason, kind: Kind) -> None:
    stand = Stand()
    after = None if reason is Reason.REMOVE else NEW
    outcomes = stand.publish(Change("trace-0", KEY, OLD, after, reason))
    assert [(o.kind, o.key, o.at, o.rrset, o.cause) for o in outcomes] == [(kind, KEY, START, after, None)]
    assert stand.dns.get(NAME) == after
    assert stand.state.settled == outcomes
    assert outcomes[0].change is not None
    assert outcomes[0].change.seq == 1


@pytest.mark.parametrize(("state", "kind"), [(AppliedState.QUEUED, Kind.ACCEPTED), (AppliedState.HELD, Kind.HELD)])
def test_a_write_that_is_to_appear_later(state: AppliedState, kind: Kind) -> None:
    stand = Stand()
    stand.provider.state = state
    (outcome,) = stand.publish()
    assert (outcome.kind, outcome.exit) == (kind, 0)
    assert isinstance(outcome.cause, Held) is (kind is Kind.HELD)
    assert stand.dns.get(NAME) == OLD


# How one write ends: (what goes wrong, in order), the kind, what DNS says then, how often we wrote, the pauses.
ENDS = [
    ("unreachable, then well", [UNREACHABLE], Kind.UPDATED, NEW, 1, [0.1]),
    ("unreachable twice", [UNREACHABLE] * 2, Kind.UPDATED, NEW, 1, [0.1, 0.2]),
    ("unreachable to the end", [UNREACHABLE] * 5, Kind.DEFERRED, OLD, 0, [0.1, 0.2, 0.4, 0.8]),
    ("timeout, not written", [TIMEOUT_BEFORE], Kind.UPDATED, NEW, 1, [0.1]),
    ("timeout, written", [TIMEOUT_AFTER], Kind.UPDATED, NEW, 1, []),
    ("5xx, not written", [SERVER_SIDE], Kind.UPDATED, NEW, 1, [0.1]),
    ("5xx, written", [SERVER_SIDE_AFTER], Kind.UPDATED, NEW, 1, []),
    ("garbage, not written", [MALFORMED], Kind.UPDATED, NEW, 1, [0.1]),
    ("garbage, written", [MALFORMED_AFTER], Kind.UPDATED, NEW, 1, []),
    ("rate limited", [LIMITED], Kind.UPDATED, NEW, 1, [30.0]),
    ("rate limited for longer than the run", [LIMITED_LONG], Kind.DEFERRED, OLD, 0, []),
    (
        "one after the other",
        [UNREACHABLE, TIMEOUT_BEFORE, LIMITED, SERVER_SIDE_AFTER],
        Kind.UPDATED,
        NEW,
        1,
        [0.1, 0.2, 30.0],
    ),
    ("rejected", [REJECTED], Kind.FAILED, OLD, 0, []),
    ("bad credentials", [BAD_CREDENTIALS], Kind.FAILED, OLD, 0, []),
    ("not permitted", [NOT_PERMITTED], Kind.FAILED, OLD, 0, []),
    ("banned", [BANNED], Kind.FAILED, OLD, 0, []),
    ("unreachable, then blocked", [UNREACHABLE, BAD_CREDENTIALS], Kind.FAILED, OLD, 0, [0.1]),
]


@pytest.mark.parametrize(("faults", "kind", "stands", "writes", "slept"), [pytest.param(*e, id=i) for i, *e in ENDS])
def test_ends(faults: list[Fault], kind: Kind, stands: RRset, writes: int, slept: list[float]) -> None:
    stand = Stand()
    stand.provider.write_faults += faults
    (outcome,) = stand.publish()
    assert (outcome.kind, stand.dns.get(NAME)) == (kind, stands)
    assert (stand.own_writes, stand.clock.slept) == (writes, slept)
    assert (outcome.cause is None) == outcome.kind.wrote
    assert outcome.rrset == (NEW if outcome.kind.wrote else OLD)
    assert outcome.change is not None


def test_a_retry_after_beyond_the_run_is_told() -> None:
    stand = Stand()
    stand.provider.write_faults.append(LIMITED_LONG)
    (outcome,) = stand.publish()
    assert (outcome.until, type(outcome.cause)) == (START + 3600.0, RateLimited)


def test_a_write_that_was_seen_says_where() -> None:
    stand = Stand()
    stand.provider.write_faults.append(TIMEOUT_AFTER)
    (outcome,) = stand.publish()
    assert outcome.observed == Observed(KEY, NEW, "fake", START)


@pytest.mark.parametrize("fault", [TIMEOUT_BEFORE, SERVER_SIDE, MALFORMED], ids=lambda fault: fault.name)
def test_a_third_value_after_a_doubtful_write_is_somebody_else(fault: Fault) -> None:
    stand = Stand()
    stand.provider.write_faults.append(fault)
    stand.provider.meanwhile = lambda _change: stand.dns.alter(NAME, "9.9.9.9")
    (outcome,) = stand.publish()
    assert (outcome.kind, outcome.rrset) == (Kind.CONTENDED, ALIEN)
    assert isinstance(outcome.cause, Conflict)
    assert (
        outcome.cause.message == "home.example.com A was found with the value 9.9.9.9, neither ours nor the one before"
    )
    assert stand.own_writes == 0


def test_a_record_that_vanished_is_a_third_value() -> None:
    stand = Stand()
    stand.provider.write_faults.append(TIMEOUT_BEFORE)
    stand.provider.meanwhile = lambda _change: stand.dns.alter(NAME)
    (outcome,) = stand.publish()
    assert outcome.cause is not None
    assert outcome.cause.message == "home.example.com A was found with the value none, neither ours nor the one before"


def test_a_conflict_is_read_and_kept_as_it_was_told() -> None:
    stand = Stand()
    stand.provider.meanwhile = lambda _change: stand.dns.alter(NAME, "9.9.9.9")
    (outcome,) = stand.publish()
    assert (outcome.kind, outcome.rrset, stand.dns.get(NAME)) == (Kind.CONTENDED, ALIEN, ALIEN)
    assert outcome.cause is not None
    assert outcome.cause.message == "home.example.com A is not as it was read: found 9.9.9.9"


def test_a_conflict_with_our_own_earlier_try_is_success() -> None:
    stand = Stand()
    stand.provider.write_faults.append(Fault("late", lambda: Conflict("it is not as it was"), lands=True))
    assert [outcome.kind for outcome in stand.publish()] == [Kind.UPDATED]


def test_a_conflict_that_has_passed_is_tried_again() -> None:
    stand = Stand()
    stand.provider.write_faults.append(Fault("passing", lambda: Conflict("it is not as it was")))
    assert [outcome.kind for outcome in stand.publish()] == [Kind.UPDATED]
    assert stand.clock.slept == [0.1]


def test_a_removal_in_doubt() -> None:
    stand = Stand()
    stand.provider.write_faults.append(TIMEOUT_AFTER)
    (outcome,) = stand.publish(REMOVAL)
    assert (outcome.kind, outcome.rrset, stand.dns.get(NAME)) == (Kind.REMOVED, None, None)


@pytest.mark.parametrize("fault", [TIMEOUT_AFTER, TIMEOUT_BEFORE], ids=lambda fault: fault.name)
def test_a_doubtful_write_that_can_t_be_read_is_left_to_the_next_run(fault: Fault) -> None:
    stand = Stand()
    stand.provider.write_faults.append(fault)
    stand.provider.read_faults.append(UNREACHABLE)
    (outcome,) = stand.publish()
    assert (outcome.kind, type(outcome.cause)) == (Kind.DEFERRED, Transport)
    assert isinstance(outcome.cause, ProviderError)
    assert outcome.cause.in_doubt
    assert len(stand.provider.sent) == 1


def test_without_time_nothing_is_repeated() -> None:
    stand = Stand(seconds=0.25)
    stand.provider.write_faults += [UNREACHABLE] * 5
    (outcome,) = stand.publish()
    assert (outcome.kind, stand.clock.slept, len(stand.provider.sent)) == (Kind.DEFERRED, [0.1], 2)


def test_a_batch_repeats_only_what_failed() -> None:
    stand = Stand()
    keys = [RecordKey("dns", f"{name}.example.com", RecordType.A) for name in "abc"]
    changes = [Change(f"trace-{n}", key, None, NEW, Reason.CREATE) for n, key in enumerate(keys)]
    reject = Fault("refused", lambda: Rejected("a CNAME stands there"))
    fine = Fault("fine", lambda: Transport("lost", ambiguous=True), lands=True)
    stand.provider.write_faults += [reject, UNREACHABLE, fine]
    outcomes = {outcome.key: outcome.kind for outcome in stand.publish(*changes)}
    assert outcomes == {keys[0]: Kind.FAILED, keys[1]: Kind.UPDATED, keys[2]: Kind.UPDATED}
    assert [change.key for change in stand.provider.sent] == [*keys, keys[1]]
    assert [change.seq for change in stand.state.intended] == [1, 2, 3]


class Greedy(FakeProvider):
    """Uses all the time that it is given, and fails."""

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        self._clock.tick(deadline.left())
        yield from ((change, Transport("too slow")) for change in changes)


def test_time_is_shared_between_providers() -> None:
    stand = Stand(seconds=30.0)
    left: list[float] = []

    class Last(FakeProvider):
        def apply(
            self, changes: Sequence[Change], deadline: Deadline
        ) -> Iterator[tuple[Change, Applied | ProviderError]]:
            left.append(deadline.left())
            return super().apply(changes, deadline)

    keys = [RecordKey(name, NAME, RecordType.A) for name in ("one", "two", "three")]
    changes = [Change(f"trace-{n}", key, OLD, NEW, Reason.ADDRESS) for n, key in enumerate(keys)]
    providers = {name: Greedy(Dns(), stand.clock) for name in ("one", "two")}
    outcomes = stand.publish(*changes, three=Last(stand.dns, stand.clock), **providers)
    assert [outcome.kind for outcome in outcomes] == [Kind.DEFERRED, Kind.DEFERRED, Kind.UPDATED]
    assert left == [pytest.approx(10.0)]


# -- what needs no write


def test_what_is_kept_and_held_is_told_and_stored() -> None:
    stand = Stand()
    seen = Observed(KEY, OLD, "api", START)
    other = RecordKey("dns", "other.example.com", RecordType.A)
    third = RecordKey("dns", "third.example.com", RecordType.A)
    cause = AddressError("not known")
    outcomes = stand.carry_out(
        Plan(
            unchanged=(Keep(KEY, OLD, seen), Keep(other, NEW, note="no route")),
            held=(Hold(third, Kind.FAILED, cause, START + 5, seen),),
        )
    )
    assert outcomes == [
        Outcome(Kind.PROVEN, KEY, START, OLD, observed=seen),
        Outcome(Kind.UNCHANGED, other, START, NEW, note="no route"),
        Outcome(Kind.FAILED, third, START, cause=cause, until=START + 5, observed=seen),
    ]
    assert stand.state.settled == outcomes
    assert (stand.provider.reads, stand.provider.sent, stand.state.intended) == ([], [], [])


def test_open_intents_are_closed_before_anything_else() -> None:
    stand = Stand()
    resolution = Resolution(CHANGE, Fate.VOID, Observed(KEY, OLD, "api", START))
    order: list[str] = []

    class Watch(FakeState):
        def resolve(self, run: Run, resolution: Resolution) -> None:
            order.append(f"resolve {resolution.fate}")

        def intend(self, run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
            order.append("intend")
            return super().intend(run, changes, at)

        def settle(self, run: Run, outcome: Outcome) -> None:
            order.append(f"settle {outcome.kind}")

    plan = Plan((CHANGE,), (Keep(KEY, OLD),), resolved=(resolution,))
    stand.carry_out(plan, Watch())
    assert order == ["resolve void", "settle unchanged", "intend", "settle updated"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Deferred("open", until=START + 9), Kind.DEFERRED),
        (NoSuchZone("no zone"), Kind.FAILED),
        (BadCredentials("no"), Kind.FAILED),
    ],
)
def test_an_answer_in_the_provider_s_place_ends_the_write(error: ProviderError, kind: Kind) -> None:
    stand = Stand()
    stand.provider.write_faults += [Fault("x", lambda: error)] * 5
    (outcome,) = stand.publish()
    assert (outcome.kind, outcome.cause, outcome.until) == (kind, error, getattr(error, "until", None))
    assert len(stand.provider.sent) == 1


# -- what is durable when the first byte leaves


class Auditor(FakeProvider):
    """Reads, through a connection of its own, what a kill at this moment would leave in the state."""

    def __init__(self, path: str, dns: Dns, clock: FakeClock) -> None:
        super().__init__(dns, clock)
        self.path = path
        self.found: list[dict[str, str]] = []

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        for result in super().apply(changes, deadline):
            self._look()
            yield result

    def _look(self) -> None:
        base = connect(self.path)
        try:
            self.found.append(dict(base.execute("SELECT name, state FROM changes ORDER BY seq").fetchall()))
        finally:
            base.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "state.db"), START)
    yield opened
    opened.close_file()


def test_intents_are_durable_before_the_write_and_outcomes_before_they_are_told(store: Store, tmp_path: Path) -> None:
    stand = Stand()
    auditor = Auditor(str(tmp_path / "state.db"), stand.dns, stand.clock)
    keys = [RecordKey("dns", f"{name}.example.com", RecordType.A) for name in "ab"]
    changes = tuple(Change(f"trace-{n}", key, None, NEW, Reason.CREATE) for n, key in enumerate(keys))
    told = []
    store.begin(RUN)
    for outcome in publish(
        RUN, Plan(changes), {"dns": auditor}, store, policy=Retry(1), clock=stand.clock,
        deadline=stand.clock.deadline(), random=lambda: 0.0,
    ):  # fmt: skip
        told.append(outcome.key.name)
        assert {key.name for key in store.recall().intents} == {"a.example.com", "b.example.com"} - set(told)
    assert auditor.found == [
        {"a.example.com": "open", "b.example.com": "open"},
        {"a.example.com": "applied", "b.example.com": "open"},
    ]


def test_what_can_t_be_intended_is_not_sent() -> None:
    stand = Stand()

    class Full(FakeState):
        def intend(self, run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
            raise StateUnwritable("state.db: database or disk is full")

    with pytest.raises(StateUnwritable):
        stand.carry_out(Plan((CHANGE,)), Full())
    assert stand.provider.sent == []
