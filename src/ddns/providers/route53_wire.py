"""What Route 53 says and is told, as XML: hosted zones, record sets, change batches, errors.

Sources: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html,
API_ListResourceRecordSets, API_ChangeResourceRecordSets and API_GetChange beside it
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

import msgspec

from ddns.errors import Malformed, foreign
from ddns.model import RecordKey, RecordType, RRset
from ddns.ports import HttpResponse
from ddns.providers import answers, content
from ddns.providers import xml_answers as xml
from ddns.providers.codes import Said
from ddns.providers.zones import Zone

WHO = "Route 53"
NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
#: What a set has that is more than a name, a type, a TTL and values: ddns leaves all of these alone.
_ROUTING = {
    "AliasTarget": "an alias record",
    "TrafficPolicyInstanceId": "made by a traffic policy",
    "SetIdentifier": "one of several sets with a routing policy (weighted, latency, failover, ...)",
}
_ESCAPED = re.compile(r"\\([0-7]{3})")
_ESCAPE = re.compile(r"\\([0-9]{3}|.)")
_SKEWED = ("Signature expired", "Signature not yet current")


class HostedZone(msgspec.Struct, frozen=True):
    """A hosted zone of the account."""

    zone: Zone
    private: bool


class RecordSet(msgspec.Struct, frozen=True):
    """A record set as it is listed. `special` says why it is left alone, "" when it is an ordinary one."""

    name: str
    type: str
    ttl: str
    values: tuple[str, ...]
    health_check: str = ""
    special: str = ""

    def rrset(self, key: RecordKey) -> RRset:
        """What it holds. Raises Malformed."""
        try:
            values = (content.parsed(key.type, _escapes(text, 8, "{:03}")) for text in self.values)
            return RRset(frozenset(values), int(self.ttl))
        except ValueError as error:
            raise Malformed(f"{WHO}: {key} has no TTL, or a value that is not of its type") from error


def written(rtype: RecordType, rrset: RRset) -> tuple[str, ...]:
    """The values as the API wants them: in presentation form, but for escapes, which are octal here."""
    return tuple(_escapes(text, 10, "{:03o}") for text in content.all_presented(rtype, rrset))


def _escapes(text: str, base: int, form: str) -> str:
    r"""Texts have a byte as \DDD: its digits from one base in the form of another. Raises ValueError."""
    return _ESCAPE.sub(lambda found: f"\\{form.format(int(found[1], base))}" if len(found[1]) == 3 else found[0], text)


def plain(name: str) -> str:
    r"""A name of an answer: lower case, no final dot, its octal escapes resolved (the API writes * as \052)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), name).rstrip(".").lower()


def hosted_zone(element: Element) -> HostedZone:
    """Read a HostedZone."""
    identifier = xml.text(element, "Id").removeprefix("/hostedzone/")
    if not (identifier.isascii() and identifier.isalnum()):
        raise Malformed(f"{WHO}: a hosted zone's id is not of its form: {foreign(identifier, 40)}")
    zone = Zone(plain(xml.text(element, "Name")), identifier)
    return HostedZone(zone, private=xml.text(element, "Config", "PrivateZone") == "true")


def record_set(element: Element) -> RecordSet:
    """Read a ResourceRecordSet."""
    values = tuple(xml.text(item, "Value") for item in xml.children(element, "ResourceRecords", "ResourceRecord"))
    special = next((why for name, why in _ROUTING.items() if xml.child(element, name) is not None), "")
    name, kind, ttl = plain(xml.text(element, "Name")), xml.text(element, "Type"), xml.text(element, "TTL")
    return RecordSet(name, kind, ttl, values, xml.text(element, "HealthCheckId"), special)


def batch(steps: Iterable[tuple[str, RecordSet]]) -> bytes:
    """The body of ChangeResourceRecordSets: actions (CREATE, DELETE) in their order, carried out all or none."""
    root = Element("ChangeResourceRecordSetsRequest", {"xmlns": NAMESPACE})
    changes = xml.put(xml.put(root, "ChangeBatch"), "Changes")
    for action, record in steps:
        change = xml.put(changes, "Change")
        xml.put(change, "Action", action)
        said = xml.put(change, "ResourceRecordSet")
        xml.put(said, "Name", f"{record.name}.")
        xml.put(said, "Type", record.type)
        xml.put(said, "TTL", record.ttl)
        values = xml.put(said, "ResourceRecords")
        for value in record.values:
            xml.put(xml.put(values, "ResourceRecord"), "Value", value)
        if record.health_check:
            xml.put(said, "HealthCheckId", record.health_check)
    return xml.document(root)


def said(response: HttpResponse) -> Said:
    """What an answer other than 2xx says: an ErrorResponse, or an InvalidChangeBatch with its own list of messages."""
    start = f"{WHO}: HTTP {response.status}"
    try:
        root = xml.tree(response.body, WHO)
    except Malformed:
        return Said("", f"{start} {answers.excerpt(response.body)}".rstrip())
    if xml.name(root) == "InvalidChangeBatch":
        code = "InvalidChangeBatch"
        message = "; ".join(item.text or "" for item in xml.children(root, "Messages", "Message"))
    else:
        code, message = xml.text(root, "Error", "Code"), xml.text(root, "Error", "Message")
    if code == "SignatureDoesNotMatch" and message.startswith(_SKEWED):
        code = "RequestExpired"
    return Said(code, f"{start} {foreign(f'{code}: {message}')}")
