"""The mark of a retired machine: a file beside the state, so that a state which is damaged or lost does not undo it.

Runs ask the state alone. The mark is what a new state is told by (`opening`): it is made before the state says so, and
taken away before the state forgets it, so that a kill between the two leaves a machine that publishes nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys

from ddns.errors import StateUnwritable

NAME = "retired"


def path_of(state: str) -> str:
    """Where the mark of the machine with this state file lies."""
    return os.path.join(os.path.dirname(state), NAME)


def mark(state: str, at: float) -> None:
    """Make it, durably. `at`: since when, UTC seconds. Raises StateUnwritable."""
    path = path_of(state)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, f"{at!r}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
        _sync(os.path.dirname(path))
    except OSError as error:
        raise _unwritable(path, error) from error


def marked(state: str, now: float) -> float | None:
    """Since when this machine is retired; `now` where the mark does not tell; None: there is none."""
    path = path_of(state)
    if not os.path.lexists(path):
        return None
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        at = float(file.read(64))
        if 0 <= at <= now:
            return at
    return now


def unmark(state: str) -> None:
    """Take it away, if it is there. Raises StateUnwritable."""
    path = path_of(state)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
            _sync(os.path.dirname(path))
    except OSError as error:
        raise _unwritable(path, error) from error


def _sync(folder: str) -> None:
    """A name is durable once its folder is; Windows has no such call, and needs none."""
    if sys.platform != "win32":
        file = os.open(folder or ".", os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _unwritable(path: str, error: OSError) -> StateUnwritable:
    return StateUnwritable(f"{path}: {error.strerror}")
