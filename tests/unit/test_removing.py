"""`ddns remove` on one machine: what is ours goes, what is not stays, and no run brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ddns.errors import BusyError, UsageError
from ddns.host import InstanceLock
from ddns.model import Kind, RecordType
from ddns.runtime import RunRequest, pausing, removing
from ddns.runtime.removing import Removal, Wish
from faults.effects import SIDES, Cut, Effects, Killed
from faults.stage import FIRST, LIE, SETTLE, Stage
from unit.fakes import BAD_CREDENTIALS, UNREACHABLE
from unit.terminal import ddns

ONE, TWO = "one-a.example.test", "one-b.example.test"
ALL = Wish(everything=True)


@pytest.fixture
def stage(tmp_path: Path, unset: None) -> Iterator[Stage]:
    with Stage(tmp_path / "machine", (ONE, TWO)) as made:
        assert made.run() == 0
        made.clock.tick(600)
        yield made


def remove(stage: Stage, wish: Wish, effects: Effects | None = None) -> Removal:
    return removing.remove(str(stage.folder), wish, stage.seams(effects or Effects()))


def kinds(removal: Removal) -> list[Kind]:
    return [outcome.kind for outcome in removal.outcomes]


def test_all_goes_and_no_run_of_any_kind_brings_it_back(stage: Stage) -> None:
    done = remove(stage, ALL)
    assert (kinds(done), done.exit, done.retired) == ([Kind.REMOVED] * 2, 0, True)
    assert stage.published() == ((), ())
    for request in (RunRequest(), RunRequest(now=True), RunRequest(full=True), RunRequest(prove=True)):
        assert stage.run(request) == 0
        assert stage.published() == ((), ())
    assert stage.status()["paused_until"] == "9999-12-31T00:00:00.000Z"
    assert stage.status()["retired_at"] <= stage.status()["written_at"]
    assert [record["outcome"] for record in stage.status()["records"]] == ["removed"] * 2
    assert [row.reason for row in stage.history()][2:] == ["remove"] * 2
    again = remove(stage, ALL)
    assert (again.outcomes, again.exit) == ((), 0)
    assert pausing.pause(str(stage.folder), None) is not None
    assert "retired_at" not in stage.status()
    assert stage.run() == 0
    assert stage.published() == ((FIRST,), (FIRST,))


def test_one_name_goes_and_the_answer_says_that_the_settings_bring_it_back(stage: Stage) -> None:
    done = remove(stage, Wish((f"{ONE.upper()}.",)))
    assert (kinds(done), done.exit, done.retired) == ([Kind.REMOVED], 0, False)
    assert [key.name for key in done.wanted] == [ONE, TWO] or {key.name for key in done.wanted} == {ONE, TWO}
    assert stage.published() == ((), (FIRST,))
    assert stage.run() == 0
    assert stage.published() == ((FIRST,), (FIRST,))


def test_what_somebody_else_changed_is_not_touched(stage: Stage) -> None:
    stage.dns.alter(ONE, LIE)
    done = remove(stage, ALL)
    assert (kinds(done), done.exit) == ([Kind.CONTENDED, Kind.REMOVED], 12)
    assert stage.published() == ((LIE,), ())
    assert "did not write" in str(done.outcomes[0].cause)


def test_what_this_machine_never_owned_is_refused_by_name(stage: Stage) -> None:
    stage.dns.alter("other.example.test", LIE)
    done = remove(stage, Wish(("other.example.test",)))
    assert (kinds(done), done.exit) == ([Kind.FAILED], 12)
    assert stage.dns.texts("other.example.test") == (LIE,)
    wrong_type = remove(stage, Wish((ONE,), (RecordType.AAAA,)))
    assert (wrong_type.exit, stage.published()) == (12, ((FIRST,), (FIRST,)))


def test_what_is_gone_already_counts_as_done(stage: Stage) -> None:
    stage.dns.alter(ONE)
    done = remove(stage, ALL)
    assert (kinds(done), done.exit) == ([Kind.PROVEN, Kind.REMOVED], 0)
    assert remove(stage, ALL).outcomes == ()


def test_a_provider_that_is_down_keeps_everything_for_later(stage: Stage) -> None:
    stage.providers["one"].down = UNREACHABLE
    done = remove(stage, ALL)
    assert (kinds(done), done.exit) == ([Kind.DEFERRED] * 2, 13)
    assert stage.run() == 0  # retired: it does not publish again in the meantime
    stage.providers["one"].down = None
    assert (kinds(remove(stage, ALL)), stage.published()) == ([Kind.REMOVED] * 2, ((), ()))


def test_a_refusal_is_a_persons_matter(stage: Stage) -> None:
    stage.providers["one"].down = BAD_CREDENTIALS
    assert remove(stage, ALL).exit == 12


def test_a_record_whose_provider_left_the_settings_is_told(stage: Stage) -> None:
    text = (stage.folder / "ddns.toml").read_text()
    (stage.folder / "ddns.toml").write_text(text.replace("[provider.one]", "[provider.two]").replace('"one"', '"two"'))
    done = remove(stage, ALL)
    assert (kinds(done), done.exit) == ([Kind.FAILED] * 2, 12)
    assert "not in the settings" in str(done.outcomes[0].cause)
    assert stage.published() == ((FIRST,), (FIRST,))


def test_a_write_that_is_not_yet_visible_is_not_taken_for_somebody_elses(stage: Stage) -> None:
    """A secondary still shows the value before: neither removed nor disowned."""
    stage.move(LIE)
    assert stage.run() == 0
    stage.dns.alter(ONE, FIRST)
    early = remove(stage, Wish((ONE,)))
    assert (kinds(early), early.exit) == ([Kind.DEFERRED], 13)
    stage.clock.tick(SETTLE)
    stage.dns.alter(ONE, LIE)
    assert (kinds(remove(stage, Wish((ONE,)))), stage.dns.texts(ONE)) == ([Kind.REMOVED], ())


def test_a_dry_run_reads_and_changes_nothing(stage: Stage) -> None:
    before = stage.sql("SELECT * FROM runs"), stage.sql("SELECT * FROM changes"), stage.sql("SELECT * FROM meta")
    found = removing.preview(str(stage.folder), ALL, stage.seams(Effects()))
    assert found.plan is not None
    assert [change.key.name for change in found.plan.changes] == [ONE, TWO]
    assert (found.exit, found.retired, stage.published()) == (0, False, ((FIRST,), (FIRST,)))
    assert before == (
        stage.sql("SELECT * FROM runs"),
        stage.sql("SELECT * FROM changes"),
        stage.sql("SELECT * FROM meta"),
    )
    assert stage.run() == 0


def test_a_run_at_work_is_waited_for_but_not_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "_PATIENCE", 0.0)
    lock = InstanceLock(str(stage.folder / "state"))
    try:
        with pytest.raises(BusyError):
            remove(stage, ALL)
    finally:
        lock.release()
    assert stage.published() == ((FIRST,), (FIRST,))


def test_revoke_is_for_all_only(stage: Stage) -> None:
    with pytest.raises(UsageError):
        remove(stage, Wish((ONE,), revoke=True))


@pytest.mark.parametrize("lands", [True, False])
def test_a_kill_at_any_point_leaves_nothing_behind_once_repeated(stage: Stage, tmp_path: Path, *, lands: bool) -> None:
    """Killed around each effect, then a scheduled run comes between; the same command again ends it."""
    whole = Effects()
    with stage.fork(tmp_path / "whole") as made, whole.files():
        assert remove(made, ALL, whole).exit == 0
    assert len(whole.labels) > 8
    stage.dns.alter("other.example.test", LIE)
    for number in range(1, len(whole.labels) + 1):
        for side in SIDES:
            folder = tmp_path / f"{number}{side}{lands}"
            with stage.fork(folder) as made:
                effects = Effects(Cut(number, side))
                try:
                    with effects.files():
                        remove(made, ALL, effects)
                except Killed:
                    pass
                left = made.published()
                if lands:
                    made.clock.tick(SETTLE)
                assert made.run() in (0, 12)
                if "state begin" in effects.labels:
                    assert made.published() == left, "retired before the first record went"
                made.clock.tick(SETTLE)
                assert remove(made, ALL).exit == 0, (number, side, effects.labels[-1])
                assert made.published() == ((), ())
                assert made.dns.texts("other.example.test") == (LIE,)
                assert made.open_intents() == 0


def test_the_command_line(stage: Stage) -> None:
    folder = stage.folder
    assert ddns("remove", "--data", folder).code == 2
    assert ddns("remove", "--all", ONE, "--data", folder).code == 2
    assert ddns("remove", ONE, "--revoke", "--yes", "--data", folder).code == 2
    assert ddns("remove", "--all", "--type", "A", "--yes", "--data", folder).code == 2
    strange = ddns("remove", "not-ours.example.com", "--yes", "--data", folder)
    assert (strange.code, strange.lines[0]) == (12, "✗ not-ours.example.com failed")
    unasked = ddns("remove", "--all", "--data", folder)
    assert (unasked.code, "--yes" in unasked.err, stage.published()) == (2, True, ((FIRST,), (FIRST,)))
    dry = ddns("remove", ONE, "--dry-run", "--json", "--data", folder).json("remove")
    assert dry["records"] == [
        {
            "name": ONE, "type": "A", "provider": "one", "in_settings": True, "values": [FIRST],
            "outcome": "would be removed", "note": None, "error": None,
        }
    ]  # fmt: skip
    said = ddns("remove", ONE, "--yes", "--data", folder)
    assert (said.code, stage.published()) == (0, ((), (FIRST,)))
    assert f"The settings still ask for {ONE}" in said.text
    told = ddns("remove", "--all", "--yes", "--json", "--data", folder).json("remove")
    assert (told["exit"], told["retired"], told["gateways"], told["dry_run"]) == (0, True, [], False)
    assert [(item["name"], item["outcome"]) for item in told["records"]] == [(TWO, "removed")]
    nothing = ddns("remove", "--all", "--yes", "--data", folder)
    assert (nothing.code, "owns no record" in nothing.text) == (0, True)
