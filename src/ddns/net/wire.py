"""The cheap question: one DNS query over UDP, or one plain GET, with the standard library only.

The no-change run pays for everything imported here. An answer that can be forged on the way is good enough to
confirm what is known; anything else widens to the quorum. DNS messages: RFC 1035 section 4.
"""

from __future__ import annotations

import os
import socket
import sys
import time

A, TXT, AAAA = 1, 16, 28
IN, CHAOS = 1, 3
_CNAME = 5
_LIMIT = 4096


class WireError(Exception):
    """No usable answer; the message says why."""


class Probe:
    """A question whose answer is the asker's address. `kind` is ``dns`` or ``http``, `question` a name or a path.

    `source` and `interface`: this machine's address, and its interface (Linux), that it leaves by; "": any.
    """

    __slots__ = ("host", "interface", "kind", "name", "port", "question", "rclass", "rtype", "source")

    def __init__(
        self, name: str, kind: str, host: str, port: int, question: str, rtype: int = A, rclass: int = IN
    ) -> None:
        self.name = name
        self.kind = kind
        self.host = host
        self.port = port
        self.question = question
        self.rtype = rtype
        self.rclass = rclass
        self.source = self.interface = ""

    def leaving(self, source: str, interface: str) -> Probe:
        """The same question by that address and interface."""
        other = Probe(self.name, self.kind, self.host, self.port, self.question, self.rtype, self.rclass)
        other.source, other.interface = source, interface
        return other


#: The built-in probes of each family. An expectation names one by its position, so only ever append.
PROBES: dict[int, tuple[Probe, ...]] = {
    4: (
        Probe("opendns", "dns", "208.67.222.222", 53, "myip.opendns.com"),
        Probe("google", "dns", "216.239.32.10", 53, "o-o.myaddr.l.google.com", TXT),
        Probe("cloudflare", "dns", "1.1.1.1", 53, "whoami.cloudflare", TXT, CHAOS),
    ),
    6: (
        Probe("opendns", "dns", "2620:119:35::35", 53, "myip.opendns.com", AAAA),
        Probe("google", "dns", "2001:4860:4802:32::a", 53, "o-o.myaddr.l.google.com", TXT),
        Probe("cloudflare", "dns", "2606:4700:4700::1111", 53, "whoami.cloudflare", TXT, CHAOS),
    ),
}


def own_probe(text: str, family: int) -> Probe:
    """A probe from the settings: ``dns://IP:PORT/NAME`` or ``http://HOST:PORT/PATH``. Raises ValueError."""
    kind, mark, rest = text.partition("://")
    where, _, question = rest.partition("/")
    host, colon, port = where.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()):
        host, port = where, "53" if kind == "dns" else "80"
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    usable = host and (":" in host) == bracketed and len(port) <= 5 and 0 < int(port) < 1 << 16
    if not mark or kind not in ("dns", "http") or not usable or (kind == "dns" and not question):
        raise ValueError(f'expected dns://IP:PORT/NAME or http://HOST:PORT/PATH, found "{text}"')
    rtype = A if family == 4 else AAAA
    return Probe(text, kind, host, int(port), question if kind == "dns" else "/" + question, rtype)


def written(settings: bytes, key: str) -> str:
    """The value of a line ``key = "..."`` in a settings file, "" when there is no such plain line.

    The cheap path takes what it is not to take from the state, which the task's account can write, from here: an own
    probe, and what to leave by. Whoever made the expectation had parsed the same bytes and found the same value, or did
    not make it.
    """
    start = key.encode("ascii")
    found = b""
    for line in settings.split(b"\n"):
        if line.startswith(start):
            name, _, value = line.partition(b"=")
            value = value.strip()
            if (
                name.strip() != start
                or found
                or len(value) < 2
                or value[:1] != b'"'
                or value.find(b'"', 1) != len(value) - 1
            ):
                return ""
            found = value[1:-1]
    return "" if b"\\" in found else found.decode("ascii", "replace")


def canonical(text: str, family: int) -> str:
    """The one spelling of an address of the family. Raises WireError when it is none."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    try:
        return socket.inet_ntop(kind, socket.inet_pton(kind, text))
    except (OSError, ValueError):
        raise WireError(f"the answer is not one IPv{family} address") from None


def ask(probe: Probe, family: int, seconds: float) -> str:
    """The address of the family that the probe tells, in canonical form. Raises WireError."""
    try:
        if probe.kind == "dns":
            return _ask_dns(probe, family, seconds)
        return canonical(_get(probe, family, seconds), family)
    except OSError as error:
        raise WireError(str(error) or type(error).__name__) from None


def _ask_dns(probe: Probe, family: int, seconds: float) -> str:
    query = question(probe)
    with socket.socket(socket.AF_INET6 if ":" in probe.host else socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(seconds)
        _leave(udp, probe, probe.host)
        udp.connect((probe.host, probe.port))
        udp.send(query)
        return answer(udp.recv(_LIMIT), query, probe, family)


def _leave(sock: socket.socket, probe: Probe, host: str) -> None:
    """Bind a socket that will be connected to `host`, an IP address, as `net.sockets` does for all else."""
    far = not _loopback(host)
    if sys.platform == "linux" and probe.interface and (far or probe.interface == "lo"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, probe.interface.encode() + b"\0")
    if probe.source and (far or _loopback(probe.source)):
        sock.bind((probe.source, 0))


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


def question(probe: Probe) -> bytes:
    """A DNS query with a random id and recursion desired."""
    labels = b"".join(bytes((len(label),)) + label for label in probe.question.encode("ascii").split(b"."))
    fields = (probe.rtype, probe.rclass)
    return (
        os.urandom(2)
        + b"\x01\x00\x00\x01\0\0\0\0\0\0"
        + labels
        + b"\0"
        + b"".join(n.to_bytes(2, "big") for n in fields)
    )


def answer(data: bytes, query: bytes, probe: Probe, family: int) -> str:
    """The one address in a DNS answer to `query`. Raises WireError."""
    try:
        return _answer(data, query, probe, family)
    except (IndexError, ValueError):
        raise WireError("the DNS answer is cut short or malformed") from None


def _answer(data: bytes, query: bytes, probe: Probe, family: int) -> str:
    if data[:2] != query[:2] or not data[2] & 0x80 or data[12 : len(query)].lower() != query[12:].lower():
        raise WireError("the DNS answer is to another question")
    if data[2] & 0x02 or data[3] & 0x0F:
        raise WireError(f"the DNS answer is cut or an error (code {data[3] & 0x0F})")
    at = len(query)
    found = []
    for _ in range(int.from_bytes(data[6:8], "big")):
        while data[at] and data[at] < 0xC0:
            at += data[at] + 1
        at += 2 if data[at] else 1
        rtype, length = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 8 : at + 10], "big")
        value = data[at + 10 : at + 10 + length]
        at += 10 + length
        if len(value) != length:
            raise IndexError
        if rtype == probe.rtype:
            found.append(value)
        elif rtype != _CNAME:
            raise WireError("the DNS answer holds records that were not asked for")
    if len(found) != 1:
        raise WireError(f"the DNS answer holds {len(found)} values instead of one")
    return _address(found[0], probe.rtype, family)


def _address(value: bytes, rtype: int, family: int) -> str:
    if rtype == TXT:
        if value[0] != len(value) - 1:
            raise WireError("the DNS answer is not one text")
        return canonical(value[1:].decode("ascii"), family)
    if len(value) != (4 if family == 4 else 16):
        raise WireError(f"the DNS answer is not one IPv{family} address")
    return socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6, value)


def _get(probe: Probe, family: int, seconds: float) -> str:
    """The body of a plain GET: status 200, at most 4 KiB, text. `seconds` is for the whole answer, not for a part."""
    until = time.monotonic() + seconds
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    # An ASCII bytes host keeps getaddrinfo from importing the IDNA codec (3.5 ms).
    where = socket.getaddrinfo(probe.host.encode("ascii", "replace"), probe.port, kind, socket.SOCK_STREAM)[0][4]
    with socket.socket(kind, socket.SOCK_STREAM) as tcp:
        tcp.settimeout(seconds)
        _leave(tcp, probe, str(where[0]))
        tcp.connect(where)
        tcp.sendall(
            f"GET {probe.question} HTTP/1.0\r\nHost: {probe.host}:{probe.port}\r\n"
            "User-Agent: ddns-fleet\r\nAccept: text/plain\r\nConnection: close\r\n\r\n".encode()
        )
        data = b""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise WireError("the answer did not end in time")
            tcp.settimeout(left)
            part = tcp.recv(_LIMIT)
            data += part
            if not part or len(data) > 2 * _LIMIT:
                break
    head, gap, body = data.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)
    if not gap or len(status) < 2 or status[1] != b"200" or len(body) > _LIMIT or b"chunked" in head.lower():
        raise WireError("the answer is not a short page with status 200")
    return body.strip().decode("ascii", "replace")
