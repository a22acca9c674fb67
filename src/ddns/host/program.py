"""The command that starts this very program again, by full path."""

from __future__ import annotations

import ctypes
import os
import sys


def command() -> tuple[str, ...]:
    """The program as it runs: the compiled executable, or Python with this package."""
    if "__compiled__" in globals():  # by Nuitka, which names a Python that is not there as sys.executable
        return (_executable(),)
    return (sys.executable, "-m", "ddns")


if sys.platform == "win32":

    def _executable() -> str:
        path = ctypes.create_unicode_buffer(32768)
        if not ctypes.windll.kernel32.GetModuleFileNameW(None, path, len(path)):
            raise ctypes.WinError()
        return path.value
else:

    def _executable() -> str:
        return os.readlink("/proc/self/exe")
