"""One DNS message and its answer: addresses of servers, truncation, lost datagrams, signatures, and what it costs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import dns.flags
import dns.message
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddns.errors import BadCredentials, ClockSkew, Malformed, ProviderError, Transport
from ddns.model import RecordType
from ddns.net import exchange, resolver
from ddns.net.exchange import Server
from ddns.ports import Deadline
from providers.cast import Fault, SystemClock
from providers.doubles.dns import DnsServer
from providers.doubles.zone import MemoryZone

NAME = resolver.parse_name("home.example.com")


def soon(seconds: float = 5.0) -> Deadline:
    return Deadline(SystemClock(), seconds)


def at(server: DnsServer) -> Server:
    return Server("127.0.0.1", server.port)


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        ("192.0.2.53", Server("192.0.2.53", 53), "192.0.2.53:53"),
        ("192.0.2.53:5353", Server("192.0.2.53", 5353), "192.0.2.53:5353"),
        ("[2001:db8::53]:5353", Server("2001:db8::53", 5353), "[2001:db8::53]:5353"),
        ("[2001:db8::53]", Server("2001:db8::53", 53), "[2001:db8::53]:53"),
        ("2001:db8::53", Server("2001:db8::53", 53), "[2001:db8::53]:53"),
        (" ns1.example.com ", Server("ns1.example.com", 53), "ns1.example.com:53"),
    ],
)
def test_a_server_is_read(text: str, expected: Server, shown: str) -> None:
    assert Server.parse(text) == expected
    assert str(expected) == shown


@pytest.mark.parametrize("text", ["", ":53", "a:0", "a:65536", "a:x", "[::1", "[::1]x", "a b", "a/b", "u@h:1"])
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Server.parse(text)


def test_a_cut_answer_is_asked_for_again_over_tcp() -> None:
    zone = MemoryZone()
    zone.put("home.example.com", "A", *(f"192.0.2.{number}" for number in range(1, 200)))
    with DnsServer(zone) as server:
        server.truncate = True
        answer = exchange.ask(resolver.question(NAME, "A"), at(server), soon())
    assert len(answer.answer[0]) == 199


def test_a_lost_datagram_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "RESEND_AFTER", (0.05, 0.05))
    with DnsServer(MemoryZone()) as server:
        dropped = iter([True])
        server.fault, server.silence = Fault.SILENT, lambda _message: next(dropped, False)
        answer = exchange.ask(resolver.question(NAME, "A"), at(server), soon())
    assert answer.rcode().name == "NXDOMAIN"
    assert len(server.messages) == 2


def test_an_answer_to_another_question_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "RESEND_AFTER", ())
    query = resolver.question(NAME, "A")
    other = resolver.question(resolver.parse_name("other.example.com"), "A")
    other.id = query.id
    right, wrong = (dns.message.make_response(message).to_wire() for message in (query, other))

    def serve(sock: socket.socket) -> None:
        _, client = sock.recvfrom(512)
        for wire in (b"\0\0", wrong, query.to_wire(), bytes([right[0] ^ 1]) + right[1:], right):
            sock.sendto(wire, client)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(sock,))
        thread.start()
        answer = exchange.over_udp(query, Server("127.0.0.1", sock.getsockname()[1]), soon())
        thread.join()
    assert answer.question == query.question


def test_silence_ends_with_the_deadline() -> None:
    with DnsServer(MemoryZone()) as server:
        server.fault = Fault.SILENT
        for carrier in (exchange.over_udp, exchange.over_tcp):
            with pytest.raises(Transport, match="no answer within the time limit") as caught:
                carrier(resolver.question(NAME, "A"), at(server), soon(0.1))
            assert caught.value.in_doubt


def test_nobody_listens() -> None:
    with DnsServer(MemoryZone()) as server:
        nowhere = at(server)
    for carrier in (exchange.over_udp, exchange.over_tcp):
        with pytest.raises(Transport) as caught:
            carrier(resolver.question(NAME, "A"), nowhere, soon())
        assert not caught.value.in_doubt


def test_no_time_is_left() -> None:
    with DnsServer(MemoryZone()) as server, pytest.raises(Transport) as caught:
        exchange.over_tcp(resolver.question(NAME, "A"), at(server), soon(0))
    assert not caught.value.in_doubt
    assert server.messages == []


KEYS = {"host1": ("hmac-sha256", "Y2FuYXJ5IGNhbmFyeSBjYW5hcnk=")}


class TestSignature:
    def signed(self, name: str = "host1", secret: bytes = b"canary canary canary") -> dns.message.Message:
        query = resolver.question(NAME, "A")
        query.use_tsig(dns.tsig.Key(name, secret, "hmac-sha256"))
        return query

    def test_good(self) -> None:
        with DnsServer(MemoryZone(), KEYS) as server:
            assert exchange.over_tcp(self.signed(), at(server), soon()).had_tsig

    def test_wrong_secret(self) -> None:
        with DnsServer(MemoryZone(), KEYS) as server, pytest.raises(BadCredentials, match="BADSIG"):
            exchange.over_tcp(self.signed(secret=b"other"), at(server), soon())

    def test_unknown_key(self) -> None:
        with DnsServer(MemoryZone(), KEYS) as server, pytest.raises(BadCredentials, match=r"nobody.*BADKEY"):
            exchange.over_tcp(self.signed("nobody"), at(server), soon())

    @pytest.mark.parametrize("skew", [1000, -4000])
    def test_the_clock_is_wrong(self, skew: int) -> None:
        with DnsServer(MemoryZone(), KEYS) as server:
            server.skew = skew
            with pytest.raises(ClockSkew) as caught:
                exchange.over_tcp(self.signed(), at(server), soon())
        assert caught.value.seconds == pytest.approx(skew, abs=2)

    def test_an_answer_without_signature_is_not_believed(self) -> None:
        with DnsServer(MemoryZone(), KEYS) as server:
            server.sign = False
            with pytest.raises(Malformed, match="not signed"):
                exchange.over_tcp(self.signed(), at(server), soon())

    def test_an_answer_with_a_forged_signature_is_not_believed(self) -> None:
        with DnsServer(MemoryZone(), KEYS) as server:
            forger = dns.tsig.Key("host1", b"forged", "hmac-sha256")

            def forge(message: dns.message.Message) -> dns.message.Message:
                reply = MemoryZone()(message)
                reply.use_tsig(forger)
                reply.request_mac = message.mac or b""
                return reply

            server.handler = forge
            with pytest.raises(Malformed, match="signature is not of"):
                exchange.over_tcp(self.signed(), at(server), soon())


@given(st.binary(max_size=60), st.integers(0, 120), st.integers(0, 20))
@settings(max_examples=400)
def test_any_bytes_are_an_answer_or_a_typed_error(noise: bytes, at_byte: int, cut: int) -> None:
    query = resolver.question(NAME, "A")
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    reply.answer.append(dns.rrset.from_text("home.example.com.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"))
    reply.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "NS", "ns1.example.com."))
    whole = reply.to_wire()
    for wire in (noise, whole[:at_byte] + noise + whole[at_byte + cut :]):
        try:
            answer = exchange._checked(query, wire, Server("192.0.2.53"))
            resolver.authoritative(answer, NAME, RecordType.A, Server("192.0.2.53"))
        except ProviderError:
            pass


def test_dnspython_is_imported_without_what_we_do_not_use() -> None:
    """The stand-in for its feature check works: no metadata of packages is read, nothing of TLS is loaded."""
    code = "import sys, ddns.providers.rfc2136; print(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ, PYTHONPATH="src")
    )
    assert not {"importlib.metadata", "dns.query", "dns.resolver", "dns.quic", "ssl", "httpx"} & set(run.stdout.split())
