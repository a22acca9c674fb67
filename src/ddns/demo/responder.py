"""A small authoritative DNS server in memory, for machines without BIND: one zone, TSIG, RFC 2136 updates.

It exists for the demonstration only, and the demonstration says so. Message codec and TSIG are dnspython's.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

HOST = "127.0.0.1"
_Key = tuple[dns.name.Name, dns.rdatatype.RdataType]


class Responder:
    """Serves `zone` over UDP and TCP on one port. `key` may update it."""

    def __init__(self, zone: str, key_name: str, secret: str) -> None:
        self._zone = dns.name.from_text(zone)
        self._keys = {dns.name.from_text(key_name): dns.tsig.Key(key_name, secret, "hmac-sha256")}
        soa = f"ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60"
        self._sets: dict[_Key, dns.rdataset.Rdataset] = {
            (self._zone, dns.rdatatype.SOA): dns.rdataset.from_text("IN", "SOA", 60, soa),
            (self._zone, dns.rdatatype.NS): dns.rdataset.from_text("IN", "NS", 60, f"ns.{zone}."),
        }
        self._guard = threading.Lock()
        self._tcp = _Tcp((HOST, 0), _Stream)
        self._udp = _Udp(self._tcp.server_address, _Datagram)
        self._tcp.responder = self._udp.responder = self

    @property
    def port(self) -> int:
        """The port, UDP and TCP."""
        return int(self._tcp.server_address[1])

    def __enter__(self) -> Self:
        for server in (self._tcp, self._udp):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def handle(self, packet: bytes) -> bytes | None:
        """The answer to one message; None when it is not worth one."""
        try:
            query = dns.message.from_wire(packet, keyring=self._keys)
        except (dns.tsig.BadTime, dns.tsig.PeerError, dns.message.UnknownTSIGKey, dns.tsig.BadSignature):
            return self._refuse(packet)
        except dns.exception.DNSException:
            return None
        answer = dns.message.make_response(query)
        with self._guard:
            if query.opcode() == dns.opcode.UPDATE:
                answer.set_rcode(self._update(query) if query.had_tsig else dns.rcode.REFUSED)
            else:
                self._answer(query, answer)
        return answer.to_wire()

    @staticmethod
    def _refuse(packet: bytes) -> bytes:
        """NOTAUTH, unsigned, to a message whose signature is not good."""
        return packet[:2] + bytes((0xA8, 0x80 | dns.rcode.NOTAUTH)) + b"\0" * 8

    def _answer(self, query: dns.message.Message, answer: dns.message.Message) -> None:
        question = query.question[0]
        answer.flags |= dns.flags.AA
        if not question.name.is_subdomain(self._zone):
            answer.set_rcode(dns.rcode.REFUSED)
            return
        found = self._sets.get((question.name, question.rdtype))
        if found is not None:
            answer.answer.append(dns.rrset.from_rdata_list(question.name, found.ttl, list(found)))
            return
        if not any(name == question.name for name, _ in self._sets):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        soa = self._sets[self._zone, dns.rdatatype.SOA]
        answer.authority.append(dns.rrset.from_rdata_list(self._zone, soa.ttl, list(soa)))

    def _update(self, query: dns.message.Message) -> dns.rcode.Rcode:
        """RFC 2136 section 3: prerequisites first, then all updates or none."""
        assert isinstance(query, dns.update.UpdateMessage)
        if query.zone[0].name != self._zone:
            return dns.rcode.NOTAUTH
        for wanted in query.prerequisite:
            unmet = self._unmet(wanted)
            if unmet is not None:
                return unmet
        for change in query.update:
            self._carry_out(change)
        return dns.rcode.NOERROR

    def _unmet(self, wanted: dns.rrset.RRset) -> dns.rcode.Rcode | None:
        """The answer to a prerequisite that does not hold: absent, there, or there with these values."""
        found = self._sets.get((wanted.name, wanted.rdtype))
        if wanted.deleting == dns.rdataclass.NONE:
            return dns.rcode.YXRRSET if found is not None else None
        if found is None or (wanted.deleting is None and set(found) != set(wanted)):
            return dns.rcode.NXRRSET
        return None

    def _carry_out(self, change: dns.rrset.RRset) -> None:
        """Delete an RRset, delete values of it, or add values."""
        key = change.name, change.rdtype
        kept = [value for value in self._sets.pop(key, ()) if change.deleting != dns.rdataclass.ANY]
        if change.deleting is None:
            kept += [value for value in change if value not in kept]
        else:
            kept = [value for value in kept if value not in change]
        if kept:
            self._sets[key] = dns.rdataset.from_rdata_list(change.ttl or 60, kept)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    responder: Responder


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    responder: Responder


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp
    timeout = 5

    def handle(self) -> None:
        head = self.rfile.read(2)
        if len(head) == 2:
            answer = self.server.responder.handle(self.rfile.read(struct.unpack("!H", head)[0]))
            if answer is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)


class _Datagram(socketserver.DatagramRequestHandler):
    server: _Udp

    def handle(self) -> None:
        answer = self.server.responder.handle(self.rfile.read())
        if answer is not None:
            self.wfile.write(answer)
