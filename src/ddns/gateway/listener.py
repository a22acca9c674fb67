"""The listening socket, which takes no more connections than there are file descriptors for.

asyncio goes on accepting until the system refuses, and then writes thousands of tracebacks a second for as long as it
does: somebody who only opens connections would fill the disk, and leave none for the ledger and DNS.
"""

from __future__ import annotations

import socket
import sys
import weakref
from typing import Any

if sys.platform != "win32":
    import resource

#: Connections at a time, and file descriptors that are kept for everything else.
MOST = 4096
SPARE = 128


def room() -> int:
    """How many connections this process has room for, its own limit raised as far as that needs."""
    if sys.platform == "win32":
        return MOST
    else:  # noqa: RET505 - mypy takes what follows a platform's return for a mistake
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = resource.RLIM_INFINITY
        wanted = MOST + SPARE if hard == unlimited else min(MOST + SPARE, hard)
        if soft != unlimited and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return max(1, wanted - SPARE)


class Listener(socket.socket):
    """A listening socket with `most` connections at a time; those above it are hung up on at once."""

    def __init__(self, listening: socket.socket, most: int) -> None:
        """Takes `listening` over."""
        family, type_, proto = listening.family, listening.type, listening.proto
        super().__init__(family, type_, proto, fileno=listening.detach())
        self._most = most
        self._taken: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        """See socket.socket; BlockingIOError, as when nobody waits, for a connection too many."""
        taken, address = super().accept()
        if len(self._taken) >= self._most and sum(one.fileno() >= 0 for one in self._taken) >= self._most:
            taken.close()
            raise BlockingIOError
        self._taken.add(taken)
        return taken, address
