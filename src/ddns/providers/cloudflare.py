"""Cloudflare's API v4, with a token that may read the zone and edit its DNS.

Only what differs is sent (PATCH), so comment, tags and the proxy switch stay as they are. The records of a name and
type are read again just before each write: the API has no conditional write.
Sources: https://developers.cloudflare.com/api/resources/dns/, https://developers.cloudflare.com/fundamentals/api/reference/limits/
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns.errors import (
    BadCredentials,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.model import RecordKey, RecordType, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpResponse, Provider, Tools
from ddns.providers import answers, content, writes
from ddns.providers.rows import Refusal, Row, RowProvider, fold
from ddns.providers.settings_keys import ApiUrl, ZoneName
from ddns.providers.zones import Zone, Zones
from ddns.secret import SecretRef

WHO = "Cloudflare"
#: A TTL between 1 ("automatic") and 60 the API refuses itself: what is least depends on the plan.
CAPABILITIES = Capabilities(batch=True, min_ttl=1, types=content.EVERY_TYPE)
PER_PAGE = 100
#: No name has so many records; a list that claims more is not followed.
MOST_PAGES = 50
#: The TTL that stands for "automatic"; proxied records have no other.
AUTOMATIC = 1
_LACKS_EDIT = "This token lacks Zone.DNS edit for the zone: add it at Cloudflare, My Profile, API Tokens."
_OTHER_ADDRESS = "The token is limited to other client addresses: change its IP filter."
_LACKS_READ = "Check the record's name, and that the token has Zone.Zone read for this zone."
_CHANGE_IT = "Change what Cloudflare refuses: the record's TTL, or what stands at its name. Then: ddns run --now"
#: The record is already so, is there already, or is gone: read it again and see.
_READ_AGAIN = frozenset({81044, 81057, 81058})
_BAD_TOKEN = frozenset({1000, 6003, 6103, 6111, 9103, 9106, 9107, 9207, 10001})
_LIMITED = frozenset({971, 10013, 10429})
_NO_ZONE = frozenset({1001, 1049, 7000, 7003})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``cloudflare``."""

    token: Annotated[SecretRef, Meta(description="Where the API token lies; it needs Zone.Zone read, Zone.DNS edit.")]
    zone: ZoneName = ""
    url: ApiUrl = "https://api.cloudflare.com/client/v4"

    def __post_init__(self) -> None:
        """Refuse a URL that the token must not be sent to."""
        answers.refuse_url(self.url)


class Page(msgspec.Struct, frozen=True):
    """An answer whose envelope says success."""

    result: Any
    pages: int


def envelope(response: HttpResponse, now: float, *, zone_known: bool = True) -> Page:
    """Open an answer. `zone_known`: the token could read the zone, so a refusal is of a right, not of the token.

    Raises the ProviderError that the answer stands for, or Refusal for a record that is not as we thought.
    """
    status = response.status
    if status == 429 or status >= 500:
        raise answers.status_problem(response, WHO, now) or ServerSide(f"{WHO}: HTTP {status}")
    try:
        body = answers.parsed(response.body, WHO)
    except Malformed:
        problem = answers.status_problem(response, WHO, now)
        if problem is not None:
            raise problem from None
        raise
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        raise Malformed(f"{WHO}: the answer is not an API envelope: {answers.excerpt(response.body)}")
    if not body["success"]:
        raise _refusal(body.get("errors"), response, now, zone_known=zone_known)
    if not 200 <= status < 300:
        raise Malformed(f"{WHO}: says success with HTTP {status}")
    info = body.get("result_info")
    pages = info.get("total_pages", 1) if isinstance(info, dict) else 1
    return Page(body.get("result"), pages if isinstance(pages, int) else 1)


def _refusal(errors: object, response: HttpResponse, now: float, *, zone_known: bool) -> ProviderError | Refusal:
    """What ``success: false`` means. `errors` is documented as a list of objects with code and message."""
    listed = [item for item in errors if isinstance(item, dict)] if isinstance(errors, list) else []
    codes = {item.get("code") for item in listed if isinstance(item.get("code"), int)}
    texts = "; ".join(f"{item.get('code')} {item.get('message')}" for item in listed)
    said = f"{WHO}: {foreign(texts)}" if texts else f"{WHO}: HTTP {response.status} without an error text"
    if codes & _READ_AGAIN:
        return Refusal(said)
    if codes & _LIMITED:
        return answers.limited(response, WHO, now)
    if codes & _NO_ZONE:
        return NoSuchZone(said, advice=_LACKS_READ)
    if _token_refused(codes, texts.lower(), response.status, zone_known=zone_known):
        return BadCredentials(said)
    if codes & {9109, 10000} or response.status == 403:
        # 9109 is also said to a token that is limited to other client addresses.
        filtered = "location" in texts.lower()
        return NotPermitted(said, advice=_OTHER_ADDRESS if filtered else _LACKS_EDIT)
    return Rejected(said, advice=_CHANGE_IT)


def _token_refused(codes: set[object], texts: str, status: int, *, zone_known: bool) -> bool:
    """Whether the token itself is refused, and not one right. 10000 and 9109 are said in both cases."""
    if 9109 in codes:
        return "invalid access token" in texts
    if 10000 in codes:
        return not zone_known
    return bool(codes & _BAD_TOKEN) or status == 401


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet."""
    api = Api(settings, tools)
    zones = Zones(WHO, api.zone, settings.zone, advice=_LACKS_READ)
    return RowProvider(api, zones, tools.clock, CAPABILITIES, _rrset, partial(Batch, api))


class Api:
    """The calls; see `rows.Api`."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._url = settings.url.rstrip("/")
        self._settings = settings
        self._tools = tools

    def zone(self, name: str, deadline: Deadline) -> Zone | None:
        """The zone of this name that the token can see."""
        page = self._get("/zones", {"name": name}, deadline, zone_known=False)
        found = [item for item in answers.objects(page.result, WHO) if answers.text(item, WHO, "name") == name]
        # One name may be in several accounts while it moves; at most one of them is active.
        found.sort(key=lambda item: item.get("status") != "active")
        return Zone(name, _identifier(found[0])) if found else None

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type, page by page."""
        name = answers.ascii_name(key.name)
        rows: list[Row] = []
        number = pages = 1
        while number <= pages:
            query = {"type": str(key.type), "name": name, "page": str(number), "per_page": str(PER_PAGE)}
            page = self._get(f"/zones/{zone.id}/dns_records", query, deadline)
            rows += [
                _row(item, key.type)
                for item in answers.objects(page.result, WHO)
                if answers.text(item, WHO, "name").lower() == name and item.get("type") == key.type
            ]
            number, pages = number + 1, page.pages
            if pages > MOST_PAGES:
                raise Malformed(f"{WHO}: {pages} pages of records of one name and type")
        return rows

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """POST a record."""
        self._call("POST", f"/zones/{zone.id}/dns_records", deadline, _new(key, value, after))

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """PATCH what differs."""
        self._call("PATCH", f"/zones/{zone.id}/dns_records/{row.id}", deadline, _changed(key, row, value, after))

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:  # noqa: ARG002 - the shape of rows.Api
        """DELETE a record."""
        self._call("DELETE", f"/zones/{zone.id}/dns_records/{row.id}", deadline)

    def together(self, zone: Zone, body: Mapping[str, object], deadline: Deadline) -> None:
        """POST a batch, which is one transaction."""
        self._call("POST", f"/zones/{zone.id}/dns_records/batch", deadline, body)

    def _get(self, path: str, query: Mapping[str, str], deadline: Deadline, *, zone_known: bool = True) -> Page:
        try:
            return self._call("GET", f"{path}?{urllib.parse.urlencode(query)}", deadline, zone_known=zone_known)
        except Refusal as error:
            raise Malformed(f"{WHO}: an answer about a write to a read: {error}") from error

    def _call(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        body: Mapping[str, object] | None = None,
        *,
        zone_known: bool = True,
    ) -> Page:
        token = self._tools.resolve(self._settings.token).reveal()
        request = answers.json_request(method, self._url + path, f"Bearer {token}", body)
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))
        return envelope(response, self._tools.clock.now(), zone_known=zone_known)


class Batch:
    """One transaction of several writes.

    See `rows.Batch`; https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes/
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._deletes: list[dict[str, object]] = []
        self._patches: list[dict[str, object]] = []
        self._posts: list[dict[str, object]] = []

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:  # noqa: ARG002 - the shape of rows.Api
        """Make a record."""
        self._posts.append(_new(key, value, after))

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:  # noqa: ARG002 - the shape of rows.Api
        """Change what differs."""
        self._patches.append({"id": row.id, **_changed(key, row, value, after)})

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:  # noqa: ARG002 - the shape of rows.Api
        """Take a record away."""
        self._deletes.append({"id": row.id})

    def send(self, zone: Zone, deadline: Deadline) -> None:
        """All of it, in the order that the API has: deletes, patches, posts."""
        parts = {"deletes": self._deletes, "patches": self._patches, "posts": self._posts}
        self._api.together(zone, {name: part for name, part in parts.items() if part}, deadline)


def _changed(key: RecordKey, row: Row, value: Value, after: RRset) -> dict[str, object]:
    new = {} if value == row.value else {"content": _content(key.type, value)}
    return {**new, **_differences(row, after)}


def _differences(row: Row, after: RRset) -> dict[str, object]:
    fields: dict[str, object] = {name: asked for name, asked in after.extra.items() if row.extra.get(name) != asked}
    if after.ttl not in (None, row.raw["ttl"]) and not after.extra.get("proxied", row.extra["proxied"]):
        fields["ttl"] = after.ttl
    return fields


def _new(key: RecordKey, value: Value, after: RRset) -> dict[str, object]:
    proxied = bool(after.extra.get("proxied", False))
    ttl = AUTOMATIC if proxied else after.ttl or writes.DEFAULT_TTL
    fields: dict[str, object] = {
        "type": str(key.type),
        "name": answers.ascii_name(key.name),
        "content": _content(key.type, value),
    }
    return {**fields, "ttl": ttl, **after.extra}


def _rrset(rows: Sequence[Row]) -> RRset | None:
    folded = fold(rows)
    if folded is None:
        return None
    # Of rows that differ, one that is not proxied shows; and no comment is no comment.
    extra: dict[str, str | bool] = {"proxied": all(row.extra["proxied"] for row in rows)}
    if folded.extra.get("comment"):
        extra["comment"] = folded.extra["comment"]
    return RRset(folded.values, None if extra["proxied"] else int(str(rows[0].raw["ttl"])), extra)


def _content(rtype: RecordType, value: Value) -> str:
    """A value as the API wants it: a text in quotes, a name without the final dot."""
    return content.presented(rtype, value) if rtype is RecordType.TXT else str(value)


def _identifier(item: Mapping[str, object]) -> str:
    text = answers.text(item, WHO, "id")
    if not (text.isascii() and text.isalnum() and len(text) <= 64):
        raise Malformed(f"{WHO}: an identifier is not of its form: {foreign(text, 40)}")
    return text


def _row(item: Mapping[str, object], rdtype: RecordType) -> Row:
    text, ttl, comment = answers.text(item, WHO, "content"), item.get("ttl"), item.get("comment")
    value = content.received(rdtype, text, WHO)
    if not isinstance(ttl, int):
        raise Malformed(f"{WHO}: a record without TTL")
    proxied = item.get("proxied") is True
    extra: dict[str, str | bool] = {"proxied": proxied, "comment": comment if isinstance(comment, str) else ""}
    # A proxied record's TTL is the proxy's affair: it is neither told nor compared.
    return Row(_identifier(item), value, None if proxied else ttl, extra, {"ttl": ttl})
