"""`ddns --version`: the same by the entry point, which answers without click, and by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ddns
from ddns.cli import main as cli
from ddns.edition import NOTE

ENVIRON = os.environ | {"PYTHONPATH": str(Path(ddns.__file__).parents[1])}


def test_both_ways_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ddns", "--version"], env=ENVIRON, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert cli.main(["--version"]) == 0
    assert done.stdout == capsys.readouterr().out == f"ddns {ddns.__version__}{NOTE}\n"


def test_it_costs_no_click() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ddns", "--version"],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=60,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "ddns.edition" in imported
    assert not imported & {"click", "ddns.cli.main", "ddns.runtime"}
