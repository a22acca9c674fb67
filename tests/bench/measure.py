"""One process, measured from outside: wall time, CPU time, and (in runs of their own) its largest resident memory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ground import NotHere, debian


@dataclass(frozen=True)
class Command:
    """A program with its arguments and its whole environment. What it prints goes to the end of `log`."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: str = os.devnull


@dataclass(frozen=True)
class Sample:
    """Milliseconds of one run, and its exit status."""

    wall: float
    cpu: float
    status: int


def run(command: Command) -> Sample:
    """Start it, wait for its end. CPU time is user and system, of it and its children."""
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    started = time.perf_counter()
    pid = os.posix_spawn(command.argv[0], command.argv, dict(command.env), file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    return Sample(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, os.waitstatus_to_exitcode(status))


def gnu_time() -> Path:
    """GNU time: a small C program. A process that is spawned from Python is charged with Python's own pages."""
    found = shutil.which("time")
    return Path(found) if found else debian.program("time", "time").path


def memory(command: Command) -> float | None:
    """The largest resident size in MiB; None without GNU time."""
    try:
        program = gnu_time()
    except NotHere:
        return None
    done = subprocess.run(
        [program, "-f", "%M", *command.argv],
        env=dict(command.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    size = re.search(r"(\d+)\s*\Z", done.stderr)
    return int(size[1]) / 1024 if size else None
