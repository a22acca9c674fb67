"""Reading an RRset at authoritative servers, and finding those."""

from __future__ import annotations

from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from ddns.errors import NoSuchZone, ProviderError, Rejected, ServerSide, Transport
from ddns.model import RecordType, RRset
from ddns.net import resolver
from ddns.net.exchange import Server
from ddns.net.resolver import Authority
from ddns.ports import Deadline
from providers.cast import Fault, SystemClock, addresses
from providers.doubles.dns import DnsServer
from providers.doubles.zone import MemoryZone

NAME = "home.example.com"


def soon(seconds: float = 5.0) -> Deadline:
    return Deadline(SystemClock(), seconds)


def read(*servers: DnsServer, name: str = NAME, rdtype: RecordType = RecordType.A) -> tuple[RRset | None, str]:
    return Authority([Server.parse(server.address) for server in servers]).read(name, rdtype, soon())


def test_values_and_ttl() -> None:
    zone = MemoryZone()
    zone.put(NAME, "A", "192.0.2.1", "192.0.2.2", ttl=77)
    zone.put(NAME, "AAAA", "2001:db8::1")
    with DnsServer(zone) as server:
        assert read(server) == (addresses("192.0.2.1", "192.0.2.2", ttl=77), server.address)
        assert read(server, rdtype=RecordType.AAAA)[0] == addresses("2001:db8::1", ttl=300)
        assert not server.messages[0].flags & dns.flags.RD


def test_no_such_name_and_no_such_type() -> None:
    zone = MemoryZone()
    zone.put(NAME, "AAAA", "2001:db8::1")
    with DnsServer(zone) as server:
        assert read(server) == (None, server.address)
        assert read(server, name="nobody.example.com") == (None, server.address)


def test_an_alias_is_refused_in_words() -> None:
    zone = MemoryZone()
    zone.put(NAME, "CNAME", "elsewhere.example.com.")
    with (
        DnsServer(zone) as server,
        pytest.raises(Rejected, match=r"^home.example.com is an alias \(CNAME\) of elsewhere.example.com, ") as caught,
    ):
        read(server)
    assert "Remove the CNAME" in caught.value.advice


@pytest.mark.parametrize(
    ("spoil", "expected", "words"),
    [
        (lambda reply: reply.set_rcode(dns.rcode.SERVFAIL), ServerSide, "SERVFAIL"),
        (lambda reply: reply.set_rcode(dns.rcode.REFUSED), ServerSide, "REFUSED"),
        (lambda reply: setattr(reply, "flags", reply.flags & ~dns.flags.AA), ServerSide, "no authority"),
    ],
    ids=["servfail", "refused", "lame"],
)
def test_a_server_that_will_not_say(
    spoil: Callable[[dns.message.Message], None], expected: type[ProviderError], words: str
) -> None:
    zone = MemoryZone()

    def spoilt(message: dns.message.Message) -> dns.message.Message:
        reply = zone(message)
        spoil(reply)
        return reply

    with DnsServer(spoilt) as server, pytest.raises(expected, match=words):
        read(server)


def test_garbage_is_waited_out_because_it_may_be_forged() -> None:
    with DnsServer(MemoryZone()) as server:
        server.fault = Fault.GARBAGE
        with pytest.raises(Transport):
            Authority([Server.parse(server.address)]).read(NAME, RecordType.A, soon(0.1))


def test_the_next_server_is_asked_when_one_fails() -> None:
    zone = MemoryZone()
    zone.put(NAME, "A", "192.0.2.1")
    with DnsServer(zone) as broken, DnsServer(zone) as closed, DnsServer(zone) as good:
        broken.fault = Fault.SERVER_ERROR
        closed.close()
        assert read(broken, closed, good) == (addresses("192.0.2.1", ttl=300), good.address)
        with pytest.raises(Transport):
            read(broken, closed)


def test_no_server_is_known() -> None:
    with pytest.raises(NoSuchZone):
        Authority(find=lambda _zone, _deadline: ()).read(NAME, RecordType.A, soon())


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example.com", "\udc80.example.com"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(Rejected, match="not a DNS name"):
        resolver.parse_name(name)


def test_a_value_in_generic_notation() -> None:
    answer = dns.message.make_response(resolver.question(resolver.parse_name(NAME), "A"))
    answer.answer.append(dns.rrset.from_text(NAME + ".", 60, "IN", "A", "\\# 4 c0000201"))
    assert resolver.rrset_in(answer, resolver.parse_name(NAME), RecordType.A) == addresses("192.0.2.1", ttl=60)


class Recursive(MemoryZone):
    """The system's resolver as a test sees it: it knows the zone's servers."""

    def __init__(self) -> None:
        super().__init__()
        self.put("example.com", "NS", "ns2.example.com.", "ns1.example.com.")
        self.put("ns1.example.com", "A", "192.0.2.51")
        self.put("ns1.example.com", "AAAA", "2001:db8::51")
        self.put("ns2.example.com", "A", "192.0.2.52")
        self.put(NAME, "A", "192.0.2.1")


def system(server: DnsServer) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], server.port
    return made


@pytest.mark.parametrize("name", [NAME, "example.com", "not.there.example.com"])
def test_the_zones_servers_are_found(name: str) -> None:
    with DnsServer(Recursive()) as server:
        found = resolver.find_servers(resolver.parse_name(name), soon(), system(server))
    assert sorted(map(str, found)) == ["192.0.2.51:53", "192.0.2.52:53", "[2001:db8::51]:53"]


def test_the_system_resolver_is_silent() -> None:
    with DnsServer(Recursive()) as server:
        server.fault = Fault.SILENT
        with pytest.raises(Transport, match="does not answer"):
            resolver.find_servers(resolver.parse_name(NAME), soon(0.1), system(server))


def test_the_system_resolver_fails() -> None:
    with DnsServer(Recursive()) as server:
        server.fault = Fault.SERVER_ERROR
        with pytest.raises(ServerSide, match="fails for"):
            resolver.find_servers(resolver.parse_name(NAME), soon(), system(server))


def test_a_zone_without_servers() -> None:
    with DnsServer(MemoryZone()) as server, pytest.raises(NoSuchZone, match="no name servers"):
        resolver.find_servers(resolver.parse_name(NAME), soon(), system(server))


def test_a_record_of_another_name_in_the_answer_is_not_ours() -> None:
    owner = resolver.parse_name(NAME)
    answer = dns.message.make_response(resolver.question(owner, "A"))
    answer.answer.append(dns.rrset.from_text("near.example.com.", 60, "IN", "A", "192.0.2.77"))
    assert resolver.rrset_in(answer, owner, RecordType.A) is None
