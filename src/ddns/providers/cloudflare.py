"""Cloudflare's API v4, with a token that may read the zone and edit its DNS.

Only what differs is sent (PATCH), so comment, tags and the proxy switch stay as they are. The records of a name and
type are read again just before each write: the API has no conditional write.
Sources: https://developers.cloudflare.com/api/resources/dns/, https://developers.cloudflare.com/fundamentals/api/reference/limits/
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from ddns.model import Applied, Change, HttpResponse, Observed, RecordKey, RecordType, RRset, Value
from ddns.ports import Capabilities, Deadline, Provider, Tools
from ddns.providers import answers, items, writes
from ddns.secret import SecretRef

WHO = "Cloudflare"
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
    zone: Annotated[str, Meta(description="The zone's name; found through the API when not set.")] = ""
    url: Annotated[str, Meta(pattern="^https?://", description="The API's base URL; http only to this machine.")] = (
        "https://api.cloudflare.com/client/v4"
    )

    def __post_init__(self) -> None:
        """Refuse a URL that the token must not be sent to."""
        answers.refuse_url(self.url)


class Refusal(Exception):
    """The API says that the record is not as our request supposed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the API lists it: one value of an RRset."""

    id: str
    value: Value
    ttl: int
    proxied: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Page:
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
    return Cloudflare(settings.url.rstrip("/"), settings, tools)


class Cloudflare:
    """The provider."""

    #: 1 stands for "automatic"; what is between 1 and 60 the API refuses itself.
    capabilities = Capabilities(min_ttl=1)

    def __init__(self, url: str, settings: Settings, tools: Tools) -> None:
        self._url = url
        self._settings = settings
        self._tools = tools
        self._zones: dict[str, str | None] = {}

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """List each record by its exact name and type."""

        def read(key: RecordKey) -> Observed:
            records = self._list(self._zone_of(key, deadline), key, deadline)
            return Observed(key, _rrset(records), "api", self._tools.clock.now())

        return items.observed(keys, read)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Write each RRset, with as few calls as bring it about."""
        return items.applied(changes, lambda change: self._write(change, deadline))

    def _write(self, change: Change, deadline: Deadline) -> None:
        zone = self._zone_of(change.key, deadline)
        records = self._list(zone, change.key, deadline)
        writes.check(change, _rrset(records))
        wrote = False
        try:
            for method, path, body in _calls(change, records):
                self._call(method, f"/zones/{zone}/dns_records{path}", deadline, body)
                wrote = True
        except ProviderError as error:
            error.in_doubt = error.in_doubt or wrote  # half of the RRset may be ours by now
            raise
        except Refusal as error:
            now = _rrset(self._list(zone, change.key, deadline))
            if not writes.done(change, now):
                raise writes.conflict(change, now) from error

    def _zone_of(self, key: RecordKey, deadline: Deadline) -> str:
        """The id of the zone that holds a name: the longest of its parents that the token can see."""
        name = answers.ascii_name(key.name)
        if self._settings.zone:
            zone = answers.ascii_name(self._settings.zone)
            if name != zone and not name.endswith("." + zone):
                raise NoSuchZone(f"{key.name} does not lie in the zone {zone}")
            candidates = [zone]
        else:
            labels = name.split(".")
            candidates = [".".join(labels[cut:]) for cut in range(max(1, len(labels) - 1))]
        for candidate in candidates:
            found = self._zone_id(candidate, deadline)
            if found is not None:
                return found
        raise NoSuchZone(f"{WHO}: the token sees no zone that holds {key.name}", advice=_LACKS_READ)

    def _zone_id(self, zone: str, deadline: Deadline) -> str | None:
        if zone not in self._zones:
            page = self._get("/zones", {"name": zone}, deadline, zone_known=False)
            found = [item for item in answers.objects(page.result, WHO) if answers.text(item, WHO, "name") == zone]
            # One name may be in several accounts while it moves; at most one of them is active.
            found.sort(key=lambda item: item.get("status") != "active")
            self._zones[zone] = _identifier(found[0]) if found else None
        return self._zones[zone]

    def _list(self, zone: str, key: RecordKey, deadline: Deadline) -> list[Record]:
        name = answers.ascii_name(key.name)
        records: list[Record] = []
        number = pages = 1
        while number <= pages:
            query = {"type": str(key.type), "name": name, "page": str(number), "per_page": str(PER_PAGE)}
            page = self._get(f"/zones/{zone}/dns_records", query, deadline)
            records += [
                _record(item, key.type)
                for item in answers.objects(page.result, WHO)
                if answers.text(item, WHO, "name").lower() == name and item.get("type") == key.type
            ]
            number, pages = number + 1, page.pages
            if pages > MOST_PAGES:
                raise Malformed(f"{WHO}: {pages} pages of records of one name and type")
        return records

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


def _calls(change: Change, records: Sequence[Record]) -> Iterator[tuple[str, str, dict[str, object] | None]]:
    """The calls that bring an RRset about: values that stay are kept, spare records take new values, the rest go."""
    after = change.after or RRset(frozenset())
    kept = [record for record in records if record.value in after.values]
    spare = [record for record in records if record.value not in after.values]
    missing = sorted(after.values - {record.value for record in kept}, key=str)
    for record in kept:
        fields = _differences(record, after)
        if fields:
            yield "PATCH", f"/{record.id}", fields
    for value in missing:
        if spare:
            record = spare.pop(0)
            yield "PATCH", f"/{record.id}", {"content": str(value), **_differences(record, after)}
        else:
            yield "POST", "", _new(change.key, value, after)
    for record in spare:
        yield "DELETE", f"/{record.id}", None


def _differences(record: Record, after: RRset) -> dict[str, object]:
    fields: dict[str, object] = {
        name: after.extra[name]
        for name, now in (("proxied", record.proxied), ("comment", record.comment))
        if after.extra.get(name, now) != now
    }
    if after.ttl is not None and after.ttl != record.ttl and not after.extra.get("proxied", record.proxied):
        fields["ttl"] = after.ttl
    return fields


def _new(key: RecordKey, value: Value, after: RRset) -> dict[str, object]:
    proxied = bool(after.extra.get("proxied", False))
    ttl = AUTOMATIC if proxied else after.ttl or writes.DEFAULT_TTL
    fields: dict[str, object] = {"type": str(key.type), "name": answers.ascii_name(key.name), "content": str(value)}
    return {**fields, "ttl": ttl, **after.extra}


def _rrset(records: Sequence[Record]) -> RRset | None:
    if not records:
        return None
    proxied = all(record.proxied for record in records)
    extra: dict[str, str | bool] = {"proxied": proxied}
    comments = {record.comment for record in records}
    if len(comments) == 1 and "" not in comments:
        extra["comment"] = comments.pop()
    # A proxied record's TTL is the proxy's affair: it is neither told nor compared.
    return RRset(frozenset(record.value for record in records), None if proxied else records[0].ttl, extra)


def _identifier(item: Mapping[str, object]) -> str:
    text = answers.text(item, WHO, "id")
    if not (text.isascii() and text.isalnum() and len(text) <= 64):
        raise Malformed(f"{WHO}: an identifier is not of its form: {foreign(text, 40)}")
    return text


def _record(item: Mapping[str, object], rdtype: RecordType) -> Record:
    content, ttl, comment = answers.text(item, WHO, "content"), item.get("ttl"), item.get("comment")
    try:
        value = rdtype.parse(content)
    except ValueError as error:
        raise Malformed(f"{WHO}: {foreign(content, 80)} is not a value of type {rdtype}") from error
    if not isinstance(ttl, int):
        raise Malformed(f"{WHO}: a record without TTL")
    return Record(
        _identifier(item), value, ttl, item.get("proxied") is True, comment if isinstance(comment, str) else ""
    )
