"""The same for real: a process that ends itself by SIGKILL at an effect, over BIND and TLS, and `ddns run` after it."""

from __future__ import annotations

import signal
from itertools import pairwise

import pytest

from faults.effects import SIDES, Cut
from faults.world import FIRST, SECOND, World

#: Every effect of a run that creates or changes one record: what `test_this_is_the_table` sees a run do.
FULL = (
    "state begin",
    "net http",
    "net http",
    "net udp",
    "file log",
    "provider observe 1",
    "state note_breaker",
    "state intend 1",
    "provider apply",
    "state settle updated",
    "file log",
    "state note_breaker",
    "state close",
    "file status.json",
    "file log",
)
QUICK = ("net probe", "state record_run", "file status.json", "file log")


def cuts(labels: tuple[str, ...]) -> list[object]:
    return [
        pytest.param(Cut(number, side), id=f"{side} {number:02} {label}")
        for number, label in enumerate(labels, 1)
        for side in SIDES
    ]


def test_this_is_the_table(world: World) -> None:
    assert world.killed(Cut(0, "before")) == (0, list(FULL))
    assert world.killed(Cut(0, "before")) == (0, list(QUICK))
    world.move(SECOND)
    assert world.killed(Cut(0, "before")) == (0, ["net probe", *FULL])
    assert world.published() == (SECOND,)


@pytest.mark.parametrize("cut", cuts(FULL))
def test_killed_while_creating(world: World, cut: Cut) -> None:
    assert world.killed(cut) == (-signal.SIGKILL, list(FULL[: cut.number]))
    recovers(world, FIRST, [None, FIRST])


@pytest.mark.parametrize("cut", cuts(("net probe", *FULL)))
def test_killed_while_changing(world: World, cut: Cut) -> None:
    assert world.machine.ddns("run").exit == 0
    world.move(SECOND)
    assert world.killed(cut) == (-signal.SIGKILL, ["net probe", *FULL][: cut.number])
    recovers(world, SECOND, [None, FIRST, SECOND])


@pytest.mark.parametrize("cut", cuts(QUICK))
def test_killed_while_nothing_changes(world: World, cut: Cut) -> None:
    assert world.machine.ddns("run").exit == 0
    assert world.killed(cut) == (-signal.SIGKILL, list(QUICK[: cut.number]))
    recovers(world, FIRST, [None, FIRST])


def recovers(world: World, address: str, values: list[str | None]) -> None:
    """The next run puts all right, the one after it has nothing to do, and history tells each value that DNS had."""
    run = world.machine.ddns("run")
    assert (run.exit, run.err) == (0, "")
    assert world.published() == (address,)
    assert world.sql("SELECT count(*) FROM runs WHERE ended IS NULL") == [(0,)]
    assert world.sql("SELECT json_extract(rrset, '$.values[0]') FROM records") == [(address,)]
    first = "json_extract({}, '$.values[0]')".format
    history = world.sql(f"SELECT {first('before')}, {first('after')}, state FROM changes ORDER BY seq")
    landed = [row[:2] for row in history if row[2] in {"applied", "adopted"}]
    assert landed == list(pairwise(values))
    assert {row[2] for row in history} <= {"applied", "adopted", "void"}
    last = world.machine.ddns("run")
    assert (last.exit, last.out[:15]) == (0, "nothing changed")
