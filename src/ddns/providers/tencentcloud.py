"""Tencent Cloud DNSPod, API 3.0 of 2021-03-23, with the secret key of a CAM user.

Only what differs is sent (ModifyRecordFields), so that remark, weight, line and status stay. Only the default line is
read and written. What is switched off is not in DNS: it is left alone. A new record may be missing from lists for 30 s.
Sources: https://cloud.tencent.com/document/api/1427/56166 (DescribeRecordList) and the pages of the other calls beside
it, https://cloud.tencent.com/document/api/1427/83364 (ModifyRecordFields), https://cloud.tencent.com/document/api/1427/56192
(error codes)
"""

from __future__ import annotations

import json
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
from ddns.providers.signing import canonical, tc3
from ddns.providers.signing.clocked import Clocked
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "DNSPod"
VERSION = "2021-03-23"
PER_PAGE = 100
#: No name has so many records; a list that claims more is not followed.
MOST_PAGES = 50
#: The least TTL of the free plan, in seconds.
FREE_MIN_TTL = 600
CAPABILITIES = Capabilities(min_ttl=FREE_MIN_TTL, types=content.EVERY_TYPE)
#: The default line: its id goes before its name, which the API asks for all the same.
LINE_ID, LINE = "0", "默认"

_RIGHTS = (
    "Give the CAM user the policy QcloudDNSPodFullAccess, or one with dnspod:DescribeDomain, DescribeRecordList,"
    " CreateRecord, ModifyRecordFields and DeleteRecord. Then: ddns run --now"
)
_KEY = (
    "Check that the key is there and enabled (CAM console, API Keys), that secret_id names it, and store its secret"
    " again with `ddns secret set`. Then: ddns run --now"
)
_CHANGE_IT = "Change what DNSPod refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
_TTL = "Raise the record's ttl to what the domain's plan allows (600 on the free one), and set min_ttl to that."
_LINE = "The domain's plan lacks the default line, or its name differs: check the record in the DNSPod console."
_LIMIT = "The domain's plan allows no more records of this kind: remove some, or upgrade it. Then: ddns run --now"
_LOCKED = "Unlock the domain in the DNSPod console. Then: ddns run --now"
_OFF = "Enable or delete the disabled record in the DNSPod console. Then: ddns run --now"
_ADDRESS = "DNSPod is told to refuse this client's address: change the account's or the key's IP limits."
_VERIFY = "Finish the account's real-name verification at Tencent Cloud. Then: ddns run --now"

CODES = Codes(
    WHO,
    {
        # The record is there already, or is gone: it is read again.
        "InvalidParameter.DomainRecordExist": Means(Refusal),
        "InvalidParameter.RecordIdInvalid": Means(Refusal),
        "ResourceNotFound.NoDataOfRecord": Means(Refusal),
        "InvalidParameter.RecordLineInvalid": Means(Rejected, _LINE),
        "LimitExceeded": Means(Rejected, _LIMIT),
        "LimitExceeded.RecordTtlLimit": Means(Rejected, _TTL),
        "LimitExceeded.FailedLoginLimitExceeded": Means(Banned),
        "FailedOperation.DomainIsLocked": Means(Rejected, _LOCKED),
        "FailedOperation.DomainIsSpam": Means(Banned),
        "InvalidParameter.AccountIsBanned": Means(Banned),
        "AuthFailure": Means(BadCredentials, _KEY),
        "AuthFailure.SignatureExpire": Means(ClockSkew),
        "AuthFailure.UnauthorizedOperation": Means(NotPermitted, _RIGHTS),
        "UnauthorizedOperation": Means(NotPermitted, _RIGHTS),
        "OperationDenied": Means(NotPermitted, _RIGHTS),
        "OperationDenied.IPInBlacklistNotAllowed": Means(Rejected, _CHANGE_IT),
        "OperationDenied.NoPermissionToOperateDomain": Means(NoSuchZone, _RIGHTS),
        "FailedOperation.NotRealNamedUser": Means(NotPermitted, _VERIFY),
        "InvalidParameter.UnrealNameUser": Means(NotPermitted, _VERIFY),
        "IpInBlacklist": Means(NotPermitted, _ADDRESS),
        "IpNotInWhitelist": Means(NotPermitted, _ADDRESS),
        "InvalidParameter.RequestIpLimited": Means(NotPermitted, _ADDRESS),
        "InvalidParameterValue.DomainNotExists": Means(NoSuchZone),
        "InvalidParameter.DomainInvalid": Means(NoSuchZone),
        "ResourceNotFound.NoDataOfDomain": Means(NoSuchZone),
        "FailedOperation.NotDomainOwner": Means(NoSuchZone),
        "FailedOperation.DomainOwnedByOtherUser": Means(NoSuchZone),
        "RequestLimitExceeded": Means(RateLimited),
        "FailedOperation.UnknowError": Means(ServerSide),
        "FailedOperation.TemporaryError": Means(ServerSide),
        "InvalidParameter.OperateFailed": Means(ServerSide),
        "InternalError": Means(ServerSide),
    },
    otherwise=_CHANGE_IT,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``tencentcloud``."""

    secret_id: Annotated[str, Meta(pattern="^[!-~]+$", description="The SecretId of the CAM user's API key.")]
    secret_key: Annotated[SecretRef, Meta(description="Where the SecretKey lies.")]
    zone: ZoneName = ""
    min_ttl: PlanMinTtl = FREE_MIN_TTL
    url: ApiUrl = "https://dnspod.tencentcloudapi.com"

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
            domain = self._ask("DescribeDomain", {"Domain": name}, deadline).get("DomainInfo")
        except NoSuchZone:
            return None
        names = (domain.get("Domain"), domain.get("Punycode")) if isinstance(domain, dict) else ()
        if name not in {str(text).lower() for text in names}:
            raise Malformed(f"{WHO}: the answer is not the domain {name}")
        return Zone(name)

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type, page by page; those of the default line that are switched on."""
        return [row for row in self._listed(zone, key, deadline) if row.raw.get("Status") != "DISABLE"]

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """CreateRecord."""
        name = zone.relative(answers.ascii_name(key.name))
        data = content.dotted(key.type, value)
        fields = {"Domain": zone.name, "SubDomain": name, "RecordType": str(key.type), "Value": data}
        ttl = after.ttl or max(writes.DEFAULT_TTL, self._settings.min_ttl)
        body = {**fields, "RecordLine": LINE, "RecordLineId": LINE_ID, "TTL": ttl}
        try:
            self._call("CreateRecord", body, deadline)
        except Refusal as error:
            twins = [row for row in self._listed(zone, key, deadline) if row.value == value]
            if not twins:
                raise ServerSide(f"{error}, and is not in the list yet") from None
            if all(row.raw.get("Status") == "DISABLE" for row in twins):
                raise Rejected(f"{WHO}: a disabled record of {key} has the value {value}", advice=_OFF) from None
            raise

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """ModifyRecordFields with what differs."""
        fields = {} if value == row.value else {"value": content.dotted(key.type, value)}
        if after.ttl not in (None, row.ttl):
            fields["ttl"] = str(after.ttl)
        listed = [{"Key": name, "Value": text} for name, text in fields.items()]
        body = {"Domain": zone.name, "RecordId": int(row.id), "FieldList": listed}
        self._call("ModifyRecordFields", body, deadline)

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """DeleteRecord."""
        del key
        self._call("DeleteRecord", {"Domain": zone.name, "RecordId": int(row.id)}, deadline)

    def _listed(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        name = zone.relative(answers.ascii_name(key.name))
        query = {"Domain": zone.name, "Subdomain": name, "RecordType": str(key.type), "Limit": PER_PAGE}
        rows: list[Row] = []
        seen = 0
        for _ in range(MOST_PAGES):
            try:
                body = self._call("DescribeRecordList", {**query, "Offset": seen}, deadline)
            except Refusal:  # no record is an error here
                return rows
            items, count = answers.objects(body.get("RecordList"), WHO), body.get("RecordCountInfo")
            total = count.get("TotalCount") if isinstance(count, dict) else None
            if not isinstance(total, int):
                raise Malformed(f"{WHO}: a list of records without its total")
            # The filter is the service's; that it filtered is seen here.
            rows += [
                _row(item, key)
                for item in items
                if (item.get("Type"), item.get("LineId")) == (key.type, LINE_ID)
                and answers.ascii_name(answers.text(item, WHO, "Name")) == name
            ]
            seen += len(items)
            if not items or seen >= total:
                return rows
        raise Malformed(f"{WHO}: more than {MOST_PAGES} pages of records of one name and type")

    def _ask(self, action: str, body: Mapping[str, object], deadline: Deadline) -> dict[str, Any]:
        try:
            return self._call(action, body, deadline)
        except Refusal as error:
            raise Malformed(f"{WHO}: an answer about a record to {action}: {error}") from error

    def _call(self, action: str, body: Mapping[str, object], deadline: Deadline) -> dict[str, Any]:
        """One exchange. Raises what a refusal stands for, which comes with status 200, too."""
        key = canonical.Key(self._settings.secret_id, self._tools.resolve(self._settings.secret_key).reveal())
        plain = {"Content-Type": "application/json", "User-Agent": answers.USER_AGENT, "X-TC-Language": "en-US"}
        request = HttpRequest("POST", self._url, plain, json.dumps(body).encode())

        def signed(now: float) -> HttpRequest:
            return replace(
                request,
                headers=tc3.headers(request, key, service="dnspod", action=action, version=VERSION, now=now),
            )

        response = self._clocked.exchange(signed, _skewed, deadline)
        found, refused = opened(response)
        if refused is not None:
            raise CODES.problem(refused, response, self._tools.clock.now())
        return found


def _skewed(response: HttpResponse) -> bool:
    try:
        _, refused = opened(response)
    except Malformed:
        return False
    return refused is not None and CODES.skewed(refused)


def opened(response: HttpResponse) -> tuple[dict[str, Any], Said | None]:
    """What is in the envelope, and what is said where it is a refusal. Raises Malformed for no envelope with 2xx."""
    start, fine = f"{WHO}: HTTP {response.status}", 200 <= response.status < 300
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        if fine:
            raise
        body = None
    inner = body.get("Response") if isinstance(body, dict) else None
    if not isinstance(inner, dict) or "RequestId" not in inner:
        if fine:
            raise Malformed(f"{WHO}: the answer is not of the API: {answers.excerpt(response.body)}")
        return {}, Said("", f"{start} {answers.excerpt(response.body)}".rstrip())
    error = inner.get("Error")
    if error is None and fine:
        return inner, None
    code, message = (error.get("Code"), error.get("Message")) if isinstance(error, dict) else (None, None)
    return inner, Said(str(code or ""), f"{WHO}: {foreign(f'{code}: {message}')}")


def _row(item: Mapping[str, object], key: RecordKey) -> Row:
    number, ttl, value = item.get("RecordId"), item.get("TTL"), answers.text(item, WHO, "Value")
    if not isinstance(number, int) or not isinstance(ttl, int):
        raise Malformed(f"{WHO}: a record without id or TTL")
    status = str(item.get("Status")).upper()
    return Row(str(number), content.received(key.type, value, WHO), ttl, raw={"Status": status})
