"""Free ports on loopback, and a way between a client and a server that can be cut."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


def free_port() -> int:
    """A TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Wire:
    """A TCP proxy to one server, for partitions: while it is cut, bytes go nowhere and nobody is told.

    Data that `breaks` says so of cuts it, is lost, and sets `broken`.
    """

    def __init__(self, port: int, breaks: Callable[[bytes], bool] = lambda _data: False) -> None:
        self._breaks = breaks
        self.broken = threading.Event()
        self._server = (HOST, port)
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._whole = threading.Event()
        self._whole.set()
        self._over = False
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def cut(self) -> None:
        """From now on nothing gets through, in either direction."""
        self._whole.clear()

    def mend(self) -> None:
        """What was held back goes on its way."""
        self._whole.set()

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._whole.set()
        self._thread.join(10)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # only sockets are registered
        self._selector.close()

    def _carry(self) -> None:
        while not self._over:
            if not self._whole.wait(0.05):
                continue
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listener:
                    near = self._listener.accept()[0]
                    far = socket.create_connection(self._server)
                    self._selector.register(near, selectors.EVENT_READ, far)
                    self._selector.register(far, selectors.EVENT_READ, near)
                elif self._whole.is_set():
                    self._pass_on(key)

    def _pass_on(self, key: selectors.SelectorKey) -> None:
        source, target = key.fileobj, key.data
        assert isinstance(source, socket.socket)
        with contextlib.suppress(OSError):
            data = source.recv(65536)
            if self._breaks(data):
                self.cut()
                self.broken.set()
                return
            if data:
                target.sendall(data)
                return
        for end in (source, target):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()
