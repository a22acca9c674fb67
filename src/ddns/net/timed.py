"""Connections whose every wait ends with the exchange's deadline, and that leave by the way that the settings name.

httpx limits each read by itself, so that a server that sends one byte of a header now and then would never be left;
and it binds a socket to an address only, for every family and every host alike.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from ddns.address import Family
from ddns.net import sockets
from ddns.net.proxies import Hop
from ddns.ports import Deadline


class Limit(threading.local):
    """The exchange that a thread is in: its deadline, None outside of one, and how far it got.

    `reached`: the server itself, and not only a proxy on the way to it.
    """

    deadline: Deadline | None = None
    reached = True

    def of(self, timeout: float | None) -> float | None:
        """The shorter of a wait and what is left. Raises httpcore.ReadTimeout when nothing is."""
        if self.deadline is None:
            return timeout
        left = self.deadline.left()
        if left <= 0:
            raise httpcore.ReadTimeout("the time of the exchange is over")
        return left if timeout is None else min(timeout, left)


@contextmanager
def _as(timeout: type[Exception], other: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except OSError as error:
        raise other(str(error)) from error


class _Stream(httpcore.NetworkStream):
    def __init__(self, sock: socket.socket, limit: Limit) -> None:
        self._sock = sock
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._sock.settimeout(self._limit.of(timeout))
        with _as(httpcore.ReadTimeout, httpcore.ReadError):
            return self._sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        while buffer:
            self._sock.settimeout(self._limit.of(timeout))
            with _as(httpcore.WriteTimeout, httpcore.WriteError):
                buffer = buffer[self._sock.send(buffer) :]

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with _as(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                self._sock.settimeout(self._limit.of(timeout))
                sock = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
            except BaseException:
                self.close()
                raise
        self._limit.reached = True
        return _Stream(sock, self._limit)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            return _readable(self._sock)
        return {"socket": self._sock}.get(info)


def _readable(sock: socket.socket) -> bool:
    """Whether the other side sent something, or its end."""
    if sock.fileno() < 0:
        return True
    if sys.platform == "win32":
        return bool(select.select([sock], [], [], 0)[0])
    else:  # noqa: RET505 - so that mypy sees each only where it is
        poll = select.poll()  # a gateway may have more files open than `select` counts
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))


class _Backend(httpcore.SyncBackend):
    def __init__(self, limit: Limit, family: Family | None, *, proxied: bool) -> None:
        self._limit = limit
        self._family = family
        self._proxied = proxied

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - the base's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - the base's signature
    ) -> httpcore.NetworkStream:
        deadline = self._limit.deadline
        assert deadline is not None, "connections are made inside an exchange"
        self._limit.reached = False
        share = deadline if timeout is None else deadline.within(timeout)
        with _as(httpcore.ConnectTimeout, httpcore.ConnectError):
            sock = sockets.connect(host, port, share, self._family)
        self._limit.reached = not self._proxied
        return _Stream(sock, self._limit)


class TimedTransport(httpx.HTTPTransport):
    """httpx's transport over such connections: HTTP/1.1, no retries, a proxy only where one is given."""

    def __init__(self, context: ssl.SSLContext, family: Family | None, limit: Limit, hop: Hop | None = None) -> None:
        super().__init__(verify=context)
        backend = _Backend(limit, family, proxied=hop is not None)
        # httpx has no public way to hand its pool a backend; a test with a dripping server holds that this one works.
        if hop is None:
            self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend, retries=0)
        else:
            self._pool = httpcore.HTTPProxy(hop.url, hop.login, ssl_context=context, network_backend=backend, retries=0)
