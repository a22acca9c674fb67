"""The resident program: when it runs, what ends its waits, and that nothing but its end stops it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.runtime import resident
from ddns.watch.child import Child, Ended
from ddns.watch.loop import APART, LIMIT, NETWORK, RESUME, SCHEDULE, SETTLE, START, Loop, Told
from ddns.watch.schedule import LONGEST, SHORTEST, Schedule, usual_jitter
from ddns.watch.wake import Wake

EVERY = 600.0
JITTER = usual_jitter(EVERY)
CHANCE = st.floats(0, 1, exclude_max=True)
INTERVAL = st.floats(SHORTEST, LONGEST)


@pytest.mark.parametrize(("every", "jitter"), [(30, 3), (600, 60), (86400, 60)])
def test_the_usual_jitter_is_a_tenth_and_at_most_a_minute(every: float, jitter: float) -> None:
    assert usual_jitter(every) == pytest.approx(jitter)


def test_the_first_run_is_due_at_once() -> None:
    assert Schedule(EVERY, JITTER, 7.0, lambda: 0.5).due == 7.0


@pytest.mark.parametrize("jitter", [-1.0, EVERY])
def test_a_jitter_that_does_not_fit_is_refused(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter"):
        Schedule(EVERY, jitter, 0.0, lambda: 0.5)


@given(INTERVAL, st.data(), st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=30))
def test_no_run_follows_another_too_soon_nor_too_late(
    every: float, data: st.DataObject, steps: list[tuple[float, bool]]
) -> None:
    """Runs late by any share of the interval, or started in between for another reason."""
    jitter = usual_jitter(every)
    schedule = Schedule(every, jitter, 0.0, lambda: data.draw(CHANCE))
    now = 0.0
    schedule.started(now)
    for share, early in steps:
        assert schedule.due - now >= every - jitter - 1e-6 * every
        assert schedule.due - now <= every + jitter + 1e-6 * every
        now = now + (schedule.due - now) * (share / 5) if early else schedule.due + share * every
        schedule.started(now)


@given(INTERVAL, st.lists(st.tuples(CHANCE, st.floats(0, 0.5)), min_size=1, max_size=200))
def test_runs_that_are_on_time_do_not_drift(every: float, steps: list[tuple[float, float]]) -> None:
    """However many there were, and though each starts a moment late, the next is near its own point of the grid."""
    jitter = usual_jitter(every)
    chances = iter([chance for chance, _ in steps])
    schedule = Schedule(every, jitter, 0.0, lambda: next(chances))
    now = 0.0
    for number, (_, late) in enumerate(steps, 1):
        schedule.started(now)
        assert number * every - 1e-3 <= schedule.due <= number * every + jitter + 0.5 + 1e-3
        now = schedule.due + late


@given(st.floats(1, 50), CHANCE)
def test_turns_that_were_missed_are_not_made_up(intervals: float, chance: float) -> None:
    schedule = Schedule(EVERY, JITTER, 0.0, lambda: chance)
    schedule.started(0.0)
    woke = intervals * EVERY
    schedule.started(woke)
    assert EVERY - JITTER - 1e-6 <= schedule.due - woke <= EVERY + JITTER


@dataclass
class Run:
    """A run of the fake world. `ends`: when it ends by itself."""

    world: World
    began: float
    ends: float
    exit: int
    killed: bool = False

    @property
    def ended(self) -> Ended | None:
        if self.killed:
            return Ended(-9, "")
        return Ended(self.exit, "") if self.world.now >= self.ends else None

    def kill(self, patience: float) -> None:
        self.killed = True
        self.world.now += patience


@dataclass
class World:
    """Time that waiting moves, and what happens in it. Implements `loop.Waking`. At `until`, the end is asked for."""

    until: float
    takes: float = 1.0
    exits: tuple[int, ...] = (0,)
    now: float = 0.0
    asleep: float = 0.0
    happens: dict[float, Callable[[], None]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    overlapping: bool = False

    @property
    def stopped(self) -> bool:
        return self.now >= self.until

    def take(self) -> str:
        return self.reasons.pop(0) if self.reasons else ""

    def wait(self, seconds: float) -> None:
        ends = [self.now + seconds, *(run.ends for run in self.runs), *self.happens]
        if not self.stopped:
            ends.append(self.until)
        self.now = min(moment for moment in ends if moment > self.now)
        for moment in [moment for moment in self.happens if moment <= self.now]:
            self.happens.pop(moment)()

    def start(self) -> Run:
        self.overlapping |= any(run.ended is None for run in self.runs)
        exit_code = self.exits[len(self.runs) % len(self.exits)]
        self.runs.append(Run(self, self.now, self.now + self.takes, exit_code))
        return self.runs[-1]

    def change(self, reason: str = NETWORK) -> Callable[[], None]:
        return lambda: self.reasons.append(reason)

    def sleep(self, seconds: float) -> Callable[[], None]:
        """The machine sleeps: time goes by, and nothing waits for it."""

        def fall_asleep() -> None:
            self.now += seconds
            self.asleep += seconds

        return fall_asleep

    def watch(self, every: float = EVERY, jitter: float = 0.0) -> list[tuple[str, float]]:
        """Run the loop to its end; why and when each run began."""
        schedule = Schedule(every, jitter, self.now, lambda: 0.5)
        loop = Loop(
            schedule,
            self,
            self.start,
            self.told.append,
            elapsed=lambda: self.now,
            slept=lambda: round(self.asleep),
        )
        loop.run()
        return [(told.reason, run.began) for told, run in zip(self.told, self.runs, strict=True)]


def test_it_runs_at_once_and_then_each_interval() -> None:
    assert World(until=1500).watch() == [(START, 0), (SCHEDULE, 600), (SCHEDULE, 1200)]


def test_jitter_is_added_to_each_turn() -> None:
    assert World(until=1500).watch(jitter=60) == [(START, 0), (SCHEDULE, 630), (SCHEDULE, 1230)]


def test_a_run_that_fails_or_crashes_does_not_end_it() -> None:
    world = World(until=2000, exits=(10, 1, 13, -11))
    world.watch()
    assert [told.ended.exit for told in world.told] == [10, 1, 13, -11]


def test_a_change_of_the_network_is_followed_by_a_run_when_it_is_quiet() -> None:
    world = World(until=590)
    for moment in (100.0, 101.0, 102.5):
        world.happens[moment] = world.change()
    assert world.watch() == [(START, 0), (NETWORK, 102.5 + SETTLE)]


def test_the_turn_after_a_change_is_an_interval_later() -> None:
    world = World(until=1600)
    world.happens[500.0] = world.change()
    assert world.watch(jitter=60)[1:] == [(NETWORK, 503), (SCHEDULE, 503 + 540), (SCHEDULE, 503 + 2 * 540)]


def test_a_network_that_comes_and_goes_does_not_make_it_run_all_the_time() -> None:
    world = World(until=590)
    for second in range(1, 580):
        world.happens[float(second)] = world.change()
    runs = [began for _, began in world.watch()]
    assert all(later - earlier >= APART for earlier, later in itertools.pairwise(runs))
    assert len(runs) >= 15


def test_a_change_during_a_run_is_followed_by_another() -> None:
    world = World(until=590, takes=100)
    world.happens[50.0] = world.change()
    assert world.watch() == [(START, 0), (NETWORK, 100 + SETTLE)]


@pytest.mark.parametrize("hours", [0.05, 1, 30])
def test_after_a_sleep_it_runs_soon(hours: float) -> None:
    world = World(until=hours * 3600 + 400)
    world.happens[100.0] = world.sleep(hours * 3600)
    (_, (reason, began), *_) = world.watch()
    assert reason == RESUME
    assert began - hours * 3600 <= 100 + 30 + SETTLE


def test_one_run_at_a_time_though_they_take_longer_than_the_interval() -> None:
    world = World(until=1000, takes=100)
    runs = [began for _, began in world.watch(every=30)]
    assert not world.overlapping
    assert len(runs) == 10


def test_a_run_that_hangs_is_ended() -> None:
    world = World(until=1000, takes=1e9)
    world.watch()
    assert [(told.killed, told.overdue) for told in world.told[:1]] == [(True, True)]
    assert LIMIT <= world.told[0].seconds <= LIMIT + 1
    assert len(world.runs) >= 2


@pytest.mark.parametrize("until", [0.5, 300.0, 600.2])
def test_it_ends_within_a_second(until: float) -> None:
    world = World(until=until, takes=50)
    world.watch()
    assert world.now - until <= 1
    assert [told.killed for told in world.told if told.seconds < 50] == ([True] if until != 300 else [])
    assert not any(told.overdue for told in world.told)


def test_it_does_not_start_when_the_end_was_asked_for_before() -> None:
    assert World(until=0).watch() == []


def test_a_wake_ends_a_wait_from_another_thread_and_keeps_each_reason_once() -> None:
    with Wake() as wake:
        teller = threading.Thread(target=lambda: list(map(wake.tell, ("a", "b", "a"))))
        teller.start()
        wake.wait(60)
        teller.join()
        wake.wait(0)
        assert [wake.take(), wake.take(), wake.take()] == ["a", "b", ""]
        assert not wake.stopped
        began = time.monotonic()
        wake.wait(0.01)  # what was told is used up
        assert time.monotonic() - began >= 0.009


def test_a_wake_is_told_more_often_than_its_socket_holds() -> None:
    with Wake() as wake:
        for _ in range(20_000):
            wake.tell("again")
        wake.wait(60)
        assert wake.take() == "again"
    wake.tell("too late")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_and_what_was_before_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Wake() as wake:
        with wake.on_signals():
            os.kill(os.getpid(), number)
            wake.wait(60)
            assert wake.stopped
        assert signal.getsignal(number) is before


def test_in_another_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work() -> None:
        with Wake() as wake, wake.on_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def _child(code: str) -> Ended:
    done = threading.Event()
    child = Child((sys.executable, "-c", code), done.set)
    assert done.wait(60)
    assert child.ended is not None
    return child.ended


def test_a_child_gives_its_output_and_exit_code() -> None:
    ended = _child("import sys; print('grüß'); sys.stdout.flush(); print('wrong', file=sys.stderr); sys.exit(12)")
    assert ended == Ended(12, "grüß\nwrong")


def test_a_child_that_talks_for_ever_fills_no_memory() -> None:
    ended = _child("print('x' * 70 * 1024 * 16)")
    assert 0 < len(ended.out) <= 64_000


def test_a_child_that_is_not_there_is_a_failed_run() -> None:
    done = threading.Event()
    child = Child(("/nowhere/ddns",), done.set)
    assert done.is_set()
    assert child.ended == Ended(1, "the run can't be started: No such file or directory", started=False)
    child.kill(1)


def test_a_child_that_hangs_is_killed() -> None:
    child = Child((sys.executable, "-c", "import time; time.sleep(600)"), lambda: None)
    child.kill(60)
    assert child.ended is not None
    assert child.ended.exit == -signal.SIGKILL


class Source:
    """Changes of a network that a test makes."""

    def __init__(self) -> None:
        self._some = threading.Semaphore(0)
        self._cancelled = False
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.closed = True

    def happen(self) -> None:
        self._some.release()

    def wait(self) -> bool:
        self._some.acquire()
        return not self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        self._some.release()


@contextlib.contextmanager
def listening(source: Source, looks: list[str]) -> Iterator[threading.Semaphore]:
    told = threading.Semaphore(0)
    with resident.network_changes(told.release, lambda: looks.pop(0), lambda: source) as heard:
        assert heard
        yield told


def test_only_what_changed_the_network_is_told() -> None:
    source = Source()
    with listening(source, ["home", "home", "office", "office", "home"]) as told:
        for _ in range(4):  # a router renews; we move; it renews; we come back
            source.happen()
        assert told.acquire(timeout=60)
        assert told.acquire(timeout=60)
    assert source.closed
    assert not told.acquire(blocking=False)


def test_where_the_system_does_not_tell_the_watch_goes_on() -> None:
    def refused() -> Source:
        raise PermissionError("no netlink here")

    with resident.network_changes(lambda: None, lambda: "", refused) as heard:
        assert not heard


def test_this_network_stays_as_it_is() -> None:
    assert resident.network() == resident.network()


def test_elapsed_goes_on() -> None:
    before = resident.elapsed()
    assert 0 <= resident.elapsed() - before < 60
    assert abs(resident.slept()) < 1e9


def test_the_command_of_a_run_is_that_of_the_scheduled_task() -> None:
    assert resident.run_command(None) == (sys.executable, "-m", "ddns", "run")
    assert resident.run_command("/tmp/a b") == (sys.executable, "-m", "ddns", "run", "--data", "/tmp/a b")
    assert resident.service_command("/tmp/d", "30s")[3:] == ("service", "run", "--every", "30s", "--data", "/tmp/d")
