"""deSEC's REST API, with a token that may write the domain's RRsets.

An RRset is one resource, so PATCH sends just the fields that differ. Limits are tight (15 writes a minute and 300 a
day for a domain), and a 429 says how long to wait. Source: https://desec.readthedocs.io/en/latest/dns/rrsets.html
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.errors import Malformed, NoSuchZone, Rejected, foreign
from ddns.model import Change, RecordKey, RRset
from ddns.ports import Capabilities, Deadline, HttpResponse, Provider, Tools
from ddns.providers import answers, content
from ddns.providers.sets import SetProvider
from ddns.providers.settings_keys import ApiUrl
from ddns.providers.zones import Zone
from ddns.secret import SecretRef

WHO = "deSEC"
_CHANGE_IT = "Change what deSEC refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
#: The least TTL that a domain allows, unless deSEC set another for it.
USUAL_MIN_TTL = 3600
CAPABILITIES = Capabilities(min_ttl=USUAL_MIN_TTL, types=content.EVERY_TYPE)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``desec``."""

    token: Annotated[SecretRef, Meta(description="Where the API token lies.")]
    url: ApiUrl = "https://desec.io/api/v1"

    def __post_init__(self) -> None:
        """Refuse a URL that the token must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    return SetProvider(api, api, tools.clock, CAPABILITIES)


class Api:
    """The calls; see `sets.Api`, and `zones.Finder`: deSEC itself knows which domain holds a name."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = settings.url.rstrip("/")
        self._settings = settings
        self._tools = tools
        self._domains: dict[str, Zone] = {}

    def of(self, key: RecordKey, deadline: Deadline) -> Zone:
        """The domain of this account that holds a name, and the least TTL that it allows."""
        name = answers.ascii_name(key.name)
        if name not in self._domains:
            response = self._call("GET", f"/domains/?{urllib.parse.urlencode({'owns_qname': name})}", deadline)
            for item in answers.objects(answers.parsed(response.body, WHO), WHO):
                owner, least = answers.text(item, WHO, "name"), item.get("minimum_ttl")
                if name == owner or name.endswith(f".{owner}"):
                    self._domains[name] = Zone(owner, min_ttl=least if isinstance(least, int) else USUAL_MIN_TTL)
                    break
            else:
                raise NoSuchZone(f"{WHO}: the token sees no domain that holds {key.name}")
        return self._domains[name]

    def read(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RRset | None:
        """GET the RRset."""
        response = self._call("GET", _path(zone, key), deadline, missing=True)
        body = answers.parsed(response.body, WHO)
        return None if response.status == 404 else _rrset(body, key)

    def write(self, zone: Zone, change: Change, now: RRset | None, deadline: Deadline) -> None:
        """POST a new RRset, PATCH what differs of one that is there, DELETE it."""
        path, after = _path(zone, change.key), change.after
        values = content.all_presented(change.key.type, after)
        if after is None:
            if self._call("DELETE", path, deadline).status != 204:
                raise Malformed(f"{WHO}: an answer other than 204 to the removal of {change.key}")
        elif now is None:
            subname = zone.relative(answers.ascii_name(change.key.name), apex="")
            body = {"subname": subname, "type": str(change.key.type), "ttl": after.ttl or zone.min_ttl}
            collection = f"/domains/{zone.name}/rrsets/"
            self._stored(self._call("POST", collection, deadline, {**body, "records": values}), change)
        else:
            fields: dict[str, object] = {} if now.values == after.values else {"records": values}
            if after.ttl not in (None, now.ttl):
                fields["ttl"] = after.ttl
            self._stored(self._call("PATCH", path, deadline, fields), change)

    def _stored(self, response: HttpResponse, change: Change) -> None:
        """Check that the answer to a write is the RRset that was asked for."""
        if not change.done(_rrset(answers.parsed(response.body, WHO), change.key)):
            raise Malformed(f"{WHO}: the answer to the write of {change.key} holds other values")

    def _call(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        body: Mapping[str, object] | None = None,
        *,
        missing: bool = False,
    ) -> HttpResponse:
        """One exchange. `missing`: 404 is an answer. Raises what any other status than 2xx stands for."""
        token = self._tools.resolve(self._settings.token).reveal()
        request = answers.json_request(method, self._url + path, f"Token {token}", body)
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        if response.status == 404 and missing:
            return response
        if response.status in (400, 404, 409):
            answers.parsed(response.body, WHO)  # Malformed: a page of something on the way is no refusal
            said = f"{WHO}: HTTP {response.status} {answers.excerpt(response.body)}"
            raise Rejected(said, advice=_CHANGE_IT)
        problem = answers.status_problem(response, WHO, self._tools.clock.now())
        if problem is not None:
            raise problem
        return response


def _path(zone: Zone, key: RecordKey) -> str:
    subname = zone.relative(answers.ascii_name(key.name))
    return f"/domains/{zone.name}/rrsets/{urllib.parse.quote(subname, safe='@*')}/{key.type}/"


def _rrset(body: Any, key: RecordKey) -> RRset:
    records, ttl = (body.get("records"), body.get("ttl")) if isinstance(body, dict) else (None, None)
    if not isinstance(records, list) or not records or not isinstance(ttl, int):
        raise Malformed(f"{WHO}: the answer is not an RRset")
    try:
        return RRset(frozenset(content.parsed(key.type, str(record)) for record in records), ttl)
    except ValueError as error:
        raise Malformed(f"{WHO}: {foreign(str(error), 80)}, which is not of type {key.type}") from error
