"""`ddns watch` and `ddns service` as they are typed, and what Windows' service needs that can be known anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ddns.cli import service as service_command
from ddns.host.program import command
from ddns.host.servicing import Service, service_sid
from ddns.runtime import resident
from unit.terminal import ROOT, ddns, environment


@pytest.mark.parametrize(
    ("name", "sid"),
    [  # as `sc showsid` prints them
        ("TrustedInstaller", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"),
        ("WinDefend", "S-1-5-80-1913148863-3492339771-4165695881-2087618961-4109116736"),
    ],
)
def test_the_identifier_of_a_service(name: str, sid: str) -> None:
    assert service_sid(name) == service_sid(name.lower()) == sid


@pytest.mark.skipif(sys.platform == "win32", reason="there it is made")
@pytest.mark.parametrize("words", [["install"], ["start"], ["stop"], ["remove"], ["status"], ["run"]], ids=" ".join)
def test_elsewhere_the_alternative_is_named_and_nothing_is_made(words: list[str], tmp_path: Path) -> None:
    data = ["--data", tmp_path / "new"] if words[0] in ("install", "remove", "run") else []
    done = ddns("service", *words, *data)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "ddns: `ddns service` is for Windows services\n"
        "Let systemd keep `ddns watch` running; docs/guides/service.md has the unit.\n"
    )
    assert not (tmp_path / "new").exists()


def test_what_windows_calls_is_not_shown() -> None:
    assert "  run" not in ddns("service", "--help").out


@pytest.mark.parametrize(
    ("found", "text", "code"),
    [
        (Service("not installed"), "DDNS: not installed\n", 20),
        (
            Service("running", "who", "what", "automatic", 7),
            "DDNS: running, process 7; start automatic, account who\nwhat\n",
            0,
        ),
        (
            Service("stopped", "who", "what", "automatic", 0, 5),
            "DDNS: stopped, last exit 5; start automatic, account who\nwhat\n",
            20,
        ),
    ],
    ids=lambda value: value.state if isinstance(value, Service) else "",
)
def test_status_says_what_there_is(found: Service, text: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "query", lambda: found)
    done = ddns("service", "status")
    assert (done.code, done.out) == (code, text)
    data = ddns("service", "status", "--json").json("service status")
    assert (data["state"], data["exit"]) == (found.state, found.exit)
    assert list(data) == ["state", "account", "command", "start", "process", "exit"]


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        ("", r"NT AUTHORITY\LocalService"),
        ("localservice", r"NT AUTHORITY\LocalService"),
        ("NetworkService", r"NT AUTHORITY\NetworkService"),
        ("LocalSystem", "LocalSystem"),
        ("CORP\\ddns$", "CORP\\ddns$"),
    ],
)
def test_accounts(typed: str, account: str) -> None:
    assert service_command._account(typed, resident.LOCAL_SERVICE) == account


@pytest.mark.parametrize("every", ["29s", "25h", "10", "", "-1m", "10m 5s", "1e3s", "\x1b[2J"])
def test_an_interval_that_is_none_is_a_wrong_command_line(every: str) -> None:
    done = ddns("watch", "--every", every)
    assert done.code == 2
    assert "Invalid value for '--every'" in done.err
    assert done.err.replace("\n", "").isprintable()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_runs_tells_and_ends(number: signal.Signals, tmp_path: Path) -> None:
    """A folder without settings: each run ends with 10, and the watch goes on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ddns", "watch", "--json", "--data", str(tmp_path)],
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.send_signal(number)
        rest, err = process.communicate(timeout=60)
    assert (told["schema"], told["command"]) == (1, "watch")
    assert told["data"] | {"seconds": 0} == {
        "reason": "start",
        "exit": 10,
        "seconds": 0,
        "killed": False,
        "output": [
            f"ddns: there are no settings at {tmp_path}/ddns.toml",
            f"ddns: Write them with: ddns config init --data {tmp_path}",
        ],
    }
    assert (process.returncode, rest, err) == (0, b"", b"")


def test_a_watch_for_people(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ddns", "watch", "--every", "30s", "--data", str(tmp_path)],
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline().rstrip() for _ in range(4)]
        process.terminate()
    assert lines[0] == "watching: a run every 30 s, and when the network changes; Ctrl-C ends it"
    assert [line[10:] for line in lines[1:]] == [
        f"ddns: there are no settings at {tmp_path}/ddns.toml",
        f"ddns: Write them with: ddns config init --data {tmp_path}",
        "exit 10 (reason to run: start)",
    ]
    assert process.returncode == 0


def test_a_watch_whose_reader_left_ends(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "ddns", "watch", "--data", str(tmp_path)],
            env=environment(),
            cwd=ROOT,
            stdout=nobody,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_watch_whose_output_has_no_room_goes_on(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "ddns", "watch", "--data", str(tmp_path)],
            env=environment(),
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    with process:
        assert process.stderr is not None
        assert process.stderr.readline() == "ddns: the output can't be written: No space left on device\n"
        process.terminate()
        rest = process.stderr.read()
    assert (process.returncode, rest.count("ddns:")) == (0, 0)


def test_the_program_names_itself() -> None:
    assert command() == (sys.executable, "-m", "ddns")
