"""An HTTP proxy on loopback that speaks CONNECT (RFC 9110 section 9.3.6), and the ways in which one can fail."""

from __future__ import annotations

import base64
import contextlib
import enum
import selectors
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from ground.ports import HOST


class Mood(enum.Enum):
    """How it takes a request."""

    WELL = enum.auto()
    FORBIDS = enum.auto()
    GARBAGE = enum.auto()
    HANGS_UP = enum.auto()
    SILENT = enum.auto()
    FAR_SIDE_GONE = enum.auto()


class Proxy:
    """A proxy to the loopback servers that `routes` names by ``host:port``. `login`: what it wants as user:password."""

    def __init__(self, routes: Mapping[str, int], login: str = "") -> None:
        self.mood = Mood.WELL
        #: The first lines of the requests that came in, with their headers in lower case.
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._routes = routes
        self._login = login
        self._over = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        """What settings name."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port)):
            pass  # wakes `accept`
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            near = self._listener.accept()[0]
            if self._over.is_set():
                near.close()
                return
            self._threads.append(threading.Thread(target=self._serve, args=(near,)))
            self._threads[-1].start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            head = b""
            while b"\r\n\r\n" not in head:
                part = near.recv(4096)
                if not part:
                    return
                head += part
            line, *rest = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in rest)}
            self.asked.append((line, headers))
            self._answer(near, line, headers)

    def _answer(self, near: socket.socket, line: str, headers: Mapping[str, str]) -> None:
        wanted = f"Basic {base64.b64encode(self._login.encode()).decode()}"
        if self._login and headers.get("proxy-authorization") != wanted:
            near.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n")
        elif self.mood is Mood.FORBIDS:
            near.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>no</html>")
        elif self.mood is Mood.GARBAGE:
            near.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        elif self.mood is Mood.FAR_SIDE_GONE:
            near.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        elif self.mood is Mood.SILENT:
            self._over.wait(30)
        elif self.mood is Mood.WELL:
            method, target, _ = line.split(" ")
            assert method == "CONNECT", "only TLS goes through a proxy"
            with socket.create_connection((HOST, self._routes[target])) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._carry(near, far)

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as both:
            both.register(near, selectors.EVENT_READ, far)
            both.register(far, selectors.EVENT_READ, near)
            while not self._over.is_set():
                for key, _ in both.select(0.05):
                    assert isinstance(key.fileobj, socket.socket)
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    key.data.sendall(data)
