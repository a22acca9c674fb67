"""Retry policies and the breaker as values, and the guard around a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.errors import (
    BadCredentials,
    Banned,
    Conflict,
    Deferred,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    Transport,
    Untrusted,
)
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Deadline
from ddns.resilience import Guard, Retry, after_call, open_until
from unit.fakes import BAD_CREDENTIALS, LIMITED, START, UNREACHABLE, Dns, FakeClock, FakeProvider, FakeState, Fault

NAME = "home.example.com"
KEY = RecordKey("dns", NAME, RecordType.A)
OTHER = RecordKey("dns", "other.example.com", RecordType.A)
ONE = RRset(frozenset({IPv4Address("1.0.0.1")}), 60)
CHANGE = Change("c-0", KEY, None, ONE, Reason.CREATE, 1)
SECOND = Change("c-1", OTHER, None, ONE, Reason.CREATE, 2)
HOUR = 3600.0


# -- retry


@given(st.integers(2, 5), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_within_the_bounds_of_the_contract(attempt: int, random: float) -> None:
    least = 0.1 * 2 ** (attempt - 2)
    pause = Retry().pause(attempt, lambda: random)
    assert least <= pause <= least + 0.1
    assert pause == pytest.approx(least + 0.1 * random)


def test_fixed_pauses_stay_the_same() -> None:
    policy = Retry(base=2.0, jitter=0.5, exponential=False)
    assert [policy.pause(attempt, lambda: 1.0) for attempt in (2, 3, 9)] == [2.5, 2.5, 2.5]


@pytest.mark.parametrize(
    ("attempt", "errors", "seconds", "slept"),
    [
        pytest.param(1, [Transport("x")], 60.0, [0.1], id="policy"),
        pytest.param(4, [Transport("x")], 60.0, [0.8], id="last pause"),
        pytest.param(5, [Transport("x")], 60.0, None, id="no attempt left"),
        pytest.param(1, [Untrusted("x"), Untrusted("y")], 60.0, None, id="a certificate that is not trusted"),
        pytest.param(1, [Untrusted("x"), Transport("y")], 60.0, [0.1], id="and something else beside it"),
        pytest.param(
            1, [RateLimited("x", retry_after=7.0), RateLimited("y", retry_after=9.0)], 60.0, [9.0], id="longest asked"
        ),
        pytest.param(1, [RateLimited("x", retry_after=0.01)], 60.0, [0.1], id="asked for less"),
        pytest.param(1, [RateLimited("x")], 60.0, [0.1], id="asked for nothing"),
        pytest.param(1, [RateLimited("x", retry_after=60.0)], 60.0, None, id="asked for more than is left"),
        pytest.param(4, [Transport("x")], 0.8, None, id="no time left"),
    ],
)
def test_wait(attempt: int, errors: list[ProviderError], seconds: float, slept: list[float] | None) -> None:
    clock = FakeClock()
    waited = Retry().wait(attempt, errors, clock=clock, deadline=clock.deadline(seconds), random=lambda: 0.0)
    assert (waited, clock.slept) == (slept is not None, slept or [])


# -- the breaker


def after(calls: str, note: BreakerNote = BreakerNote(), now: float = START) -> BreakerNote:  # noqa: B008 - frozen
    for call in calls:
        note = after_call(note, failed=call == "x", now=now)
    return note


@pytest.mark.parametrize(
    ("calls", "opened"),
    [
        ("xxxx", False), ("xxxxx", True), ("....x", False), ("..xxx", True), ("..xx.", False), ("..xx..x", False),
        ("..xx.x", True), ("......xxxx", False), ("......xxxxx", True), (".........." + "xxxxx", True),
        (".........." + "xxxx", False), ("xxxx......", False), ("x.x.x", True), (".x.x.x", True), ("x.x..", False),
    ],
)  # fmt: skip
def test_it_opens_at_half_of_the_last_ten_and_five_at_least(calls: str, opened: bool) -> None:
    note = after(calls)
    assert (open_until(note, START) is not None) is opened
    assert len(note.calls) == min(len(calls), 10)


def test_it_opens_for_five_minutes_doubling_to_an_hour_and_one_success_closes_it() -> None:
    note, now, lengths = after("xxxxx"), START, []
    for _ in range(7):
        until = open_until(note, now)
        assert until is not None
        assert open_until(note, until - 0.001) == until
        assert open_until(note, until) is None
        lengths.append(until - now)
        now = until
        note = after_call(note, failed=True, now=now)
    assert lengths == [300, 600, 1200, 2400, 3600, 3600, 3600]
    assert after_call(note, failed=False, now=now) == BreakerNote()


@pytest.mark.parametrize("jump", [-1.0, -HOUR, -400 * 24 * HOUR])
def test_a_clock_that_went_back_does_not_prolong_it(jump: float) -> None:
    assert open_until(after("xxxxx"), START + jump) is None


@pytest.mark.parametrize(
    ("asked", "seconds"), [(30.0, 30.0), (7200.0, 7200.0), (10 * 24 * HOUR, 24 * HOUR), (None, None), (0.0, None)]
)
def test_a_retry_after_is_kept_for_the_next_run(asked: float | None, seconds: float | None) -> None:
    note = after_call(BreakerNote(), failed=True, now=START, asked=asked)
    assert open_until(note, START) == (None if seconds is None else START + seconds)
    assert note.openings == 0


def test_the_longer_of_opening_and_retry_after() -> None:
    note = after("xxxx")
    assert open_until(after_call(note, failed=True, now=START, asked=10.0), START) == START + 300
    assert open_until(after_call(note, failed=True, now=START, asked=900.0), START) == START + 900


@given(st.lists(st.tuples(st.booleans(), st.floats(-1e5, 1e5), st.none() | st.floats(0, 1e6))))
def test_it_is_never_open_for_more_than_a_day(history: list[tuple[bool, float, float | None]]) -> None:
    note, now = BreakerNote(), START
    for failed, step, asked in history:
        now += step
        note = after_call(note, failed=failed, now=now, asked=asked)
        until = open_until(note, now)
        assert until is None or now < until <= now + 24 * HOUR
        assert failed or until is None or note.open_until is None


# -- guard


class Stand:
    """A guard over a fake provider, with what it stores."""

    def __init__(self, memory: Memory | None = None, *, insist: bool = False, attempts: int = 3) -> None:
        self.clock = FakeClock()
        self.dns = Dns()
        self.provider = FakeProvider(self.dns, self.clock)
        self.state = FakeState(memory or Memory())
        self.opened = 0
        self._insist = insist
        self._attempts = attempts
        self.guard = self.next_run(self.state.memory)

    def next_run(self, memory: Memory | None = None) -> Guard:
        """A new process, which remembers what was stored."""
        memory = memory or Memory(blocks=dict(self.state.blocks), breakers=dict(self.state.breakers))
        self.guard = Guard(
            "dns", "f00", self._connect, memory, self.state, policy=Retry(self._attempts), clock=self.clock,
            random=lambda: 0.0, insist=self._insist,
        )  # fmt: skip
        return self.guard

    def _connect(self) -> FakeProvider:
        self.opened += 1
        return self.provider

    def observe(self, *keys: RecordKey, seconds: float = 60.0) -> Mapping[RecordKey, Observed | ProviderError]:
        return self.guard.observe(keys or (KEY,), self.clock.deadline(seconds))

    def apply(self, *changes: Change, seconds: float = 60.0) -> list[tuple[Change, Applied | ProviderError]]:
        return list(self.guard.apply(changes or (CHANGE,), self.clock.deadline(seconds)))


def block(since: float = START - HOUR, retry_at: float = START + 23 * HOUR) -> Memory:
    note = BlockNote(
        "dns", "f00", "provider.bad_credentials", "the token is not accepted", "the advice", since, retry_at
    )
    return Memory(blocks={"dns:f00": note})


def test_it_connects_once_and_only_when_asked() -> None:
    stand = Stand()
    assert stand.opened == 0
    stand.observe()
    stand.apply()
    assert stand.guard.capabilities.compare_and_set
    assert stand.opened == 1


def test_reads_are_retried() -> None:
    stand = Stand()
    stand.dns.alter(NAME, "1.0.0.1")
    stand.provider.read_faults += [UNREACHABLE, UNREACHABLE]
    seen = stand.observe()[KEY]
    assert isinstance(seen, Observed)
    assert stand.clock.slept == [0.1, 0.2]
    assert stand.state.breakers["dns:f00"].calls == (True, True, False)


def test_only_what_failed_is_read_again() -> None:
    stand = Stand()
    answers: list[dict[RecordKey, Observed | ProviderError]] = [
        {KEY: Observed(KEY, ONE, "api", START), OTHER: ServerSide("5xx")},
        {OTHER: Rejected("a CNAME")},
    ]
    asked: list[list[RecordKey]] = []

    def observe(keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        asked.append(list(keys))
        return answers.pop(0)

    stand.provider.observe = observe  # type: ignore[method-assign]  # a dialogue of two answers
    seen = stand.observe(KEY, OTHER)
    assert (type(seen[KEY]), type(seen[OTHER])) == (Observed, Rejected)
    assert asked == [[KEY, OTHER], [OTHER]]


def test_reads_end_when_the_attempts_are_used() -> None:
    stand = Stand()
    stand.provider.down = UNREACHABLE
    assert isinstance(stand.observe()[KEY], Transport)
    assert len(stand.provider.reads) == 3


def test_a_provider_that_raises_is_heard() -> None:
    stand = Stand(attempts=1)

    def refuse() -> FakeProvider:
        raise BadCredentials("the secret env:X is not there")

    stand._connect = refuse  # type: ignore[method-assign]  # a provider that can't be made
    guard = stand.next_run(Memory())
    seen = guard.observe([KEY, OTHER], stand.clock.deadline())
    assert {str(error) for error in seen.values()} == {"the secret env:X is not there"}
    assert [str(error) for _, error in guard.apply([CHANGE], stand.clock.deadline())] == [
        "the secret env:X is not there"
    ]
    assert stand.state.blocks["dns:f00"].code == "provider.bad_credentials"


def test_writes_are_not_retried() -> None:
    stand = Stand()
    stand.provider.write_faults.append(UNREACHABLE)
    assert [type(result) for _, result in stand.apply()] == [Transport]
    assert len(stand.provider.sent) == 1


def test_a_batch_that_breaks_has_a_result_for_each_and_counts_once() -> None:
    stand = Stand()
    stand.provider.breaks_after = 1
    results = stand.apply(CHANGE, SECOND)
    assert [(change.id, type(result)) for change, result in results] == [("c-0", Applied), ("c-1", Transport)]
    assert stand.state.breakers["dns:f00"].calls == (True,)


def test_five_failures_open_it_for_the_next_run_and_one_trial_closes_it() -> None:
    stand = Stand(attempts=5)
    stand.provider.down = UNREACHABLE
    stand.observe()
    stand.provider.reads.clear()
    stand.clock.tick(100)
    stand.next_run()
    refused = stand.observe()[KEY]
    assert isinstance(refused, Deferred)
    left = refused.until - stand.clock.now()
    assert refused.message == f"dns failed too often and is left alone for {left:.0f} s"
    assert [type(result) for _, result in stand.apply()] == [Deferred]
    assert (stand.provider.reads, stand.provider.sent) == ([], [])

    stand.clock.tick(left)
    stand.next_run()
    assert [type(stand.observe()[KEY]), len(stand.provider.reads)] == [Transport, 1]  # one trial, and open again
    stand.provider.down = None
    stand.clock.tick(600)
    stand.next_run()
    assert isinstance(stand.observe()[KEY], Observed)
    assert stand.state.breakers["dns:f00"] == BreakerNote()


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (Transport("x"), True), (RateLimited("x"), True), (ServerSide("x"), True), (Malformed("x"), True),
        (BadCredentials("x"), False), (Banned("x"), False), (Rejected("x"), False), (Conflict("x"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ProviderError) else "",
)  # fmt: skip
def test_what_the_breaker_counts(error: ProviderError, failed: bool) -> None:
    stand = Stand(attempts=1)
    stand.provider.down = Fault("x", lambda: error)
    stand.observe()
    assert stand.state.breakers["dns:f00"].calls == (failed,)


def test_a_retry_after_holds_in_the_next_run() -> None:
    stand = Stand(attempts=1)
    stand.provider.down = LIMITED
    stand.observe()
    stand.clock.tick(29)
    refused = stand.next_run().observe([KEY], stand.clock.deadline())[KEY]
    assert isinstance(refused, Deferred)
    assert refused.until == stand.clock.now() + 1
    stand.provider.down = None
    stand.clock.tick(1)
    assert isinstance(stand.next_run().observe([KEY], stand.clock.deadline())[KEY], Observed)


def test_a_block_is_kept_with_the_time_of_its_retry() -> None:
    stand = Stand()
    stand.provider.down = BAD_CREDENTIALS
    stand.observe()
    kept = stand.state.blocks["dns:f00"]
    assert (kept.provider, kept.fingerprint, kept.code) == ("dns", "f00", "provider.bad_credentials")
    assert (kept.message, kept.since, kept.retry_at) == ("the token is not accepted", START, START + 24 * HOUR)


def test_a_block_answers_in_place_of_the_provider() -> None:
    stand = Stand(block())
    for refused in (stand.observe()[KEY], stand.apply()[0][1]):
        assert isinstance(refused, BadCredentials)
        assert (refused.message, refused.advice) == ("the token is not accepted", "the advice")
    assert stand.opened == 0


@pytest.mark.parametrize(
    ("memory", "insist"),
    [
        pytest.param(block(retry_at=START), False, id="retry time"),
        pytest.param(block(since=START + 1), False, id="the clock was set back"),
        pytest.param(block(), True, id="run --now"),
    ],
)
def test_a_block_is_tried_again_and_lifted(memory: Memory, insist: bool) -> None:
    stand = Stand(memory, insist=insist)
    stand.state.blocks.update(memory.blocks)
    assert isinstance(stand.observe()[KEY], Observed)
    assert stand.state.blocks == {}


def test_a_block_that_lasts_keeps_its_beginning() -> None:
    stand = Stand(block(), insist=True)
    stand.provider.down = BAD_CREDENTIALS
    stand.observe()
    kept = stand.state.blocks["dns:f00"]
    assert (kept.since, kept.retry_at) == (START - HOUR, START + 24 * HOUR)


def test_a_block_outlives_an_outage() -> None:
    stand = Stand(block(retry_at=START), attempts=1)
    stand.state.blocks.update(stand.state.memory.blocks)
    stand.provider.down = UNREACHABLE
    stand.observe()
    assert list(stand.state.blocks) == ["dns:f00"]


def test_another_credential_has_no_block() -> None:
    stand = Stand(Memory(blocks={"dns:other": next(iter(block().blocks.values()))}))
    assert isinstance(stand.observe()[KEY], Observed)


def test_a_success_lifts_the_blocks_of_former_credentials() -> None:
    note = next(iter(block().blocks.values()))
    elsewhere = BlockNote("elsewhere", "f00", note.code, note.message, note.advice, note.since, note.retry_at)
    memory = Memory(blocks={"dns:old": note, "elsewhere:f00": elsewhere})
    stand = Stand(memory, attempts=1)
    stand.state.blocks.update(memory.blocks)
    stand.provider.down = UNREACHABLE
    stand.observe()
    assert list(stand.state.blocks) == ["dns:old", "elsewhere:f00"]
    stand.provider.down = None
    stand.observe()
    assert list(stand.state.blocks) == ["elsewhere:f00"]


def test_a_block_within_one_run_is_lifted_within_it() -> None:
    stand = Stand(attempts=1, insist=True)
    stand.provider.read_faults.append(BAD_CREDENTIALS)
    stand.observe()
    assert list(stand.state.blocks) == ["dns:f00"]
    stand.observe()
    assert stand.state.blocks == {}


def test_no_call_without_time() -> None:
    stand = Stand()
    for refused in (stand.observe(seconds=0.0)[KEY], stand.apply(seconds=0.0)[0][1]):
        assert isinstance(refused, Deferred)
        assert (refused.message, refused.until) == ("no time was left for dns in this run", START)
    assert stand.opened == 0


def test_insisting_goes_through_an_open_breaker() -> None:
    stand = Stand(Memory(breakers={"dns:f00": after("xxxxx")}), insist=True)
    assert isinstance(stand.observe()[KEY], Observed)
    assert stand.state.breakers["dns:f00"] == BreakerNote()


def test_calls_that_a_person_insists_on_while_it_is_open_prolong_nothing() -> None:
    note = BreakerNote()
    for _ in range(5):
        note = after_call(note, failed=True, now=1000.0)
    assert open_until(note, 1000.0) == 1300.0
    for _ in range(5):  # `run --now` during the same outage: five attempts
        note = after_call(note, failed=True, now=1010.0)
    assert (open_until(note, 1010.0), note.openings) == (1300.0, 1)
    assert open_until(after_call(note, failed=False, now=1020.0), 1020.0) is None


@pytest.mark.parametrize("refused", [NotPermitted("no right to it"), NoSuchZone("no zone holds it")])
def test_one_record_that_is_refused_does_not_block_its_neighbour(refused: ProviderError) -> None:
    stand = Stand()
    answer: dict[RecordKey, Observed | ProviderError] = {KEY: Observed(KEY, ONE, "api", START), OTHER: refused}
    stand.provider.observe = lambda keys, deadline: {key: answer[key] for key in keys}  # type: ignore[method-assign]
    stand.observe(KEY, OTHER)
    assert not stand.state.blocks
    assert isinstance(stand.next_run().observe([KEY], stand.clock.deadline(60.0))[KEY], Observed)
    stand.observe(OTHER)
    assert set(stand.state.blocks) == {"dns:f00"}, "alone it may well be the credential"
