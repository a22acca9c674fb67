"""Deadlines; and the fakes of the tests keep to the ports."""

from __future__ import annotations

import pytest

from ddns.ports import Clock, Deadline, Net, Provider, Source, State
from unit.fakes import Dns, FakeClock, FakeNet, FakeProvider, FakeSource, FakeState


def test_a_deadline_runs_out_and_stays_out() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10.0)
    clock.tick(4)
    assert deadline.left() == 6.0
    clock.tick(7)
    assert deadline.left() == 0.0


def test_a_clock_that_is_set_moves_no_deadline() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10.0)
    clock.jump(-86400)
    assert deadline.left() == 10.0


@pytest.mark.parametrize(("seconds", "left"), [(3.0, 3.0), (10.0, 10.0), (99.0, 10.0)])
def test_a_share_never_outlives_the_whole(seconds: float, left: float) -> None:
    assert Deadline(FakeClock(), 10.0).within(seconds).left() == left


def test_the_fakes_are_of_the_ports() -> None:
    clock: Clock = FakeClock()
    net: Net = FakeNet()
    source: Source = FakeSource("a", "A", "1.0.0.1")
    provider: Provider = FakeProvider(Dns(), FakeClock())
    state: State = FakeState()
    assert all((clock, net, source, provider, state))
