"""Huawei Cloud DNS, API v2, with the access key of an IAM user. Public zones only.

Record sets are listed by v2.1, which shows their line: only the default line is read and written. An update sends what
differs and no more; description, weight, tags and health check stay. A change that is not active yet is `queued`.
Sources: https://support.huaweicloud.com/intl/en-us/api-dns/ShowRecordSetByZone.html,
https://support.huaweicloud.com/intl/en-us/api-dns/UpdateRecordSet.html and the pages beside them,
https://support.huaweicloud.com/intl/en-us/api-dns/ErrorCode.html,
https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.errors import (
    BadCredentials,
    ClockSkew,
    Malformed,
    NoSuchZone,
    NotPermitted,
    RateLimited,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.model import Applied, Change, RecordKey, RRset, values_of
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content, writes
from ddns.providers.codes import Codes, Means, Said
from ddns.providers.rows import Refusal
from ddns.providers.sets import SetProvider
from ddns.providers.settings_keys import ApiUrl, ZoneName
from ddns.providers.signing import canonical, sdk
from ddns.providers.signing.clocked import Clocked
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "Huawei Cloud DNS"
CAPABILITIES = Capabilities(types=content.EVERY_TYPE)
PER_PAGE = 100
#: No name has so many record sets; a list that claims more is not followed.
MOST_PAGES = 50
LINE = "default_view"
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

_RIGHTS = "Give the IAM user the system-defined policy DNS FullAccess (IAM console, User Groups). Then: ddns run --now"
_KEY = (
    "Check that the IAM user's access key is there and enabled (My Credentials, Access Keys), that access_key_id names"
    " it, and store its secret again with `ddns secret set`. Five wrong tries lock a key for five minutes."
)
_CHANGE_IT = "Change what Huawei Cloud refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
_CONFLICT = "Another record set at this name excludes it, such as a CNAME: remove that. Then: ddns run --now"
_TTL = "Change the record's ttl to what Huawei Cloud allows. Then: ddns run --now"
_QUOTA = "Ask Huawei Cloud for a larger quota of record sets, or delete some. Then: ddns run --now"
_VERIFY = "Finish the account's real-name verification at Huawei Cloud. Then: ddns run --now"
_OFF = "Enable or delete the record set in the DNS console. Then: ddns run --now"
_SPECIAL = "Replace it by one plain record set in the DNS console, or take it out of the settings."

CODES = Codes(
    WHO,
    {
        # The record set is there already, or is gone: it is read again.
        "DNS.0312": Means(Refusal),
        "DNS.0335": Means(Refusal),
        "DNS.0313": Means(Refusal),
        "DNS.0004": Means(Refusal),
        "DNS.0303": Means(Rejected, _TTL),
        "DNS.0319": Means(Rejected, _TTL),
        "DNS.0403": Means(Rejected, _QUOTA),
        "DNS.0302": Means(NoSuchZone),
        "DNS.1206": Means(NoSuchZone),
        "DNS.0005": Means(BadCredentials, _KEY),
        "DNS.0013": Means(NotPermitted, _RIGHTS),
        "DNS.0030": Means(NotPermitted, _RIGHTS),
        "DNS.1802": Means(NotPermitted, _RIGHTS),
        "DNS.0040": Means(NotPermitted, _VERIFY),
        "DNS.0014": Means(RateLimited),
        "DNS.0021": Means(RateLimited),
        "APIGW.0301": Means(BadCredentials, _KEY),
        "APIGW.0303": Means(BadCredentials, _KEY),
        "APIGW.0301.expired": Means(ClockSkew),
        "APIGW.0303.expired": Means(ClockSkew),
        "APIGW.0302": Means(NotPermitted, _RIGHTS),
        "APIGW.0308": Means(RateLimited),
    },
    otherwise=_CHANGE_IT,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``huaweicloud``."""

    access_key_id: Annotated[str, Meta(pattern="^[!-~]+$", description="The access key ID (AK) of the IAM user.")]
    secret_access_key: Annotated[SecretRef, Meta(description="Where the secret access key (SK) lies.")]
    zone: ZoneName = ""
    url: ApiUrl = "https://dns.myhuaweicloud.com"

    def __post_init__(self) -> None:
        """Refuse a URL that signed requests must not be sent to."""
        answers.refuse_url(self.url)


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    return SetProvider(api, Zones(WHO, api.zone, settings.zone), tools.clock, CAPABILITIES)


class RecordSet(msgspec.Struct, frozen=True):
    """A record set as it is listed."""

    id: str
    status: str
    special: bool
    rrset: RRset


class Api:
    """The calls; see `sets.Api`."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = settings.url.rstrip("/")
        self._settings = settings
        self._tools = tools
        self._clocked = Clocked(WHO, tools)

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The public zone of this name in the account."""
        query = {"type": "public", "name": name, "search_mode": "equal"}
        for item in self._pages("/v2/zones", query, "zones", deadline):
            # The search is the service's; that it is exact is seen here.
            if answers.ascii_name(answers.text(item, WHO, "name")) == name and item.get("zone_type") != "private":
                return Zone(name, _identifier(item))
        return None

    def read(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RRset | None:
        """The record set of the default line, switched on. Raises Rejected for what is left alone."""
        found = self._only(zone, key, deadline)
        if found is None or found.status in ("DISABLE", "PENDING_DISABLE", "PENDING_DELETE"):
            return None
        if found.status == "ERROR":
            raise ServerSide(f"{WHO}: {key} has the status ERROR: the service could not bring it about")
        if found.status in ("FREEZE", "PENDING_FREEZE"):
            raise Rejected(f"{WHO}: {key} is frozen", advice="Settle what Huawei Cloud froze the account for.")
        return found.rrset

    def write(self, zone: Zone, change: Change, now: RRset | None, deadline: Deadline) -> Applied:
        """POST, PUT or DELETE the record set, and see whether it is active."""
        found = self._only(zone, change.key, deadline)
        if found is not None and now is None and found.status != "PENDING_DELETE":
            raise Rejected(f"{WHO}: a disabled record set of {change.key} is there", advice=_OFF)
        try:
            identifier = self._sent(zone, change, found if now is not None else None, deadline)
        except Refusal as error:
            seen = self.read(zone, change.key, deadline)
            if change.done(seen):
                return Applied()
            if values_of(seen) != values_of(now):
                raise writes.conflict(change, seen) from error
            raise Rejected(str(error), advice=_CONFLICT) from error
        gone = change.after is None
        return writes.watched(lambda: self._is_done(zone, identifier, deadline, gone=gone), self._tools.clock, deadline)

    def _sent(self, zone: Zone, change: Change, found: RecordSet | None, deadline: Deadline) -> str:
        """Send one write; the record set's id."""
        path, after = f"/v2/zones/{zone.id}/recordsets", change.after
        values = content.all_presented(change.key.type, after)
        if after is None:
            if found is None:
                raise Refusal(f"{WHO}: {change.key} is gone")
            self._call("DELETE", f"{path}/{found.id}", deadline)
            return found.id
        if found is None:
            name = answers.ascii_name(change.key.name) + "."
            fields: dict[str, object] = {"name": name, "type": str(change.key.type), "records": values}
            body = self._call("POST", path, deadline, {**fields, "ttl": after.ttl or writes.DEFAULT_TTL})
        else:
            fields = {} if after.values == found.rrset.values else {"records": values}
            if after.ttl not in (None, found.rrset.ttl):
                fields["ttl"] = after.ttl
            body = self._call("PUT", f"{path}/{found.id}", deadline, fields)
        return _identifier(body)

    def _is_done(self, zone: Zone, identifier: str, deadline: Deadline, *, gone: bool) -> bool:
        try:
            body = self._call("GET", f"/v2/zones/{zone.id}/recordsets/{identifier}", deadline)
        except Refusal:
            return gone
        return not gone and body.get("status") == "ACTIVE"

    def _only(self, zone: Zone, key: RecordKey, deadline: Deadline) -> RecordSet | None:
        """The one record set of exactly this name and type on the default line. Raises Rejected when it is not one."""
        name = answers.ascii_name(key.name)
        query = {"name": f"{name}.", "type": str(key.type), "search_mode": "equal", "line_id": LINE}
        listed = self._pages(f"/v2.1/zones/{zone.id}/recordsets", query, "recordsets", deadline)
        found = [
            _record_set(item, key)
            for item in listed
            if answers.ascii_name(answers.text(item, WHO, "name")) == name
            and (item.get("type"), item.get("line", LINE)) == (key.type, LINE)
        ]
        if len(found) > 1:
            raise Rejected(f"{WHO}: {key} has {len(found)} weighted record sets, left alone", advice=_SPECIAL)
        if found and found[0].special:
            raise Rejected(f"{WHO}: {key} is an alias of another service, left alone", advice=_SPECIAL)
        return found[0] if found else None

    def _pages(self, path: str, query: Mapping[str, str], name: str, deadline: Deadline) -> Sequence[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            pairs = {**query, "limit": str(PER_PAGE), "offset": str(len(items))}.items()
            try:
                body = self._call("GET", f"{path}?{canonical.query(pairs)}", deadline)
            except Refusal as error:
                raise Malformed(f"{WHO}: an answer about a write to a list: {error}") from error
            page, metadata = answers.objects(body.get(name), WHO), body.get("metadata")
            total = metadata.get("total_count") if isinstance(metadata, dict) else None
            if not isinstance(total, int):
                raise Malformed(f"{WHO}: a list without its total")
            items += page
            if not page or len(items) >= total:
                return items
        raise Malformed(f"{WHO}: more than {MOST_PAGES} pages of one name")

    def _call(
        self, method: str, path: str, deadline: Deadline, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """One exchange. Raises what a refusal stands for."""
        secret = self._tools.resolve(self._settings.secret_access_key).reveal()
        key = canonical.Key(self._settings.access_key_id, secret)
        plain = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": answers.USER_AGENT}
        request = HttpRequest(method, self._url + path, plain, None if body is None else json.dumps(body).encode())

        def signed(now: float) -> HttpRequest:
            return msgspec.structs.replace(request, headers=sdk.headers(request, key, now=now))

        response = self._clocked.exchange(signed, _skewed, deadline)
        if not 200 <= response.status < 300:
            raise CODES.problem(said(response), response, self._tools.clock.now())
        parsed = answers.parsed(response.body or b"{}", WHO)
        if not isinstance(parsed, dict):
            raise Malformed(f"{WHO}: the answer is not an object")
        return parsed


def _skewed(response: HttpResponse) -> bool:
    return not 200 <= response.status < 300 and CODES.skewed(said(response))


def said(response: HttpResponse) -> Said:
    """What an answer other than 2xx says: the service's words, or the gateway's before it."""
    start = f"{WHO}: HTTP {response.status}"
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        body = None
    fields = body if isinstance(body, dict) else {}
    code, message = fields.get("code", fields.get("error_code")), fields.get("message", fields.get("error_msg"))
    if not isinstance(code, str):
        return Said("", f"{start} {answers.excerpt(response.body)}".rstrip())
    words = f"{start} {foreign(f'{code}: {message}')}"
    code = code.replace("APIG.", "APIGW.")  # some regions' gateways
    return Said(f"{code}.expired" if "expired" in str(message) else code, words)


def _identifier(item: Mapping[str, object]) -> str:
    text = answers.text(item, WHO, "id")
    if not _ID.fullmatch(text):
        raise Malformed(f"{WHO}: an identifier is not of its form: {foreign(text, 40)}")
    return text


def _record_set(item: Mapping[str, object], key: RecordKey) -> RecordSet:
    values, ttl, status = item.get("records"), item.get("ttl"), str(item.get("status"))
    if item.get("alias_target"):
        return RecordSet(_identifier(item), status, special=True, rrset=RRset(frozenset()))
    if not isinstance(values, list) or not isinstance(ttl, int):
        raise Malformed(f"{WHO}: a record set without records or TTL")
    try:
        return RecordSet(
            _identifier(item), status, False, RRset(frozenset(content.parsed(key.type, str(v)) for v in values), ttl)
        )
    except ValueError as error:
        raise Malformed(f"{WHO}: {foreign(str(error), 80)}, which is not of type {key.type}") from error
