"""DNS UPDATE with TSIG, straight to the zone's primary server: BIND, Knot, PowerDNS, Technitium, Windows DNS.

The changes of a zone go in one update: it deletes each RRset and adds the new one, on the condition that the old one
still stands (a value-dependent prerequisite), so that a write can't undo what somebody else wrote meanwhile. Everything
goes over TCP: one round trip more, but no spoofed answer and no limit of size. Sources: RFC 2136, RFC 8945.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.errors import (
    BadCredentials,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    Rejected,
    ServerSide,
)
from ddns.model import Applied, Change, Observed, RecordKey, RecordType, RRset, values_of
from ddns.net import exchange, resolver
from ddns.net.exchange import Server, spelled
from ddns.ports import Capabilities, Deadline, Provider, Tools
from ddns.providers import content, items, writes
from ddns.secret import SecretRef

# After `exchange`, which makes dnspython cheap to import.
# isort: split
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.update

#: Records in one message: far below the 64 KiB that TCP carries.
MOST_CHANGES = 100
#: What became of one change.
_Result = tuple[Change, Applied | ProviderError]
#: Seconds that one exchange with the server may take.
CALL_LIMIT = 10.0

WHO = "DNS UPDATE (RFC 2136)"
CAPABILITIES = Capabilities(batch=True, compare_and_set=True, types=content.EVERY_TYPE)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``rfc2136``."""

    server: Annotated[str, Meta(min_length=1, description="The zone's primary server: host, ip, ip:port, [ipv6]:port.")]
    zone: Annotated[str, Meta(description="The zone; found by asking the server when not set.")] = ""
    key_name: Annotated[
        str, Meta(description="The name of the TSIG key, as the server knows it.", extra={"asked": "always"})
    ] = ""
    key: (
        Annotated[
            SecretRef, Meta(description="Where the TSIG key's secret (base64) lies.", extra={"asked": "key_name"})
        ]
        | None
    ) = None
    algorithm: Annotated[
        Literal["hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha1"],
        Meta(description="The TSIG key's algorithm.", extra={"asked": "key_name"}),
    ] = "hmac-sha256"

    def __post_init__(self) -> None:
        """Refuse what is no server or name, and half a key."""
        _parsed(self)
        if (self.key is None) != (not self.key_name):
            raise ValueError("key and key_name go together: set both, or none for a server that needs no key")


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    return Rfc2136(*_parsed(settings), settings, tools)


def _parsed(settings: Settings) -> tuple[Server, dns.name.Name | None, dns.name.Name]:
    """Server, zone and name of the key. Raises ValueError that names the key of the settings."""
    key = "server"
    try:
        server = Server.parse(settings.server)
        key = "zone"
        zone = dns.name.from_text(settings.zone) if settings.zone else None
        key = "key_name"
        return server, zone, dns.name.from_text(settings.key_name)
    except (ValueError, dns.exception.DNSException) as error:
        raise ValueError(f"{key}: {error}") from error


class Rfc2136:
    """The provider."""

    capabilities = CAPABILITIES

    def __init__(
        self, server: Server, zone: dns.name.Name | None, key_name: dns.name.Name, settings: Settings, tools: Tools
    ) -> None:
        self._server = server
        self._zone = zone
        self._key_name = key_name
        self._settings = settings
        self._tools = tools
        self._zones: dict[dns.name.Name, dns.name.Name] = {}

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Ask the server for each record, with its TTL."""

        def read(key: RecordKey) -> Observed:
            return Observed(key, self._read(key, deadline), str(self._server), self._tools.clock.now())

        return items.observed(keys, read)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Send one update a zone; where a record of it is refused, one a record, so that the others pass."""
        waiting: dict[dns.name.Name, list[Change]] = {}
        for change in changes:
            try:
                waiting.setdefault(self._zone_of(change, deadline), []).append(self._with_ttl(change, deadline))
            except ProviderError as error:
                yield change, error
        for zone, ours in waiting.items():
            for start in range(0, len(ours), MOST_CHANGES):
                yield from self._write_all(zone, ours[start : start + MOST_CHANGES], deadline)

    def _write_all(self, zone: dns.name.Name, changes: Sequence[Change], deadline: Deadline) -> Iterator[_Result]:
        """One message, which the server carries out as a whole or not at all (RFC 2136 section 3.7)."""
        if len(changes) > 1:
            try:
                rcode = self._exchange(_update(changes, zone), deadline).rcode()
            except ProviderError as error:
                yield from ((change, error) for change in changes)
                return
            except dns.exception.DNSException:
                rcode = dns.rcode.FORMERR  # one of them has no wire form: which, is found below
            if rcode == dns.rcode.NOERROR:
                yield from ((change, Applied()) for change in changes)
                return
        yield from items.applied(changes, lambda change: self._write(change, zone, deadline))

    def _with_ttl(self, change: Change, deadline: Deadline) -> Change:
        """The change; beside values of others with their TTL, because servers give all values that of a new one."""
        before, after = change.before, change.after
        if not change.key.type.shared or after is None or after.ttl or before is None or before.ttl:
            return change
        now = self._read(change.key, deadline)
        return change if now is None else replace(change, after=replace(after, ttl=now.ttl))

    def _zone_of(self, change: Change, deadline: Deadline) -> dns.name.Name:
        owner = resolver.parse_name(change.key.name)
        zone = self._zone or self._zones.get(owner) or self._find_zone(owner, deadline)
        if not owner.is_subdomain(zone):
            raise NoSuchZone(f"{change.key.name} does not lie in the zone {spelled(zone)}")
        return zone

    def _read(self, key: RecordKey, deadline: Deadline) -> RRset | None:
        owner = resolver.parse_name(key.name)
        answer = self._exchange(resolver.question(owner, key.type), deadline)
        if answer.rcode() == dns.rcode.REFUSED:
            # So answers a server that does not serve the zone, and one that does not let this machine ask.
            raise NoSuchZone(
                f"{self._server}: REFUSED for {key}",
                advice="Check that the server serves a zone that holds this name, and lets this key query it.",
            )
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise self._problem(answer, owner)
        if not answer.flags & dns.flags.AA:
            raise NoSuchZone(f"{self._server} does not serve a zone that holds {key.name}")
        return resolver.rrset_in(answer, owner, key.type)

    def _write(self, change: Change, zone: dns.name.Name, deadline: Deadline) -> None:
        owner = resolver.parse_name(change.key.name)
        try:
            update = _update([change], zone)
        except dns.exception.DNSException as error:
            advice = "Correct the record's name or its TTL, then: ddns run --now"
            raise Rejected(f"{change.key}: {error}", advice=advice) from error
        answer = self._exchange(update, deadline)
        rcode = answer.rcode()
        if rcode in (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.YXDOMAIN):
            # The same change sent twice finds its own work: that is success, whoever lost the first answer.
            now = self._read(change.key, deadline)
            if change.done(now):
                return
            raise writes.conflict(change, now)
        if rcode != dns.rcode.NOERROR:
            raise self._problem(answer, owner)

    def _find_zone(self, owner: dns.name.Name, deadline: Deadline) -> dns.name.Name:
        """The zone's apex by the SOA that the server's answer carries."""
        name = owner
        while name != dns.name.root:
            answer = self._exchange(resolver.question(name, "SOA"), deadline)
            if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.REFUSED):
                raise self._problem(answer, owner)
            zone = resolver.soa_owner(answer, name)
            if zone is not None and answer.flags & dns.flags.AA:
                self._zones[owner] = zone
                return zone
            name = name.parent()
        raise NoSuchZone(f"{self._server} does not serve a zone that holds {spelled(owner)}")

    def _exchange(self, message: dns.message.Message, deadline: Deadline) -> dns.message.Message:
        if self._settings.key is not None:
            message.use_tsig(self._key(self._settings.key))
        return exchange.over_tcp(message, self._server, deadline.within(CALL_LIMIT))

    def _key(self, ref: SecretRef) -> dns.tsig.Key:
        try:
            secret = base64.b64decode(self._tools.resolve(ref).reveal().strip(), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not secret:
            # Without the cause: its text could repeat a part of the secret.
            raise BadCredentials(f"the secret at {ref} is not base64, which a TSIG key's secret must be") from None
        return dns.tsig.Key(self._key_name, secret, self._settings.algorithm)

    def _problem(self, answer: dns.message.Message, owner: dns.name.Name) -> ProviderError:
        """The error that an answer's code stands for."""
        rcode = answer.rcode()
        said = f"{self._server}: {dns.rcode.to_text(rcode)} for {spelled(owner)}"
        if rcode == dns.rcode.REFUSED:
            key = f"the key {self._settings.key_name}" if self._settings.key else "an update without key"
            return NotPermitted(said, advice=f"Let {key} read and update this name: update-policy, allow-query.")
        if rcode in (dns.rcode.NOTAUTH, dns.rcode.NOTZONE, dns.rcode.NXDOMAIN):
            return NoSuchZone(f"{said}: the server is not the primary of that zone")
        if rcode == dns.rcode.NOTIMP:
            return NotPermitted(f"{said}: the server takes no updates", advice="Name the zone's primary server.")
        if rcode == dns.rcode.FORMERR:
            return Rejected(said, advice="See in the server's log what it does not understand, then: ddns run --now")
        return ServerSide(said)


def _update(changes: Sequence[Change], zone: dns.name.Name) -> dns.update.UpdateMessage:
    """Raises DNSException for a name, value or TTL that has no wire form."""
    update = dns.update.UpdateMessage(zone)
    for change in changes:
        _add(update, change, resolver.parse_name(change.key.name))
    return update


def _add(update: dns.update.UpdateMessage, change: Change, owner: dns.name.Name) -> None:
    """Prerequisites and updates of one record."""
    rdtype = dns.rdatatype.from_text(change.key.type)
    ttl = (change.after and change.after.ttl) or (change.before and change.before.ttl) or writes.DEFAULT_TTL
    if change.key.type is not RecordType.CNAME:
        # Where a CNAME stands, a server drops the new record in silence (RFC 2136 section 3.4.2.2).
        update.absent(owner, dns.rdatatype.CNAME)
    if change.key.type.shared:
        # Value by value, so that those of others stay as they are, to the byte.
        gone, new = values_of(change.before) - values_of(change.after), values_of(change.after)
        if gone:
            update.delete(owner, _rdataset(RRset(gone), change.key.type, 0))
        if new - values_of(change.before):
            update.add(owner, _rdataset(RRset(new - values_of(change.before)), change.key.type, ttl))
        return
    if change.before is None and change.key.type is RecordType.CNAME:
        update.absent(owner)  # and a CNAME, where anything else stands
    elif change.before is None:
        update.absent(owner, rdtype)
    else:
        update.present(owner, _rdataset(change.before, change.key.type, 0))
    update.delete(owner, rdtype)
    if change.after is not None:
        update.add(owner, _rdataset(change.after, change.key.type, ttl))


def _rdataset(rrset: RRset, rtype: RecordType, ttl: int) -> dns.rdataset.Rdataset:
    rdtype, texts = dns.rdatatype.from_text(rtype), content.all_presented(rtype, rrset)
    return dns.rdataset.from_text(dns.rdataclass.IN, rdtype, ttl, *texts)
