"""How far this machine's clock is off, by a server whose certificate was refused for its dates."""

from __future__ import annotations

import socket
import ssl

from ddns import http_time
from ddns.address import Family
from ddns.net import sockets
from ddns.ports import Deadline

_SECONDS = 3.0
_LIMIT = 8192


def words(seconds: float) -> str:
    """An offset as a sentence about this machine."""
    return f"this machine's clock is {abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead'}"


def ask(host: str, port: int, deadline: Deadline, family: Family | None, now: float) -> float | None:
    """Seconds that the server's clock is ahead of `now` (UTC seconds) by its Date; None when it does not tell.

    Nobody is trusted here: nothing but `HEAD /` is sent, and the answer only becomes words in that refusal.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    share = deadline.within(_SECONDS)
    try:
        with (
            sockets.connect(host, port, share, family) as sock,
            context.wrap_socket(sock, server_hostname=host) as tls,
        ):
            tls.sendall(f"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "replace"))
            answer = b""
            while b"\r\n\r\n" not in answer and len(answer) < _LIMIT:
                tls.settimeout(max(share.left(), 0.001))
                part = tls.recv(_LIMIT)
                if not part:
                    break
                answer += part
    except (OSError, UnicodeError, socket.gaierror):
        return None
    lines = (line.partition(b":") for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
    headers = {name.strip().lower().decode("latin-1"): value.strip().decode("latin-1") for name, _, value in lines}
    return http_time.skew(headers, now)
