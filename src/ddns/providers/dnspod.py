"""DNSPod's token API (dnsapi.cn): POST forms with a token of the main account, answered by JSON with a status code.

Its terms forbid writes that change nothing and want a User-Agent with a mail address; who breaks them, or logs in
wrongly thirty times in five minutes, is shut out for an hour. So nothing is sent that is so already, and a refused
token is not tried again by itself. Sub-accounts and rights: kind ``tencentcloud``.
Sources: https://docs.dnspod.cn/api/api-development-specification/, https://docs.dnspod.com/api-legacy/records.html,
https://support.dnspod.cn/api-wen-dang-api-shuo-ming/ (codes of all calls)
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.errors import (
    BadCredentials,
    Banned,
    Malformed,
    NoSuchZone,
    NotPermitted,
    RateLimited,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.model import RecordKey, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpRequest, Provider, Tools
from ddns.providers import answers, content
from ddns.providers.codes import Codes, Means, Said
from ddns.providers.rows import Refusal, Row, RowProvider
from ddns.providers.settings_keys import ApiUrl, PlanMinTtl, ZoneName
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "DNSPod (token)"
#: The least TTL of the free plan, in seconds.
FREE_MIN_TTL = 600
CAPABILITIES = Capabilities(min_ttl=FREE_MIN_TTL, types=content.EVERY_TYPE)
#: The default line, as dnsapi.cn writes it.
LINE = "默认"
PER_PAGE = 100
MOST_PAGES = 30
#: Seconds that a client that is shut out stays so.
SHUT_OUT = 3600.0

_AGAIN = (
    "Make a token (DNSPod console, API Key, DNSPod Token) and store its ID and itself with a comma between,"
    " 13490,6b5976c6..., with `ddns secret set`. Then: ddns run --now"
)
_WAIT = "Wait an hour without a call, find out what calls so often with this account, then: ddns run --now"
_RIGHT = "Use a token of the main account that owns the domain (sub-accounts: kind tencentcloud). Then: ddns run --now"
_PLACE = "Switch the account's protection against logins from elsewhere off for its API. Then: ddns run --now"
_CHANGE_IT = "Change what DNSPod refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
_TTL = "Raise the record's ttl to what the domain's plan allows (600 on the free one), and set min_ttl to that."
_CONFLICT = "Another record at this name excludes it, such as a CNAME: remove that. Then: ddns run --now"
_LOCKED = "Unlock the domain or the record in the DNSPod console. Then: ddns run --now"
_OFF = "Enable or delete the paused record in the DNSPod console. Then: ddns run --now"

#: Status codes; most mean another thing in each call, whose name follows the dot.
CODES = Codes(
    WHO,
    {
        "-1": Means(BadCredentials, _AGAIN),
        "-2": Means(RateLimited, _WAIT),
        "-3": Means(NotPermitted, _RIGHT),
        "-4": Means(NotPermitted, _RIGHT),
        "-7": Means(NotPermitted, _RIGHT),
        "-8": Means(Banned, _WAIT),
        "-15": Means(NotPermitted, _LOCKED),
        "-99": Means(ServerSide),
        "3": Means(ServerSide),
        "83": Means(Banned, _WAIT),
        "85": Means(NotPermitted, _PLACE),
        "6.Domain.Info": Means(NoSuchZone),
        "8.Domain.Info": Means(NoSuchZone),
        "9.Domain.Info": Means(NoSuchZone),
        "13.Domain.Info": Means(NoSuchZone),
        "6.Record.List": Means(NoSuchZone),
        "9.Record.List": Means(NotPermitted, _RIGHT),
        "7.Record.Create": Means(NotPermitted, _RIGHT),
        "7.Record.Modify": Means(NotPermitted, _RIGHT),
        "7.Record.Remove": Means(NotPermitted, _RIGHT),
        "21": Means(Rejected, _LOCKED),
        "29": Means(Rejected, _TTL),
        "31": Means(Rejected, _CONFLICT),
        "32": Means(Rejected, _TTL),
        # The record is there already, or is gone: it is read again.
        "104": Means(Refusal),
        "8.Record.Modify": Means(Refusal),
        "8.Record.Remove": Means(Refusal),
    },
    otherwise=_CHANGE_IT,
)
_EMPTY = "10.Record.List"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``dnspod``."""

    token: Annotated[SecretRef, Meta(description="Where the token lies: its ID, a comma, and the token itself.")]
    contact: Annotated[
        str,
        Meta(
            min_length=1,
            pattern=answers.CONTACT,
            description="Your mail address: DNSPod's rules want one in the User-Agent.",
        ),
    ]
    zone: ZoneName = ""
    line: Annotated[str, Meta(min_length=1, description="The line of the records; default at api.dnspod.com.")] = LINE
    min_ttl: PlanMinTtl = FREE_MIN_TTL
    url: ApiUrl = "https://dnsapi.cn"

    def __post_init__(self) -> None:
        """Refuse a URL that the token must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    zones = Zones(WHO, api.zone, settings.zone)
    return RowProvider(api, zones, tools.clock, replace(CAPABILITIES, min_ttl=settings.min_ttl))


class Api:
    """The calls; see `rows.Api`."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = settings.url.rstrip("/")
        self._settings = settings
        self._tools = tools

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The domain of this name in the account."""
        try:
            body = self._ask("Domain.Info", {"domain": name}, deadline)
        except NoSuchZone:
            return None
        domain = body.get("domain")
        if not isinstance(domain, dict):
            raise Malformed(f"{WHO}: the answer is not a domain")
        if name not in {str(domain.get(field)).lower() for field in ("name", "punycode")}:
            raise Malformed(f"{WHO}: the answer is not the domain {name}")
        return Zone(name, str(domain.get("id")), self._settings.min_ttl)

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type, page by page; those of the line that are switched on."""
        return [row for row in self._listed(zone, key, deadline) if row.raw["enabled"] != "0"]

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """Record.Create."""
        fields = self._fields(zone, key, value, after.ttl or zone.min_ttl)
        self._write("Record.Create", fields, zone, key, value, deadline)

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """Record.Modify, with the TTL and the weight that it has where none are asked for. The remark stays."""
        fields = {"record_id": row.id, **self._fields(zone, key, value, after.ttl or row.ttl or zone.min_ttl)}
        if row.raw["weight"]:
            fields["weight"] = str(row.raw["weight"])
        self._write("Record.Modify", fields, zone, key, value, deadline)

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """Record.Remove."""
        del key
        self._call("Record.Remove", {"domain_id": zone.id, "record_id": row.id}, deadline)

    def _listed(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        left = zone.relative(answers.ascii_name(key.name))
        query = {"domain_id": zone.id, "sub_domain": left, "record_type": str(key.type), "length": str(PER_PAGE)}
        rows: list[Row] = []
        for page in range(MOST_PAGES):
            body = self._ask("Record.List", {**query, "offset": str(page * PER_PAGE)}, deadline)
            listed = answers.objects(body.get("records"), WHO)
            # The filter is the service's; that it filtered is seen here.
            rows += [
                _row(item, key)
                for item in listed
                if (answers.text(item, WHO, "name").lower(), item.get("type")) == (left, key.type)
                and str(item.get("line")).lower() == self._settings.line.lower()
            ]
            if len(listed) < PER_PAGE:
                return rows
        raise Malformed(f"{WHO}: more than {MOST_PAGES} pages of records of one name and type")

    def _fields(self, zone: Zone, key: RecordKey, value: Value, ttl: int) -> dict[str, str]:
        left = zone.relative(answers.ascii_name(key.name))
        name = {"domain_id": zone.id, "sub_domain": left, "record_type": str(key.type)}
        return {**name, "record_line": self._settings.line, "value": content.dotted(key.type, value), "ttl": str(ttl)}

    def _write(
        self, action: str, fields: Mapping[str, str], zone: Zone, key: RecordKey, value: Value, deadline: Deadline
    ) -> None:
        try:
            self._call(action, fields, deadline)
        except Refusal:
            twins = [row for row in self._listed(zone, key, deadline) if row.value == value]
            if any(row.raw["enabled"] == "0" for row in twins):
                raise Rejected(f"{WHO}: a paused record of {key} has the value {value}", advice=_OFF) from None
            raise

    def _ask(self, action: str, fields: Mapping[str, str], deadline: Deadline) -> dict[str, Any]:
        try:
            return self._call(action, fields, deadline)
        except Refusal as error:
            raise Malformed(f"{WHO}: an answer about a write to a read: {error}") from error

    def _call(self, action: str, fields: Mapping[str, str], deadline: Deadline) -> dict[str, Any]:
        """One exchange. Raises what a refusal stands for: the status is in the body."""
        request = self._request(action, fields)
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        now = self._tools.clock.now()
        if not 200 <= response.status < 300:
            said = Said("", f"{WHO}: HTTP {response.status} {answers.excerpt(response.body)}".rstrip())
            raise CODES.problem(said, response, now)
        body = answers.parsed(response.body, WHO)
        status = body.get("status") if isinstance(body, dict) else None
        code = str(status.get("code")) if isinstance(status, dict) else ""
        if not isinstance(status, dict) or not code.removeprefix("-").isdecimal():
            raise Malformed(f"{WHO}: the answer is not of the API: {answers.excerpt(response.body)}")
        if code == "1":
            return dict(body)
        code = f"{code}.{action}"
        if code == _EMPTY:
            return {"records": []}
        message = foreign(f"{code}: {status.get('message')}")
        problem = CODES.problem(Said(code, f"{WHO}: {message}"), response, now)
        if isinstance(problem, RateLimited) and problem.retry_after is None:
            problem.retry_after = SHUT_OUT
        raise problem

    def _request(self, action: str, fields: Mapping[str, str]) -> HttpRequest:
        token = self._tools.resolve(self._settings.token).reveal().strip()
        ident, comma, rest = token.partition(",")
        if not (ident.isascii() and ident.isdigit() and comma and rest):  # a wrong login counts towards a ban
            raise BadCredentials(f"{WHO}: the token is not an ID, a comma and a token", advice=_AGAIN)
        common = {"login_token": token, "format": "json", "lang": "en", "error_on_empty": "no"}
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": answers.user_agent(self._settings.contact),
        }
        form = urllib.parse.urlencode({**common, **fields}).encode("ascii")
        return HttpRequest("POST", f"{self._url}/{action}", headers, form)


def _row(item: Mapping[str, object], key: RecordKey) -> Row:
    number, ttl, value = str(item.get("id")), str(item.get("ttl")), answers.text(item, WHO, "value")
    if not number.isdecimal() or not ttl.isdecimal():
        raise Malformed(f"{WHO}: a record without id or TTL")
    raw = {"enabled": str(item.get("enabled")), "weight": item.get("weight")}
    return Row(number, content.received(key.type, value, WHO), int(ttl), raw=raw)
