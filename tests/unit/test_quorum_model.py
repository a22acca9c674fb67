"""The quorum against every cast: honest, lying, silent and slow sources, in a time that only the test moves.

Two promises are held. All liars of one operator together never bring an address into DNS: not when it is first
published, not when it changes, not when a proof is due, not when somebody else broke the record, not when the cheap
question is lied to. And two honest authenticated operators always bring theirs, within the deadline. The own gateway
is believed alone, and so has no part in the first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from ddns.address import Address, Family
from ddns.cycle import World, carry_out, look
from ddns.detect import Question, detect
from ddns.detection import Answer, Available, Detected
from ddns.errors import SourceError
from ddns.expect import Ask, End, Expectation, Expected, Full, end, expect
from ddns.memory import Memory, Published
from ddns.model import RecordKey, RecordType, RRset, Run, Target
from ddns.ports import Deadline, Source
from unit.fakes import START, Dns, FakeClock, FakeNet, FakeProvider, FakeState

TRUTH, LIE, OLD = (IPv4Address(text) for text in ("1.0.0.1", "9.9.9.9", "8.8.4.4"))
#: Seconds of a detection, and how long each voice takes; the slow one is honest.
LIMIT = 10.0
VOICES = {"honest": 0.1, "lying": 0.05, "silent": float("inf"), "slow": 4.0}
KINDS = tuple(itertools.product(VOICES, "ABC", (True, False)))
PAIRS = tuple(kind for kind in KINDS if kind[1] != "C")
Cast = Sequence[tuple[str, str, bool]]


def distinct(size: int) -> Iterator[Cast]:
    """Every cast, but for those that only have the operators' names exchanged."""
    names = [dict(zip("ABC", order, strict=True)) for order in itertools.permutations("ABC")][1:]
    for cast in itertools.combinations_with_replacement(KINDS, size):
        others = (sorted((voice, name[operator], sure) for voice, operator, sure in cast) for name in names)
        mine = sorted(cast)
        if all(mine <= other for other in others):
            yield cast


class Stage:
    """Asks all at once, in virtual time: answers come when their voices are ready, as far as somebody waits."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.latency = 0.0

    def gather(self, questions: Sequence[Question], left: Callable[[], float]) -> Iterator[Answer]:
        began = self._clock.monotonic()
        coming = []
        for number, question in enumerate(questions):
            self.latency = 0.0
            answer = question()
            coming.append((self.latency, number, answer))
        for latency, _, answer in sorted(coming, key=lambda item: item[:2]):
            pause = max(0.0, began + latency - self._clock.monotonic())
            if pause > left():
                self._clock.tick(left())
                return
            self._clock.tick(pause)
            yield answer


@dataclass
class Voice:
    """One source of a cast."""

    name: str
    voice: str
    operator: str
    authenticated: bool
    stage: Stage
    suffices: bool = False
    families: frozenset[Family] = frozenset({Family.V4})

    def ask(self, family: Family, net: object, deadline: Deadline) -> Address:
        self.stage.latency = VOICES[self.voice]
        if self.voice == "silent":
            raise SourceError(f"{self.name}: silence")
        return LIE if self.voice == "lying" else TRUTH


def voices(cast: Cast, stage: Stage) -> list[Voice]:
    return [Voice(f"s{n}", voice, operator, sure, stage) for n, (voice, operator, sure) in enumerate(cast)]


def found(cast: Cast, *, gateway: str = "", resting: Sequence[str] = (), probe: str = "") -> tuple[Detected, float]:
    """What a detection comes to, and the seconds that it took."""
    clock = FakeClock()
    stage = Stage(clock)
    sources: list[Source] = list(voices(cast, stage))
    if gateway:
        sources.append(Voice("gateway", gateway, "own", authenticated=True, stage=stage, suffices=True))
    began = clock.monotonic()
    detected = detect(
        Family.V4,
        sources,
        net=FakeNet(),
        clock=clock,
        deadline=clock.deadline(LIMIT),
        gather=stage.gather,
        resting=resting,
        probe=probe,
    )
    return detected, clock.monotonic() - began


def liars(cast: Cast) -> set[str]:
    """The operators that lie."""
    return {operator for voice, operator, _ in cast if voice == "lying"}


def surely_honest(cast: Cast) -> set[str]:
    """The operators that tell the truth, authenticated, sooner or later."""
    return {operator for voice, operator, sure in cast if voice in ("honest", "slow") and sure}


def hold(cast: Cast, detected: Detected, seconds: float) -> None:
    """Both promises."""
    said = detected.detection
    address = said.address if isinstance(said, Available) else None
    if len(liars(cast)) <= 1:
        assert address != LIE, cast
        if len(surely_honest(cast)) >= 2:
            assert address == TRUTH, cast
    assert seconds <= LIMIT, cast


@pytest.mark.parametrize("size", range(6))
def test_every_cast_of_up_to_five(size: int) -> None:
    for cast in distinct(size):
        hold(cast, *found(cast))


@pytest.mark.parametrize("probe", ["", "s1"])
@pytest.mark.parametrize("resting", [("s0",), ("s0", "s1")], ids=len)
def test_whoever_rests_and_whoever_is_the_probe(resting: Sequence[str], probe: str) -> None:
    """Order matters here: who rests, and who is waited for, goes by name."""
    for cast in itertools.product(PAIRS, repeat=3):
        hold(cast, *found(cast, resting=resting, probe=probe))


@pytest.mark.parametrize("size", range(4))
@pytest.mark.parametrize("voice", VOICES)
def test_beside_the_own_gateway(voice: str, size: int) -> None:
    for cast in itertools.combinations_with_replacement(KINDS, size):
        detected, seconds = found(cast, gateway=voice)
        if voice == "silent":
            hold(cast, detected, seconds)
        elif voice != "lying":
            assert isinstance(detected.detection, Available), cast
            assert detected.detection.address == TRUTH, cast
        assert seconds <= LIMIT


# -- as far as DNS

KEY = RecordKey("dns", "home.example.test", RecordType.A)
#: What a run finds: what DNS holds, what we published, and when that was proven.
SCENES: dict[str, tuple[IPv4Address | None, IPv4Address | None, float]] = {
    "first run": (None, None, 0.0),
    "the address changed": (OLD, OLD, START - 60.0),
    "a proof is due": (TRUTH, TRUTH, START - 7 * 3600.0),
    "the address changed, and a proof is due": (OLD, OLD, START - 7 * 3600.0),
    "somebody broke the record": (OLD, TRUTH, START - 7 * 3600.0),
}


def published(cast: Cast, scene: str, *, insist: bool = False) -> list[str]:
    """The addresses that a full run on this scene writes into DNS."""
    stands, ours, proven = SCENES[scene]
    clock, dns = FakeClock(), Dns()
    if stands is not None:
        dns.alter(KEY.name, str(stands))
    before = len(dns.writes)
    memory = Memory()
    if ours is not None:
        memory = Memory(published={KEY: Published(RRset(frozenset({ours}), 60), proven, proven, proven)})
    stage = Stage(clock)
    world = World(
        targets=[Target(KEY, Family.V4, 60)],
        sources=voices(cast, stage),
        providers={"dns": FakeProvider(dns, clock)},
        state=FakeState(memory),
        memory=memory,
        net=FakeNet(),
        clock=clock,
        random=lambda: 0.5,
        deadline=clock.deadline(120.0),
        detect_seconds=LIMIT,
        gather=stage.gather,
        prove=insist,
    )
    run = Run("trace", "schedule", clock.now())
    carry_out(world, run, look(world, run, lambda _family, _seen: None).plan, lambda _outcome: None)
    return [str(value) for write in dns.writes[before:] if write.after for value in write.after.values]


@pytest.mark.parametrize("insist", [False, True], ids=["as planned", "every proof due"])
@pytest.mark.parametrize("scene", SCENES)
def test_no_liar_reaches_dns(scene: str, insist: bool) -> None:
    wanted = {str(TRUTH)} if scene != "a proof is due" else set()
    for size in range(4):
        for cast in itertools.combinations_with_replacement(PAIRS, size):
            if len(liars(cast)) > 1:
                continue
            written = set(published(cast, scene, insist=insist))
            assert str(LIE) not in written, cast
            if len(surely_honest(cast)) >= 2:
                assert written == wanted, cast


def expectation(address: IPv4Address, until: float) -> Expectation:
    return Expectation("f", START - 60.0, until, (Expected(4, 0, str(address)),), 0, ())


def test_a_probe_that_repeats_the_old_address_delays_until_the_proof_and_no_longer() -> None:
    """The cheap question believes one voice, and so may only ever confirm what stands."""
    promised = expectation(OLD, START + 3600.0)
    assert isinstance(expect("f", promised, START), Ask)
    assert isinstance(end(promised, {4: str(OLD)}), End)
    assert isinstance(expect("f", promised, START + 3601.0), Full)
    cast = [("honest", "A", True), ("slow", "B", True), ("lying", "C", False)]
    assert published(cast, "the address changed, and a proof is due") == [str(TRUTH)]


def test_a_probe_that_tells_a_lie_leads_to_the_quorum_and_no_further() -> None:
    promised = expectation(TRUTH, START + 3600.0)
    assert isinstance(end(promised, {4: str(LIE)}), Full)
    for cast in itertools.combinations_with_replacement(PAIRS, 2):
        with_probe = [("lying", "C", False), *(kind for kind in cast if kind[0] != "lying")]
        assert str(LIE) not in published(with_probe, "a proof is due", insist=True)


def test_the_stage_tells_the_time() -> None:
    """Else the tests above would hold whatever the voices took."""
    assert found([("slow", "A", True), ("slow", "B", True)])[1] == pytest.approx(4.0)
    assert found([("honest", "A", True), ("silent", "B", True)])[1] == pytest.approx(LIMIT)
    assert found([("honest", "A", True), ("honest", "B", True)])[1] == pytest.approx(0.1)
