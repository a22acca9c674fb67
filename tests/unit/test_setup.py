"""The set-up of the virtual environment, from what a user may do to it: no folder to write to, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from unit.terminal import ROOT

PROGRAM = [sys.executable, str(ROOT / "packaging" / "setup" / "venv.py"), "gateway"]


def test_a_cache_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "cache"
    done = subprocess.run(
        PROGRAM, env=os.environ | {"DDNS_CACHE": str(folder)}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"set-up: the cache {folder} can't be written; set DDNS_CACHE to a folder that can\n"


def test_ctrl_c_ends_with_a_line(tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    process = subprocess.Popen(
        PROGRAM,
        env=os.environ | {"DDNS_CACHE": str(tmp_path / "cache"), "TMPDIR": str(temp)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert "(once; about a minute)" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "set-up: stopped; nothing is left running\n"
    assert list(temp.iterdir()) == []
