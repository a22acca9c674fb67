"""Alibaba Cloud DNS (Alidns), API 2015-01-09, with the access key of a RAM user.

Only the default line is read and written. An update always sends the TTL, which the API would else set to its default;
remark, weight and status have calls of their own and stay. What is switched off is not in DNS: it is left alone.
Sources: https://www.alibabacloud.com/help/en/dns/api-alidns-2015-01-09-describesubdomainrecords and the pages of the
other calls beside it, https://www.alibabacloud.com/help/en/dns/error-code
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    Malformed,
    NoSuchZone,
    NotPermitted,
    RateLimited,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.model import RecordKey, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content, writes
from ddns.providers.codes import Codes, Means, Said
from ddns.providers.rows import Refusal, Row, RowProvider
from ddns.providers.settings_keys import ApiUrl, PlanMinTtl, ZoneName
from ddns.providers.signing import acs3, canonical
from ddns.providers.signing.clocked import Clocked
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "Alibaba Cloud DNS"
VERSION = "2015-01-09"
PER_PAGE = 100
#: No name has so many records; a list that claims more is not followed.
MOST_PAGES = 50
#: The least TTL of the free plan, in seconds.
FREE_MIN_TTL = 600
CAPABILITIES = Capabilities(min_ttl=FREE_MIN_TTL, types=content.EVERY_TYPE)
LINE = "default"

_RIGHTS = (
    "Give the RAM user the policy AliyunDNSFullAccess, or one with DescribeDomainInfo, DescribeSubDomainRecords,"
    " AddDomainRecord, UpdateDomainRecord and DeleteDomainRecord for the domain. Then: ddns run --now"
)
_KEY = (
    "Check that the RAM user's AccessKey is there and enabled (RAM console, Users, AccessKey), that access_key_id names"
    " it, and store its secret again with `ddns secret set`. Then: ddns run --now"
)
_CHANGE_IT = "Change what Alibaba Cloud refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
_TTL = "Raise the record's ttl to what the domain's plan allows (600 on the free one), and set min_ttl to that."
_CONFLICT = "Another record at this name excludes it, such as a CNAME: remove that. Then: ddns run --now"
_LOCKED = "Unlock the record in the Alibaba Cloud DNS console. Then: ddns run --now"
_OFF = "Enable or delete the disabled record in the Alibaba Cloud DNS console. Then: ddns run --now"
_VERIFY = "Finish the account's real-name verification at Alibaba Cloud. Then: ddns run --now"

CODES = Codes(
    WHO,
    {
        # The record is there already, or is gone: it is read again.
        "DomainRecordDuplicate": Means(Refusal),
        "DomainRecordNotBelongToUser": Means(Refusal),
        "DomainRecordConflict": Means(Rejected, _CONFLICT),
        "DomainRecordLocked": Means(Rejected, _LOCKED),
        "QuotaExceeded.TTL": Means(Rejected, _TTL),
        "SignatureDoesNotMatch": Means(BadCredentials, _KEY),
        "IncompleteSignature": Means(BadCredentials, _KEY),
        "InvalidAccessKeyId": Means(BadCredentials, _KEY),
        "InvalidTimeStamp.Expired": Means(ClockSkew),
        "SignatureNonceUsed": Means(ServerSide),  # a copy of the request came in first
        "LastOperationNotFinished": Means(ServerSide),
        "UnKnownError": Means(ServerSide),
        "InternalError": Means(ServerSide),
        "ServiceUnavailable": Means(ServerSide),
        "Throttling": Means(RateLimited),
        "Forbidden": Means(NotPermitted, _RIGHTS),
        "NoPermission": Means(NotPermitted, _RIGHTS),
        "Forbidden.UserVerification": Means(NotPermitted, _VERIFY),
        "Forbidden.RiskControl": Means(Banned),
        "IncorrectDomainUser": Means(NoSuchZone),
        "InvalidDomainName": Means(NoSuchZone),
    },
    otherwise=_CHANGE_IT,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``alidns``."""

    access_key_id: Annotated[str, Meta(pattern="^[!-~]+$", description="The AccessKey ID of the RAM user.")]
    access_key_secret: Annotated[SecretRef, Meta(description="Where the AccessKey secret lies.")]
    zone: ZoneName = ""
    min_ttl: PlanMinTtl = FREE_MIN_TTL
    url: ApiUrl = "https://alidns.aliyuncs.com"

    def __post_init__(self) -> None:
        """Refuse a URL that signed requests must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    zones = Zones(WHO, api.zone, settings.zone)
    return RowProvider(api, zones, tools.clock, replace(CAPABILITIES, min_ttl=settings.min_ttl))


class Api:
    """The calls; see `rows.Api`."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = settings.url.rstrip("/") + "/"
        self._settings = settings
        self._tools = tools
        self._clocked = Clocked(WHO, tools)

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The domain of this name in the account."""
        try:
            body = self._ask("DescribeDomainInfo", {"DomainName": name}, deadline)
        except NoSuchZone:
            return None
        if name not in {str(body.get(field)).lower() for field in ("DomainName", "PunyCode")}:
            raise Malformed(f"{WHO}: the answer is not the domain {name}")
        least = body.get("MinTtl")
        return Zone(name, min_ttl=least if isinstance(least, int) else FREE_MIN_TTL)

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type, page by page; those of the default line that are switched on."""
        return [row for row in self._listed(zone, key, deadline) if row.raw.get("Status") != "DISABLE"]

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """AddDomainRecord."""
        ttl = after.ttl or max(writes.DEFAULT_TTL, zone.min_ttl)
        fields = {"DomainName": zone.name, **_fields(zone, key, value, ttl)}
        self._write("AddDomainRecord", fields, zone, key, value, deadline)

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """UpdateDomainRecord, with the TTL that it has where none is asked for."""
        fields = {"RecordId": row.id, **_fields(zone, key, value, after.ttl or row.ttl or zone.min_ttl)}
        self._write("UpdateDomainRecord", fields, zone, key, value, deadline)

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """DeleteDomainRecord."""
        del zone, key
        self._call("DeleteDomainRecord", {"RecordId": row.id}, deadline)

    def _listed(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        name = answers.ascii_name(key.name)
        query = {"DomainName": zone.name, "SubDomain": name, "Type": str(key.type), "PageSize": str(PER_PAGE)}
        rows: list[Row] = []
        seen = 0
        for page in range(1, MOST_PAGES + 1):
            body = self._ask("DescribeSubDomainRecords", {**query, "PageNumber": str(page)}, deadline)
            records, total = body.get("DomainRecords"), body.get("TotalCount")
            items = answers.objects(records.get("Record") if isinstance(records, dict) else None, WHO)
            if not isinstance(total, int):
                raise Malformed(f"{WHO}: a list of records without its total")
            # The filter is the service's; that it filtered is seen here.
            rows += [
                _row(item, key)
                for item in items
                if (item.get("Type"), item.get("Line")) == (key.type, LINE)
                and answers.ascii_name(answers.text(item, WHO, "RR")) == zone.relative(name)
            ]
            seen += len(items)
            if not items or seen >= total:
                return rows
        raise Malformed(f"{WHO}: more than {MOST_PAGES} pages of records of one name and type")

    def _write(
        self, action: str, fields: Mapping[str, str], zone: Zone, key: RecordKey, value: Value, deadline: Deadline
    ) -> None:
        try:
            self._call(action, fields, deadline)
        except Refusal:
            twins = [row for row in self._listed(zone, key, deadline) if row.value == value]
            if any(row.raw.get("Status") == "DISABLE" for row in twins):
                raise Rejected(f"{WHO}: a disabled record of {key} has the value {value}", advice=_OFF) from None
            raise

    def _ask(self, action: str, query: Mapping[str, str], deadline: Deadline) -> dict[str, Any]:
        try:
            return self._call(action, query, deadline)
        except Refusal as error:
            raise Malformed(f"{WHO}: an answer about a write to a read: {error}") from error

    def _call(self, action: str, query: Mapping[str, str], deadline: Deadline) -> dict[str, Any]:
        """One exchange. Raises what a refusal stands for."""
        secret = self._tools.resolve(self._settings.access_key_secret).reveal()
        key = canonical.Key(self._settings.access_key_id, secret)
        plain = {"Accept": "application/json", "User-Agent": answers.USER_AGENT}
        request = HttpRequest("POST", f"{self._url}?{canonical.query(query.items())}", plain)

        def signed(now: float) -> HttpRequest:
            nonce = secrets.token_hex(16)
            return replace(
                request, headers=acs3.headers(request, key, action=action, version=VERSION, nonce=nonce, now=now)
            )

        response = self._clocked.exchange(signed, _skewed, deadline)
        if not 200 <= response.status < 300:
            raise CODES.problem(said(response), response, self._tools.clock.now())
        body = answers.parsed(response.body, WHO)
        if not isinstance(body, dict) or "RequestId" not in body:
            raise Malformed(f"{WHO}: the answer is not of the API: {answers.excerpt(response.body)}")
        return body


def _skewed(response: HttpResponse) -> bool:
    return not 200 <= response.status < 300 and CODES.skewed(said(response))


def said(response: HttpResponse) -> Said:
    """What an answer other than 2xx says."""
    start = f"{WHO}: HTTP {response.status}"
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        body = None
    code, message = (body.get("Code"), body.get("Message")) if isinstance(body, dict) else (None, None)
    if not isinstance(code, str):
        return Said("", f"{start} {answers.excerpt(response.body)}".rstrip())
    return Said(code, f"{start} {foreign(f'{code}: {message}')}")


def _fields(zone: Zone, key: RecordKey, value: Value, ttl: int) -> dict[str, str]:
    name = zone.relative(answers.ascii_name(key.name))
    return {"RR": name, "Type": str(key.type), "Value": str(value), "TTL": str(ttl), "Line": LINE}


def _row(item: Mapping[str, object], key: RecordKey) -> Row:
    number, ttl, value = answers.text(item, WHO, "RecordId"), item.get("TTL"), answers.text(item, WHO, "Value")
    if not isinstance(ttl, int):
        raise Malformed(f"{WHO}: a record without TTL")
    return Row(number, content.received(key.type, value, WHO), ttl, raw={"Status": str(item.get("Status")).upper()})
