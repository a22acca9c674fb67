"""Sources that fail again and again are left alone: the policy, its memory in the state, and whole runs with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family
from ddns.detection import Answer, Available, Detected, Unknown
from ddns.errors import Transport
from ddns.memory import Rest
from ddns.ports import HttpResponse
from ddns.resting import ENOUGH, FIRST, LONGEST, news, resting
from ddns.runtime import RunRequest
from ddns.state.opening import open_store
from ddns.state.store import Store
from faults.stage import ALPHA, BETA, PROBE, Stage
from unit.fakes import START

V4, V6 = Family.V4, Family.V6
HOUR = 3600.0
GOOD = Answer("good", "Good", True, address=IPv4Address("1.0.0.1"))
BAD = Answer("bad", "Bad", True, problem="bad: answered with status 503")
FOUND = Available(IPv4Address("1.0.0.1"), ("Good", "Other"))


def failing(times: int, *, every: float = 60.0) -> Rest:
    """What is remembered of a source that failed so often, each time when it might be asked again."""
    rested: dict[tuple[str, Family], Rest] = {}
    now = START
    for _ in range(times):
        for name, _, rest in news(rested, V4, Detected(FOUND, (GOOD, BAD)), now):
            assert rest is not None
            rested[name, V4] = rest
        now = max(now + every, rested["bad", V4].until)
    return rested["bad", V4]


@pytest.mark.parametrize(
    ("times", "seconds"),
    [(1, 0), (2, 0), (3, 600), (4, 1200), (5, 2400), (8, 19200), (9, 21600), (50, 21600)],
)
def test_it_rests_after_three_failures_for_longer_and_longer(times: int, seconds: float) -> None:
    rest = failing(times)
    assert (rest.failures, rest.until - rest.since, rest.problem) == (times, seconds, BAD.problem)


def test_one_good_answer_ends_it() -> None:
    rested = {("good", V4): failing(9), ("good", V6): failing(9)}
    assert list(news(rested, V4, Detected(FOUND, (GOOD,)), START)) == [("good", V4, None)]


def test_where_nobody_came_to_an_answer_the_network_is_at_fault() -> None:
    """A machine that starts before its network must not find all its sources resting."""
    assert list(news({}, V4, Detected(Unknown(("bad: no answer",)), (BAD,)), START)) == []


@pytest.mark.parametrize(("asks", "seconds"), [(120.0, 120.0), (10.0 * HOUR, LONGEST), (0.0, 0.0)])
def test_a_service_that_asks_for_a_pause_has_it(asks: float, seconds: float) -> None:
    answer = Answer("bad", "Bad", True, problem="bad: answered with status 429", retry_after=asks)
    ((_, _, rest),) = news({}, V4, Detected(FOUND, (GOOD, answer)), START)
    assert rest is not None
    assert rest.until - rest.since == seconds


def test_who_rests_at_a_moment() -> None:
    rested = {("a", V4): Rest(3, START, START + 600.0), ("b", V6): Rest(3, START, START + 600.0)}
    assert resting(rested, V4, START + 1.0) == {"a": START + 600.0}
    assert resting(rested, V4, START + 600.0) == {}
    assert resting(rested, V4, START - 1.0) == {}, "the clock went back"


@given(since=st.floats(0, 4e9), until=st.floats(0, 1e12), now=st.floats(0, 4e9))
def test_nobody_rests_longer_than_the_longest_whatever_the_state_says(since: float, until: float, now: float) -> None:
    for end in resting({("a", V4): Rest(3, since, until)}, V4, now).values():
        assert end - now <= LONGEST + 1e-3


# -- the state


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    opened = open_store(path, START)
    yield opened
    opened.close_file()


def test_the_state_remembers_and_forgets(store: Store) -> None:
    rest = Rest(4, START, START + 1200.0, "a: answered with status 503")
    store.note_rest("a", V4, rest)
    store.note_rest("a", V6, rest)
    store.note_rest("a", V4, rest)
    assert store.recall().rested == {("a", V4): rest, ("a", V6): rest}
    store.note_rest("a", V4, None)
    assert store.recall().rested == {("a", V6): rest}


def test_secrets_in_a_problem_are_masked(store: Store) -> None:
    store.mask = lambda text: text.replace("hunter2", "***")
    store.note_rest("a", V4, Rest(1, START, START, "a: hunter2"))
    assert store.recall().rested["a", V4].problem == "a: ***"


def test_what_nobody_spoke_of_for_a_month_is_forgotten(store: Store) -> None:
    store.note_rest("old", V4, Rest(1, START, START))
    store.note_rest("new", V4, Rest(1, START + 31 * 24 * HOUR, START + 31 * 24 * HOUR))
    assert list(store.recall().rested) == [("new", V4)]


def test_a_state_of_an_earlier_version_gets_the_table_when_it_is_needed(store: Store, path: str) -> None:
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("DROP TABLE rested")
    assert store.recall().rested == {}
    store.note_rest("a", V4, None)
    store.note_rest("a", V4, Rest(1, START, START))
    assert list(store.recall().rested) == [("a", V4)]


# -- whole runs

GAMMA = "gamma.test"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A machine with three sources beside the probe; the third answers with status 503."""
    with Stage(tmp_path / "machine") as made:
        file = made.folder / "ddns.toml"
        more = f'    {{ url = "https://{GAMMA}/", operator = "gamma" }},\n]\nprobe4'
        file.write_text(file.read_text().replace("]\nprobe4", more))
        made.net.says[GAMMA] = HttpResponse(503, {}, b"")
        yield made


def asked(stage: Stage, request: RunRequest | None = None) -> bool:
    """Whether a full run asks the third source."""
    stage.net.asked.clear()
    assert stage.run(request or RunRequest(full=True)) == 0
    return GAMMA in stage.net.asked


def tire(stage: Stage) -> None:
    """Let the third source fail until it rests; it must be heard, so that the others do not agree before."""
    stage.net.says[ALPHA], kept = Transport("no answer"), stage.net.says[ALPHA]
    for _ in range(ENOUGH):
        assert asked(stage)
        stage.clock.tick(60)
    stage.net.says[ALPHA] = kept


def test_a_run_leaves_it_alone_until_its_rest_is_over(stage: Stage) -> None:
    tire(stage)
    assert stage.sql("SELECT name, family, failures FROM rested WHERE name = 'gamma'") == [("gamma", 4, 3)]
    assert not asked(stage)
    stage.clock.tick(FIRST)
    stage.net.says[ALPHA] = Transport("no answer")
    assert asked(stage)


def test_run_now_asks_everybody(stage: Stage) -> None:
    tire(stage)
    stage.net.says[ALPHA] = Transport("no answer")
    assert asked(stage, RunRequest(now=True))


def test_who_rests_is_asked_again_when_the_others_are_too_few(stage: Stage) -> None:
    tire(stage)
    stage.net.says.update({ALPHA: Transport("no answer"), PROBE: Transport("no answer")})
    stage.net.says[GAMMA] = stage.net.says[BETA]
    assert asked(stage)
    assert stage.sql("SELECT name FROM rested WHERE name = 'gamma'") == []
