"""One gateway at a time serves from a data folder: two would both write DNS from one ledger.

The lock is the kernel's, on an open file, so that it ends with the process, however that ends. Operator commands do
not take it: the ledger serves several processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ddns.errors import BusyError, StateUnwritable

if sys.platform != "win32":
    import fcntl


@contextmanager
def serving_alone(folder: Path) -> Iterator[None]:
    """Hold the folder, which is made if it is not there. Raises BusyError, StateUnwritable."""
    made(folder)
    try:
        fd = os.open(folder / "serving.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateUnwritable(f"the data folder {folder} can't be written: {error.strerror}") from error
    try:
        _take(fd, folder)
        yield
    finally:
        os.close(fd)


def made(folder: Path) -> None:
    """Make a data folder that only its owner can read. Raises StateUnwritable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateUnwritable(f"the data folder {folder} can't be made: {error.strerror}") from error


def _take(fd: int, folder: Path) -> None:
    if sys.platform != "win32":  # as in `audit`: a gateway on Windows is for trying out
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another gateway is serving from the data folder {folder}",
                advice="Stop that one first, or give this one a `data` folder of its own.",
            ) from None
        except OSError as error:
            raise StateUnwritable(f"the data folder {folder} can't be locked: {error.strerror}") from error
