"""One DNS message to one server, and its answer: UDP or TCP, TSIG checked, within a deadline.

The codec is dnspython's; the sockets are ours, because a caller must know whether bytes left (`Transport.ambiguous`)
and because `dns.query` brings TLS, QUIC and zone transfers along. Sources: RFC 1035, RFC 7766, RFC 8945.
"""

from __future__ import annotations

import socket
import struct
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import dns
import msgspec

from ddns.errors import BadCredentials, ClockSkew, Malformed, Transport
from ddns.net import sockets
from ddns.ports import Deadline

if "dns._features" not in sys.modules:
    # dnspython asks importlib.metadata for optional packages (DoH, DoQ, DNSSEC) as it is imported: 30 ms, half of
    # all its import time. We use none of them, so the answer is given here. Should dnspython drop that module,
    # this is without effect; tests/unit/test_exchange.py notices when the cost is back.
    _features = types.ModuleType("dns._features")
    _features.__dict__["have"] = lambda _feature: False
    sys.modules["dns._features"] = dns.__dict__["_features"] = _features

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.tsig

#: Seconds after which a datagram is sent again; the last one waits for the deadline.
RESEND_AFTER = (0.8, 1.6)
#: The answers that a server may give without a signature: it could not, or would not, check ours.
_UNSIGNED = frozenset({dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.NOTAUTH})


class Server(msgspec.Struct, frozen=True):
    """A DNS server, by address or host name."""

    host: str
    port: int = 53

    @classmethod
    def parse(cls, text: str) -> Server:
        """Read ``ip:port``, ``[ipv6]:port``, or either without port. ValueError when it is none of these."""
        host, port = text.strip(), ""
        if host.startswith("["):
            host, bracket, port = host[1:].partition("]")
            if not bracket or (port and not port.startswith(":")):
                raise ValueError(f'expected "[IPv6]:port", found "{text}"')
            port = port[1:]
        elif host.count(":") == 1:
            host, _, port = host.partition(":")
        if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
            raise ValueError(f'expected a port from 1 to 65535 in "{text}"')
        if not host or any(c.isspace() or c in "/@[]" for c in host):
            raise ValueError(f'expected "ip:port" or "host:port", found "{text}"')
        return cls(host, int(port) if port else 53)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def spelled(name: dns.name.Name) -> str:
    """The name as messages have it: without the final dot, which would look like the end of a sentence."""
    return name.to_text(omit_final_dot=True)


class Carrier(Protocol):
    """Carries one message: `over_udp` or `over_tcp`."""

    def __call__(self, query: dns.message.Message, server: Server, deadline: Deadline) -> dns.message.Message:
        """The answer to `query`. Raises Transport, Malformed and, where it is signed, BadCredentials or ClockSkew."""
        ...


def ask(query: dns.message.Message, server: Server, deadline: Deadline) -> dns.message.Message:
    """Ask over UDP, and again over TCP when the answer is cut. Errors as of `Carrier`."""
    answer = over_udp(query, server, deadline)
    return over_tcp(query, server, deadline) if answer.flags & dns.flags.TC else answer


def over_udp(query: dns.message.Message, server: Server, deadline: Deadline) -> dns.message.Message:
    """One question as datagrams, sent up to three times; answers that are not to it are ignored."""
    wire = query.to_wire()
    with _socket_errors(server, lambda: True):
        for address, share in _addresses(server, socket.SOCK_DGRAM, deadline):
            with socket.socket(address[0], socket.SOCK_DGRAM) as sock:
                sockets.bind(sock, address[1][0])
                sock.connect(address[1])
                answer = _datagram(sock, wire, query, share)
                if answer is not None:
                    return _checked(query, answer, server)
        raise TimeoutError


def over_tcp(
    query: dns.message.Message,
    server: Server,
    deadline: Deadline,
    secured: Callable[[socket.socket], socket.socket] = lambda plain: plain,
) -> dns.message.Message:
    """One message over a connection of its own; `secured` puts TLS around it."""
    wire = query.to_wire()
    sent = False
    with _socket_errors(server, lambda: sent), _connected(server, deadline) as plain, secured(plain) as sock:
        sent = True
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", _exactly(sock, 2, deadline))
        return _checked(query, _exactly(sock, length, deadline), server)


def _datagram(sock: socket.socket, wire: bytes, query: dns.message.Message, deadline: Deadline) -> bytes | None:
    for wait in (*RESEND_AFTER, None):
        sock.send(wire)
        pause = deadline if wait is None else deadline.within(wait)
        while pause.left() > 0:
            sock.settimeout(pause.left())
            try:
                answer = sock.recv(65535)
            except TimeoutError:
                break
            if len(answer) >= 12 and answer[:2] == wire[:2] and _same_question(query, answer):
                return answer
    return None


def _same_question(query: dns.message.Message, wire: bytes) -> bool:
    try:
        answer = dns.message.from_wire(wire, keyring=False, question_only=True)
    except dns.exception.DNSException:
        return False
    return bool(answer.flags & dns.flags.QR) and (not answer.question or answer.question == query.question)


def _addresses(
    server: Server, kind: socket.SocketKind, deadline: Deadline
) -> Iterator[tuple[tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]], Deadline]]:
    """The server's addresses, each with its share of the time."""
    found = [(info[0], info[4]) for info in socket.getaddrinfo(server.host, server.port, type=kind)]
    for index, (family, address) in enumerate(found):
        share = deadline.within(deadline.left() / (len(found) - index))
        if share.left() <= 0:
            raise TimeoutError
        # getaddrinfo's other forms are of families that have no ports.
        yield (family, (str(address[0]), int(address[1]), *map(int, address[2:]))), share  # type: ignore[misc] # 2 or 4


@contextmanager
def _connected(server: Server, deadline: Deadline) -> Iterator[socket.socket]:
    """A connection to the first address that takes one."""
    last: OSError = TimeoutError()
    for address, share in _addresses(server, socket.SOCK_STREAM, deadline):
        sock = socket.socket(address[0], socket.SOCK_STREAM)
        try:
            sock.settimeout(share.left())
            sockets.bind(sock, address[1][0])
            sock.connect(address[1])
        except OSError as error:
            sock.close()
            last = error
            continue
        with sock:
            sock.settimeout(max(deadline.left(), 0.001))
            yield sock
        return
    raise last


def _exactly(sock: socket.socket, length: int, deadline: Deadline) -> bytes:
    data = b""
    while len(data) < length:
        if deadline.left() <= 0:
            raise TimeoutError
        sock.settimeout(deadline.left())
        part = sock.recv(length - len(data))
        if not part:
            raise ConnectionResetError("the connection was closed before the answer was complete")
        data += part
    return data


@contextmanager
def _socket_errors(server: Server, sent: Callable[[], bool]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Transport(f"{server}: no answer within the time limit", ambiguous=sent()) from error
    except OSError as error:
        # A refused connection never carried our bytes; any later failure may follow a write that was done.
        ambiguous = sent() and not isinstance(error, ConnectionRefusedError | socket.gaierror)
        raise Transport(f"{server}: {error.strerror or error}", ambiguous=ambiguous) from error


def _checked(query: dns.message.Message, wire: bytes, server: Server) -> dns.message.Message:
    """The parsed answer, its signature verified where the question was signed."""
    try:
        answer = dns.message.from_wire(wire, keyring=False)
        if answer.id != query.id or not answer.flags & dns.flags.QR:
            raise Malformed(f"{server}: the answer is not to our question")
        if query.had_tsig:
            _check_signature(query, answer, wire, server)
    except dns.exception.DNSException as error:
        raise Malformed(f"{server}: not a valid DNS answer ({type(error).__name__})") from error
    return answer


def _check_signature(query: dns.message.Message, answer: dns.message.Message, wire: bytes, server: Server) -> None:
    assert query.keyname is not None
    assert query.tsig is not None
    key = spelled(query.keyname)
    if answer.tsig is None:
        if answer.rcode() not in _UNSIGNED:
            raise Malformed(f"{server}: the answer to a signed question is not signed")
        if answer.rcode() == dns.rcode.NOTAUTH:
            raise BadCredentials(f"{server}: does not accept the TSIG key {key}")
        return
    tsig = answer.tsig[0]
    if tsig.error == dns.rcode.BADTIME:
        theirs = int.from_bytes(tsig.other, "big") if len(tsig.other) == 6 else None
        seconds = None if theirs is None else float(theirs - query.tsig[0].time_signed)
        away = "" if seconds is None else f" ({seconds:+.0f} s away)"
        raise ClockSkew(f"{server}: says that this machine's clock is wrong{away}", seconds=seconds)
    if tsig.error:
        raise BadCredentials(f"{server}: TSIG key {key}: {_TSIG_ERRORS.get(tsig.error, f'error {tsig.error:d}')}")
    try:
        dns.message.from_wire(wire, keyring=query.keyring, request_mac=query.mac)
    except dns.tsig.BadTime as error:
        seconds = float(tsig.time_signed - query.tsig[0].time_signed)
        raise ClockSkew(f"{server}: its clock differs by {seconds:+.0f} s from ours", seconds=seconds) from error
    except (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm, dns.message.UnknownTSIGKey) as error:
        raise Malformed(f"{server}: the answer's signature is not of TSIG key {key}") from error


_TSIG_ERRORS = {
    dns.rcode.BADSIG: "the server finds the signature wrong (BADSIG); the stored secret is not that of the key",
    dns.rcode.BADKEY: "the server does not know the key, or not with this algorithm (BADKEY)",
    dns.rcode.BADTRUNC: "the server wants a longer signature (BADTRUNC)",
}
