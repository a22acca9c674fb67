"""Reading one RRset where it is kept: at the zone's authoritative servers, without recursion and without caches.

The servers are given (`[proof] servers`) or found through the system's resolver, which is only imported then: it
takes 40 ms that a client with given servers does not pay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ddns.errors import Malformed, NoSuchZone, ProviderError, Rejected, Retryable, ServerSide, Transport, foreign
from ddns.model import RecordType, RRset, Value
from ddns.net import exchange, txt
from ddns.net.exchange import Server, spelled
from ddns.ports import Deadline

# After `exchange`, which makes dnspython cheap to import.
# isort: split
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype

if TYPE_CHECKING:
    import dns.resolver

#: Seconds that one server may take before the next one is asked.
SERVER_LIMIT = 5.0


class Authority:
    """Reads RRsets at authoritative servers.

    `servers` empty: those of the name's zone, looked up once a zone and object. `find` and `ask` are the two ways
    out to the network.
    """

    def __init__(
        self,
        servers: Sequence[Server] = (),
        find: Callable[[dns.name.Name, Deadline], tuple[Server, ...]] | None = None,
        ask: exchange.Carrier = exchange.ask,
    ) -> None:
        self._given = tuple(servers)
        self._find = find or find_servers
        self._ask = ask

    def read(self, name: str, rdtype: RecordType, deadline: Deadline) -> tuple[RRset | None, str]:
        """The RRset with its TTL, None when there is none, and who said so (``ip:port``).

        Each server is asked in turn until one answers with authority. Raises the last server's error (Transport,
        ServerSide, Malformed), Rejected when the name is an alias, NoSuchZone when no server is found.
        """
        owner = parse_name(name)
        servers = self._given or self._find(owner, deadline.within(SERVER_LIMIT))
        last: ProviderError = NoSuchZone(f"no authoritative server is known for {name}")
        for server in servers:
            try:
                answer = self._ask(question(owner, rdtype), server, deadline.within(SERVER_LIMIT))
                return authoritative(answer, owner, rdtype, server), str(server)
            except Retryable as error:
                last = error
            if deadline.left() <= 0:
                break
        raise last


def parse_name(name: str) -> dns.name.Name:
    """The absolute name. Raises Rejected when the text is not a DNS name."""
    try:
        return dns.name.from_text(name)
    except dns.exception.DNSException as error:
        raise Rejected(f'"{foreign(name)}" is not a DNS name', advice="Correct the record's name.") from error


def question(owner: dns.name.Name, rdtype: RecordType | str) -> dns.message.QueryMessage:
    """A question for an authoritative server: no recursion wanted, room for 1232 bytes over UDP."""
    return dns.message.make_query(owner, dns.rdatatype.from_text(str(rdtype)), flags=0, use_edns=0, payload=1232)


def authoritative(
    answer: dns.message.Message, owner: dns.name.Name, rdtype: RecordType, server: Server
) -> RRset | None:
    """What an answer says. Raises ServerSide when it is refused, failed or lame, and as `rrset_in` does."""
    rcode = answer.rcode()
    name = spelled(owner)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise ServerSide(f"{server}: {dns.rcode.to_text(rcode)} for {name} {rdtype}")
    if not answer.flags & dns.flags.AA:
        raise ServerSide(
            f"{server}: has no authority for {name}",
            advice="Check the zone's delegation, or name its servers in [proof] servers.",
        )
    return rrset_in(answer, owner, rdtype)


def rrset_in(answer: dns.message.Message, owner: dns.name.Name, rdtype: RecordType) -> RRset | None:
    """The RRset of an answer, None when it has none. Raises Rejected when the name is an alias (CNAME)."""
    values: set[Value] = set()
    ttl = 0
    for found in answer.answer:
        if found.name != owner:
            continue
        if found.rdtype == dns.rdatatype.CNAME and rdtype is not RecordType.CNAME:
            alias = foreign(found[0].to_text().removesuffix("."))
            raise Rejected(
                f"{spelled(owner)} is an alias (CNAME) of {alias}, so it can't have an address of its own",
                advice="Remove the CNAME, or give the record another name.",
            )
        if found.rdtype == dns.rdatatype.from_text(rdtype):
            ttl = found.ttl
            try:
                values.update(rdtype.parse(_text(item, rdtype)) for item in found)
            except ValueError as error:
                raise Malformed(f"{spelled(owner)} {rdtype}: an answer holds a value of another type") from error
    return RRset(frozenset(values), ttl) if values else None


def _text(item: dns.rdata.Rdata, rdtype: RecordType) -> str:
    return txt.unquoted(item.to_text()) if rdtype is RecordType.TXT else item.to_text()


def find_servers(
    owner: dns.name.Name, deadline: Deadline, system: dns.resolver.Resolver | None = None
) -> tuple[Server, ...]:
    """The addresses of the name servers of the zone that holds `owner`, as the system's resolver tells them.

    Raises Transport when it does not answer, ServerSide when it fails, NoSuchZone when the zone has no servers.
    """
    import dns.resolver  # noqa: PLC0415 - see the module docstring

    try:
        system = system or dns.resolver.Resolver()
        zone = _zone_of(owner, system, deadline)
        found = system.resolve(zone, "NS", lifetime=_left(deadline))
        servers = []
        for target in sorted(item.target for item in found):
            addresses = system.resolve_name(target, lifetime=_left(deadline))
            servers += [Server(address) for address in addresses.addresses()]
    except (dns.resolver.LifetimeTimeout, dns.resolver.NoResolverConfiguration) as error:
        raise Transport(f"the system's resolver does not answer for {spelled(owner)}: {_said(error)}") from error
    except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN) as error:
        raise NoSuchZone(f"no name servers are found for {spelled(owner)}: {_said(error)}") from error
    except dns.exception.DNSException as error:
        raise ServerSide(f"the system's resolver fails for {spelled(owner)}: {_said(error)}") from error
    if not servers:
        raise NoSuchZone(f"the name servers of {spelled(zone)} have no addresses")
    return tuple(dict.fromkeys(servers))


def _said(error: dns.exception.DNSException) -> str:
    """Its words, which often end with a name's final dot."""
    return foreign(str(error)).removesuffix(".")


def _zone_of(owner: dns.name.Name, system: dns.resolver.Resolver, deadline: Deadline) -> dns.name.Name:
    """The zone's apex: the owner of the SOA that an answer, or a negative answer, carries."""
    import dns.resolver  # noqa: PLC0415 - see the module docstring

    name = owner
    while name != dns.name.root:
        try:
            answer = system.resolve(name, "SOA", raise_on_no_answer=False, lifetime=_left(deadline)).response
        except dns.resolver.NXDOMAIN as error:
            answer = error.kwargs["responses"][name]
        zone = soa_owner(answer, name)
        if zone is not None:
            return zone
        name = name.parent()
    raise NoSuchZone(f"no zone is found that holds {spelled(owner)}")


def soa_owner(answer: dns.message.Message, name: dns.name.Name) -> dns.name.Name | None:
    """The owner of the SOA in an answer's answer or authority section, where it is `name` or a parent of it."""
    for rrset in (*answer.answer, *answer.authority):
        if rrset.rdtype == dns.rdatatype.SOA and name.is_subdomain(rrset.name):
            return rrset.name
    return None


def _left(deadline: Deadline) -> float:
    return max(deadline.left(), 0.01)
