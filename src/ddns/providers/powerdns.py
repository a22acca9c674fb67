"""PowerDNS Authoritative's HTTP API, with the key of its webserver.

An RRset is replaced as one; its comments stay where none are sent. Records that were switched off would go with it: a
zone's filtered list hides them, a search shows them, and they are sent again.
Sources: https://doc.powerdns.com/authoritative/http-api/zone.html, .../search.html
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.errors import Malformed, Rejected, foreign
from ddns.model import Change, RecordKey, RRset
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content, writes
from ddns.providers.sets import SetProvider
from ddns.providers.settings_keys import ZoneName
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "PowerDNS"
CAPABILITIES = Capabilities(types=content.EVERY_TYPE)
#: A wildcard's name is a pattern to the search, which may find many.
MOST_FOUND = 10000
_CHANGE_IT = "Change what PowerDNS refuses: the record's TTL, or what stands at its name. Then: ddns run --now"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``powerdns``."""

    url: Annotated[str, Meta(pattern="^https?://", description="The server's root; http only to this machine.")]
    key: Annotated[SecretRef, Meta(description="Where the server's api-key lies.")]
    zone: ZoneName = ""
    server: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]+$", description="The server's id in the API.")] = "localhost"

    def __post_init__(self) -> None:
        """Refuse a URL that the key must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    return SetProvider(api, Zones(WHO, api.zone, settings.zone), tools.clock, CAPABILITIES)


class Api:
    """The calls; see `sets.Api`."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = f"{settings.url.rstrip('/')}/api/v1/servers/{settings.server}"
        self._settings = settings
        self._tools = tools

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The zone of this name on the server."""
        body = self._get(f"/zones?{urllib.parse.urlencode({'zone': name + '.'})}", deadline)
        for item in answers.objects(body, WHO):
            if answers.text(item, WHO, "name").lower() == f"{name}.":
                return Zone(name, answers.text(item, WHO, "id"))
        return None

    def read(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RRset | None:
        """GET the zone's RRset of this name and type: older servers ignore the filter and send the whole zone."""
        name = answers.ascii_name(key.name) + "."
        query = urllib.parse.urlencode({"rrset_name": name, "rrset_type": str(key.type)})
        body = self._get(f"/zones/{_quoted(zone)}?{query}", deadline)
        if not isinstance(body, dict):
            raise Malformed(f"{WHO}: the answer is not a zone")
        for item in answers.objects(body.get("rrsets"), WHO):
            if answers.text(item, WHO, "name").lower() == name and item.get("type") == key.type:
                return _rrset(item, key)
        return None

    def write(self, zone: Zone, change: Change, now: RRset | None, deadline: Deadline) -> None:
        """PATCH the RRset: replace it, or delete it."""
        key, after, off = change.key, change.after, self._switched_off(zone, change.key, deadline)
        rrset: dict[str, object] = {"name": answers.ascii_name(key.name) + ".", "type": str(key.type)}
        if after is None and not off:
            rrset["changetype"] = "DELETE"
        else:
            values = content.all_presented(key.type, after)
            ttl = (after.ttl if after else None) or (now.ttl if now else None) or writes.DEFAULT_TTL
            records = [{"content": value, "disabled": False} for value in values]
            rrset |= {"changetype": "REPLACE", "ttl": ttl, "records": [*records, *off]}
        response = self._call("PATCH", f"/zones/{_quoted(zone)}", deadline, {"rrsets": [rrset]})
        if response.status != 204:
            raise Malformed(f"{WHO}: HTTP {response.status} to the write of {key}, where 204 says that it was done")

    def _switched_off(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[dict[str, object]]:
        """The disabled records of a name and type, as they are written."""
        name = answers.ascii_name(key.name)
        query = urllib.parse.urlencode({"q": name, "max": MOST_FOUND, "object_type": "record"})
        found = answers.objects(self._get(f"/search-data?{query}", deadline), WHO)
        if len(found) >= MOST_FOUND:
            raise Malformed(f"{WHO}: {len(found)} records are found by the name {name}")
        return [
            {"content": answers.text(item, WHO, "content"), "disabled": True}
            for item in found
            if item.get("disabled") is True
            and (item.get("name"), item.get("type"), item.get("zone_id")) == (name + ".", key.type, zone.id)
        ]

    def _get(self, path: str, deadline: Deadline) -> Any:
        return answers.parsed(self._call("GET", path, deadline).body, WHO)

    def _call(
        self, method: str, path: str, deadline: Deadline, body: Mapping[str, object] | None = None
    ) -> HttpResponse:
        plain = answers.json_request(method, self._url + path, "", body)
        headers = {name: value for name, value in plain.headers.items() if name != "Authorization"}
        headers["X-API-Key"] = self._tools.resolve(self._settings.key).reveal()
        request = HttpRequest(method, plain.url, headers, plain.content)
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        if response.status in (400, 404, 409, 422):
            answers.parsed(response.body, WHO)  # Malformed: a page of something on the way is no refusal
            raise Rejected(f"{WHO}: HTTP {response.status} {_said(response)}".rstrip(), advice=_CHANGE_IT)
        problem = answers.status_problem(response, WHO, self._tools.clock.now())
        if problem is not None:
            raise problem
        return response


def _rrset(item: Mapping[str, object], key: RecordKey) -> RRset | None:
    records, ttl = answers.objects(item.get("records"), WHO), item.get("ttl")
    shown = [answers.text(record, WHO, "content") for record in records if record.get("disabled") is not True]
    if not isinstance(ttl, int):
        raise Malformed(f"{WHO}: an RRset without TTL")
    try:
        return RRset(frozenset(content.parsed(key.type, text) for text in shown), ttl) if shown else None
    except ValueError as error:
        raise Malformed(f"{WHO}: {foreign(str(error), 80)}, which is not of type {key.type}") from error


def _quoted(zone: Zone) -> str:
    return urllib.parse.quote(zone.id, safe="=")


def _said(response: HttpResponse) -> str:
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        return answers.excerpt(response.body)
    return foreign(str(body.get("error", "")) if isinstance(body, dict) else str(body))
