"""Connections whose every wait ends with the exchange's deadline.

httpx limits each read by itself, so that a server that sends one byte of a header now and then would never be left.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from ddns.ports import Deadline


class Limit(threading.local):
    """The deadline of the exchange that a thread is in, None outside of one."""

    deadline: Deadline | None = None

    def of(self, timeout: float | None) -> float | None:
        """The shorter of a wait and what is left. Raises httpcore.ReadTimeout when nothing is."""
        if self.deadline is None:
            return timeout
        left = self.deadline.left()
        if left <= 0:
            raise httpcore.ReadTimeout("the time of the exchange is over")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, limit: Limit) -> None:
        self._stream = stream
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._limit.of(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._limit.of(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def __init__(self, limit: Limit) -> None:
        self._limit = limit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options), self._limit)


class TimedTransport(httpx.HTTPTransport):
    """httpx's transport over such connections: HTTP/1.1, no proxy, no retries."""

    def __init__(self, context: ssl.SSLContext, local_address: str | None, limit: Limit) -> None:
        super().__init__(verify=context)
        # httpx has no public way to hand its pool a backend; a test with a dripping server holds that this one works.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, local_address=local_address, network_backend=_Backend(limit), retries=0
        )
