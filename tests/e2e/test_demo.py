"""The demonstration as a user starts it: it ends well, or says what failed, and leaves nothing behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ddns.demo.narrator import Narrator
from ddns.demo.stage import DemoFailed, Nameserver
from ddns.demo.story import demonstrate
from ddns.render import Screen
from ground import NotHere, not_run
from ground.bind import named
from unit.terminal import ROOT, ddns

HEADINGS = (
    "1  Start, on loopback, with throw-away data",
    "2  Enrol this machine: a one-time code for a key of its own, good for its own name only",
    "3  The first run publishes",
    "4  What a person sees",
    "5  The public address changes",
    "6  Nothing changes: the run that every machine pays for every ten minutes",
    "7  Somebody alters the record behind our back; a due proof repairs it",
    "8  One operator lies; nothing is published",
)
RESULTS = (
    "enrolled as laptop-7 at gateway demo-gateway",
    "laptop-7.demo.test A: updated none -> 203.0.113.7",
    "● all is well",
    "laptop-7.demo.test A: updated 203.0.113.7 -> 203.0.113.8",
    "nothing changed: 203.0.113.8",
    "Asked: 1 probe, 0 echo services; no provider was opened.",
    "laptop-7.demo.test A: repaired 198.51.100.9 -> 203.0.113.8",
    "says 203.0.113.66",
    "exit 11 after",
    "The lie is over.",
    "laptop-7.demo.test A: proven 203.0.113.8 (by gateway)",
    "everything that was started is stopped again.",
)


def start(temp: Path, width: int, server: Mapping[str, str]) -> subprocess.Popen[str]:
    """`ddns demo` in a session of its own, and with a folder of its own for what is temporary."""
    temp.mkdir()
    environ = os.environ | {"PYTHONPATH": "src", "COLUMNS": str(width), "TMPDIR": str(temp), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "ddns", "demo"],
        env={**environ, **server},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def left(session: int) -> list[str]:
    """The processes of a session that still are."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, _, fields = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue  # it ended while we looked
            if int(fields.split()[3]) == session:
                found.append(name)
    return found


@pytest.fixture(params=["embedded", "BIND"])
def server(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that makes the demonstration use this DNS server."""
    if request.param == "embedded":
        return {"DDNS_NAMED": "no-such-program"}
    try:
        program = named()
    except NotHere as missing:
        not_run(missing)
    return {"DDNS_NAMED": str(program.path), **program.env}


@pytest.mark.parametrize("width", [80, 110])
def test_it_shows_every_step_and_leaves_nothing(server: dict[str, str], tmp_path: Path, width: int) -> None:
    process = start(tmp_path / "temp", width, server)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, "")
    told = " ".join(out.replace("─", "").split())
    assert [part for part in HEADINGS + RESULTS if " ".join(part.split()) not in told] == []
    assert ("BIND on port" in told) is (server["DDNS_NAMED"] != "no-such-program")
    assert [line for line in out.splitlines() if len(line) > width or line != line.rstrip() or "…" in line] == []
    assert left(process.pid) == []
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_stopped_in_the_middle_it_leaves_nothing(
    server: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    process = start(tmp_path / "temp", 80, server)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("3 "):
            break
    os.killpg(process.pid, number)  # as the terminal does: to every process at once
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (130, "\nddns: stopped; nothing is left running\n")
    assert left(process.pid) == []
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_step_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("DDNS_NAMED", "no-such-program")
    monkeypatch.setattr(Nameserver, "ask", lambda _dns, _name: "203.0.113.99")
    with pytest.raises(DemoFailed) as failed:
        demonstrate(Narrator(Screen(io.StringIO(), width=80)))
    assert str(failed.value) == "DNS says 203.0.113.99 for laptop-7.demo.test, expected 203.0.113.7"
    assert list(tmp_path.iterdir()) == []

    done = ddns("demo")
    assert (done.code, done.err) == (1, f"ddns: {failed.value}\n")
    assert "✘ DNS says: laptop-7.demo.test A 203.0.113.99" in done.out
    assert list(tmp_path.iterdir()) == []
