"""A DNS server on loopback, UDP and TCP on one port: a function from message to reply. It verifies and signs TSIG."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsig

from providers.cast import Fault

HOST = "127.0.0.1"
#: What stands here for the status codes of HTTP.
_RCODES = {
    Fault.SERVER_ERROR: dns.rcode.SERVFAIL,
    Fault.FORBIDDEN: dns.rcode.REFUSED,
    Fault.NOT_FOUND: dns.rcode.NOTAUTH,
    Fault.CONFLICT: dns.rcode.NXRRSET,
}
Handler = Callable[[dns.message.Message], dns.message.Message]


class DnsServer:
    """Serves between `__enter__` and `__exit__`. `keys`: TSIG key name to (algorithm, base64 secret).

    `skew`: seconds that its clock claims to be ahead of ours: then it answers BADTIME. `truncate`: it cuts what it
    says over UDP. `silence`: tells which messages the fault `SILENT` leaves unanswered.
    """

    def __init__(self, handler: Handler, keys: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.handler = handler
        self.keyring = {
            dns.name.from_text(name): dns.tsig.Key(name, base64.b64decode(secret), algorithm)
            for name, (algorithm, secret) in (keys or {}).items()
        }
        self.fault: Fault | None = None
        self.silence: Callable[[dns.message.Message], bool] = lambda _message: True
        self.skew = 0
        self.truncate = False
        self.sign = True
        self.messages: list[dns.message.Message] = []
        self._tcp, self._udp = self._listen()
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            for server in (self._tcp, self._udp)
        ]

    def _listen(self) -> tuple[_Tcp, _Udp]:
        while True:
            tcp = _Tcp((HOST, 0), _TcpHandler)
            try:
                udp = _Udp(tcp.server_address, _UdpHandler)
            except OSError:  # somebody has that port for UDP
                tcp.server_close()
                continue
            tcp.owner = udp.owner = self
            return tcp, udp

    @property
    def written(self) -> int:
        """How many updates came, whatever became of them."""
        return sum(message.opcode() == dns.opcode.UPDATE for message in self.messages)

    @property
    def port(self) -> int:
        return int(self._tcp.server_address[1])

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening. Harmless when it has stopped."""
        for server, thread in zip((self._tcp, self._udp), self._threads, strict=True):
            if thread.is_alive():
                server.shutdown()
                thread.join()
            server.server_close()

    def reply(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """The bytes to send back, None for silence."""
        message = dns.message.from_wire(wire, keyring=False)
        self.messages.append(message)
        if self.fault is Fault.GARBAGE:
            return b"<html>not DNS at all</html>"
        if self.fault is Fault.HUGE:
            return b"\0" * 65535
        if self.fault is Fault.UNAUTHORIZED and message.tsig is not None:
            return unsigned(message, dns.rcode.BADSIG).to_wire()
        if self.fault in _RCODES and (self.fault is not Fault.CONFLICT or message.opcode() == dns.opcode.UPDATE):
            return self._sealed(_reply(message, _RCODES[self.fault]), message).to_wire()
        refused = self._check(message, wire)
        answer = refused if refused is not None else self._sealed(self.handler(message), message)
        if self.fault is Fault.SILENT and self.silence(message):
            return None
        if self.truncate and not tcp:
            answer.flags |= dns.flags.TC
            answer.answer = []
        if self.fault is Fault.WRONG_TYPE:
            answer.id ^= 1  # an answer to another question
        return answer.to_wire(max_size=65535)

    def _check(self, message: dns.message.Message, wire: bytes) -> dns.message.Message | None:
        """A reply that refuses the signature, None when it is good or none was made."""
        if message.tsig is None:
            return None
        try:
            dns.message.from_wire(wire, keyring=self.keyring)
        except dns.message.UnknownTSIGKey:
            return unsigned(message, dns.rcode.BADKEY)
        except dns.tsig.BadAlgorithm:
            return unsigned(message, dns.rcode.BADKEY)
        except dns.tsig.BadSignature:
            return unsigned(message, dns.rcode.BADSIG)
        if self.skew:
            reply = _reply(message, dns.rcode.NOTAUTH)
            theirs = int(time.time()) + self.skew
            assert message.keyname is not None
            reply.use_tsig(
                self.keyring[message.keyname], tsig_error=dns.rcode.BADTIME, other_data=theirs.to_bytes(6, "big")
            )
            reply.request_mac = message.mac or b""
            return reply
        return None

    def _sealed(self, reply: dns.message.Message, message: dns.message.Message) -> dns.message.Message:
        if message.keyname in self.keyring and self.sign and reply.tsig is None:
            reply.use_tsig(self.keyring[message.keyname])
            reply.request_mac = message.mac or b""
        return reply


def _reply(message: dns.message.Message, rcode: dns.rcode.Rcode) -> dns.message.Message:
    reply = dns.message.make_response(_bare(message))
    reply.set_rcode(rcode)
    return reply


def _bare(message: dns.message.Message) -> dns.message.Message:
    """The message without its TSIG: replies are signed here, not by the codec."""
    bare = dns.message.from_wire(message.to_wire(), keyring=False)
    bare.tsig = None
    return bare


def unsigned(message: dns.message.Message, error: dns.rcode.Rcode) -> dns.message.Message:
    """A reply whose TSIG has an error and no signature (RFC 8945 section 5.3.2)."""
    assert message.tsig is not None
    theirs = message.tsig[0]
    assert message.keyname is not None
    rdata = theirs.replace(mac=b"", error=error)
    reply = _reply(message, dns.rcode.NOTAUTH)
    reply.tsig = dns.rrset.from_rdata(message.keyname, 0, rdata)
    return reply


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    owner: DnsServer


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    owner: DnsServer


class _TcpHandler(socketserver.BaseRequestHandler):
    request: socket.socket
    server: _Tcp

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            (length,) = struct.unpack("!H", self._exactly(2))
            answer = self.server.owner.reply(self._exactly(length), tcp=True)
            if answer is None:
                self.request.recv(1)  # until the client gives up
                return
            if self.server.owner.fault is Fault.RESET:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.request.detach())  # at once: the server's own close would say good-bye
                return
            if self.server.owner.fault is Fault.SLOW:
                self.request.sendall(struct.pack("!H", len(answer)) + answer[:1])
                self.request.recv(1)
                return
            if self.server.owner.fault is Fault.HALF_A_BODY:
                self.request.sendall(struct.pack("!H", len(answer)) + answer[: len(answer) // 2])
                return
            self.request.sendall(struct.pack("!H", len(answer)) + answer)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = self.request.recv(length - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        data, sock = self.request
        answer = self.server.owner.reply(data, tcp=False)
        if answer is not None:
            sock.sendto(answer, self.client_address)
