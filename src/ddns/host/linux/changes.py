"""Changes of addresses and routes, from the kernel's multicast groups of rtnetlink(7)."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import sys
from typing import Self

assert sys.platform != "win32"

#: Addresses and routes of both families. Not RTMGRP_LINK: a carrier that comes back without an address is no news.
_GROUPS = 0x10 | 0x100 | 0x40 | 0x400
_LARGEST = 1 << 16


class Changes:
    """Waits for changes. One thread waits, any may cancel. Raises OSError where the kernel does not tell."""

    def __init__(self) -> None:
        self._kernel = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        try:
            self._kernel.bind((0, _GROUPS))
        except OSError:
            self._kernel.close()
            raise
        self._cancelled, self._cancel = socket.socketpair()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether something changed since the last call; False after `seconds`, and for ever once cancelled."""
        ready, _, _ = select.select([self._kernel, self._cancelled], [], [], seconds)
        if self._cancelled in ready or not ready:
            return False
        self._drain()
        return True

    def _drain(self) -> None:
        while True:
            try:
                self._kernel.recv(_LARGEST)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # so many that some are lost: a change all the same
                    raise

    def cancel(self) -> None:
        """End the wait, and every later one."""
        with contextlib.suppress(OSError):
            self._cancel.send(b"\0")

    def close(self) -> None:
        """Give everything back; nobody may wait any more."""
        for item in (self._kernel, self._cancelled, self._cancel):
            item.close()
