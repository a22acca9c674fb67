"""An HTTP or HTTPS server on loopback, in a thread: a function from request to reply, and what it was asked."""

from __future__ import annotations

import contextlib
import enum
import os
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"


class Ending(enum.Enum):
    """How the server ends an exchange: in order, half-way, a byte at a time, by a reset, or not before it is closed."""

    WHOLE = enum.auto()
    HALF_A_BODY = enum.auto()
    SLOW = enum.auto()
    RESET = enum.auto()
    NEVER = enum.auto()


@dataclass(frozen=True)
class Request:
    """What a client sent. `target` is the path with its query; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""


@dataclass(frozen=True)
class Reply:
    """What the server sends back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE


class Server:
    """Serves between `__enter__` and `close`. `requests` holds what came in, in order."""

    def __init__(self, answer: Callable[[Request], Reply], tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._answer = answer
        self._closing = threading.Event()
        self._tls = tls
        self.requests: list[Request] = []
        self._server = _Listener((HOST, port), _Handler)
        self._server.owner = self
        if tls is not None:
            # The handshake then takes place in the request's own thread, so that one bad client stops nobody.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its root, with a final slash."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}/"

    @property
    def hits(self) -> int:
        """How many requests came in."""
        return len(self.requests)

    def serve(self, request: Request) -> Reply:
        """Note the request and answer it."""
        self.requests.append(request)
        return self._answer(request)

    def wait_for_close(self, seconds: float | None = None) -> bool:
        """Hold an exchange open, for so long at most; whether the server is closed."""
        return self._closing.wait(seconds)

    def close(self) -> None:
        """Stop and wait for every thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 64
    owner: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or refuses our certificate, is that client's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: _Listener

    def handle_one_request(self) -> None:
        """Any method goes the same way."""
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if not self.raw_requestline or not self.parse_request():
            return
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        peer = str(self.client_address[0])
        self._send(self.server.owner.serve(Request(self.command, self.path, headers, self.rfile.read(length), peer)))

    def _send(self, reply: Reply) -> None:
        if reply.ending is Ending.NEVER:
            self.server.owner.wait_for_close()
            return
        if reply.ending is Ending.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())  # close() would wait for rfile and wfile
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if reply.ending is Ending.SLOW:
            self._drip(reply.body)
            return
        whole = reply.ending is Ending.WHOLE
        self.wfile.write(reply.body if whole else reply.body[: len(reply.body) // 2])
        self.wfile.flush()

    def _drip(self, body: bytes) -> None:
        """Send all but the last byte, one at a time, as long as somebody listens."""
        with contextlib.suppress(OSError):
            for position in range(len(body) - 1):
                self.wfile.write(body[position : position + 1])
                self.wfile.flush()
                if self.server.owner.wait_for_close(0.05):
                    return
            self.server.owner.wait_for_close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name for it)
        """Say nothing: `requests` holds it all."""
