"""Output that can't be delivered: whoever read it went away, or the file that it goes to takes no more."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

#: The exit code; what shells call the death by SIGPIPE.
UNREAD = 141
#: How Windows calls a pipe whose reader left, where the C library tells of it.
_LEFT = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)


def undelivered(error: OSError) -> bool:
    """Whether standard output is what failed, and not another file: then it takes nothing more."""
    if error.errno == errno.EPIPE:
        return True
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        return True
    return False


def left(error: OSError) -> bool:
    """Whether a reader just went away, which needs no word."""
    return error.errno in _LEFT


def complaint(error: OSError) -> str:
    """What is wrong, and what to do."""
    return (
        f"ddns: the output can't be written: {error.strerror or error}\n"
        "What the command did is done; free space where its output goes, or let it go elsewhere.\n"
    )


def unread(error: OSError | None = None) -> int:
    """Tell why on standard error, where there is more to tell than that a reader left; returns the exit code.

    What is still buffered goes nowhere.
    """
    with contextlib.suppress(OSError, ValueError):
        if error is not None and not left(error):
            sys.stderr.write(complaint(error))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return UNREAD
