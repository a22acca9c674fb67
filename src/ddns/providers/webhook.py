"""Any service that takes an HTTP request: URL, headers and body are templates of the settings.

A second template may read the record back; without it the record is observed at the zone's authoritative servers. A
third one may remove it. The secret is filled in where `{secret}` stands: in the query, a header or the body.
HTTP statuses have the meaning of https://www.rfc-editor.org/rfc/rfc9110#section-15, unless the settings give another.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.errors import (
    BadCredentials,
    Banned,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.model import Applied, Change, Observed, RecordKey, RRset
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.providers import answers, content, items, templates, writes
from ddns.providers.writeonly import Observer
from ddns.secret import SecretRef

WHO = "Webhook (templates of your own)"
CAPABILITIES = Capabilities(read=False, types=content.EVERY_TYPE)
#: Bytes of an answer that are read at most.
ANSWER_LIMIT = 1 << 18
PLACEHOLDERS = frozenset({"name", "type", "value", "values", "ttl", "secret"})
_ERRORS: Mapping[str, type[ProviderError]] = {
    "bad_credentials": BadCredentials,
    "not_permitted": NotPermitted,
    "no_such_zone": NoSuchZone,
    "banned": Banned,
    "rate_limited": RateLimited,
    "rejected": Rejected,
    "server_side": ServerSide,
}
_USUAL = {400: Rejected, 404: NoSuchZone, 409: Rejected, 422: Rejected}
_ErrorName = Literal[
    "bad_credentials", "not_permitted", "no_such_zone", "banned", "rate_limited", "rejected", "server_side"
]
_Status = Annotated[int, Meta(ge=200, le=599)]
_LOOK = "See what the service says of it, and correct the templates of this provider."


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request, as templates."""

    url: Annotated[str, Meta(pattern="^https?://", description="Where it goes; http only to this machine.")]
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], Meta(description="The HTTP method.")] = "GET"
    headers: Annotated[dict[str, str], Meta(description="Headers beside those that HTTP needs.")] = {}
    body: Annotated[str, Meta(description="The body; none when empty.")] = ""
    form: Annotated[
        Literal["json", "form", "text"],
        Meta(description="How the body is written: JSON, a web form (percent-encoded), or plain text."),
    ] = "json"

    def __post_init__(self) -> None:
        """Refuse templates that are none, and a secret where it would be seen."""
        answers.refuse_url(self.url)
        parts = urllib.parse.urlsplit(self.url)
        if "{" in parts.netloc or "}" in parts.netloc:
            raise ValueError("url: the host must not be a template")
        for place in (parts.path, parts.fragment):
            if "secret" in templates.placeholders(place):
                raise ValueError("url: {secret} belongs in the query, a header or the body, where it is not logged")
        for where, template in (("url", self.url), ("body", self.body), *self.headers.items()):
            templates.check(template, PLACEHOLDERS, where)
        for name in self.headers:
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise ValueError(f'headers: "{name[:40]}" is not the name of a header')
        if self.body and self.form == "json":
            templates.check_json(self.body)

    def asks(self, name: str) -> bool:
        """Whether a placeholder occurs anywhere in it."""
        return any(name in templates.placeholders(t) for t in (self.url, self.body, *self.headers.values()))


class Read(Call, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request that reads a record back, and where its values stand in the answer."""

    json: Annotated[
        str, Meta(description='JSON Pointer (RFC 6901) to the value, or a list of them: "/data/0/address".')
    ] = ""
    pattern: Annotated[str, Meta(description="A regular expression instead; its first group is a value.")] = ""
    absent: Annotated[tuple[_Status, ...], Meta(description="Statuses that say that there is no such record.")] = ()

    def __post_init__(self) -> None:
        """As a call; and the values must be found one way or the other."""
        super().__post_init__()
        if any(self.asks(name) for name in ("value", "values", "ttl")):
            raise ValueError("read must not ask for {value}, {values} or {ttl}: they are not known before")
        if bool(self.json) == bool(self.pattern):
            raise ValueError("read needs either json or pattern, to find the values in the answer")
        if self.json and not self.json.startswith("/"):
            raise ValueError('read.json is a JSON Pointer: it begins with "/"')
        if self.pattern and _compiled(self.pattern, "read.pattern").groups < 1:
            raise ValueError("read.pattern needs a group in parentheses around the value")


class Settings(Call, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``webhook``; those of a call word the update itself."""

    secret: (
        Annotated[
            SecretRef, Meta(description="Where the secret lies that stands for {secret}.", extra={"asked": "always"})
        ]
        | None
    ) = None
    username: Annotated[str, Meta(description="Sent with the secret as HTTP Basic credentials, when set.")] = ""
    statuses: Annotated[
        tuple[_Status, ...], Meta(description="Statuses of success; any from 200 to 299 when not set.")
    ] = ()
    answer: Annotated[str, Meta(description="A regular expression that must be found in the answer to an update.")] = ""
    errors: Annotated[
        dict[str, _ErrorName],
        Meta(description='What other statuses mean, such as {"402" = "not_permitted"}.'),
    ] = {}
    read: Annotated[Read, Meta(description="Reads a record back; else the zone's name servers are asked.")] | None = (
        None
    )
    remove: Annotated[Call, Meta(description="Removes a record; else it can't be removed.")] | None = None

    def __post_init__(self) -> None:
        """As a call; and everything that is named must be there."""
        super().__post_init__()
        if self.answer:
            _compiled(self.answer, "answer")
        for status in self.errors:
            if not re.fullmatch("[2-5][0-9][0-9]", status):
                raise ValueError(f'errors: "{status[:20]}" is not an HTTP status')
        calls = [call for call in (self, self.read, self.remove) if call is not None]
        if self.secret is None and (self.username or any(call.asks("secret") for call in calls)):
            raise ValueError("secret is required: {secret} or username asks for it")
        if ":" in self.username:
            raise ValueError("username must not hold a colon (HTTP Basic, RFC 7617)")


def _compiled(pattern: str, key: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{key} is not a regular expression: {error}") from error


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet. Raises SettingsError."""
    return Webhook(settings, tools, Observer(tools))


class Webhook:
    """The provider."""

    def __init__(self, settings: Settings, tools: Tools, observer: Observer) -> None:
        self.capabilities = replace(CAPABILITIES, read=settings.read is not None)
        self._settings = settings
        self._tools = tools
        self._observer = observer
        self._who = urllib.parse.urlsplit(settings.url).hostname or WHO

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Read each record by the template, else at the zone's authoritative servers."""
        read = self._settings.read
        if read is None:
            return self._observer.observed(keys, deadline)
        clock = self._tools.clock
        return items.observed(keys, lambda key: Observed(key, self._read(read, key, deadline), "api", clock.now()))

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Send one request a record; where it can be read, after it was read again."""
        return items.applied(changes, lambda change: self._write(change, deadline))

    def _write(self, change: Change, deadline: Deadline) -> None:
        key, after, settings = change.key, change.after, self._settings
        call = settings if after is not None else settings.remove
        if call is None:
            raise Rejected(f"{key}: this webhook has no template that removes", advice='Set its "remove" table.')
        meant = after or change.before
        if meant is not None and len(meant.values) != 1 and call.asks("value"):
            raise Rejected(
                f"{key}: {{value}} takes one value, not {len(meant.values)}",
                advice="Write {values} in the templates of this provider, where the service takes several.",
            )
        if settings.read is not None:
            now = self._read(settings.read, key, deadline)
            writes.check(change, now)
            if change.done(now):
                return
        response = self._send(call, key, meant, deadline)
        self._judge(response, key)
        if settings.answer and not re.search(settings.answer, _body(response)):
            raise Malformed(f"{self._who}: the answer does not say that {key} was written: {self._excerpt(response)}")

    def _read(self, read: Read, key: RecordKey, deadline: Deadline) -> RRset | None:
        response = self._send(read, key, None, deadline)
        if response.status in read.absent:
            return None
        self._judge(response, key, read=True)
        if read.json:
            found = _pointed(answers.parsed(response.body, self._who), read.json)
        else:
            found = [found[1] for found in re.finditer(read.pattern, _body(response))]
        listed = [found] if isinstance(found, str) else [] if found is None else found
        if not isinstance(listed, list) or not all(isinstance(value, str) for value in listed):
            raise Malformed(f"{self._who}: what stands at {read.json} is neither a text nor a list of texts")
        try:
            return RRset(frozenset(content.parsed(key.type, text) for text in listed)) if listed else None
        except ValueError as error:
            raise Malformed(f"{self._who}: {foreign(str(listed), 80)} are not values of type {key.type}") from error

    def _send(self, call: Call, key: RecordKey, rrset: RRset | None, deadline: Deadline) -> HttpResponse:
        secret = self._secret()
        texts = rrset.texts() if rrset else []
        ttl = (rrset.ttl if rrset else None) or writes.DEFAULT_TTL
        name = answers.ascii_name(key.name)
        fill: templates.Fill = {
            "name": name, "type": str(key.type), "value": texts[0] if texts else "", "values": texts, "ttl": ttl,
            "secret": secret,
        }  # fmt: skip
        headers = {"User-Agent": answers.USER_AGENT}
        if self._settings.username:
            headers["Authorization"] = f"Basic {self._basic(secret)}"
        data = None
        if call.body:
            data, headers["Content-Type"] = _written(call, fill)
        headers |= {name: templates.header(name, template, fill) for name, template in call.headers.items()}
        request = HttpRequest(call.method, templates.url(call.url, fill), headers, data)
        return self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT), limit=ANSWER_LIMIT)

    def _basic(self, secret: str) -> str:
        return base64.b64encode(f"{self._settings.username}:{secret}".encode()).decode()

    def _secret(self) -> str:
        return self._tools.resolve(self._settings.secret).reveal() if self._settings.secret else ""

    def _judge(self, response: HttpResponse, key: RecordKey, *, read: bool = False) -> None:
        """Return when a status is one of success; raise what else it means."""
        status, settings = response.status, self._settings
        if (status in settings.statuses) if settings.statuses and not read else 200 <= status < 300:
            return
        named = settings.errors.get(str(status))
        kind = _ERRORS[named] if named else _USUAL.get(status)
        said = f"{self._who}: HTTP {status} for {key} {self._excerpt(response)}".rstrip()
        if kind is RateLimited:
            raise answers.limited(response, self._who, self._tools.clock.now())
        if kind is not None:
            raise kind(said, advice=_LOOK if kind in (Rejected, NoSuchZone) else None)
        plain = replace(response, body=b"")  # the service may repeat what was sent
        raise answers.status_problem(plain, self._who, self._tools.clock.now()) or Malformed(
            f"{said}: not among the statuses of success", advice=_LOOK
        )

    def _excerpt(self, response: HttpResponse) -> str:
        """The start of a body, fit for a message: without the secret, should the service repeat it."""
        secret, text = self._secret(), _body(response)
        forms = {secret, urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1], self._basic(secret)}
        for form in forms if secret else ():
            text = text.replace(form, "***")
        return foreign(text[:400], 80)


def _body(response: HttpResponse) -> str:
    return response.body.decode("utf-8", "replace")


def _written(call: Call, fill: templates.Fill) -> tuple[bytes, str]:
    """A body and its type."""
    if call.form == "json":
        return templates.json_body(call.body, fill), "application/json"
    if call.form == "form":
        return templates.url(call.body, fill).encode(), "application/x-www-form-urlencoded"
    return templates.text(call.body, fill).encode(), "text/plain; charset=utf-8"


def _pointed(value: Any, pointer: str) -> Any:
    """What a JSON Pointer leads to (RFC 6901); None where nothing is."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isascii() and token.isdigit() and int(token[:9]) < len(value):
            value = value[int(token)]
        else:
            return None
    return value
