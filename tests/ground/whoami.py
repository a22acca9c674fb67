"""A DNS server on loopback, in a thread: tells the asker "its" address for any name, and records that it is given.

It stands for the whoami services (an A, AAAA or TXT answer) and for authoritative servers that prove a record.
"""

from __future__ import annotations

import enum
import ipaddress
import socketserver
import threading
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"


class Fault(enum.Enum):
    """How it misbehaves."""

    SILENCE = enum.auto()
    SERVER_FAILURE = enum.auto()
    NO_ANSWER = enum.auto()
    WRONG_ID = enum.auto()
    OTHER_QUESTION = enum.auto()
    TWO_ADDRESSES = enum.auto()
    GARBAGE = enum.auto()


class Whoami:
    """`address` is the answer for any name that `records` does not hold; empty: no such name.

    `records` maps a name without final dot and a type to values; an empty tuple is a name without such a record.
    """

    def __init__(self, address: str = "", at: tuple[str, int] = (HOST, 0)) -> None:
        self.address = address
        self.fault: Fault | None = None
        self.records: dict[tuple[str, str], tuple[str, ...]] = {}
        self.questions: list[tuple[str, str]] = []
        #: Where each question came from.
        self.peers: list[str] = []
        self._server = _Udp(at, _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        """Its UDP port."""
        return int(self._server.server_address[1])

    @property
    def server(self) -> str:
        """The server as ip:port."""
        return f"{HOST}:{self.port}"

    @property
    def hits(self) -> int:
        """How many questions came in."""
        return len(self.questions)

    def close(self) -> None:
        """Stop, and wait for the thread."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def answer(self, packet: bytes) -> bytes | None:
        """The answer to a packet; None: silence."""
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, kind))
        if self.fault is Fault.SILENCE:
            return None
        if self.fault is Fault.GARBAGE:
            return packet[:2] + b"\xff" * 7
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        values = self._values(name, kind)
        if self.fault is Fault.SERVER_FAILURE:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif values is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif values and self.fault is not Fault.NO_ANSWER:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, question.rdclass, kind, values))
        if self.fault is Fault.WRONG_ID:
            response.id ^= 1
        if self.fault is Fault.OTHER_QUESTION:
            other = dns.message.make_query("elsewhere.test", question.rdtype, question.rdclass)
            response.question = other.question
        return response.to_wire()

    def _values(self, name: str, kind: str) -> list[str] | None:
        """The values of a name and type; None when there is no such name at all."""
        if (name, kind) in self.records:
            return list(self.records[name, kind])
        if not self.address:
            return [] if any(held == name for held, _ in self.records) else None
        more = [_neighbour(self.address)] if self.fault is Fault.TWO_ADDRESSES else []
        if kind == "TXT":
            return [f'"{text}"' for text in (self.address, *more)]
        family = "AAAA" if ":" in self.address else "A"
        return [self.address, *more] if kind == family else []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _neighbour(address: str) -> str:
    return str(ipaddress.ip_address(address) + 1)


class _Udp(socketserver.UDPServer):
    owner: Whoami


class _Handler(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        packet, sock = self.request
        self.server.owner.peers.append(str(self.client_address[0]))
        answer = self.server.owner.answer(packet)
        if answer is not None:
            sock.sendto(answer, self.client_address)
