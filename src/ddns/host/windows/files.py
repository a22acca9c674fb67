"""Files that are never half there, and appended lines, on a system where a reader may hold a file."""

from __future__ import annotations

import os
import time

#: A reader without FILE_SHARE_DELETE (most programs) and a virus scanner hold a file for a moment.
TRIES = 10
PAUSE_SECONDS = 0.02


def replace(path: str, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file in one step, in its own folder. Raises OSError; the old content stays then.

    The folder's rights are the file's; `mode` tells only whether it must survive a power cut.
    """
    draft = path + ".new"
    _insist(lambda: _write(draft, data, flush=mode & 0o077 == 0))
    try:
        _insist(lambda: os.replace(draft, path))
    except OSError:
        _forget(draft)
        raise


def append(path: str, data: bytes) -> int:
    """Append in one write and return the file's new length. Raises OSError."""
    with open(path, "ab", buffering=0) as file:
        file.write(data)
        return file.tell()


def _write(draft: str, data: bytes, *, flush: bool) -> None:
    _forget(draft)  # what a kill left behind; then "x", so that nobody else's file or link is written to
    with open(draft, "xb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]
        if flush:
            os.fsync(file.fileno())


def _forget(path: str) -> None:
    try:  # noqa: SIM105 - contextlib costs the cheap path
        os.remove(path)
    except FileNotFoundError:
        pass


TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from collections.abc import Callable


def _insist(act: Callable[[], None]) -> None:
    """Try again while somebody else holds the file. Raises what the last try raised."""
    for left in reversed(range(TRIES)):
        try:
            return act()
        except PermissionError:
            if left == 0:
                raise
            time.sleep(PAUSE_SECONDS)
    return None
