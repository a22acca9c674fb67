"""The fleet's own gateway, client side: signed reads and compare-and-set writes (`protocol`).

A clock that is off costs one more request: the gateway tells its time, and the request is signed again with the offset.
A retry has a new nonce, and the same idempotency key, so that it is carried out once. The secret is the text that
enrolment gave: ``HOST:KEY:GATEWAY``.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ddns import protocol
from ddns.errors import (
    BadCredentials,
    ClockSkew,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    Rejected,
    ServerSide,
    SettingsError,
    Transport,
    foreign,
)
from ddns.model import Applied, AppliedState, Change, Observed, RecordKey, RRset, Value
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse, Tools
from ddns.protocol import Identity, ProtocolError, Signed
from ddns.providers import answers
from ddns.secret import STORED, SecretRef

WHO = "Own gateway"
CAPABILITIES = Capabilities(compare_and_set=True)
#: Bytes of an answer that are read at most.
ANSWER_LIMIT = 1 << 16
_ENROL_AGAIN = (
    "Enrol this machine (again, if it is a copy of another one): "
    "mint a code with `ddns gateway code HOST`, then run: ddns enroll URL"
)
_SHARE = (
    "Its operator lists this host under the [[lease]] of that name in gateway.toml; or [lock] has another name."
    " Then: ddns run --now"
)
_RETIRE = "Its operator takes this machine out with: ddns gateway retire HOST"
#: UTC seconds of the year 9999: a gateway's time above it is none.
_LATEST = 253402300800
_STATES = {"confirmed": AppliedState.APPLIED, "queued": AppliedState.QUEUED, "held": AppliedState.HELD}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``gateway``; its URL is in the table `[gateway]`."""

    token: Annotated[
        SecretRef,
        Meta(
            description="Where the identity lies that `ddns enroll` stored.", extra={"placeholder": f"{STORED}:gateway"}
        ),
    ]


def connect(settings: Settings, tools: Tools) -> Gateway:
    """Make the provider; nothing is sent yet. Raises SettingsError."""
    if not tools.gateway_url:
        raise SettingsError("a provider of kind gateway needs the table [gateway] with its url")
    return Gateway(answers.checked_url(tools.gateway_url, "gateway.url"), settings, tools)


class Gateway:
    """The provider."""

    capabilities = CAPABILITIES

    def __init__(self, url: str, settings: Settings, tools: Tools) -> None:
        self._url = url
        self._path = urllib.parse.urlsplit(url).path
        self._settings = settings
        self._tools = tools
        self._who = f"gateway {urllib.parse.urlsplit(url).netloc}"
        self._offset = 0.0
        self._seqs: dict[RecordKey, int] = {}

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Ask the gateway what DNS says, one request a record."""
        seen: dict[RecordKey, Observed | ProviderError] = {}
        for key in keys:
            try:
                seen[key] = self._read(key, deadline)
            except ProviderError as error:
                seen[key] = error
        return seen

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Send one update a record."""
        for change in changes:
            try:
                yield change, self._write(change, deadline)
            except ProviderError as error:
                yield change, error

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    def host(self) -> Identity:
        """Who this machine is there; its key is the one that signs. Raises BadCredentials."""
        return self._identity()

    def revoke(self, deadline: Deadline, *, remove_records: bool) -> bool:
        """Give this machine's key back, for good; False when that was done before. Raises ProviderError.

        May be repeated after any error. `remove_records`: what the gateway still has of this machine goes, too.
        """
        body = json.dumps({"remove_records": remove_records}).encode()
        response = self._exchange("POST", "/v1/revoke", body, 0, "", deadline)
        if response.status == 404 and self._slug(response) == "not-found":
            raise Rejected(f"{self._who} can't revoke a host's own key", advice=_RETIRE)
        if response.status != 200:
            raise self._problem(response)
        answer = self._object(response)
        if answer.get("state") != "revoked":
            raise Malformed(f"{self._who}: the answer does not say that the key is revoked")
        return answer.get("repeated") is not True

    def _read(self, key: RecordKey, deadline: Deadline) -> Observed:
        query = urllib.parse.urlencode({"name": answers.ascii_name(key.name), "type": key.type.value})
        response = self._exchange("GET", f"/v1/record?{query}", None, 0, "", deadline)
        if response.status != 200:
            raise self._problem(response)
        body = self._object(response)
        values, ttl, seq = body.get("values"), body.get("ttl"), body.get("seq")
        if not isinstance(seq, int) or not (ttl is None or isinstance(ttl, int)):
            raise Malformed(f"{self._who}: seq and ttl must be whole numbers in the answer")
        self._seqs[key] = seq
        rrset = None if values is None else RRset(self._values(key, values), ttl)
        return Observed(key, rrset, "gateway", self._tools.clock.now(), held=body.get("state") == "held")

    def _values(self, key: RecordKey, values: object) -> frozenset[Value]:
        if isinstance(values, list) and values and all(isinstance(value, str) for value in values):
            with contextlib.suppress(ValueError):
                return frozenset(map(key.type.parse, values))
        raise Malformed(f"{self._who}: values are not those of a record of type {key.type}")

    def _write(self, change: Change, deadline: Deadline) -> Applied:
        body = json.dumps(_wish(change)).encode()
        seq = max(change.seq, self._seqs.get(change.key, 0) + 1)
        response = self._exchange("POST", "/v1/update", body, seq, change.id, deadline)
        if self._slug(response) == "stale-sequence":
            current = self._object(response).get("current_seq")
            if isinstance(current, int):
                seq = current + 1
                response = self._exchange("POST", "/v1/update", body, seq, change.id, deadline)
        if response.status not in (200, 202):
            raise self._problem(response, change)
        state = _STATES.get(str(self._object(response).get("state")))
        if state is None or (state is AppliedState.APPLIED) != (response.status == 200):
            raise Malformed(f"{self._who}: the answer does not say how far the update got")
        self._seqs[change.key] = seq
        return Applied(state)

    def post(self, path: str, body: bytes, deadline: Deadline) -> HttpResponse:
        """One signed request that is no update, such as one for a lease. Raises ProviderError of the exchange."""
        response = self._exchange("POST", path, body, 0, "", deadline)
        if response.status in (401, 403, 429):
            raise self._problem(response)
        return response

    def _exchange(
        self, method: str, path: str, body: bytes | None, seq: int, idem: str, deadline: Deadline
    ) -> HttpResponse:
        """One signed request; a second one where the gateway says that the clock is off."""
        response = self._send(method, path, body, seq, idem, deadline)
        server_time = self._object(response).get("server_time") if self._slug(response) == "clock-skew" else None
        if not isinstance(server_time, int | float) or isinstance(server_time, bool) or not 0 < server_time < _LATEST:
            return response
        self._offset = server_time - self._tools.clock.now()
        side = "behind" if self._offset > 0 else "ahead of"
        skew = f"{abs(self._offset):.0f} s {side} the gateway's"
        self._tools.warn(f"this machine's clock is {skew}; the request was signed with the gateway's time")
        return self._send(method, path, body, seq, idem, deadline)

    def _send(
        self, method: str, path: str, body: bytes | None, seq: int, idem: str, deadline: Deadline
    ) -> HttpResponse:
        identity = self._identity()
        now = int(self._tools.clock.now() + self._offset)
        signed = Signed(identity.host, now, secrets.token_urlsafe(18), seq, idem)
        target = self._path + path
        try:
            authorization = signed.header(identity.key, identity.gateway, method, target, body or b"")
        except ProtocolError as error:
            raise Rejected(f"{self._who}: {error}", advice="Correct the url of this provider.") from error
        headers = {"Authorization": authorization, "User-Agent": answers.USER_AGENT, "Accept": "application/json"}
        if self._tools.trace_id:
            headers[protocol.TRACE_HEADER] = self._tools.trace_id
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = HttpRequest(method, self._url + path, headers, body, ca_file=self._tools.gateway_ca_file)
        return self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT), limit=ANSWER_LIMIT)

    def _identity(self) -> Identity:
        try:
            stored = Identity.parse(self._tools.resolve(self._settings.token).reveal())
        except ProtocolError as error:
            raise BadCredentials(f"the secret at {self._settings.token}: {error}", advice=_ENROL_AGAIN) from None
        return msgspec.structs.replace(stored, key=protocol.bound_key(stored.key, self._tools.machine()))

    def _object(self, response: HttpResponse) -> dict[str, Any]:
        body = answers.parsed(response.body, self._who)
        if not isinstance(body, dict):
            raise Malformed(f"{self._who}: the answer is not an object")
        return body

    def _slug(self, response: HttpResponse) -> str:
        """Which refusal of the gateway this is; "" for an answer that is none."""
        if not response.headers.get("content-type", "").startswith(protocol.PROBLEM_JSON):
            return ""
        return protocol.problem_slug(self._object(response).get("type"))

    def _problem(self, response: HttpResponse, change: Change | None = None) -> ProviderError:
        """The error that a refusal stands for."""
        now = self._tools.clock.now()
        slug = self._slug(response)
        if response.status == 429 or (response.status >= 500 and not slug):
            return answers.status_problem(response, self._who, now) or ServerSide(self._who)
        if not slug:
            # A portal or a proxy speaks: its 401 or 403 says nothing about our key.
            return Malformed(f"{self._who}: HTTP {response.status}, not in the gateway's words")
        detail = foreign(str(self._object(response).get("detail", "")))
        said = f"{self._who}: {detail or slug}"
        if response.status >= 500:
            return ServerSide(said)
        if slug == "clock-skew":
            return ClockSkew(said, seconds=self._offset)
        if slug == "revoked":
            return _bad_credentials(said)
        if slug == "frozen":
            return NotPermitted(said, advice=f"{_RETIRE}, or releases it with: ddns gateway thaw HOST")
        if slug == "not-your-lease":
            return NotPermitted(said, advice=_SHARE)
        if slug == "conflict":
            return Conflict(f"{said}: {change.key}" if change else said)
        if slug == "replayed":
            # A fresh nonce was seen before: something on the way sent our request twice, and the first one counted.
            return Transport(said, ambiguous=True)
        return _REFUSALS.get(response.status, _rejected)(said)


def _rejected(said: str) -> ProviderError:
    return Rejected(said, advice="Correct the record's settings, or the gateway's rules for hosts.")


def _bad_credentials(said: str) -> ProviderError:
    return BadCredentials(said, advice=_ENROL_AGAIN)


def _not_permitted(said: str) -> ProviderError:
    return NotPermitted(said, advice="See which names this host has with: ddns gateway hosts")


_REFUSALS: dict[int, Callable[[str], ProviderError]] = {401: _bad_credentials, 403: _not_permitted, 404: NoSuchZone}


def _wish(change: Change) -> dict[str, object]:
    """The body of an update."""
    body: dict[str, object] = {
        "name": answers.ascii_name(change.key.name),
        "type": change.key.type.value,
        "values": None if change.after is None else change.after.texts(),
        "ttl": None if change.after is None else change.after.ttl,
    }
    if change.before is None:
        body["absent"] = True
    else:
        body["expect"] = change.before.texts()
    return body
