"""A real server as a process of a test: in the foreground, its words in a log, ended by its own process id."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from packages.debian import Program

#: Seconds in which a server must answer after its start, and stop after it was told to.
PATIENCE = 20.0


def start(program: Program, *options: str, log: Path, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Start it in `folder`; what it says is added to the `log`."""
    with open(log, "ab") as words:
        return subprocess.Popen(
            [program.path, *options],
            cwd=folder,
            env=os.environ | dict(program.env),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )


def answers(process: subprocess.Popen[bytes] | None, ask: Callable[[], bool]) -> bool:
    """Whether `ask` comes true while the process lives and before `PATIENCE` is over."""
    end = time.monotonic() + PATIENCE
    while process is not None and process.poll() is None and time.monotonic() < end:
        if ask():
            return True
        time.sleep(0.02)
    return False


def stop(process: subprocess.Popen[bytes] | None) -> None:
    """End it; by force when it takes longer than `PATIENCE`."""
    if process is None:
        return
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
