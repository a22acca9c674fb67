"""Porkbun's API v3: JSON by POST, with an API key and its secret key in each body.

Records are listed by exact name and type and changed by their id, so that those beside them stay as they are; so do
notes. The domain must be opted in to API access. A pair of keys has no scopes: it opens every domain that is.
Sources: https://porkbun.com/api/json/v3/documentation, https://porkbun.com/api/json/v3/spec
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.errors import BadCredentials, Malformed, NoSuchZone, NotPermitted, RateLimited, ServerSide, foreign
from ddns.model import RecordKey, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content
from ddns.providers.codes import Codes, Means, Said
from ddns.providers.rows import Refusal, Row, RowProvider
from ddns.providers.settings_keys import ApiUrl, ZoneName
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "Porkbun"
MIN_TTL = 600
CAPABILITIES = Capabilities(min_ttl=MIN_TTL, types=content.EVERY_TYPE)

_KEYS = (
    "Check the pair of keys (porkbun.com, Account, API Access): api_key is the one that begins with pk1_, and store the"
    " other one, sk1_, with `ddns secret set`. Then: ddns run --now"
)
_OPT_IN = (
    "Switch API access on for the domain (porkbun.com, Domain Management, Details), and check that the domain is in"
    " this account and the key may use it. Then: ddns run --now"
)
_IP = "Add this machine's address to those that the API key allows, or take that limit away. Then: ddns run --now"
_CHANGE_IT = (
    "Change what excludes it: new domains have an ALIAS, and a wildcard CNAME, to pixie.porkbun.com, which stand in the"
    " way of addresses. Then: ddns run --now"
)
CODES = Codes(
    WHO,
    {
        "INVALID_API_KEYS_001": Means(BadCredentials, _KEYS),
        "INVALID_API_KEYS_002": Means(BadCredentials, _KEYS),
        "API_ACCESS_DISABLED": Means(NotPermitted, _OPT_IN),
        "DOMAIN_NOT_ALLOWED": Means(NotPermitted, _OPT_IN),
        "IP_NOT_ALLOWED": Means(NotPermitted, _IP),
        "INVALID_DOMAIN": Means(NoSuchZone),
        "RATE_LIMIT_EXCEEDED": Means(RateLimited),
        "SERVER_ERROR": Means(ServerSide),
        # The record is there already, or is gone: it is read again.
        "DUPLICATE_RECORD": Means(Refusal),
        "INVALID_RECORD_ID": Means(Refusal),
    },
    otherwise=_CHANGE_IT,
)
#: What older answers say in place of a code.
_MESSAGES = (
    ("invalid api key. (001)", "INVALID_API_KEYS_001"),
    ("invalid api key", "INVALID_API_KEYS_002"),
    ("domain is not opted in to api access", "API_ACCESS_DISABLED"),
    ("invalid domain", "INVALID_DOMAIN"),
    ("invalid record id", "INVALID_RECORD_ID"),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``porkbun``."""

    api_key: Annotated[str, Meta(pattern="^[!-~]+$", description="The API key; it begins with pk1_.")]
    secret_api_key: Annotated[SecretRef, Meta(description="Where the secret API key lies, which begins with sk1_.")]
    zone: ZoneName = ""
    url: ApiUrl = "https://api.porkbun.com/api/json/v3"

    def __post_init__(self) -> None:
        """Refuse a URL that the keys must not be sent to."""
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
        """The domain of this name: where records can be listed."""
        try:
            self._listed(f"/dns/retrieveByNameType/{urllib.parse.quote(name)}/NS", deadline)
        except NoSuchZone:
            return None
        return Zone(name, min_ttl=MIN_TTL)

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type."""
        name = answers.ascii_name(key.name)
        left = urllib.parse.quote(zone.relative(name, apex=""), safe="*")
        listed = self._listed(f"/dns/retrieveByNameType/{zone.name}/{key.type}/{left}".rstrip("/"), deadline)
        # The path is the filter; that it filtered is seen here.
        return [
            _row(item, key)
            for item in listed
            if (answers.text(item, WHO, "name").lower(), item.get("type")) == (name, key.type)
        ]

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """Create a record."""
        self._call(f"/dns/create/{zone.name}", deadline, _fields(zone, key, value, after.ttl or MIN_TTL))

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """Edit a record by its id, with the TTL and the notes that it has where none are asked for."""
        fields = _fields(zone, key, value, after.ttl or row.ttl or MIN_TTL)
        if isinstance(row.raw.get("notes"), str):
            fields["notes"] = str(row.raw["notes"])
        self._call(f"/dns/edit/{zone.name}/{row.id}", deadline, fields)

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """Delete a record by its id."""
        del key
        self._call(f"/dns/delete/{zone.name}/{row.id}", deadline)

    def _listed(self, path: str, deadline: Deadline) -> list[dict[str, Any]]:
        try:
            return answers.objects(self._call(path, deadline).get("records"), WHO)
        except Refusal as error:
            raise Malformed(f"{WHO}: an answer about a write to a read: {error}") from error

    def _call(self, path: str, deadline: Deadline, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        """One exchange. Raises what a refusal stands for: the status is in the body, also of a 200."""
        keys = {
            "apikey": self._settings.api_key,
            "secretapikey": self._tools.resolve(self._settings.secret_api_key).reveal(),
        }
        headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": answers.USER_AGENT}
        request = HttpRequest("POST", self._url + path, headers, msgspec.json.encode({**keys, **(fields or {})}))
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        said = _said(response)
        if said is not None:
            raise CODES.problem(said, response, self._tools.clock.now())
        body = answers.parsed(response.body, WHO)
        if not isinstance(body, dict) or body.get("status") != "SUCCESS":
            raise Malformed(f"{WHO}: the answer is not of the API: {answers.excerpt(response.body)}")
        return body


def _said(response: HttpResponse) -> Said | None:
    """What an answer says that is no success; None for one that may be."""
    start = f"{WHO}: HTTP {response.status}"
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        body = None
    if not isinstance(body, dict) or body.get("status") != "ERROR":
        return None if 200 <= response.status < 300 else Said("", f"{start} {answers.excerpt(response.body)}".rstrip())
    code, message = body.get("code"), str(body.get("message"))
    if not isinstance(code, str) or not code:
        code = next((code for words, code in _MESSAGES if message.lower().startswith(words)), "ERROR")
    return Said(code, f"{start} {foreign(f'{code}: {message}' if code != 'ERROR' else message)}")


def _fields(zone: Zone, key: RecordKey, value: Value, ttl: int) -> dict[str, str]:
    name = zone.relative(answers.ascii_name(key.name), apex="")
    return {"name": name, "type": str(key.type), "content": str(value), "ttl": str(max(ttl, MIN_TTL))}


def _row(item: Mapping[str, object], key: RecordKey) -> Row:
    number, text, ttl = (str(item.get(name)) for name in ("id", "content", "ttl"))
    if not number.isdecimal() or not ttl.isdecimal():
        raise Malformed(f"{WHO}: a record without id or TTL")
    return Row(number, content.received(key.type, text, WHO), int(ttl), raw={"notes": item.get("notes")})
