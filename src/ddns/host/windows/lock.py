"""The lock of one instance: a byte of a file inside the protected state folder. The kernel drops it with the process.

Not a named mutex: any user could make one of that name first.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import msvcrt
import os

from ddns.errors import BusyError, StateUnwritable
from ddns.host.windows.folders import private_folder


class InstanceLock:
    """One run at a time on a machine. Raises BusyError, StateUnwritable."""

    def __init__(self, folder: str) -> None:
        private_folder(folder)
        path = os.path.join(folder, "instance.lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_BINARY)
        except OSError as error:
            raise StateUnwritable(f"{path}: {error.strerror}") from error
        try:
            msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
        except OSError:
            os.close(self._file)
            raise BusyError(f"another run holds {path}") from None

    def release(self) -> None:
        """Give the lock up before the process ends."""
        os.close(self._file)
