"""The quorum: no single liar is believed, and two honest voices always are. What was answered is told in full."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family, Network
from ddns.detect import Question, detect, in_threads, verdict
from ddns.detection import Absent, Answer, Available, Detected, Unknown
from ddns.errors import SettingsError, SourceError
from ddns.ports import Deadline, Source
from unit.fakes import FakeClock, FakeNet, FakeSource, in_turn

TRUTH, LIE = IPv4Address("1.0.0.1"), IPv4Address("9.9.9.9")
VOICES = {"honest": TRUTH, "lying": LIE, "silent": None}


def answers(cast: Sequence[tuple[str, str, bool]]) -> list[Answer]:
    """Answers of a cast of (voice, operator, authenticated)."""
    return [
        Answer(f"s{n}", operator, authenticated, False, VOICES[voice], "" if VOICES[voice] else f"s{n}: silent")
        for n, (voice, operator, authenticated) in enumerate(cast)
    ]


@pytest.mark.parametrize("size", range(6))
def test_every_cast_of_up_to_five_sources(size: int) -> None:
    """Each is honest, lying or silent, of operator A, B or C, authenticated or not (order does not matter)."""
    kinds = list(itertools.product(VOICES, "ABC", (True, False)))
    for cast in itertools.combinations_with_replacement(kinds, size):
        found = verdict(answers(cast))
        honest = [(operator, sure) for voice, operator, sure in cast if voice == "honest"]
        liars = [(operator, sure) for voice, operator, sure in cast if voice == "lying"]
        true_quorum = len({o for o, _ in honest}) >= 2 and any(sure for _, sure in honest)
        false_quorum = len({o for o, _ in liars}) >= 2 and any(sure for _, sure in liars)
        if true_quorum and not false_quorum:
            assert isinstance(found, Available), cast
            assert found.address == TRUTH
            assert set(found.agreed_by) == {operator for operator, _ in honest}
        elif false_quorum and not true_quorum:
            assert isinstance(found, Available), cast
            assert found.address == LIE
        else:
            assert isinstance(found, Unknown), cast
            assert len(found.causes) == len(cast)


@given(st.lists(st.tuples(st.sampled_from(["honest", "silent"]), st.sampled_from("ABC"), st.booleans()), max_size=4))
def test_one_liar_is_never_believed(cast: list[tuple[str, str, bool]]) -> None:
    for sure in (True, False):
        found = verdict(answers([*cast, ("lying", "L", sure)]))
        assert not (isinstance(found, Available) and found.address == LIE)


@pytest.mark.parametrize("size", range(4))
def test_the_own_gateway_is_believed_alone_unless_a_quorum_says_otherwise(size: int) -> None:
    for cast in itertools.product(list(itertools.product(VOICES, "AB", (True, False))), repeat=size):
        liars = [(operator, sure) for voice, operator, sure in cast if voice == "lying"]
        false_quorum = len({o for o, _ in liars}) >= 2 and any(sure for _, sure in liars)
        found = verdict([*answers(cast), Answer("gateway", "own", True, True, TRUTH)])
        assert (isinstance(found, Available) and found.address == TRUTH) is not false_quorum


def test_what_was_said_when_nothing_agrees() -> None:
    found = verdict(answers([("silent", "A", True), ("lying", "B", True), ("honest", "C", True)]))
    assert found == Unknown(("s0: silent", "s1: says 9.9.9.9", "s2: says 1.0.0.1"))


# -- the step


def ask(
    sources: Sequence[Source],
    *,
    family: Family = Family.V4,
    allow: tuple[Network, ...] = (),
    route: bool = True,
    probe: str = "",
    ask_all: bool = False,
    seconds: float = 10.0,
    gather: Callable[[Sequence[Question], Callable[[], float]], Iterator[Answer]] = in_turn,
) -> Detected:
    clock = FakeClock()
    return detect(
        family, sources, net=FakeNet(), clock=clock, deadline=clock.deadline(seconds), allow=allow, route=route,
        probe=probe, gather=gather, ask_all=ask_all,
    )  # fmt: skip


def source(name: str, says: str = "1.0.0.1", *, authenticated: bool = True, suffices: bool = False) -> FakeSource:
    return FakeSource(name, name.upper(), says, authenticated, suffices)


def test_it_stops_asking_when_two_agree() -> None:
    sources = [source("a"), source("b"), source("c")]
    found = ask(sources)
    assert found.detection == Available(TRUTH, ("A", "B"))
    assert [s.asked for s in sources] == [1, 1, 0]


def test_it_goes_on_until_the_probe_has_spoken() -> None:
    sources = [source("a"), source("b"), source("c"), source("probe", authenticated=False), source("d")]
    found = ask(sources, probe="probe")
    assert [answer.source for answer in found.answers] == ["a", "b", "c", "probe"]


def test_a_probe_that_is_no_source_is_not_waited_for() -> None:
    assert len(ask([source("a"), source("b"), source("c")], probe="elsewhere").answers) == 2


def test_it_asks_all_for_people_who_look() -> None:
    found = ask([source("gateway", suffices=True), source("a"), source("b", "9.9.9.9")], ask_all=True)
    assert [answer.source for answer in found.answers] == ["gateway", "a", "b"]
    assert found.detection == Available(TRUTH, ("GATEWAY", "A"))


def test_the_own_gateway_spares_the_others() -> None:
    sources = [source("a"), source("gateway", suffices=True)]
    assert ask(sources).detection == Available(TRUTH, ("GATEWAY",))
    assert sources[0].asked == 0


def test_the_probe_is_asked_beside_the_own_gateway() -> None:
    """Else no run that asks the gateway could promise the next one anything."""
    sources = [source("a"), source("probe", authenticated=False), source("gateway", suffices=True)]
    found = ask(sources, probe="probe")
    assert [answer.source for answer in found.answers] == ["gateway", "probe"]
    assert found.detection == Available(TRUTH, ("GATEWAY", "PROBE"))


def test_a_gateway_that_never_answers_leaves_time_for_the_others() -> None:
    class Hanging(FakeSource):
        def ask(self, family: Family, net: object, deadline: Deadline) -> IPv4Address:
            clock.tick(deadline.left())
            raise SourceError(f"{self.name}: no answer in time")

    clock = FakeClock()
    sources = [Hanging("gateway", "own", "", suffices=True), source("a"), source("b")]
    found = detect(Family.V4, sources, net=FakeNet(), clock=clock, deadline=clock.deadline(10), gather=in_turn)
    assert found.detection == Available(TRUTH, ("A", "B"))


def test_without_the_gateway_the_others_decide() -> None:
    found = ask([source("gateway", "no answer", suffices=True), source("a"), source("b")])
    assert found.detection == Available(TRUTH, ("A", "B"))


def test_a_gateway_that_fails_is_not_believed_for_what_it_did_not_say() -> None:
    found = ask([source("gateway", "10.0.0.1", suffices=True)])
    assert found.detection == Unknown(("gateway: answered 10.0.0.1, which is not a public address",))


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ("10.1.2.3", "a: answered 10.1.2.3, which is not a public address"),
        ("100.64.0.1", "a: answered 100.64.0.1, which is not a public address"),
        ("2606:4700::1", "a: answered 2606:4700::1, which is not an IPv4 address"),
        ("answered with status 503", "a: answered with status 503"),
    ],
)
def test_an_answer_that_can_t_be_used_names_its_source(says: str, problem: str) -> None:
    assert ask([source("a", says)]).detection == Unknown((problem,))


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ("192.0.2.7", "which is not an IPv6 address"),
        ("1.0.0.1", "which is not an IPv6 address"),
        ("64:ff9b::808:808", "which is not a public address"),
        ("64:ff9b:1::808:808", "which is not a public address"),
        ("::ffff:808:808", "which is not a public address"),
    ],
)
def test_what_sources_say_through_nat64_is_no_address(says: str, problem: str) -> None:
    """A service with IPv4 only is reached over IPv6 by DNS64, and sees the translator, which all of them agree on."""
    found = ask([source("a", says), source("b", says)], family=Family.V6)
    assert isinstance(found.detection, Unknown)
    assert found.detection.causes == tuple(f"{name}: answered {says}, {problem}" for name in "ab")


def test_a_network_may_be_allowed() -> None:
    sources = [source("a", "10.1.2.3"), source("b", "10.1.2.3")]
    found = ask(sources, allow=(ip_network("10.0.0.0/8"),))
    assert found.detection == Available(IPv4Address("10.1.2.3"), ("A", "B"))


def test_a_family_that_no_source_tells() -> None:
    only4 = FakeSource("a", "A", "1.0.0.1", families=frozenset({Family.V4}))
    assert ask([only4], family=Family.V6).detection == Unknown(("no source for IPv6 is set",))
    assert only4.asked == 0


def test_without_route_and_without_an_answer_the_family_is_absent() -> None:
    found = ask([source("a", "no answer")], family=Family.V6, route=False)
    assert found.detection == Absent("no route to the Internet over IPv6")
    assert [answer.problem for answer in found.answers] == ["a: no answer"]


def test_without_route_answers_still_count() -> None:
    both = [source("a", "2606:4700::1"), source("b", "2606:4700::1")]
    assert ask(both, family=Family.V6, route=False).detection == Available(IPv6Address("2606:4700::1"), ("A", "B"))
    one = ask(both[:1], family=Family.V6, route=False).detection
    assert one == Unknown(("a: says 2606:4700::1",))


def test_who_did_not_answer_in_time_is_named() -> None:
    assert ask([source("a"), source("b")], seconds=0.0).detection == Unknown(
        ("a: no answer in time", "b: no answer in time")
    )


# -- threads


class Slow(FakeSource):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__("slow", "S", "1.0.0.1")
        self.go = threading.Event()

    def ask(self, family: Family, net: object, deadline: Deadline) -> IPv4Address | IPv6Address:
        if not self.go.wait(10):
            raise SourceError(f"{self.name}: was never told to answer")
        return super().ask(family, net, deadline)


def test_nobody_waits_for_the_slow_one() -> None:
    slow = Slow()
    try:
        found = ask([slow, source("a"), source("b")], gather=in_threads)
        assert found.detection in (Available(TRUTH, ("A", "B")), Available(TRUTH, ("B", "A")))
    finally:
        slow.go.set()


def test_the_probe_is_waited_for_half_a_second_and_no_longer() -> None:
    slow = Slow()
    patience: list[float] = []

    def gather(questions: Sequence[Question], left: Callable[[], float]) -> Iterator[Answer]:
        for question in questions[1:]:
            patience.append(left())
            yield question()
        if questions:
            patience.append(left())

    assert isinstance(ask([slow, source("a"), source("b")], probe="slow", gather=gather).detection, Available)
    assert patience == [10.0, 10.0, 0.5]


def test_silence_ends_with_the_time() -> None:
    never = threading.Event()

    def wait() -> Answer:
        never.wait(10)
        return Answer("late", "L", True)

    try:
        assert list(in_threads([wait], lambda: 0.01)) == []
    finally:
        never.set()


def test_an_error_that_is_nobody_s_answer_is_not_swallowed() -> None:
    def broken() -> Answer:
        raise SettingsError("ca_file x: it can't be used")

    with pytest.raises(SettingsError, match=r"^ca_file x"):
        list(in_threads([broken], lambda: 5.0))
