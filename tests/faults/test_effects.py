"""Effect enumeration: a run is killed before and after each of its effects, and the runs after it must put all right.

The table of effects is the list of test ids: `pytest --collect-only -q tests/faults/test_effects.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from ddns.model import AppliedState, Change, RRset
from ddns.runtime import RunRequest
from faults.effects import SIDES, Cut, Effects
from faults.stage import EVERY, FIRST, SECOND, SETTLE, THIRD, Stage
from unit.fakes import BAD_CREDENTIALS, LIMITED, TIMEOUT_AFTER, TIMEOUT_BEFORE, UNREACHABLE, Fault

OTHER = "198.51.100.9"
Step = Callable[[Stage], None]


def nothing(_stage: Stage) -> None:
    """Nothing happens."""


@dataclass(frozen=True, eq=False)
class Scenario:
    """`prepare` brings the machine to where the run begins that is killed; `between` is what happens after the kill.

    `code` is the exit code of that run when nobody kills it. `again` are the runs afterwards: seconds that go by, and
    how it is run. After them a plain run must find nothing to do, and end on the cheap path.
    """

    name: str
    prepare: Step
    code: int = 0
    request: RunRequest = field(default_factory=RunRequest)
    between: Step = nothing
    again: tuple[tuple[float, RunRequest], ...] = ((0.0, RunRequest()),)
    names: tuple[str, ...] = ("one.example.test",)
    compare_and_set: bool = True
    final: str = SECOND


def _first(stage: Stage) -> None:
    assert stage.run() == 0
    stage.clock.tick(600)


def _moved(stage: Stage) -> None:
    _first(stage)
    stage.move(SECOND)


def _drifted(stage: Stage) -> None:
    _first(stage)
    stage.dns.alter("one.example.test", OTHER)


def _write_faults(*faults: Fault) -> Step:
    def prepare(stage: Stage) -> None:
        _moved(stage)
        stage.providers["one"].write_faults.extend(faults)

    return prepare


def _unreadable(stage: Stage) -> None:
    """The write's answer is lost, and the record can't be read before the breaker opens."""
    _moved(stage)
    stage.providers["one"].write_faults.append(TIMEOUT_AFTER)
    stage.providers["one"].read_faults.extend([None, UNREACHABLE, UNREACHABLE])


def _half(stage: Stage) -> None:
    _moved(stage)
    stage.providers["one"].breaks_after = 1


def _queued(stage: Stage) -> None:
    _moved(stage)
    stage.providers["one"].state = AppliedState.QUEUED


def _released(stage: Stage) -> None:
    stage.providers["one"].release()
    stage.providers["one"].state = AppliedState.APPLIED


def _overtaken(stage: Stage) -> None:
    _moved(stage)

    def other_writer(change: Change) -> None:
        stage.providers["one"].meanwhile = None
        stage.dns.alter(change.key.name, OTHER)

    stage.providers["one"].meanwhile = other_writer


def _other_writes(stage: Stage) -> None:
    stage.dns.alter("one.example.test", OTHER)


_PLAIN = RunRequest()
#: At once, and when the settling time and a breaker's pauses are over.
_AGAIN_AND_LATER = ((0.0, _PLAIN), (SETTLE + 300, _PLAIN), (SETTLE + 600, _PLAIN))

SCENARIOS = (
    Scenario("create", nothing, final=FIRST),
    Scenario("change", _moved),
    Scenario("drift", _drifted, request=RunRequest(prove=True), final=FIRST, again=((0.0, RunRequest(prove=True)),)),
    Scenario("two providers", _moved, names=("one.example.test", "two.example.test")),
    Scenario("half a batch", _half, names=("one-a.example.test", "one-b.example.test")),
    Scenario("answer lost, applied", _write_faults(TIMEOUT_AFTER)),
    Scenario("answer lost, not applied", _write_faults(TIMEOUT_BEFORE)),
    Scenario("answer lost, unreadable", _unreadable, code=13, again=_AGAIN_AND_LATER),
    Scenario("rate limited", _write_faults(LIMITED), again=_AGAIN_AND_LATER),
    Scenario("queued", _queued, between=_released),
    Scenario("blocked", _write_faults(BAD_CREDENTIALS), code=12, again=((0.0, _PLAIN), (0.0, RunRequest(now=True)))),
    Scenario("overtaken, fenced", _overtaken, code=12, again=_AGAIN_AND_LATER),
    Scenario("overtaken, not fenced", _overtaken, compare_and_set=False),
    Scenario(
        "another writes after the kill", _moved, between=_other_writes, again=((0.0, _PLAIN), (EVERY + 1, _PLAIN))
    ),
    Scenario("the address moves on after the kill", _moved, between=lambda stage: stage.move(THIRD), final=THIRD),
    Scenario("the address moves back after the kill", _moved, between=lambda stage: stage.move(FIRST), final=FIRST),
    Scenario("nothing to do", _first, final=FIRST),
)  # fmt: skip


@cache
def effects_of(scenario: Scenario, *, statements: bool = False) -> tuple[str, ...]:
    """The labels of the effects of the scenario's run, when nobody kills it."""
    with tempfile.TemporaryDirectory() as folder, _stage(scenario, Path(folder) / "data") as stage:
        scenario.prepare(stage)
        effects = Effects()
        with effects.statements() if statements else effects.files():
            assert stage.run(scenario.request, effects) == scenario.code
        return tuple(effects.labels)


def _stage(scenario: Scenario, folder: Path) -> Stage:
    return Stage(folder, scenario.names, compare_and_set=scenario.compare_and_set)


def _cuts(scenarios: tuple[Scenario, ...], *, statements: bool = False) -> list[object]:
    """One parameter set a scenario, effect and side; reading statements leave nothing behind and are left out."""
    return [
        pytest.param(scenario, Cut(number, side), label, id=f"{scenario.name}: {side} {number:02} {label}")
        for scenario in scenarios
        for number, label in enumerate(effects_of(scenario, statements=statements), 1)
        for side in SIDES
        if not label.startswith(("sql SELECT", "sql PRAGMA"))
    ]


@pytest.mark.parametrize(("scenario", "cut", "label"), _cuts(SCENARIOS))
def test_killed_at_an_effect(tmp_path: Path, scenario: Scenario, cut: Cut, label: str) -> None:
    with _stage(scenario, tmp_path / "data") as stage:
        scenario.prepare(stage)
        assert stage.kill(cut, scenario.request)[cut.number - 1] == label
        recovers(stage, scenario)


BY_STATEMENT = tuple(s for s in SCENARIOS if s.name in {"create", "change", "nothing to do"})


@pytest.mark.parametrize(("scenario", "cut", "label"), _cuts(BY_STATEMENT, statements=True))
def test_killed_at_a_statement(tmp_path: Path, scenario: Scenario, cut: Cut, label: str) -> None:
    """Inside a transaction, too: what is on disk then is rolled back by whoever opens it next."""
    with _stage(scenario, tmp_path / "data") as stage:
        scenario.prepare(stage)
        assert stage.kill(cut, scenario.request, statements=True)[cut.number - 1] == label
        recovers(stage, scenario)


def recovers(stage: Stage, scenario: Scenario) -> None:
    """The table of the state: nothing lost, no gap in history, state and DNS agree, and nothing stays open."""
    scenario.between(stage)
    codes = []
    for seconds, request in scenario.again:
        stage.clock.tick(seconds)
        codes.append(stage.run(request))
    assert codes[-1] == 0
    assert stage.published() == ((scenario.final,),) * len(stage.names)
    assert stage.believed() == dict.fromkeys(stage.names, scenario.final)
    assert stage.open_intents() == 0
    assert stage.open_runs() == 0
    history_has_no_gap(stage, fenced=scenario.compare_and_set)
    assert stage.expectation() is not None

    asked = len(stage.net.asked)
    assert stage.run() == 0
    assert stage.status()["run"]["full"] is False
    assert len(stage.net.asked) == asked + 1, "a run with nothing to do asks one probe"
    assert stage.status()["records"][0]["address"] == scenario.final


def history_has_no_gap(stage: Stage, *, fenced: bool = True, undone: Collection[str] = ()) -> None:
    """Every write of ours that DNS saw has its row; every row that says so was seen by DNS.

    A write that landed is "external" only where somebody else wrote, and "void" only where what we wrote may have been
    undone, or came late: the names that are `undone`. Where writes are not fenced, what a write replaced
    may be another value than the one that was read.
    """
    history = stage.history()
    assert {row.state for row in history} <= {"applied", "adopted", "external", "void", "refused"}
    told = [row for row in history if row.state in {"applied", "adopted"}]
    foreign = {write.name for write in stage.dns.writes if write.by not in stage.providers}
    overtaken = [row for row in history if row.state == "external" and row.name in foreign]
    overtaken += [row for row in history if row.state == "void" and row.name in undone]
    for write in (write for write in stage.dns.writes if write.by in stage.providers):
        found = [
            row
            for row in (*told, *overtaken)
            if (row.name, row.after) == (write.name, _text(write.after))
            and (not fenced or row.before == _text(write.before))
        ]
        if not found and any((row.name, row.after) == (write.name, _text(write.after)) for row in history):
            assert write.name in undone, f"DNS saw a write once more than history tells: {write}"
            continue
        assert found, f"DNS saw a write that history does not tell: {write}"
        (told if found[0] in told else overtaken).remove(found[0])
    assert told == [], "history tells of changes that DNS never saw"


def _text(rrset: RRset | None) -> str | None:
    return None if rrset is None else str(rrset)


def test_every_kind_of_effect_is_enumerated() -> None:
    labels = {label for scenario in SCENARIOS for label in effects_of(scenario)}
    assert {" ".join(label.split()[:2]) for label in labels} >= {
        "net http", "net udp", "net probe", "provider observe", "provider apply",
        "state begin", "state intend", "state settle", "state note_breaker", "state note_block", "state close",
        "state record_run", "file status.json", "file log",
    }  # fmt: skip
    assert all(len(effects_of(scenario)) >= 4 for scenario in SCENARIOS)


def test_each_fate_of_an_intent_comes_up(tmp_path: Path) -> None:
    """Void, adopted, external: killed before the write, after it, and after it with another writer in between."""
    fates = {}
    for name, side, between in (
        ("void", "before", nothing),
        ("adopted", "after", nothing),
        ("external", "after", _other_writes),
    ):
        with Stage(tmp_path / name) as stage:
            _moved(stage)
            write = effects_of(SCENARIOS[1]).index("provider apply") + 1
            stage.kill(Cut(write, "before" if side == "before" else "after"))
            between(stage)
            assert stage.run() == 0
            fates[name] = stage.history()[1].state
            aborted = stage.sql("SELECT exit, ended = started FROM runs WHERE full ORDER BY id")[1]
            assert aborted == (1, 1), "the run that was killed is closed as aborted"
    assert fates == {name: name for name in fates}
