"""The program on Windows, killed at whatever it does to files and to the network, and `ddns run` after it.

The numbered effects of `test_effects` are calls inside Python. The compiled program has no seam to count them at, and
needs none: the kernel holds it at each system call that leaves a trace outside of the process (`faults.tracer`). What
Windows does on request (a file is renamed or removed) lies between two of these: after one is before it, before the
next one is after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise

import pytest

from e2e.site import until
from e2e.windows_kind import WindowsProgram
from e2e.world import FIRST, SECOND
from faults.windows_world import Cut, World, staged
from ground import NotHere, not_run
from ground.bind import Bind
from ground.tls import Authority

#: Effects of one kind that follow each other, and how many.
Group = tuple[str, int]
KILLED = 128 + 9


def transaction(journal: int, pages: int) -> list[Group]:
    """A transaction of SQLite: so many writes to its journal, and so many pages. It counts when the journal is gone."""
    both: list[Group] = [("flush state.db-journal", 1), ("write state.db-journal", 1), ("flush state.db-journal", 1)]
    return [("write state.db-journal", journal), *both, ("write state.db", pages), ("flush state.db", 1)]


LOG: Group = ("write ddns.jsonl", 1)
STATUS: Group = ("write status.json.new", 1)
PROBE: Group = ("send detection", 1)
#: Who is asked for the address, with how many packets; at once, so that their order is not the same each time.
DETECTION = {"send probe": 1, "send alpha": 3, "send beta": 3}
#: From the question for the address to the end; the names of the transactions are those of `test_sigkill.FULL`.
PUBLISH: list[Group] = [
    ("send detection", 7),  # a probe, and three packets to each of two sources
    LOG,
    ("send dns", 1),  # observe
    *transaction(7, 2),  # note_breaker
    *transaction(16, 5),  # intend
    ("send dns", 1),  # apply
    *transaction(13, 4),  # settle
    LOG,
    *transaction(7, 2),  # note_breaker
    *transaction(13, 4),  # close
    STATUS,
    LOG,
]
#: The first run makes the state: the empty file has no pages to keep in the journal.
CREATE = [*transaction(1, 16), *transaction(10, 3), *PUBLISH]
CHANGE: list[Group] = [PROBE, *transaction(10, 3), *PUBLISH]
NOTHING: list[Group] = [PROBE, *transaction(7, 2), STATUS, LOG]


def cuts(groups: list[Group], first: int = 0) -> list[object]:
    """Before the first and the last effect of each group from `first` on, and after the last one.

    Within a journal nothing is to be seen but at its flush. After an effect whose like follows at once is before that.
    """
    found: list[object] = []
    seen: dict[str, int] = {}
    for index, (label, count) in enumerate(groups):
        parts = {label: count}
        if label == "send detection":
            parts = dict(list(DETECTION.items())[: 1 if count == 1 else None])
        sides = [
            (name, number, side)
            for name, last in parts.items()
            for number, side in ((1, "before"), (last, "before"), (last, "after"))
        ]
        for name, number, side in dict.fromkeys(sides[:1] if "journal" in label else sides):
            cut = Cut(name, seen.get(name, 0) + number, "before" if side == "before" else "after")
            if index >= first:
                found.append(pytest.param(cut, id=f"{side} {index:02} {cut.label} {cut.number}"))
        for name, last in parts.items():
            seen[name] = seen.get(name, 0) + last
    return found


def grouped(labels: list[str]) -> list[Group]:
    """Effects as groups. A source's last packet is its good-bye. The log's line does not wait for it."""
    merged = ["send detection" if label in DETECTION else label for label in labels]
    for index in range(2, len(merged)):
        if merged[index - 2 : index + 1] == ["send detection", LOG[0], "send detection"]:
            merged[index - 1 : index + 1] = ["send detection", LOG[0]]
    return [(label, len(list(same))) for label, same in groupby(merged)]


@pytest.fixture(scope="module")
def _staged(
    windows_program: WindowsProgram,
    _one_bind: Bind | NotHere,
    ca: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    if isinstance(_one_bind, NotHere):
        not_run(_one_bind)
    with staged(windows_program, _one_bind, ca, tmp_path_factory.mktemp("killed")) as world:
        yield world


@pytest.fixture
def new(_staged: World) -> World:
    """A machine that has never run."""
    _staged.back_to("new")
    return _staged


@pytest.fixture
def settled(_staged: World) -> World:
    """A machine with nothing to do."""
    _staged.back_to("settled")
    return _staged


def test_this_is_the_table(new: World) -> None:
    code, labels = new.killed(Cut())
    assert (code, grouped(labels)) == (0, CREATE)
    code, labels = new.killed(Cut())
    assert (code, grouped(labels)) == (0, NOTHING)
    new.move(SECOND)
    code, labels = new.killed(Cut())
    assert (code, grouped(labels)) == (0, CHANGE)
    assert new.published() == (SECOND,)


@pytest.mark.parametrize("cut", cuts(NOTHING))
def test_killed_while_nothing_changes(settled: World, cut: Cut) -> None:
    die(settled, cut)
    recovers(settled, FIRST, [None, FIRST])


@pytest.mark.parametrize("cut", cuts(CREATE[: len(CREATE) - len(PUBLISH)]))
def test_killed_while_the_state_is_made(new: World, cut: Cut) -> None:
    die(new, cut)
    recovers(new, FIRST, [None, FIRST])


@pytest.mark.parametrize("cut", cuts(CHANGE, first=1))
def test_killed_while_changing(settled: World, cut: Cut) -> None:
    settled.move(SECOND)
    die(settled, cut)
    if cut == Cut("send dns", 2, "after"):
        until(lambda: settled.published() == (SECOND,))  # it is on its way
    recovers(settled, SECOND, [None, FIRST, SECOND])


def die(world: World, cut: Cut) -> None:
    """A run, killed there."""
    code, labels = world.killed(cut)
    assert (code, labels.count(cut.label)) == (KILLED, cut.number)


def recovers(world: World, address: str, values: list[str | None]) -> None:
    """The next run puts all right, the one after it has nothing to do, and history tells each value that DNS had."""
    run = world.machine.ddns("run")
    assert (run.exit, run.err) == (0, "")
    assert world.published() == (address,)
    assert world.sql("SELECT count(*) FROM runs WHERE ended IS NULL") == [(0,)]
    assert world.sql("SELECT json_extract(rrset, '$.values[0]') FROM records") == [(address,)]
    first = "json_extract({}, '$.values[0]')".format
    history = world.sql(f"SELECT {first('before')}, {first('after')}, state FROM changes ORDER BY seq")
    assert [row[:2] for row in history if row[2] in {"applied", "adopted"}] == list(pairwise(values))
    assert {row[2] for row in history} <= {"applied", "adopted", "void"}
    last = world.machine.ddns("run")
    assert (last.exit, last.err, last.out[:15]) == (0, "", "nothing changed")
    told = world.machine.status()
    assert (told["run"]["exit"], told["records"][0]["address"]) == (0, address)
    assert world.machine.log()[-1]["message"] == "nothing changed"
