"""The entry point: which arguments go without click, and that both routes come to the same."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ddns.cli.main
import ddns.runtime
from ddns import __main__
from ddns.__main__ import monitored, scheduled
from ddns.runtime import RunRequest
from ddns.times import utc
from ddns.unread import UNREAD
from unit.terminal import HOUR, NOW, put, record, status


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], (True, None)),
        (["run", "--data", "/d"], (True, "/d")),
        (["run", "--data", "d e"], (True, "d e")),
        ([], (False, None)),
        (["run", "--data"], (False, None)),
        (["run", "--data", ""], (False, None)),
        (["run", "--data", "--now"], (False, None)),
        (["run", "--data=/d"], (False, None)),
        (["run", "--now"], (False, None)),
        (["run", "--data", "/d", "--now"], (False, None)),
        (["--data", "/d", "run"], (False, None)),
        (["status"], (False, None)),
        (["--version"], (False, None)),
    ],
)
def test_the_scheduled_form(arguments: list[str], expected: tuple[bool, str | None]) -> None:
    assert scheduled(arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["status", "--json"], (True, None)),
        (["status", "--json", "--data", "/d"], (True, "/d")),
        (["status", "--data", "/d", "--json"], (True, "/d")),
        (["status"], (False, None)),
        (["status", "--json", "--data"], (False, None)),
        (["status", "--json", "--data", ""], (False, None)),
        (["status", "--json", "--data", "--help"], (False, None)),
        (["status", "--data", "--json"], (False, None)),
        (["status", "--json", "--json"], (False, None)),
        (["status", "--json", "--data=/d"], (False, None)),
        (["history", "--json"], (False, None)),
        ([], (False, None)),
    ],
)
def test_the_form_of_monitoring(arguments: list[str], expected: tuple[bool, str | None]) -> None:
    assert monitored(arguments) == expected


def ended(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """A process's exit code and output."""
    lines = [sys.executable, *arguments]
    environ = {"PATH": os.defpath, "PYTHONPATH": str(Path(ddns.__file__).parents[1]), "HOME": str(folder)}
    done = subprocess.run(lines, cwd=folder, env=environ, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (status(record(next_at=utc(time.time() + HOUR)), age=NOW - time.time()), 0),
        (status(record(outcome="failed")), 20),
        ("no JSON", 20),
        (None, 20),
    ],
    ids=["fine", "wrong", "malformed", "none"],
)
def test_monitoring_gets_the_answer_of_the_command(tmp_path: Path, document: Any, code: int) -> None:
    if document is not None:
        put(tmp_path, document)
    quick = ended(tmp_path, "-m", "ddns", "status", "--json", "--data", str(tmp_path))
    assert quick == ended(tmp_path, "-m", "ddns", "status", "--json", f"--data={tmp_path}")
    assert quick[0] == code


def test_monitoring_costs_no_click(tmp_path: Path) -> None:
    put(tmp_path, status(record()))
    _, _, told = ended(tmp_path, "-X", "importtime", "-m", "ddns", "status", "--json", "--data", str(tmp_path))
    assert "ddns.cli.answer" in told
    assert not {"click", "dataclasses", "difflib", "statistics", "typing"} & {
        line.rpartition("|")[2].strip() for line in told.splitlines()
    }


class Left(BaseException):
    """The process would end here."""


def leave(monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int = 0) -> tuple[int, list[RunRequest]]:
    """The exit code of `ddns` with these arguments, and the runs that it asks for."""
    asked: list[RunRequest] = []
    codes: list[int] = []

    def run(request: RunRequest) -> int:
        asked.append(request)
        return code

    def end(code: int) -> None:
        codes.append(code)
        raise Left

    monkeypatch.setattr(ddns.runtime, "run", run)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(sys, "argv", ["ddns", *arguments])
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # and back again
    with pytest.raises(Left):
        __main__.main()
    return codes[0], asked


def test_ctrl_c_while_it_is_still_importing_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_arguments: list[str]) -> tuple[bool, str | None]:
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "scheduled", interrupted)
    assert leave(monkeypatch, ["status"]) == (130, [])


@pytest.mark.parametrize("code", [0, 12])
@pytest.mark.parametrize("arguments", [["run"], ["run", "--data", "/d"]])
def test_both_routes_ask_for_the_same_run(monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int) -> None:
    direct = leave(monkeypatch, arguments, code)
    monkeypatch.setattr(__main__, "scheduled", lambda _arguments: (False, None))
    assert leave(monkeypatch, arguments, code) == direct
    assert direct == (code, [RunRequest(arguments[2] if arguments[1:] else None)])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--now"], RunRequest(now=True)),
        (["--full", "--prove"], RunRequest(full=True, prove=True)),
        (["--trial", "--data", "/d"], RunRequest("/d", trial=True)),
    ],
)
def test_the_other_forms_go_through_click(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: RunRequest
) -> None:
    assert leave(monkeypatch, ["run", *arguments]) == (0, [expected])


@pytest.mark.parametrize("code", [0, 12])
def test_a_run_whose_output_is_lost_ends_with_its_own_code(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Gone())
        assert leave(patch, ["run"], code)[0] == code


def test_an_answer_that_is_lost_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Gone())
        assert leave(patch, ["--version"])[0] == UNREAD


@pytest.mark.parametrize("arguments", [["run", "--data", "."], ["run", "--full", "--data", "."], ["--version"]])
def test_a_process_without_streams_ends_with_its_own_exit_code(tmp_path: Path, arguments: list[str]) -> None:
    """As a windowless program has none."""
    lines = [sys.executable, "-m", "ddns", *arguments]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *lines],
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(Path(ddns.__file__).parents[1]), "HOME": str(tmp_path)},
        timeout=30,
        check=False,
    )
    assert done.returncode == (10 if "run" in arguments else 0)


def test_what_a_console_can_t_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    with monkeypatch.context() as patch:
        console = io.TextIOWrapper(raw, encoding="cp1252")
        patch.setattr(sys, "stdout", console)
        patch.setattr(ddns.runtime, "run", lambda _request: sys.stdout.write("\u0142"))
        patch.setattr(os, "_exit", lambda _code: None)
        patch.setattr(gc, "disable", lambda: None)
        patch.setattr(sys, "argv", ["ddns", "run"])
        __main__.main()
    assert raw.getvalue() == b"\\u0142"


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_only_a_plain_run_may_be_quick(now: bool, full: bool, prove: bool, trial: bool) -> None:
    request = RunRequest("/d", now=now, full=full, prove=prove, trial=trial)
    assert request.quick is not any((now, full, prove, trial))
    names = [name for name, set_ in (("trial", trial), ("now", now), ("prove", prove), ("full", full)) if set_]
    assert request.trigger == (names[0] if names else "schedule")
    assert repr(request) == f"RunRequest(data='/d', full={full}, now={now}, prove={prove}, trial={trial})"
