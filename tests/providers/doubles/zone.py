"""An authoritative server's zone in memory: it answers queries and checks and carries out updates (RFC 2136)."""

from __future__ import annotations

import threading

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.update

from providers.cast import ZONE

_Key = tuple[dns.name.Name, dns.rdatatype.RdataType]


class MemoryZone:
    """One zone. `writers` empty: who may update is not checked; else the names of the TSIG keys that may."""

    def __init__(self, *writers: str, origin: str = ZONE) -> None:
        self._origin = dns.name.from_text(origin)
        self._writers = frozenset(map(dns.name.from_text, writers))
        self._sets: dict[_Key, dns.rdataset.Rdataset] = {}
        self._lock = threading.Lock()
        self.updates = 0

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        found = self._sets.get((dns.name.from_text(name), dns.rdatatype.from_text(rdtype)))
        return frozenset(item.to_text() for item in found or ())

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        key = (dns.name.from_text(name), dns.rdatatype.from_text(rdtype))
        if not values:
            self._sets.pop(key, None)
            return
        self._sets[key] = dns.rdataset.from_text(dns.rdataclass.IN, key[1], ttl, *values)

    def __call__(self, message: dns.message.Message) -> dns.message.Message:
        with self._lock:
            if message.opcode() == dns.opcode.UPDATE:
                assert isinstance(message, dns.update.UpdateMessage)
                return self._update(message)
            return self._query(message)

    def _query(self, message: dns.message.Message) -> dns.message.Message:
        reply = _response(message)
        name, rdtype = message.question[0].name, message.question[0].rdtype
        if not name.is_subdomain(self._origin):
            reply.set_rcode(dns.rcode.REFUSED)
            return reply
        reply.flags |= dns.flags.AA
        for kind in (rdtype, dns.rdatatype.CNAME):
            if (name, kind) in self._sets:
                reply.answer.append(_rrset(name, self._sets[name, kind]))
                return reply
        soa = dns.rrset.from_text(self._origin, 60, "IN", "SOA", "ns. host. 1 3600 600 86400 60")
        (reply.answer if (name, rdtype) == (self._origin, dns.rdatatype.SOA) else reply.authority).append(soa)
        if name != self._origin and not any(owner.is_subdomain(name) for owner, _ in self._sets):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply

    def _update(self, message: dns.update.UpdateMessage) -> dns.message.Message:
        reply = _response(message)
        reply.set_rcode(self._carry_out(message))
        return reply

    def _carry_out(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        if message.zone[0].name != self._origin:
            return dns.rcode.NOTAUTH
        for rrset in message.prerequisite:
            failed = self._unmet(rrset, message)
            if failed is not None:
                return failed
        if self._writers and message.keyname not in self._writers:
            return dns.rcode.REFUSED
        for rrset in message.update:
            if not rrset.name.is_subdomain(self._origin):
                return dns.rcode.NOTZONE
        for rrset in message.update:
            self._apply(rrset)
        self.updates += 1
        return dns.rcode.NOERROR

    def _unmet(self, rrset: dns.rrset.RRset, message: dns.update.UpdateMessage) -> dns.rcode.Rcode | None:
        """The code of a prerequisite that is not met (section 3.2)."""
        if rrset.ttl != 0:
            return dns.rcode.FORMERR
        found = self._sets.get((rrset.name, rrset.rdtype))
        if rrset.deleting == dns.rdataclass.NONE:
            return dns.rcode.YXRRSET if found is not None else None
        if rrset.deleting == dns.rdataclass.ANY:
            return dns.rcode.NXRRSET if found is None else None
        wanted = {
            item
            for other in message.prerequisite
            if (other.name, other.rdtype, other.deleting) == (rrset.name, rrset.rdtype, None)
            for item in other
        }
        return None if found is not None and set(found) == wanted else dns.rcode.NXRRSET

    def _apply(self, rrset: dns.rrset.RRset) -> None:
        key = (rrset.name, rrset.rdtype)
        if rrset.deleting == dns.rdataclass.ANY:
            self._sets.pop(key, None)
        elif rrset.deleting is None and (rrset.name, dns.rdatatype.CNAME) not in self._sets:
            # Where a CNAME stands, an address is dropped in silence (section 3.4.2.2).
            together = {*self._sets.get(key, ()), *rrset}
            self._sets[key] = dns.rdataset.from_rdata_list(rrset.ttl, together)


def _response(message: dns.message.Message) -> dns.message.Message:
    bare = dns.message.from_wire(message.to_wire(), keyring=False)
    bare.tsig = None
    return dns.message.make_response(bare)


def _rrset(name: dns.name.Name, found: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, found.ttl, list(found))
