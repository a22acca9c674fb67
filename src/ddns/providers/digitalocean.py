"""DigitalOcean's API v2, with a token of the scopes domain:read, domain:create, domain:update and domain:delete.

Only what differs is sent (PATCH). Sources: https://docs.digitalocean.com/reference/api/reference/domain-records/,
https://docs.digitalocean.com/reference/api/intro/#rate-limit
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.errors import Malformed, Rejected, foreign
from ddns.model import RecordKey, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpResponse, Provider, Tools
from ddns.providers import answers, content, writes
from ddns.providers.rows import Refusal, Row, RowProvider
from ddns.providers.settings_keys import ApiUrl, ZoneName
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "DigitalOcean"
PER_PAGE = 200
#: No name has so many records; a list that claims more is not followed.
MOST_PAGES = 50
MIN_TTL = 30
CAPABILITIES = Capabilities(min_ttl=MIN_TTL, types=content.EVERY_TYPE)
_CHANGE_IT = "Change what DigitalOcean refuses: the record's TTL, or what stands at its name. Then: ddns run --now"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``digitalocean``."""

    token: Annotated[SecretRef, Meta(description="Where the API token lies; it needs the domain scopes.")]
    zone: ZoneName = ""
    url: ApiUrl = "https://api.digitalocean.com/v2"

    def __post_init__(self) -> None:
        """Refuse a URL that the token must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    return RowProvider(api, Zones(WHO, api.zone, settings.zone), tools.clock, CAPABILITIES)


class Api:
    """The calls; see `rows.Api`."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = settings.url.rstrip("/")
        self._settings = settings
        self._tools = tools

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The domain of this name in the account."""
        response = self._call("GET", f"/domains/{urllib.parse.quote(name)}", deadline)
        if response.status == 404:
            return None
        body = answers.parsed(response.body, WHO)
        domain = body.get("domain") if isinstance(body, dict) else None
        if not isinstance(domain, dict) or answers.text(domain, WHO, "name").lower() != name:
            raise Malformed(f"{WHO}: the answer is not the domain {name}")
        return Zone(name)

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type, page by page."""
        name = answers.ascii_name(key.name)
        rows: list[Row] = []
        for page in range(1, MOST_PAGES + 1):
            query = urllib.parse.urlencode({"name": name, "type": str(key.type), "per_page": PER_PAGE, "page": page})
            body = answers.parsed(self._ask(f"/domains/{zone.name}/records?{query}", deadline).body, WHO)
            listed = answers.objects(body.get("domain_records") if isinstance(body, dict) else None, WHO)
            # The filter is the service's; that it filtered is seen here.
            rows += [
                _row(item, key)
                for item in listed
                if item.get("type") == key.type and item.get("name") == zone.relative(name)
            ]
            if not _has_next(body):
                return rows
        raise Malformed(f"{WHO}: more than {MOST_PAGES} pages of records of one name and type")

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """POST a record."""
        name = zone.relative(answers.ascii_name(key.name))
        fields = {
            "type": str(key.type),
            "name": name,
            "data": content.dotted(key.type, value),
            "ttl": after.ttl or writes.DEFAULT_TTL,
        }
        self._write("POST", f"/domains/{zone.name}/records", deadline, fields)

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """PATCH what differs; the API wants the type with it."""
        fields: dict[str, object] = {"type": str(key.type)}
        if value != row.value:
            fields["data"] = content.dotted(key.type, value)
        if after.ttl not in (None, row.ttl):
            fields["ttl"] = after.ttl
        self._write("PATCH", f"/domains/{zone.name}/records/{row.id}", deadline, fields)

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """DELETE a record."""
        del key
        self._write("DELETE", f"/domains/{zone.name}/records/{row.id}", deadline)

    def _ask(self, path: str, deadline: Deadline) -> HttpResponse:
        response = self._call("GET", path, deadline)
        if response.status == 404:
            raise Rejected(f"{WHO}: {_said(response)}")
        return response

    def _write(self, method: str, path: str, deadline: Deadline, body: Mapping[str, object] | None = None) -> None:
        response = self._call(method, path, deadline, body)
        if response.status == 404:
            raise Refusal(_said(response))
        if method == "DELETE":
            if response.status != 204:
                raise Malformed(f"{WHO}: an answer other than 204 to a removal")
        elif not isinstance(answers.parsed(response.body, WHO), dict):
            raise Malformed(f"{WHO}: the answer to a write is not an object")

    def _call(
        self, method: str, path: str, deadline: Deadline, body: Mapping[str, object] | None = None
    ) -> HttpResponse:
        """One exchange: a status of 2xx, or the API's own 404. Raises what any other stands for."""
        token = self._tools.resolve(self._settings.token).reveal()
        request = answers.json_request(method, self._url + path, f"Bearer {token}", body)
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        if response.status == 404 and _error(response).get("id") == "not_found":
            return response
        if response.status in (400, 404, 409, 422):
            answers.parsed(response.body, WHO)  # Malformed: a page of something on the way is no refusal
            raise Rejected(f"{WHO}: {_said(response)}", advice=_CHANGE_IT)
        problem = answers.status_problem(response, WHO, self._tools.clock.now())
        if problem is not None:
            raise problem
        return response


def _has_next(body: Any) -> bool:
    links = body.get("links")
    pages = links.get("pages") if isinstance(links, dict) else None
    return isinstance(pages, dict) and bool(pages.get("next"))


def _error(response: HttpResponse) -> dict[str, Any]:
    """The error object of the API, empty when the body is not one."""
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        return {}
    return body if isinstance(body, dict) else {}


def _said(response: HttpResponse) -> str:
    message = _error(response).get("message")
    return f"HTTP {response.status} {foreign(message) if isinstance(message, str) else ''}".rstrip()


def _row(item: Mapping[str, object], key: RecordKey) -> Row:
    number, ttl, data = item.get("id"), item.get("ttl"), answers.text(item, WHO, "data")
    if not isinstance(number, int) or not isinstance(ttl, int):
        raise Malformed(f"{WHO}: a record without id or TTL")
    try:
        return Row(str(number), key.type.parse(data), ttl)
    except ValueError as error:
        raise Malformed(f"{WHO}: {foreign(data, 80)} is not a value of type {key.type}") from error
