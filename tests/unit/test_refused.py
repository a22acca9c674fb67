"""A record that its provider refuses rests: no write and no question at each run, until something changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ddns.runtime import RunRequest
from faults.stage import FIRST, PROBE, SECOND, Stage
from unit.fakes import REJECTED

ONE, TWO = "one-a.example.test", "two-b.example.test"
HOUR = 3600.0


@pytest.fixture
def stage(tmp_path: Path, unset: None) -> Iterator[Stage]:
    with Stage(tmp_path / "machine", (ONE, TWO)) as made:
        made.providers["one"].write_faults.append(REJECTED)
        assert made.run() == 12
        yield made


def sent(stage: Stage) -> int:
    return len(stage.providers["one"].sent)


def test_the_next_runs_are_cheap_and_say_the_same(stage: Stage) -> None:
    assert (sent(stage), stage.published()) == (1, ((), (FIRST,)))
    stage.net.asked.clear()
    reads = len(stage.providers["one"].reads)
    for _ in range(3):
        stage.clock.tick(600)
        assert stage.run() == 12
    assert (sent(stage), len(stage.providers["one"].reads), set(stage.net.asked)) == (1, reads, {PROBE})
    assert stage.status()["run"]["full"] is False


def test_a_full_run_leaves_it_alone_as_well_and_tells_it_with_its_end(stage: Stage) -> None:
    stage.clock.tick(600)
    assert stage.run(RunRequest(full=True)) == 12
    assert sent(stage) == 1
    (record, _) = stage.status()["records"]
    assert (record["outcome"], record["error"]["code"]) == ("failed", "provider.rejected")
    stage.clock.tick(600)
    assert stage.run(RunRequest(full=True)) == 12
    assert record["next_at"] is not None
    assert stage.status()["records"][0]["next_at"] == record["next_at"], "telling it again does not prolong it"


@pytest.mark.parametrize("cause", ["settings", "now", "address", "day", "environment"])
def test_what_ends_the_rest(stage: Stage, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RunRequest()
    stage.clock.tick(600)
    if cause == "settings":
        stage.settings("# the zone was corrected\n")
    elif cause == "now":
        request = RunRequest(now=True)
    elif cause == "address":
        stage.move(SECOND)
    elif cause == "day":
        stage.clock.tick(24 * HOUR)
    elif cause == "environment":
        monkeypatch.setenv("DDNS_LOG_LEVEL", "DEBUG")
    assert stage.run(request) == 0
    assert sent(stage) == 2
    expected = SECOND if cause == "address" else FIRST
    assert stage.published() == ((expected,), (expected,))
    stage.clock.tick(600)
    assert stage.run(RunRequest(full=True)) == 0
    assert stage.sql("SELECT count(*) FROM refused") == [(0,)]


def test_a_rest_is_over_for_good_though_another_trouble_came_between(stage: Stage) -> None:
    stage.net.says.clear()
    assert stage.run(RunRequest(full=True)) == 11
    stage.move(FIRST)
    assert stage.run(RunRequest(now=True)) == 0
    assert stage.published() == ((FIRST,), (FIRST,))
    assert stage.run(RunRequest(full=True)) == 0
    assert {record["error"] for record in stage.status()["records"]} == {None}


def test_one_refused_name_never_holds_up_another(stage: Stage) -> None:
    stage.clock.tick(600)
    stage.dns.alter(TWO, "203.0.113.66")
    stage.clock.tick(6 * HOUR)
    assert stage.run() == 12
    assert stage.published()[1] == (FIRST,)


def test_an_intent_bears_the_moment_of_sending(stage: Stage) -> None:
    """Not that at which the run began: detection may take its time, and the settling window counts from here."""
    stage.move(SECOND)
    stage.clock.tick(600)
    before = stage.clock.now()
    real = stage.providers["two"].observe

    def slow(*arguments: object) -> object:
        stage.clock.sleep(30)
        return real(*arguments)  # type: ignore[arg-type]

    stage.providers["two"].observe = slow  # type: ignore[method-assign, assignment]
    stage.run()
    ((at,),) = stage.sql("SELECT max(at) FROM changes WHERE name LIKE 'two%'")
    assert at >= before + 30
