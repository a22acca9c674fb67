"""The chain of the steps: a TTL that the provider takes, detection's share of the time, outcomes stored, then told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from ddns.address import Address, Family
from ddns.cycle import World, ask, carry_out, look
from ddns.detection import Available
from ddns.errors import Exit, worst
from ddns.memory import Memory
from ddns.model import Kind, Outcome, RecordKey, RecordType, RRset, Run, Target
from ddns.ports import Capabilities, Deadline, Provider, Source, State
from ddns.state.opening import open_store
from ddns.state.store import Store
from unit.fakes import REJECTED, START, Dns, FakeClock, FakeNet, FakeProvider, FakeSource, FakeState, in_turn

NAMES = ("a.example.test", "b.example.test", "c.example.test")
ADDRESS = "1.0.0.1"
LEAST = 3600


class Least(FakeProvider):
    """A provider that takes no TTL below an hour."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(compare_and_set=True, min_ttl=LEAST)


def key(name: str = NAMES[0]) -> RecordKey:
    return RecordKey("dns", name, RecordType.A)


def run(number: int = 1) -> Run:
    return Run(f"trace{number}", "schedule", START)


def make(
    provider: Provider,
    state: State,
    clock: FakeClock,
    *,
    memory: Memory | None = None,
    ttl: int | None = 60,
    names: Sequence[str] = NAMES[:1],
    sources: Sequence[Source] = (FakeSource("alpha", "A", ADDRESS), FakeSource("beta", "B", ADDRESS)),
    seconds: float = 60.0,
    detect_seconds: float = 10.0,
    route: Callable[[Family], bool] = lambda _family: True,
) -> World:
    targets = [Target(key(name), Family.V4, ttl) for name in names]
    both = [Target(RecordKey("dns", name, RecordType.AAAA), Family.V6, ttl) for name in names]
    return World(
        targets=targets if route(Family.V4) and route(Family.V6) else [*targets, *both],
        route=route,
        sources=sources,
        providers={"dns": provider},
        state=state,
        memory=memory or Memory(),
        net=FakeNet(),
        clock=clock,
        random=lambda: 0.5,
        deadline=clock.deadline(seconds),
        detect_seconds=detect_seconds,
        prove=True,
        gather=in_turn,
    )


def silent(_thing: object, _other: object = None) -> None:
    """Told, and nobody listens."""


# -- the TTL


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "state.db"), START)
    yield opened
    opened.close_file()


@pytest.mark.parametrize(("asked", "stands"), [(60, LEAST), (LEAST, LEAST), (7200, 7200), (None, 120)])
def test_a_ttl_below_the_provider_s_least_is_raised_and_is_no_drift(
    store: Store, asked: int | None, stands: int
) -> None:
    clock, dns = FakeClock(), Dns()
    ends: list[list[Kind]] = []
    for number in range(3):
        world = make(Least(dns, clock), store, clock, memory=store.recall(), ttl=asked)
        world.state.begin(run(number))
        found = look(world, run(number), silent)
        ends.append([outcome.kind for outcome in carry_out(world, run(number), found.plan, silent)])
        clock.tick(600)
    assert ends == [[Kind.UPDATED], [Kind.PROVEN], [Kind.PROVEN]]
    assert [write.after and write.after.ttl for write in dns.writes] == [stands]


def test_another_ttl_than_the_least_is_drift(store: Store) -> None:
    clock, dns = FakeClock(), Dns()
    dns.alter(NAMES[0], ADDRESS, ttl=86400)
    found = look(make(Least(dns, clock), store, clock), run(), silent)
    assert [change.after for change in found.plan.changes] == [RRset(frozenset({IPv4Address(ADDRESS)}), LEAST)]


# -- detection's share


class Measuring(FakeSource):
    """A source that tells how many seconds it was given."""

    given: float = 0.0

    def ask(self, family: Family, net: object, deadline: Deadline) -> Address:
        self.given = deadline.left()
        return super().ask(family, net, deadline)


@pytest.mark.parametrize(
    ("run_seconds", "detect_seconds", "share"),
    [(60.0, 10.0, 10.0), (20.0, 10.0, 6.0), (60.0, 30.0, 18.0)],
)
def test_detection_has_its_share_of_what_is_left(run_seconds: float, detect_seconds: float, share: float) -> None:
    clock = FakeClock()
    source = Measuring("alpha", "A", ADDRESS)
    world = make(
        FakeProvider(Dns(), clock), FakeState(), clock,
        sources=[source], seconds=run_seconds, detect_seconds=detect_seconds,
    )  # fmt: skip
    ask(world, Family.V4)
    assert source.given == pytest.approx(share)


def test_a_source_that_uses_its_time_up_leaves_the_rest_to_the_providers() -> None:
    clock = FakeClock()

    class Hanging(FakeSource):
        def ask(self, family: Family, net: object, deadline: Deadline) -> Address:
            clock.tick(deadline.left())
            return super().ask(family, net, deadline)

    world = make(
        FakeProvider(Dns(), clock), FakeState(), clock,
        sources=[Hanging("alpha", "A", "no answer"), FakeSource("beta", "B", ADDRESS)], seconds=20.0,
    )  # fmt: skip
    found = look(world, run(), silent)
    assert not isinstance(found.detected[Family.V4].detection, Available)
    assert world.deadline.left() == pytest.approx(14.0)


# -- outcomes


def test_each_outcome_is_stored_then_told_before_the_next(store: Store) -> None:
    clock = FakeClock()
    provider = FakeProvider(Dns(), clock, name="dns")
    provider.write_faults.extend([None, REJECTED, None])
    world = make(provider, store, clock, names=NAMES)
    world.state.begin(run())
    told: list[tuple[str, list[tuple[str, str]]]] = []
    returned = carry_out(world, run(), look(world, run(), silent).plan, _notes(store, told))
    assert [name for name, _ in told] == [outcome.key.name for outcome in returned]
    assert told == [
        (NAMES[0], [(NAMES[0], "updated")]),
        (NAMES[2], [(NAMES[0], "updated"), (NAMES[2], "updated")]),
        (NAMES[1], [(NAMES[0], "updated"), (NAMES[1], "failed"), (NAMES[2], "updated")]),
    ]


def _notes(store: Store, told: list[tuple[str, list[tuple[str, str]]]]) -> Callable[[Outcome], None]:
    """Tells what the state holds at the moment that an outcome is told."""

    def tell(outcome: Outcome) -> None:
        rows: Sequence[Mapping[str, str]] = [dict(row) for row in store.record_rows()]
        told.append((outcome.key.name, sorted((row["name"], row["outcome"]) for row in rows)))

    return tell


# -- hosts with one family


@pytest.mark.parametrize("there", list(Family))
def test_a_host_with_one_family_keeps_that_record_and_says_why_not_the_other(store: Store, there: Family) -> None:
    clock, dns = FakeClock(), Dns()
    address = {Family.V4: ADDRESS, Family.V6: "2606:4700::1"}[there]
    other = next(family for family in Family if family is not there)
    voices = [FakeSource(name, name, address, families=frozenset({there})) for name in ("alpha", "beta")]
    provider = FakeProvider(dns, clock)
    world = make(provider, store, clock, sources=voices, route=lambda family: family is there)
    world.state.begin(run())
    found = look(world, run(), silent)
    ends = {outcome.key.type.family: outcome for outcome in carry_out(world, run(), found.plan, silent)}
    assert (ends[there].kind, ends[other].kind) == (Kind.UPDATED, Kind.UNCHANGED)
    assert ends[other].note == f"no route to the Internet over IPv{other.value}"
    assert [str(write.type) for write in dns.writes] == [{Family.V4: "A", Family.V6: "AAAA"}[there]]
    assert worst([outcome.exit for outcome in ends.values()]) is Exit.FINE
