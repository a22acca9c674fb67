"""State that is damaged, forged, full, or from another time: what a run makes of it, with the state's real file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddns.errors import EXIT_ORDER, StateUnwritable
from ddns.runtime import RunRequest, pausing, removing
from ddns.state import schema
from faults.effects import SIDES, Cut, Effects, Killed
from faults.stage import ALPHA, FIRST, LIE, PROBE, SECOND, Stage
from faults.test_effects import history_has_no_gap
from unit.fakes import BAD_CREDENTIALS, UNREACHABLE

NAME = "one.example.test"
DAY = 24 * 3600.0
PAGE = 4096
FULL = RunRequest(full=True)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A machine that has run once, ten minutes ago."""
    with Stage(tmp_path / "data") as stage:
        assert stage.run() == 0
        stage.clock.tick(600)
        yield stage


def state_file(stage: Stage) -> Path:
    return stage.folder / "state" / "state.db"


# -- damaged


def _other_tables(path: Path) -> None:
    path.unlink()
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE bookmarks (url TEXT)")
    base.close()


def _wipe_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[PAGE : 2 * PAGE] = bytes(PAGE)
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "garbage": lambda path: path.write_bytes(b"\x00garbage\xff" * 500),
    "zero bytes": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut within a page": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "another program's tables": _other_tables,
    "a page of zeros": _wipe_a_page,
}


@pytest.mark.parametrize("request_", [RunRequest(), FULL], ids=["run", "run --full"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_state_is_set_aside_and_rebuilt(
    stage: Stage, damage: Callable[[Path], object], request_: RunRequest
) -> None:
    damage(state_file(stage))
    broken = state_file(stage).read_bytes()
    stage.move(SECOND)
    assert stage.run(request_) == 0
    assert stage.published() == ((SECOND,),)
    (aside,) = state_file(stage).parent.glob("state.db.damaged-*")
    assert aside.read_bytes() == broken, "what was found is kept"
    (note,) = stage.notes()
    assert note.startswith("the state was damaged (")
    assert str(aside) in note
    assert "history before this is not there" in note
    assert stage.status()["notes"] == [note]
    assert stage.status()["records"][0]["address"] == SECOND
    assert stage.run() == 0
    assert stage.status()["run"]["full"] is False


@settings(settings.get_profile("faults"), max_examples=150)
@given(data=st.data())
def test_any_flipped_bytes_never_crash_and_never_publish_a_lie(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    with Stage(tmp_path_factory.mktemp("flip") / "data") as stage:
        assert stage.run() == 0
        stage.clock.tick(600)
        stage.move(SECOND)
        content = bytearray(state_file(stage).read_bytes())
        first = data.draw(st.sampled_from([0, PAGE]))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(first, len(content) - 1))
            flipped = data.draw(st.binary(min_size=1, max_size=64))
            content[at : at + len(flipped)] = flipped
        state_file(stage).write_bytes(content)
        assert stage.run(data.draw(st.sampled_from([RunRequest(), FULL]))) in EXIT_ORDER
        stage.clock.tick(2 * DAY)
        code = stage.run(RunRequest(now=True))
        # The first page holds the schema; a column whose name is damaged is met when it is written, and told.
        assert code == 0 or (code == 15 and first == 0)
        assert stage.published() == ((SECOND,),) or code == 15
        assert {write.after and str(write.after) for write in stage.dns.writes} <= {FIRST, SECOND}


def test_a_newer_state_is_left_alone(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    base = sqlite3.connect(state_file(stage))
    base.execute("UPDATE meta SET value = ? WHERE key = 'min_writer'", (str(schema.WRITER + 1),))
    base.commit()
    base.close()
    before = state_file(stage).read_bytes()
    stage.move(SECOND)
    capsys.readouterr()
    assert stage.run() == 15
    assert "was written by a newer version" in capsys.readouterr().err
    assert state_file(stage).read_bytes() == before
    assert stage.published() == ((FIRST,),)
    assert stage.status()["run"]["exit"] == 15
    assert stage.status()["notes"][0].startswith("state.newer: Install the newer version again")


# -- forged

#: The full way: the address is found by a quorum, and published.
DONE = None
#: What is forged, and how the run ends: DONE, or suppressed with an exit code, when the probe says what is expected.
FORGED = {
    "far future": ("until = 9e15", DONE),
    "long ago until far future": ("made = 0, until = 9e15", DONE),
    "another address": (f"expected = '4|-1|{LIE}'", 0),
    "another fingerprint": ("fingerprint = 'beef'", DONE),
    "text for a time": ("made = 'yesterday', until = 'tomorrow'", DONE),
    "a blob for a text": ("expected = x'ff00', fingerprint = x'ff', watched = x'ff'", DONE),
    "not text": ("expected = CAST(x'ff' AS TEXT)", DONE),
    "not a number": ("until = 9e999", DONE),
    "no such probe": ("expected = '4|99|203.0.113.7'", DONE),
    "a probe from the end": ("expected = '4|-2|203.0.113.7'", DONE),
    "no such family": ("expected = '5|0|203.0.113.7'", DONE),
    "no family": ("expected = ''", 0),
    "half a field": ("expected = '4|0'", DONE),
    "another exit code": ("exit = 99", 99),
    "no exit of a process": ("exit = 256", DONE),
    "no exit code": ("exit = 'fine'", 0),
    "a file to watch": ("watched = 'file:/proc/self/mem'", DONE),
}


def forge(stage: Stage, forged: str) -> None:
    base = sqlite3.connect(state_file(stage))
    base.execute(f"UPDATE expectation SET {forged}")
    base.commit()
    base.close()


@pytest.mark.parametrize(("forged", "suppressed"), FORGED.values(), ids=FORGED)
def test_a_forged_expectation_suppresses_at_most(stage: Stage, forged: str, suppressed: int | None) -> None:
    """At worst, with a probe that agrees with it."""
    forge(stage, forged)
    stage.move(SECOND)
    stage.net.says[PROBE] = LIE if LIE in forged else FIRST
    sent = len(stage.dns.writes)
    code = stage.run()
    written = [str(write.after) for write in stage.dns.writes[sent:]]
    if suppressed is None:
        assert (code, stage.status()["run"]["full"], written) == (0, True, [SECOND])
    else:
        assert (code, stage.status()["run"]["full"], written) == (suppressed, False, [])
        assert stage.published() == ((FIRST,),)
    stage.move(SECOND)
    assert stage.run(FULL) == 0
    assert stage.published() == ((SECOND,),)
    assert stage.run() == 0


@pytest.mark.parametrize(
    "forged", [forged for forged, _ in FORGED.values() if forged != FORGED["no family"][0]], ids=str
)
def test_a_forged_expectation_does_not_silence_an_honest_probe(stage: Stage, forged: str) -> None:
    forge(stage, forged)
    stage.move(SECOND)
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


def test_an_expectation_of_more_than_a_day_is_not_believed(stage: Stage) -> None:
    base = sqlite3.connect(state_file(stage))
    base.execute("UPDATE expectation SET until = made + 86401")
    base.commit()
    base.close()
    stage.move(SECOND)
    stage.net.says["192.0.2.53:53"] = FIRST
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),), "its probe was not believed"


def test_a_forged_expectation_that_agrees_with_a_lying_probe_ends_with_the_day(stage: Stage) -> None:
    base = sqlite3.connect(state_file(stage))
    base.execute("UPDATE expectation SET until = made + 86400")
    base.commit()
    base.close()
    stage.move(SECOND)
    stage.net.says["192.0.2.53:53"] = FIRST
    assert stage.run() == 0
    assert stage.published() == ((FIRST,),), "the one probe is believed for so long"
    stage.clock.tick(DAY)
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


# -- retired: what was taken away does not come back because the state forgot it

LOST: dict[str, Callable[[Path], object]] = {**DAMAGE, "no state": Path.unlink}
EVERY_RUN = (RunRequest(), RunRequest(now=True), FULL, RunRequest(prove=True))


def retire(stage: Stage, effects: Effects | None = None) -> removing.Removal:
    return removing.remove(str(stage.folder), removing.Wish(everything=True), stage.seams(effects or Effects()))


def killed_at_statements(stage: Stage, place: Path) -> Iterator[Stage]:
    """Copies of the machine, each killed in its next run before another statement that writes."""
    effects = Effects()
    with stage.fork(place / "counted") as counted, effects.statements():
        assert counted.run(effects=effects) == 0
    writing = [n for n, label in enumerate(effects.labels, 1) if not label.startswith(("sql SELECT", "sql PRAGMA"))]
    assert writing
    for number in writing:
        with stage.fork(place / f"fork{number}") as fork:
            fork.kill(Cut(number, "before"), statements=True)
            yield fork


def stays_away(stage: Stage) -> None:
    """No run publishes, all say so, and a person's word brings the records back."""
    for request in EVERY_RUN:
        assert stage.run(request) == 0
        assert stage.published() == ((),)
    assert stage.status()["retired_at"]
    pausing.pause(str(stage.folder), None)
    assert stage.run() == 0
    assert stage.published() == ((FIRST,),)


@pytest.mark.parametrize("damage", LOST.values(), ids=LOST)
def test_a_retired_machine_stays_so_when_its_state_is_lost(stage: Stage, damage: Callable[[Path], object]) -> None:
    assert retire(stage).exit == 0
    since = stage.status()["retired_at"]
    stage.clock.tick(600)
    damage(state_file(stage))
    assert stage.run() == 0
    assert (stage.published(), stage.status()["retired_at"]) == (((),), since)
    damage(state_file(stage))
    stays_away(stage)
    damage(state_file(stage))
    assert stage.run(FULL) == 0
    assert "retired_at" not in stage.status(), "a resumed machine stays so, too"


def test_a_state_that_only_lost_the_row_is_told(stage: Stage) -> None:
    retire(stage)
    base = sqlite3.connect(state_file(stage))
    base.execute("DELETE FROM meta WHERE key IN ('retired_at', 'paused_until')")
    base.commit()
    base.close()
    stays_away(stage)


@pytest.mark.parametrize("text", [b"", b"garbage", b"nan", b"9e99", b"-1", b"\xff" * 5000])
def test_a_mark_that_is_damaged_too_still_counts(stage: Stage, text: bytes) -> None:
    retire(stage)
    mark = state_file(stage).with_name("retired")
    mark.write_bytes(text)
    state_file(stage).unlink()
    stays_away(stage)
    assert not mark.exists()


def test_what_can_t_be_marked_is_not_taken_away(stage: Stage) -> None:
    state_file(stage).with_name("retired").mkdir()
    with pytest.raises(StateUnwritable, match="retired: Is a directory"):
        retire(stage)
    assert stage.published() == ((FIRST,),)


def test_a_retirement_killed_at_any_point_holds_from_its_mark_on(stage: Stage, tmp_path: Path) -> None:
    """Killed around each effect, and the state is lost before the next run."""
    whole = Effects()
    with stage.fork(tmp_path / "whole") as made, whole.files():
        retire(made, whole)
    assert whole.labels[0] == "file retired"
    for number in range(1, len(whole.labels) + 1):
        for side in SIDES:
            with stage.fork(tmp_path / f"{number}{side}") as made:
                effects = Effects(Cut(number, side))
                with suppress(Killed), effects.files():
                    retire(made, effects)
                left = made.published()
                state_file(made).write_bytes(b"garbage")
                assert made.run() == 0
                marked = (number, side) != (1, "before")
                assert (made.published(), "retired_at" in made.status()) == (left, marked)


def test_a_resume_killed_at_any_point_can_be_repeated(stage: Stage, tmp_path: Path) -> None:
    retire(stage)
    for side in SIDES:
        with stage.fork(tmp_path / side) as made:
            effects = Effects(Cut(1, side))
            with pytest.raises(Killed), effects.files():
                pausing.pause(str(made.folder), None)
            assert effects.labels == ["file retired"]
            stays_away(made)


def test_a_rebuild_of_a_retired_machine_killed_at_any_statement(stage: Stage, tmp_path: Path) -> None:
    retire(stage)
    state_file(stage).write_bytes(b"garbage" * 1000)
    for fork in killed_at_statements(stage, tmp_path):
        stays_away(fork)


# -- full


@contextmanager
def full_disk(pages: int) -> Iterator[None]:
    """No state grows beyond so many pages."""
    real = sqlite3.connect

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        base: sqlite3.Connection = real(*args, **options)
        base.execute(f"PRAGMA max_page_count = {pages}")
        return base

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        yield


def test_a_full_disk_before_the_first_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(tmp_path / "data") as stage:
        with full_disk(3):
            assert stage.run() == 15
        told = capsys.readouterr().err
        assert "state.db: database or disk is full" in told
        assert "free space" in told
        assert stage.published() == ((),)
        assert stage.run() == 0
        assert stage.published() == ((FIRST,),)


def test_a_full_disk_later(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    base = sqlite3.connect(state_file(stage))
    base.execute("PRAGMA max_page_count = 60")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        _fill(base)
    base.close()
    stage.move(SECOND)
    capsys.readouterr()
    with full_disk(60):
        assert stage.run() == 15
    assert "database or disk is full" in capsys.readouterr().err
    assert stage.published() == ((FIRST,),)
    assert stage.status()["run"]["exit"] == 15
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


def _fill(base: sqlite3.Connection) -> None:
    while True:
        base.execute("INSERT INTO runs (trace_id, trigger, started, ended, full, version) VALUES (1, 1, 1, 1, 1, 1)")
        base.commit()


class Full(Effects):
    """The disk is full from one SQL statement on."""

    def __init__(self, number: int) -> None:
        super().__init__(None)
        self.number = number
        self.met = False

    def told(self, label: str) -> None:
        writes = label.startswith("sql") and not label.startswith(("sql SELECT", "sql PRAGMA", "sql ROLLBACK"))
        if len(self.labels) >= self.number and writes:
            self.met = True
            raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("number", [*range(1, 72, 3)])
def test_a_disk_that_fills_up_during_a_run(stage: Stage, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent without an intent on disk, and what was sent is found again when there is space."""
    stage.move(SECOND)
    effects = Full(number)
    capsys.readouterr()
    with effects.statements():
        code = stage.run(effects=effects)
    told = capsys.readouterr().err
    assert code == (15 if effects.met else 0)
    assert ("database or disk is full" in told) == effects.met
    assert "Traceback" not in told
    if stage.published() == ((SECOND,),):
        assert stage.history()[-1].after == SECOND
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)
    assert stage.open_intents() == 0
    assert stage.open_runs() == 0
    history_has_no_gap(stage)


# -- a clock that goes back


@pytest.mark.parametrize("back", [1.0, 3600.0, 10 * DAY])
def test_an_expectation_from_the_future_is_not_believed(stage: Stage, back: float) -> None:
    stage.clock.jump(-600 - back)
    assert stage.run() == 0
    assert stage.status()["run"]["full"] is True
    assert stage.run() == 0
    assert stage.status()["run"]["full"] is False, "the new one is of the new time"


def test_a_proof_from_the_future_counts_as_long_ago(stage: Stage) -> None:
    stage.clock.jump(-10 * DAY)
    stage.dns.alter(NAME, LIE)
    assert stage.run() == 0
    assert stage.published() == ((FIRST,),)
    assert stage.history()[-1].reason == "drift"


def test_a_breaker_that_opened_in_the_future_is_closed(stage: Stage) -> None:
    stage.providers["one"].down = UNREACHABLE
    stage.move(SECOND)
    assert [stage.run() for _ in range(3)] == [13, 13, 13]
    stage.providers["one"].down = None
    reads = len(stage.providers["one"].reads)
    assert stage.run() == 13
    assert len(stage.providers["one"].reads) == reads, "the breaker is open"
    stage.clock.jump(-10 * DAY)
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


def test_a_block_from_the_future_is_tried_again(stage: Stage) -> None:
    stage.providers["one"].down = BAD_CREDENTIALS
    stage.move(SECOND)
    assert stage.run() == 12
    stage.providers["one"].down = None
    assert stage.run() == 12
    assert stage.published() == ((FIRST,),)
    stage.clock.jump(-10 * DAY)
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


def test_a_block_that_was_renewed_in_the_future_is_tried_again(stage: Stage) -> None:
    """First refused before the clock goes back to, last refused after that: the last one counts."""
    stage.providers["one"].down = BAD_CREDENTIALS
    stage.move(SECOND)
    assert stage.run() == 12
    stage.clock.jump(10 * DAY)
    assert stage.run() == 12
    stage.clock.jump(-9 * DAY)
    stage.providers["one"].down = None
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


def test_a_hold_from_the_future_ends(stage: Stage) -> None:
    """Two reversals hold the record; a clock that is set back does not hold it until the old future comes."""
    codes = []
    for _ in range(2):
        stage.clock.tick(600)
        stage.dns.alter(NAME, LIE)
        codes.append(stage.run(RunRequest(prove=True)))
    assert codes == [0, 12]
    stage.clock.jump(-10 * DAY)
    stage.clock.tick(DAY)
    stage.run()
    stage.clock.tick(DAY)
    assert stage.run() == 0
    assert stage.published() == ((FIRST,),)


# -- nobody to ask


def test_no_network(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.move("")
    stage.providers["one"].down = UNREACHABLE
    capsys.readouterr()
    assert stage.run() == 11
    told = capsys.readouterr().out
    assert f"{ALPHA}: no answer" in told
    assert "See what each source answers with: ddns detect" in told
    assert stage.published() == ((FIRST,),)
    assert stage.status()["records"][0]["error"]["code"] == "address.unknown"
    stage.providers["one"].down = None
    stage.move(FIRST)
    assert stage.run() == 0
    assert len(stage.dns.writes) == 1


def test_a_kill_while_the_damaged_state_is_rebuilt(stage: Stage, tmp_path: Path) -> None:
    """At any statement: the damaged file is kept, and the next run goes on."""
    state_file(stage).write_bytes(b"garbage" * 1000)
    stage.move(SECOND)
    for fork in killed_at_statements(stage, tmp_path):
        assert fork.run() == 0
        assert fork.published() == ((SECOND,),)
        kept = [path.read_bytes() for path in state_file(fork).parent.glob("state.db.damaged-*")]
        assert b"garbage" * 1000 in kept
        assert fork.notes() != []
