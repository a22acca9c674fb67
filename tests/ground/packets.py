"""Servers of single packets on loopback, in a thread: UDP datagrams, and DNS messages over TLS (RFC 7858)."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
#: From a packet to the answer's bytes; None: silence.
Answer = Callable[[bytes], bytes | None]
#: What `Tls` does in place of an answer: cut the connection, say half of it, say it byte by byte and never end.
RESET, HALF, SLOW = b"reset", b"half", b"slow"


class _Base:
    """Serves between `__enter__` and `__exit__`. `packets` holds what came in."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server
        self.packets: list[bytes] = []
        self.closing = threading.Event()
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Udp(_Base):
    """Answers datagrams."""

    def __init__(self, answer: Answer) -> None:
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                packet, sock = self.request
                owner.packets.append(packet)
                said = answer(packet)
                if said is not None:
                    sock.sendto(said, self.client_address)

        super().__init__(socketserver.UDPServer((HOST, 0), Handler))


class Tls(_Base):
    """Answers messages with two bytes of length before them, over TLS. `how` is None, or RESET, HALF or SLOW."""

    def __init__(self, answer: Answer, context: ssl.SSLContext, how: bytes | None = None) -> None:
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True) as sock:
                    (length,) = struct.unpack("!H", sock.recv(2))
                    packet = sock.recv(length)
                    owner.packets.append(packet)
                    said = answer(packet)
                    if said is not None:
                        owner.send(sock, struct.pack("!H", len(said)) + said, how)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = True

        super().__init__(Listener((HOST, 0), Handler))

    def send(self, sock: ssl.SSLSocket, data: bytes, how: bytes | None) -> None:
        """Send it, or what the fault makes of it."""
        if how == RESET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == HALF:
            sock.sendall(data[: len(data) // 2])
        elif how == SLOW:
            for position in range(len(data) - 1):
                sock.sendall(data[position : position + 1])
                if self.closing.wait(0.05):
                    return
            self.closing.wait()
        else:
            sock.sendall(data)
