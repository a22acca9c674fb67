"""Amazon Route 53, API 2013-04-01, with the access key of an IAM user.

A write deletes the record set that was read and creates the new one in one batch, which Route 53 carries out as a whole
or not at all: it fails when somebody else was there first. A batch carries all changes of a hosted zone; one that is
refused is tried again record by record, so that one record does not stand in the way of the others. Alias records and
sets with a routing policy are left alone. A change that is not yet on all of Amazon's name servers is `queued`.
Sources: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html,
https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html,
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated
from xml.etree.ElementTree import Element

import msgspec
from msgspec import Meta

from ddns.errors import (
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    Rejected,
)
from ddns.model import Applied, Change, Observed, RecordKey, RRset
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content, items, writes
from ddns.providers import xml_answers as xml
from ddns.providers.route53_codes import CHANGE_IT, CODES, ZONE
from ddns.providers.route53_wire import WHO, HostedZone, RecordSet, batch, hosted_zone, record_set, said, written
from ddns.providers.rows import Refusal
from ddns.providers.settings_keys import ApiUrl, ZoneName
from ddns.providers.signing import canonical, sigv4
from ddns.providers.signing.clocked import Clocked
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

CAPABILITIES = Capabilities(batch=True, compare_and_set=True, types=content.EVERY_TYPE)
VERSION = "2013-04-01"
PER_PAGE = "100"
#: An account has at most this many pages of zones of one name.
MOST_PAGES = 20
#: The API allows 1000 values and 32000 characters in a batch; deletions and creations count each.
MOST_CHANGES = 50

_LEFT_ALONE = "Replace it by a simple record in the Route 53 console, or take it out of the settings."
_SEVERAL = "Name the right one with hosted_zone_id in the provider's settings."


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``route53``."""

    access_key_id: Annotated[str, Meta(pattern="^[!-~]+$", description="The access key ID of the IAM user.")]
    secret_access_key: Annotated[SecretRef, Meta(description="Where the secret access key lies.")]
    session_token: Annotated[
        SecretRef | None,
        Meta(description="Where the session token of a temporary key lies, which whoever makes the key stores anew."),
    ] = None
    zone: ZoneName = ""
    hosted_zone_id: Annotated[
        str,
        Meta(
            pattern="^[A-Z0-9]*$",
            description="The hosted zone itself: where several have one name, or for a private one.",
        ),
    ] = ""
    region: Annotated[
        str, Meta(pattern="^[a-z0-9-]+$", description="The region that requests are signed for; other in China.")
    ] = "us-east-1"
    url: ApiUrl = "https://route53.amazonaws.com"

    def __post_init__(self) -> None:
        """Refuse a URL that signed requests must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    return Route53(Api(settings, tools), settings, tools)


class _Step(msgspec.Struct, frozen=True):
    """A change that is to be written, over the set that was read just before."""

    change: Change
    now: RecordSet | None

    def actions(self) -> list[tuple[str, RecordSet]]:
        """What brings it about: what is there goes, what is asked for comes."""
        key, after, now = self.change.key, self.change.after, self.now
        gone = [] if now is None else [("DELETE", now)]
        if after is None:
            return gone
        ttl = str(after.ttl) if after.ttl is not None else now.ttl if now else str(writes.DEFAULT_TTL)
        check = now.health_check if now else ""
        name = answers.ascii_name(key.name)
        return [*gone, ("CREATE", RecordSet(name, str(key.type), ttl, written(key.type, after), check))]


#: What became of one change.
_Result = tuple[Change, Applied | ProviderError]


class Route53:
    """See `ports.Provider`."""

    capabilities = CAPABILITIES

    def __init__(self, api: Api, settings: Settings, tools: Tools) -> None:
        self._api = api
        self._zones = Zones(WHO, api.zone, settings.zone, advice=ZONE)
        self._clock = tools.clock

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """List each record set by its exact name and type."""

        def read(key: RecordKey) -> Observed:
            found = self._api.record(self._zones.of(key, deadline), key, deadline)
            return Observed(key, found.rrset(key) if found else None, "api", self._clock.now())

        return items.observed(keys, read)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[_Result]:
        """Write the changes of each hosted zone together, after their sets were read again."""
        waiting: dict[Zone, list[_Step]] = {}
        for change in changes:
            try:
                zone = self._zones.of(change.key, deadline)
                step = self._prepared(zone, change, deadline)
            except ProviderError as error:
                yield change, error
                continue
            if step is None:
                yield change, Applied()
            else:
                waiting.setdefault(zone, []).append(step)
        for zone, steps in waiting.items():
            for start in range(0, len(steps), MOST_CHANGES):
                yield from self._write(zone, steps[start : start + MOST_CHANGES], deadline)

    def _prepared(self, zone: Zone, change: Change, deadline: Deadline) -> _Step | None:
        """What is to be written, None where all is as asked. Raises Conflict, ProviderError."""
        found = self._api.record(zone, change.key, deadline)
        now = found.rrset(change.key) if found else None
        writes.check(change, now)
        return None if change.done(now) else _Step(change, found)

    def _write(self, zone: Zone, steps: Sequence[_Step], deadline: Deadline) -> Iterator[_Result]:
        try:
            applied = self._api.change(zone, [action for step in steps for action in step.actions()], deadline)
        except (Refusal, Rejected, NotPermitted) as error:  # a policy may allow some names of the zone and not others
            if len(steps) > 1:  # none was carried out
                for step in steps:
                    yield from self._write(zone, [step], deadline)
                return
            (step,) = steps
            yield step.change, self._refused(zone, step, error, deadline) if isinstance(error, Refusal) else error
        except ProviderError as error:
            yield from ((step.change, error) for step in steps)
        else:
            yield from ((step.change, applied) for step in steps)

    def _refused(self, zone: Zone, step: _Step, refusal: Refusal, deadline: Deadline) -> Applied | ProviderError:
        """What a refused batch of one change means, by what stands there now."""
        try:
            found = self._api.record(zone, step.change.key, deadline)
            now: RRset | None = found.rrset(step.change.key) if found else None
        except ProviderError as error:
            return error
        if step.change.done(now):
            return Applied()
        if found != step.now:
            return writes.conflict(step.change, now)
        return Rejected(str(refusal), advice=CHANGE_IT)


class Api:
    """The calls. Each raises ProviderError."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = f"{settings.url.rstrip('/')}/{VERSION}"
        self._settings = settings
        self._tools = tools
        self._clocked = Clocked(WHO, tools)
        self._named: HostedZone | None = None

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The hosted zone of this name: that of the settings, else the one public zone of the account."""
        if self._settings.hosted_zone_id:
            if self._named is None:
                root = self._ask(f"/hostedzone/{self._settings.hosted_zone_id}", deadline)
                self._named = hosted_zone(_needed(root, "HostedZone"))
            return self._named.zone if self._named.zone.name == name else None
        public = [found.zone for found in self._of_name(name, deadline) if not found.private]
        if len(public) > 1:
            raise NoSuchZone(f"{WHO}: the account has {len(public)} public hosted zones {name}", advice=_SEVERAL)
        return public[0] if public else None

    def _of_name(self, name: str, deadline: Deadline) -> list[HostedZone]:
        query = {"dnsname": name, "maxitems": PER_PAGE}
        found: list[HostedZone] = []
        for _ in range(MOST_PAGES):
            root = self._ask(f"/hostedzonesbyname?{canonical.query(query.items())}", deadline)
            listed = [hosted_zone(item) for item in xml.children(_needed(root, "HostedZones"), "HostedZone")]
            same = [item for item in listed if item.zone.name == name]  # the list goes on behind the name
            found += same
            if len(same) < len(listed) or xml.text(root, "IsTruncated") != "true":
                return found
            query |= {"dnsname": xml.text(root, "NextDNSName"), "hostedzoneid": xml.text(root, "NextHostedZoneId")}
        raise Malformed(f"{WHO}: more than {MOST_PAGES} pages of hosted zones of one name")

    def record(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RecordSet | None:
        """The simple record set of exactly this name and type. Raises Rejected for one that is left alone.

        The list begins at name and type. One set is enough to see: a simple one is alone, and the first of several
        with a routing policy tells of them all.
        """
        name = answers.ascii_name(key.name)
        query = canonical.query({"name": name, "type": str(key.type), "maxitems": "1"}.items())
        root = self._ask(f"/hostedzone/{zone.id}/rrset?{query}", deadline)
        for item in xml.children(_needed(root, "ResourceRecordSets"), "ResourceRecordSet"):
            found = record_set(item)
            if (found.name, found.type) == (name, key.type):
                if found.special:
                    raise Rejected(f"{WHO}: {key} is {found.special}, which ddns leaves alone", advice=_LEFT_ALONE)
                return found
        return None

    def change(self, zone: Zone, actions: Sequence[tuple[str, RecordSet]], deadline: Deadline) -> Applied:
        """Carry out all actions or none. Raises Refusal when a set is not as the actions suppose, or not allowed."""
        root = self._call("POST", f"/hostedzone/{zone.id}/rrset/", deadline, batch(actions))
        info = _needed(root, "ChangeInfo")
        identifier = xml.text(info, "Id").removeprefix("/change/")
        if not (identifier.isascii() and identifier.isalnum()):
            raise Malformed(f"{WHO}: the answer to a change has no id")

        def is_everywhere() -> bool:
            return xml.text(self._ask(f"/change/{identifier}", deadline), "ChangeInfo", "Status") == "INSYNC"

        return writes.watched(is_everywhere, self._tools.clock, deadline)

    def _ask(self, path: str, deadline: Deadline) -> Element:
        try:
            return self._call("GET", path, deadline)
        except Refusal as error:
            raise Malformed(f"{WHO}: an answer about a write to a read: {error}") from error

    def _call(self, method: str, path: str, deadline: Deadline, body: bytes | None = None) -> Element:
        """One exchange: the answer's root. Raises what a refusal stands for."""
        resolve, token = self._tools.resolve, self._settings.session_token
        secret = resolve(self._settings.secret_access_key).reveal()
        key = canonical.Key(self._settings.access_key_id, secret, "" if token is None else resolve(token).reveal())
        plain = {"User-Agent": answers.USER_AGENT, **({"Content-Type": "text/xml"} if body else {})}
        request = HttpRequest(method, self._url + path, plain, body)

        def signed(now: float) -> HttpRequest:
            headers = sigv4.headers(request, key, service="route53", region=self._settings.region, now=now)
            return msgspec.structs.replace(request, headers=headers)

        response = self._clocked.exchange(signed, _skewed, deadline)
        if not 200 <= response.status < 300:
            raise CODES.problem(said(response), response, self._tools.clock.now())
        return xml.tree(response.body, WHO)


def _skewed(response: HttpResponse) -> bool:
    return not 200 <= response.status < 300 and CODES.skewed(said(response))


def _needed(root: Element, name: str) -> Element:
    found = xml.child(root, name)
    if found is None:
        raise Malformed(f"{WHO}: the answer has no {name}")
    return found
