"""Whole runs in a world in memory: what they leave for the next one, and how the bad ones end."""

from __future__ import annotations

import io
import json
import os
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ddns import host
from ddns.errors import BadCredentials, ProviderError, Rejected, SettingsError, StateUnwritable, Transport
from ddns.runtime import RunRequest, Start, compose, loading, pausing, run
from ddns.runtime.looking import plan, trial_run
from ddns.runtime.quick import quick_run
from ddns.state.schema import connect
from faults import memory
from faults.effects import Effects
from faults.stage import ALPHA, BETA, EVERY, FIRST, LIE, PROBE, SECOND, Stage
from unit.fakes import BAD_CREDENTIALS, START, UNREACHABLE, Fault

NAME = "one.example.test"
DAY = 24 * 3600.0


def meddle(stage: Stage, statement: str) -> None:
    """Change the state from outside."""
    with closing(sqlite3.connect(stage.folder / "state" / "state.db")) as base, base:
        base.execute(statement)


def asked(stage: Stage) -> list[str]:
    """Whom the last run asked."""
    found, stage.net.asked = sorted(set(stage.net.asked)), []
    return found


def test_the_second_run_asks_one_probe_and_nothing_else(stage: Stage) -> None:
    assert stage.run() == 0
    assert stage.dns.texts(NAME) == (FIRST,)
    assert asked(stage) == sorted([ALPHA, BETA, PROBE])
    stage.providers["one"].reads.clear()
    stage.clock.tick(600)
    assert stage.run() == 0
    assert (asked(stage), stage.providers["one"].reads) == ([PROBE], [])
    assert stage.status()["run"]["full"] is False


def test_what_the_no_change_run_tells(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run()
    capsys.readouterr()
    stage.clock.tick(600)
    stage.run()
    assert capsys.readouterr() == (f"nothing changed: {FIRST} (asked dns://{PROBE}/whoami.test)\n", "")
    last = json.loads((stage.folder / "logs" / "ddns.jsonl").read_text().splitlines()[-1])
    assert (last["message"], last["details"]) == (
        "nothing changed",
        {"addresses": [FIRST], "asked": [f"dns://{PROBE}/whoami.test"]},
    )
    assert last["trace_id"] == stage.status()["run"]["id"]


@pytest.mark.parametrize(
    "cause", ["address", "silence", "settings", "environment", "version", "late", "clock", "pending", "full"]
)
def test_the_full_way(stage: Stage, monkeypatch: pytest.MonkeyPatch, cause: str) -> None:
    stage.run()
    stage.clock.tick(600)
    request = RunRequest()
    if cause == "address":
        stage.move(SECOND)
    elif cause == "silence":
        stage.net.says[PROBE] = Transport("no answer")
    elif cause == "settings":
        stage.settings("# a comment\n")
    elif cause == "environment":
        monkeypatch.setenv("DDNS_LOG_LEVEL", "DEBUG")
    elif cause == "version":
        monkeypatch.setattr("ddns.runtime.quick.__version__", "0.0.0")
    elif cause == "late":
        stage.clock.tick(EVERY)
    elif cause == "clock":
        stage.clock.jump(-DAY)
    elif cause == "pending":
        stage.providers["one"].down = UNREACHABLE
        stage.run(RunRequest(prove=True))
        stage.providers["one"].down = None
        stage.clock.tick(301)  # the breaker
    elif cause == "full":
        request = RunRequest(full=True)
    asked(stage)
    assert stage.run(request) == 0
    assert ALPHA in asked(stage)
    assert stage.status()["run"]["full"] is True


@pytest.mark.parametrize("cause", ["resume", "network", "version", "nothing"])
def test_a_resume_another_network_or_version_makes_a_proof_due(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    stage.run()
    stage.clock.tick(600)
    stage.dns.alter(NAME, LIE)
    if cause == "resume":
        bias = host.sleep_bias()
        monkeypatch.setattr("ddns.host.sleep_bias", lambda: bias + 3600)
    elif cause == "network":
        monkeypatch.setattr("ddns.host.route.source_address", lambda family: f"192.0.2.{family}")
    elif cause == "version":
        monkeypatch.setattr("ddns.runtime.quick.__version__", "0.0.0")
    if cause != "nothing":  # the network may take a while to be there
        stage.net.says.clear()
        assert stage.run() == 11
        stage.move(FIRST)
    assert stage.run(RunRequest(full=True)) == 0
    assert stage.dns.texts(NAME) == ((LIE,) if cause == "nothing" else (FIRST,))


def test_a_block_is_repeated_cheaply_with_its_exit_code(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.providers["one"].down = BAD_CREDENTIALS
    assert stage.run() == 12
    asked(stage)
    capsys.readouterr()
    stage.clock.tick(600)
    assert stage.run() == 12
    assert asked(stage) == [PROBE]
    said = f"nothing changed: {FIRST} (asked dns://{PROBE}/whoami.test); exit 12 as before: see ddns status"
    assert capsys.readouterr() == (f"{said} --data {stage.folder}\n", "")


def test_a_block_that_outlasts_the_proof_stays_cheap(stage: Stage) -> None:
    assert stage.run() == 0
    stage.providers["one"].down = BAD_CREDENTIALS
    assert stage.run(RunRequest(prove=True)) == 12
    stage.clock.tick(EVERY + 1)
    assert stage.run() == 12
    asked(stage)
    stage.clock.tick(600)
    assert stage.run() == 12
    assert asked(stage) == [PROBE]
    stage.providers["one"].down = None
    stage.clock.tick(DAY)
    assert stage.run() == 0


def test_a_hold_that_outlasts_the_proof_stays_cheap(stage: Stage) -> None:
    assert stage.run() == 0
    meddle(stage, f"UPDATE records SET reversals = '{[START] * 5}'")
    stage.clock.tick(600)
    stage.dns.alter(NAME, LIE)
    assert stage.run(RunRequest(prove=True)) == 12  # held for 16 h
    stage.clock.tick(EVERY + 1)
    assert stage.run() == 12
    asked(stage)
    stage.clock.tick(600)
    assert stage.run() == 12
    assert asked(stage) == [PROBE]
    stage.clock.tick(DAY)
    assert stage.run() == 0
    assert stage.dns.texts(NAME) == (FIRST,)


def test_a_write_of_the_future_does_not_put_the_proof_off(stage: Stage) -> None:
    stage.clock.jump(30 * DAY)
    assert stage.run() == 0
    stage.clock.jump(-30 * DAY)
    assert stage.run() == 0
    stage.clock.tick(600)
    asked(stage)
    assert stage.run() == 0
    assert asked(stage) == [PROBE]
    stage.dns.alter(NAME, LIE)
    stage.clock.tick(EVERY)
    assert stage.run() == 0
    assert stage.dns.texts(NAME) == (FIRST,)


def test_new_credentials_are_free_of_the_old_block_and_cheap_again(stage: Stage) -> None:
    stage.providers["one"].down = BAD_CREDENTIALS
    assert stage.run() == 12
    assert [block["code"] for block in stage.status()["blocks"]] == ["provider.bad_credentials"]
    stage.providers["one"].down = None
    # The provider's settings change: here, its place.
    stage.patch.setitem(memory.PLACES, "elsewhere", stage.providers["one"])
    stage.places["one"] = "elsewhere"
    stage.settings()
    assert stage.run() == 0
    assert stage.status()["blocks"] == []
    stage.clock.tick(2 * DAY)
    stage.run()
    asked(stage)
    stage.clock.tick(600)
    assert stage.run() == 0
    assert asked(stage) == [PROBE]


def test_another_gateway_is_free_of_the_block_of_the_old_one(stage: Stage) -> None:
    stage.settings('[gateway]\nurl = "https://old.test"\n')
    stage.providers["one"].down = BAD_CREDENTIALS
    assert stage.run() == 12
    stage.providers["one"].down = None
    stage.settings('[gateway]\nurl = "https://new.test"\n')
    assert stage.run() == 0
    assert stage.status()["blocks"] == []


def test_a_pause_ends_runs_at_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run()
    meddle(stage, f"INSERT INTO meta VALUES ('paused_until', '{START + 3600}')")
    stage.move(SECOND)
    capsys.readouterr()
    asked(stage)
    assert stage.run() == 0
    assert capsys.readouterr().out == f"paused; `ddns resume --data {stage.folder}` ends it\n"
    assert (asked(stage), stage.dns.texts(NAME)) == ([], (FIRST,))
    stage.clock.tick(3600)
    assert stage.run() == 0
    assert stage.dns.texts(NAME) == (SECOND,)


def test_one_liar_publishes_nothing(stage: Stage) -> None:
    stage.run()
    stage.clock.tick(600)
    stage.net.says[PROBE] = LIE
    assert stage.run() == 0
    stage.net.says |= {PROBE: FIRST, ALPHA: LIE}
    assert stage.run(RunRequest(full=True)) == 0
    stage.net.says |= {BETA: SECOND}
    assert stage.run(RunRequest(full=True)) == 11
    assert stage.dns.texts(NAME) == (FIRST,)


# -- settings and state that can't be used


def test_without_settings(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (stage.folder / "ddns.toml").unlink()
    assert stage.run() == 10
    assert capsys.readouterr().err == (
        f"ddns: there are no settings at {stage.folder}/ddns.toml\n"
        f"ddns: Write them with: ddns config init --data {stage.folder}\n"
    )
    assert (stage.status()["run"]["exit"], stage.net.asked, stage.expectation()) == (10, [], None)


def test_settings_that_keep_no_record(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (stage.folder / "ddns.toml").write_text("schema = 1\n")
    for _ in range(2):
        assert stage.run() == 0
        told = capsys.readouterr()
        assert (told.out, told.err) == (f"no records are set; add a [[record]] to {stage.folder}/ddns.toml\n", "")
    lines = [json.loads(line) for line in (stage.folder / "logs" / "ddns.jsonl").read_text().splitlines()]
    assert [line["level"] for line in lines if line["message"].startswith("no records are set")] == ["WARN", "WARN"]


def test_settings_that_can_t_be_read(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (stage.folder / "ddns.toml").unlink()
    (stage.folder / "ddns.toml").mkdir()
    assert stage.run() == 10
    assert capsys.readouterr().err.startswith(f"ddns: the settings at {stage.folder}/ddns.toml can't be read: Is a dir")


@pytest.mark.parametrize("probe", ["opendsn", "https://echo.example/", "dns://h:0/x"])
def test_a_mistyped_probe_is_a_matter_of_settings(stage: Stage, capsys: pytest.CaptureFixture[str], probe: str) -> None:
    text = (stage.folder / "ddns.toml").read_text()
    (stage.folder / "ddns.toml").write_text(text.replace(f"dns://{PROBE}/whoami.test", probe))
    assert stage.run() == 10
    error = capsys.readouterr().err
    assert probe in error
    assert "probe4" in error


def test_a_newer_state_is_told_in_status_and_left(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run()
    meddle(stage, "UPDATE meta SET value = '9' WHERE key = 'min_writer'")
    before = (stage.folder / "state" / "state.db").read_bytes()
    assert stage.run() == 15
    assert "was written by a newer version (format 9, this one writes 1)" in capsys.readouterr().err
    assert (stage.folder / "state" / "state.db").read_bytes() == before
    status = stage.status()
    assert (status["run"]["exit"], status["records"][0]["name"]) == (15, NAME)
    assert status["notes"][0].startswith("state.newer: ")


def test_a_damaged_state_is_rebuilt_and_told(stage: Stage) -> None:
    stage.run()
    (stage.folder / "state" / "state.db").write_bytes(b"garbage" * 500)
    assert stage.run() == 0
    assert stage.status()["notes"][0].startswith("the state was damaged (")
    assert [record["outcome"] for record in stage.status()["records"]] == ["proven"]


@pytest.mark.parametrize("paused", [False, True])
def test_wrong_settings_do_not_hide_whose_status_it_is(stage: Stage, *, paused: bool) -> None:
    if paused:
        pausing.pause(str(stage.folder), None)
    settings = stage.folder / "ddns.toml"
    right = settings.read_text()
    settings.write_text("[[record]\n")
    assert stage.run() == 10
    assert stage.status()["host"] == socket.gethostname()
    assert stage.status()["records"] == []

    settings.write_text(right)
    assert stage.run() == 0
    shown = stage.status()["records"]
    settings.write_text("[[record]\n")
    assert stage.run() == 10
    assert (stage.status()["host"], stage.status()["records"]) == (socket.gethostname(), shown)
    assert shown


def test_a_second_instance(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    lock = host.InstanceLock(str(stage.folder / "state"))
    assert run(RunRequest(str(stage.folder))) == 14
    assert capsys.readouterr().err == (
        f"ddns: another run holds {stage.folder}/state/instance.lock\n"
        "ddns: Wait for the other run to end; it has a time limit of its own.\n"
    )
    lock.release()


def test_a_state_folder_that_can_t_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_text("")
    assert run(RunRequest(str(tmp_path))) == 15
    assert f"ddns: {tmp_path}/state" in capsys.readouterr().err


def test_a_status_that_can_t_be_written_is_no_failure(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (stage.folder / "public" / "status.json.new").mkdir(parents=True)
    assert stage.run() == 0
    problem = f"{stage.folder}/public/status.json can't be written: Is a directory"
    assert f"ddns: {problem}\n" in capsys.readouterr().err
    lines = [json.loads(line) for line in (stage.folder / "logs" / "ddns.jsonl").read_text().splitlines()]
    assert ("WARN", problem) in [(line["level"], line["message"]) for line in lines]
    stage.clock.tick(60)
    assert stage.run() == 0
    assert "Is a directory" in capsys.readouterr().err


def test_a_secret_in_a_provider_s_words_reaches_neither_screen_nor_log(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddns.host.secrets.Vault.mask", lambda _self, text: text.replace("hunter2", "***"))
    stage.providers["one"].down = type(UNREACHABLE)("echo", lambda: Transport("the server says hunter2"))
    assert stage.run() == 13
    told = capsys.readouterr()
    assert "the server says ***" in told.out
    for text in (told.out, told.err, (stage.folder / "logs" / "ddns.jsonl").read_text(), json.dumps(stage.status())):
        assert "hunter2" not in text


def test_a_reader_that_leaves_does_not_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    names = ("one.example.test", "two.example.test")
    with Stage(tmp_path / "machine", names) as stage:
        monkeypatch.setattr(sys, "stdout", Gone())
        assert stage.run() == 0
        assert stage.published() == ((FIRST,), (FIRST,))


def test_a_no_change_run_that_can_t_be_stored_is_a_matter_of_the_state(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.run() == 0
    stage.clock.tick(600)

    def full(path: str) -> sqlite3.Connection:
        base = connect(path)
        base.execute("PRAGMA query_only = ON")
        return base

    monkeypatch.setattr("ddns.runtime.quick.connect", full)
    monkeypatch.setattr("ddns.state.opening.connect", full)
    assert stage.run() == 15
    assert "attempt to write a readonly database" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [BadCredentials, Rejected])
def test_a_secret_in_a_provider_s_words_is_not_stored(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: type[ProviderError]
) -> None:
    """A later run, which opens no secret because of the block, could not mask it."""
    stage.providers["one"].write_faults.append(Fault("echo", lambda: kind("the server says hunter2")))
    with monkeypatch.context() as patch:
        patch.setattr("ddns.host.secrets.Vault.mask", lambda _self, text: text.replace("hunter2", "***"))
        assert stage.run() == 12
    assert stage.run(RunRequest(full=True)) == 12
    assert "hunter2" not in capsys.readouterr().out + (stage.folder / "logs" / "ddns.jsonl").read_text()
    assert b"hunter2" not in (stage.folder / "state" / "state.db").read_bytes()


# -- looking


def start(stage: Stage) -> Start:
    made = Start(str(stage.folder))
    made.started = stage.clock.now()
    return made


def seams(stage: Stage) -> compose.Seams:
    return stage.seams(Effects())


def test_a_plan_writes_nothing(stage: Stage) -> None:
    found = plan(start(stage), RunRequest(), seams(stage))
    assert [(str(change.key), str(change.after)) for change in found.plan.changes] == [(f"{NAME} A", FIRST)]
    assert stage.dns.writes == []
    assert sorted(os.listdir(stage.folder)) == ["ddns.toml"]


def test_a_trial_that_is_fine(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert trial_run(start(stage), RunRequest(trial=True), seams(stage)) == 0
    assert capsys.readouterr().out == "trial: settings, secrets, address and 1 record are fine; nothing was written\n"
    assert stage.dns.writes == []


@pytest.mark.parametrize(
    ("wrong", "code", "told"),
    [
        ("provider", 12, f"ddns: {NAME} A: the token is not accepted\n"),
        ("network", 11, f"ddns: {NAME} A: the public IPv4 address is not known: "),
        ("settings", 10, "ddns: there are no settings at "),
    ],
)
def test_a_trial_that_is_not(
    stage: Stage, capsys: pytest.CaptureFixture[str], wrong: str, code: int, told: str
) -> None:
    if wrong == "provider":
        stage.providers["one"].down = BAD_CREDENTIALS
    elif wrong == "network":
        stage.net.says.clear()
    else:
        (stage.folder / "ddns.toml").unlink()
    assert trial_run(start(stage), RunRequest(trial=True), seams(stage)) == code
    assert capsys.readouterr().err.startswith(told)


def test_a_plan_looks_past_an_open_breaker_when_it_is_asked_to(stage: Stage) -> None:
    stage.run()
    stage.clock.tick(EVERY)
    stage.providers["one"].down = UNREACHABLE
    for _ in range(2):
        stage.run(RunRequest(prove=True))
    stage.providers["one"].down = None

    (left,) = plan(start(stage), RunRequest(), seams(stage)).plan.held
    assert (left.kind.value, left.cause.code) == ("deferred", "provider.deferred")
    found = plan(start(stage), RunRequest(now=True), seams(stage))
    assert [str(keep.rrset) for keep in found.plan.unchanged] == [FIRST]


def test_looking_at_a_damaged_state(stage: Stage) -> None:
    stage.run()
    (stage.folder / "state" / "state.db").write_bytes(b"garbage" * 500)
    found = plan(start(stage), RunRequest(), seams(stage))
    assert [str(keep.rrset) for keep in found.plan.unchanged] == [FIRST]


# -- the no-change run by itself


def test_without_a_state_or_settings_the_full_way_decides(stage: Stage) -> None:
    assert quick_run(start(stage)) is None
    stage.run()
    (stage.folder / "ddns.toml").unlink()
    assert quick_run(start(stage)) is None


@pytest.mark.parametrize("code", [-1, 256, 2**40])
def test_an_exit_code_that_no_process_has_goes_the_full_way(stage: Stage, code: int) -> None:
    stage.run()
    meddle(stage, f"UPDATE expectation SET exit = {code}")
    assert quick_run(start(stage), stage.ask) is None


def test_a_state_of_another_shape_goes_the_full_way(stage: Stage) -> None:
    stage.run()
    meddle(stage, "DROP TABLE expectation")
    assert quick_run(start(stage)) is None


@pytest.mark.parametrize("there", [True, False])
def test_an_account_without_settings_is_told_of_the_machine_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    own, machine = (host.Places.below(str(tmp_path / whose), whose) for whose in ("user", "machine"))
    monkeypatch.setattr(host, "readable_places", lambda: [machine, own])
    if there:
        os.mkdir(machine.config)
    with pytest.raises(SettingsError) as caught:
        loading.settings_bytes(own)
    more = f", or be an administrator: the machine's own are in {machine.config}" if there else ""
    assert caught.value.advice == f"Write them with: ddns config init{more}"


def test_places_that_must_not_be_used_end_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_data: str | None) -> host.Places:
        raise StateUnwritable("the folder is not an administrator's", advice="Remove it.")

    monkeypatch.setattr(host, "places", refuse)
    assert run(RunRequest()) == 15
    assert capsys.readouterr().err == "ddns: the folder is not an administrator's\nddns: Remove it.\n"
