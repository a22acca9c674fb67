"""Amazon Route 53, API 2013-04-01: signature, hosted zones, record sets and change batches, paging, error bodies.

Written from https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html,
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html,
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html and
https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html. A change batch must be the document that
botocore would send. The answer to too many calls is that of a front end; Route 53's own is 400 Throttling and no wait.
"""

from __future__ import annotations

import calendar
import itertools
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.route53 import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers import judges
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

JUDGE = "botocore"
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "canarywJalrXUtnFEMI/K7MDENG+bPxRfiCY"
#: Seconds that a request's time may be off.
WINDOW = 300
ZONE_ID = "Z0123456789PUBLIC"
_XMLNS = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'
_TEXT = re.compile(r'"([^"\\]|\\[0-3][0-7][0-7]|\\[^0-9])*"( "([^"\\]|\\[0-3][0-7][0-7]|\\[^0-9])*")*')
_PATH = re.compile(r"/2013-04-01/(hostedzonesbyname|hostedzone/(\w+)/rrset/?|hostedzone/(\w+)|change/(\w+))")


@dataclass(frozen=True)
class Rrset:
    """A record set; names end in a dot. `extra` is what else its element holds, as XML."""

    name: str
    type: str
    ttl: int = 300
    values: tuple[str, ...] = ()
    identifier: str = ""
    check: str = ""
    extra: str = ""

    def __str__(self) -> str:
        values = "".join(f"<ResourceRecord><Value>{escape(v)}</Value></ResourceRecord>" for v in self.values)
        ordinary = f"<TTL>{self.ttl}</TTL><ResourceRecords>{values}</ResourceRecords>" if self.values else ""
        identifier = f"<SetIdentifier>{self.identifier}</SetIdentifier><Weight>10</Weight>" * bool(self.identifier)
        check = f"<HealthCheckId>{self.check}</HealthCheckId>" * bool(self.check)
        name = escape(self.name.replace("*", "\\052"))
        inner = f"<Name>{name}</Name><Type>{self.type}</Type>{identifier}{ordinary}{self.extra}{check}"
        return f"<ResourceRecordSet>{inner}</ResourceRecordSet>"


@dataclass
class Hosted:
    """A hosted zone."""

    name: str
    private: bool = False
    sets: list[Rrset] = field(default_factory=list)


class Api:
    """See `cast.Double`. `page_size`: no page is longer; `sync`: how often GetChange says PENDING before INSYNC."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.zones = {ZONE_ID: Hosted(f"{ZONE}.")}
        self.page_size = 300
        self.sync = 0
        self.settings = Settings(url=self.web.root, access_key_id=KEY_ID, secret_access_key=SecretRef("env:SECRET"))
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        #: That of a temporary key, where the key is one; `expired`: its time is over.
        self.token, self.expired = "", False
        self._changes = itertools.count(1)

    @property
    def sets(self) -> list[Rrset]:
        """What stands in the public zone."""
        return self.zones[ZONE_ID].sets

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(v for s in self.sets if (s.name, s.type) == (f"{name}.", rdtype) for v in s.values)

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        self.sets[:] = [item for item in self.sets if (item.name, item.type) != (f"{name}.", rdtype)]
        if values:
            self.sets.append(Rrset(f"{name}.", rdtype, ttl, values))

    def limit(self) -> bool:
        self.web.limit(_error(400, "Throttling", "Rate exceeded").body)
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        refused = self._unsigned(request)
        if refused is not None:
            return refused
        path, _, text = request.target.partition("?")
        query = dict(urllib.parse.parse_qsl(text))
        found = _PATH.fullmatch(path)
        if found is None:
            return _error(404, "InvalidAction", "The requested operation does not exist.")
        if found[1] == "hostedzonesbyname":
            return self._zones(query)
        if found[4]:
            return self._change_state(found[4])
        hosted = self.zones.get(found[2] or found[3])
        if hosted is None:
            return _error(404, "NoSuchHostedZone", f"No hosted zone found with ID: {found[2] or found[3]}")
        if found[3]:
            return _xml("GetHostedZoneResponse", _zone(found[3], hosted))
        return self._change(hosted, request.body) if request.method == "POST" else self._list(hosted, query)

    def _unsigned(self, request: Request) -> Reply | None:
        headers = request.headers
        if not {"host", "x-amz-date"} <= set(judges.signed_headers(request)):
            return _error(403, "MissingAuthenticationToken", "Missing Authentication Token")
        if f"Credential={KEY_ID}/" not in headers["authorization"]:
            return _error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if headers.get("x-amz-security-token", "") != self.token:
            return _error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if self.expired:
            return _error(403, "ExpiredToken", "The security token included in the request is expired")
        moment = calendar.timegm(time.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ"))
        if time.time() - moment > WINDOW:
            return _error(403, "SignatureDoesNotMatch", f"Signature expired: {headers['x-amz-date']} is now earlier")
        if moment - time.time() > WINDOW:
            return _error(403, "SignatureDoesNotMatch", f"Signature not yet current: {headers['x-amz-date']} is later")
        if headers["authorization"] != judges.sigv4(request, KEY_ID, SECRET, "route53", "us-east-1", self.token):
            return _error(
                403, "SignatureDoesNotMatch", "The request signature we calculated does not match the one you provided."
            )
        return None

    def _zones(self, query: Mapping[str, str]) -> Reply:
        start = (_order(f"{query.get('dnsname', '').rstrip('.')}."), query.get("hostedzoneid", ""))
        order = sorted((_order(hosted.name), identifier) for identifier, hosted in self.zones.items())
        listed = [identifier for name, identifier in order if (name, identifier) >= start]
        size = min(int(query.get("maxitems", "100")), self.page_size)
        more = ""
        if len(listed) > size:
            following = self.zones[listed[size]]
            more = f"<NextDNSName>{following.name}</NextDNSName><NextHostedZoneId>{listed[size]}</NextHostedZoneId>"
        shown = "".join(_zone(identifier, self.zones[identifier]) for identifier in listed[:size])
        flag = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}<MaxItems>{size}</MaxItems>"
        return _xml("ListHostedZonesByNameResponse", f"<HostedZones>{shown}</HostedZones>{flag}")

    def _list(self, hosted: Hosted, query: Mapping[str, str]) -> Reply:
        start = _order(f"{query.get('name', '').rstrip('.')}.".replace("\\052", "*")), query.get("type", "")
        order = sorted(hosted.sets, key=lambda item: (_order(item.name), item.type, item.identifier))
        listed = [item for item in order if (_order(item.name), item.type) >= start]
        size = min(int(query.get("maxitems", "300")), self.page_size)
        more = ""
        if len(listed) > size:
            following = listed[size]
            more = f"<NextRecordName>{following.name}</NextRecordName><NextRecordType>{following.type}</NextRecordType>"
        shown = "".join(map(str, listed[:size]))
        flag = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}<MaxItems>{size}</MaxItems>"
        return _xml("ListResourceRecordSetsResponse", f"<ResourceRecordSets>{shown}</ResourceRecordSets>{flag}")

    def _change(self, hosted: Hosted, body: bytes) -> Reply:
        try:
            changes = judges.change_batch(body)["ChangeBatch"]["Changes"]
        except ValueError as error:
            return _error(400, "InvalidInput", str(error))
        sets = list(hosted.sets)
        for change in changes:
            given = change["ResourceRecordSet"]
            values = tuple(item["Value"] for item in given["ResourceRecords"])
            item = Rrset(given["Name"], given["Type"], given["TTL"], values, check=given.get("HealthCheckId", ""))
            complaint = _carried_out(sets, change["Action"], item, hosted)
            if complaint:
                return _error(400, "InvalidChangeBatch", f"[{complaint}]")
        hosted.sets[:] = sets
        info = "<SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>"
        identifier = f"C{next(self._changes):013}"
        info = f"<ChangeInfo><Id>/change/{identifier}</Id><Status>PENDING</Status>{info}</ChangeInfo>"
        return _xml("ChangeResourceRecordSetsResponse", info)

    def _change_state(self, identifier: str) -> Reply:
        status = "PENDING" if self.sync > 0 else "INSYNC"
        self.sync -= 1
        info = f"<Id>/change/{identifier}</Id><Status>{status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>"
        return _xml("GetChangeResponse", f"<ChangeInfo>{info}</ChangeInfo>")


def _carried_out(sets: list[Rrset], action: str, item: Rrset, hosted: Hosted) -> str:
    """Carry out one action of a batch; what is wrong with it, if anything is."""
    named = f"[name='{item.name}', type='{item.type}']"
    same = [other for other in sets if (other.name, other.type) == (item.name, item.type)]
    if action == "DELETE":
        if not same:
            return f"Tried to delete resource record set {named} but it was not found"
        exact = [o for o in same if replace(o, values=tuple(sorted(o.values))) == item or o == item]
        if not exact:
            return (
                f"Tried to delete resource record set {named} but the values provided do not match the current values"
            )
        sets.remove(exact[0])
        return ""
    if same:
        return f"Tried to create resource record set {named} but it already exists"
    if not item.name.endswith(hosted.name):
        return f"RRSet with DNS name {item.name} is not permitted in zone {hosted.name}"
    if item.type == "TXT" and not all(map(_TEXT.fullmatch, item.values)):
        return f"Invalid Resource Record: FATAL problem: InvalidCharacterString encountered with {item.values}"
    if any(o.name == item.name and "CNAME" in (o.type, item.type) for o in sets):
        return (
            f"RRSet of type {item.type} with DNS name {item.name} is not permitted as it conflicts with other records"
            f" with the same DNS name in zone {hosted.name}"
        )
    sets.append(item)
    return ""


def _order(name: str) -> str:
    """What lists are sorted by: the labels from the right."""
    return ".".join(reversed(name.rstrip(".").split("."))) + "."


def _zone(identifier: str, hosted: Hosted) -> str:
    config = f"<Config><PrivateZone>{str(hosted.private).lower()}</PrivateZone></Config>"
    inner = f"<Id>/hostedzone/{identifier}</Id><Name>{hosted.name}</Name><CallerReference>r</CallerReference>{config}"
    return f"<HostedZone>{inner}</HostedZone>"


def _xml(root: str, inner: str) -> Reply:
    text = f'<?xml version="1.0"?>\n<{root} {_XMLNS}>{inner}</{root}>'
    return Reply(200, text.encode(), {"Content-Type": "text/xml"})


def _error(status: int, code: str, message: str) -> Reply:
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return replace(_xml("ErrorResponse", f"{inner}<RequestId>b25f48e8</RequestId>"), status=status)


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
