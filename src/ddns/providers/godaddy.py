"""GoDaddy's Domains API v1, with an API key and its secret (sso-key).

An RRset is replaced as one (PUT) and only where it differs. Which zone holds a name is asked with the records' own
calls: those about the domain itself are refused to small accounts. A key has no scopes: it opens the whole account.
Sources: https://developer.godaddy.com/doc/endpoint/domains, https://developer.godaddy.com/getstarted
"""

from __future__ import annotations

import urllib.parse
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns import http_time
from ddns.errors import BadCredentials, Malformed, NoSuchZone, NotPermitted, RateLimited, Rejected, ServerSide, foreign
from ddns.model import Change, RecordKey, RecordType, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content
from ddns.providers.codes import Codes, Means, Said
from ddns.providers.sets import SetProvider
from ddns.providers.settings_keys import ApiUrl, ZoneName
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "GoDaddy"
MIN_TTL = 600
CAPABILITIES = Capabilities(min_ttl=MIN_TTL, types=content.EVERY_TYPE)
#: Most records that one list holds; no name has so many.
MOST_RECORDS = 500

_KEY = (
    "Make a key of the environment Production (developer.godaddy.com, API Keys), set it as key, and store its secret"
    " with `ddns secret set`. Then: ddns run --now"
)
_RIGHT = (
    "GoDaddy opens its DNS API only to accounts with 10 or more domains or a Discount Domain Club plan, and only for"
    " domains of the account. Where neither is so, keep the zone elsewhere. Then: ddns run --now"
)
_CHANGE_IT = "Change what GoDaddy refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
_PARKED = (
    "GoDaddy parks or forwards this name. Delete that record in its DNS management, or switch the forwarding off."
    " Then: ddns run --now"
)

CODES = Codes(
    WHO,
    {
        "UNABLE_TO_AUTHENTICATE": Means(BadCredentials, _KEY),
        "MISSING_CREDENTIALS": Means(BadCredentials, _KEY),
        "MALFORMED_CREDENTIALS": Means(BadCredentials, _KEY),
        "INVALID_CREDENTIALS": Means(BadCredentials, _KEY),
        "ACCESS_DENIED": Means(NotPermitted, _RIGHT),
        "NOT_AUTHORIZED": Means(NotPermitted, _RIGHT),
        "UNKNOWN_DOMAIN": Means(NoSuchZone),
        "NOT_FOUND": Means(NoSuchZone),
        "INVALID_DOMAIN": Means(NoSuchZone),
        "TOO_MANY_REQUESTS": Means(RateLimited),
        "CONFLICTING_STATUS": Means(ServerSide),
        "INTERNAL_SERVER_ERROR": Means(ServerSide),
    },
    otherwise=_CHANGE_IT,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``godaddy``."""

    key: Annotated[str, Meta(pattern="^[!-9;-~]+$", description="The API key, of the environment Production.")]
    secret: Annotated[SecretRef, Meta(description="Where the key's secret lies.")]
    zone: ZoneName = ""
    url: ApiUrl = "https://api.godaddy.com/v1"

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
        self._url = settings.url.rstrip("/")
        self._settings = settings
        self._tools = tools

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The zone of this name: where its NS records can be listed."""
        try:
            self._listed(f"/domains/{urllib.parse.quote(name)}/records/NS/@", deadline)
        except NoSuchZone:
            return None
        return Zone(name, min_ttl=MIN_TTL)

    def read(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RRset | None:
        """List by exact name and type."""
        left = zone.relative(answers.ascii_name(key.name))
        # The path is the filter; that it filtered is seen here.
        found = [
            item
            for item in self._listed(f"{_path(zone, key)}?limit={MOST_RECORDS}", deadline)
            if (answers.text(item, WHO, "name").lower(), item.get("type")) == (left, key.type)
        ]
        if not found:
            return None
        if len(found) >= MOST_RECORDS:
            raise Malformed(f"{WHO}: {len(found)} records of one name and type")
        texts, ttl = [answers.text(item, WHO, "data") for item in found], found[0].get("ttl")
        if not isinstance(ttl, int):
            raise Malformed(f"{WHO}: a record without TTL")
        try:
            return RRset(frozenset(_value(zone, key, text) for text in texts), ttl)
        except ValueError as error:
            said = foreign(", ".join(texts), 80)
            raise Rejected(f"{WHO}: {key} has a value that is none of its type: {said}", advice=_PARKED) from error

    def write(self, zone: Zone, change: Change, now: RRset | None, deadline: Deadline) -> None:
        """PUT all values of the name and type, with the TTL that they have; or DELETE them."""
        path, after = _path(zone, change.key), change.after
        if after is None:
            self._call("DELETE", path, deadline)
            return
        ttl = max(after.ttl or (now.ttl if now else None) or MIN_TTL, MIN_TTL)
        self._call("PUT", path, deadline, [{"data": value, "ttl": ttl} for value in after.texts()])

    def _listed(self, path: str, deadline: Deadline) -> list[dict[str, Any]]:
        return answers.objects(answers.parsed(self._call("GET", path, deadline).body, WHO), WHO)

    def _call(self, method: str, path: str, deadline: Deadline, body: object = None) -> HttpResponse:
        """One exchange. Raises what a refusal stands for."""
        secret = self._tools.resolve(self._settings.secret).reveal()
        headers = {
            "Authorization": f"sso-key {self._settings.key}:{secret}",
            "Accept": "application/json",
            "User-Agent": answers.USER_AGENT,
        }
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        request = HttpRequest(method, self._url + path, headers, data)
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        if not 200 <= response.status < 300:
            raise _problem(response, self._tools.clock.now())
        if method != "GET" and response.body.strip():
            answers.parsed(response.body, WHO)  # a portal's page with status 200 is no answer
        return response


def _problem(response: HttpResponse, now: float) -> Exception:
    """What an answer other than 2xx stands for."""
    start = f"{WHO}: HTTP {response.status}"
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        body = None
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(code, str):
        said = Said("", f"{start} {answers.excerpt(response.body)}".rstrip())
    else:
        said = Said(code, f"{start} {foreign(_words(body))}")
    problem = CODES.problem(said, response, now)
    wait = body.get("retryAfterSec") if isinstance(body, dict) else None
    if isinstance(problem, RateLimited) and problem.retry_after is None and isinstance(wait, int) and wait >= 0:
        problem.retry_after = min(float(wait), http_time.LONGEST_WAIT)
    return problem


def _words(body: dict[str, Any]) -> str:
    """Code and message, and those of the first field that was wrong."""
    fields = body.get("fields")
    first = fields[0] if isinstance(fields, list) and fields and isinstance(fields[0], dict) else {}
    more = f" ({first.get('path')}: {first.get('message')})" if first else ""
    return f"{body.get('code')}: {body.get('message')}{more}"


def _value(zone: Zone, key: RecordKey, text: str) -> Value:
    """A value from the service's spelling, which has ``@`` for the zone itself."""
    return content.parsed(key.type, zone.name if (key.type, text) == (RecordType.CNAME, "@") else text)


def _path(zone: Zone, key: RecordKey) -> str:
    left = zone.relative(answers.ascii_name(key.name))
    return f"/domains/{urllib.parse.quote(zone.name)}/records/{key.type}/{urllib.parse.quote(left, safe='@*')}"
