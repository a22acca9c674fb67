"""A lease in etcd, over its JSON gateway (``/v3``): a key that is made only where there is none, tied to a lease.

A lease that lives says nothing about its key, which anybody with the right may delete or write over: whoever renews
asks whether the key is still the one that was made. The fencing token is the revision of the transaction that made the
key: it grows over the whole cluster, for ever. etcd counts a lease's time by its own monotonic clock, in whole seconds.
Texts are base64 and 64-bit numbers are texts, as
in the JSON form of its protocol. https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/ and /learning/api/.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import urllib.parse
from collections.abc import Mapping
from typing import Any

from ddns.errors import BadCredentials, LeaseLost, LeaseUnavailable, NotPermitted, ProviderError, Retryable, foreign
from ddns.lease.place import CALL_SECONDS, Granted, Place, holder, taken
from ddns.ports import Deadline, HttpRequest, HttpResponse, Tools

_LIMIT = 1 << 16
#: gRPC's codes (google.rpc.Code): its "unauthenticated" and "permission denied"; "invalid argument" is also a
#: password that is not accepted.
_UNAUTHENTICATED, _DENIED, _INVALID = 16, 7, 3


class EtcdLock:
    """Implements `ports.Lock`."""

    def __init__(self, place: Place, tools: Tools) -> None:
        self._place = place
        self._tools = tools
        self._url = place.url.rstrip("/")
        self._who = f"the lock server {urllib.parse.urlsplit(self._url).netloc}"
        self._key = _coded(f"ddns/lease/{place.name}")
        self._ttl = math.ceil(place.ttl)

    def acquire(self, deadline: Deadline) -> Granted:
        """See `ports.Lock`."""
        headers, asked_at = self._login(deadline), self._tools.clock.monotonic()
        lease = str(self._call("/v3/lease/grant", {"TTL": str(self._ttl)}, headers, deadline).get("ID", ""))
        won = False
        try:
            token = self._take(lease, headers, deadline)
            won = True
        finally:
            if not won:  # who has it is told, also where what was granted in vain can't be given back
                with contextlib.suppress(ProviderError):
                    self._revoke(lease, headers, deadline)
        return Granted(
            token,
            self._tools.clock,
            asked_at,
            self._ttl,
            renew=lambda deadline: self._renew(lease, token, headers, deadline),
            release=lambda deadline: self._revoke(lease, headers, deadline),
        )

    def look(self, deadline: Deadline) -> None:
        """Ask who has the lease, and take nothing. Raises LeaseTaken when somebody has, ProviderError as `acquire`."""
        headers = self._login(deadline)
        answer = self._call("/v3/kv/range", {"key": self._key}, headers, deadline)
        try:
            if not (found := answer.get("kvs", [])):
                return
            by, theirs = base64.b64decode(found[0]["value"]).decode("utf-8", "replace"), str(found[0].get("lease", "0"))
        except (LookupError, TypeError, ValueError) as error:
            raise self._unavailable("answers what is not of its protocol") from error
        raise taken(self._place.name, by, self._left(theirs, headers, deadline))

    def _take(self, lease: str, headers: Mapping[str, str], deadline: Deadline) -> int:
        """The token, once the key is ours."""
        wish = {
            "compare": [{"key": self._key, "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
            "success": [{"request_put": {"key": self._key, "value": _coded(holder()), "lease": lease}}],
            "failure": [{"request_range": {"key": self._key}}],
        }
        answer = self._call("/v3/kv/txn", wish, headers, deadline)
        try:
            if answer.get("succeeded"):
                return int(answer["header"]["revision"])
        except (LookupError, TypeError, ValueError) as error:
            raise self._unavailable("answers what is not of its protocol") from error
        found = self._found(answer)
        if found is None:
            raise self._unavailable("answers what is not of its protocol")
        by, theirs = found
        raise taken(self._place.name, by, self._left(theirs, headers, deadline))

    def _found(self, answer: Mapping[str, Any]) -> tuple[str, str] | None:
        """The holder and the lease of the key that a transaction read; None where there is no key."""
        try:
            kvs = answer["responses"][0]["response_range"].get("kvs") or []
            if not kvs:
                return None
            return base64.b64decode(kvs[0]["value"]).decode("utf-8", "replace"), str(kvs[0].get("lease", "0"))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._unavailable("answers what is not of its protocol") from error

    def _left(self, lease: str, headers: Mapping[str, str], deadline: Deadline) -> float:
        """Seconds of another machine's lease; 0 when it can't be told."""
        try:
            return float(self._call("/v3/lease/timetolive", {"ID": lease}, headers, deadline).get("TTL", 0))
        except (ProviderError, ValueError, TypeError):
            return 0.0

    def _renew(self, lease: str, token: int, headers: Mapping[str, str], deadline: Deadline) -> None:
        """Prolong the lease, then see that the key is the one that we made: asked in this order, both hold at once."""
        answer = self._call("/v3/lease/keepalive", {"ID": lease}, headers, deadline).get("result", {})
        if not isinstance(answer, dict) or str(answer.get("TTL", "0")) == "0":
            raise self._lost("ended before it was renewed")
        ours = {"key": self._key, "target": "MOD", "result": "EQUAL", "mod_revision": str(token)}
        wish = {"compare": [ours], "success": [], "failure": [{"request_range": {"key": self._key}}]}
        answer = self._call("/v3/kv/txn", wish, headers, deadline)
        if answer.get("succeeded"):
            return
        found = self._found(answer)
        if found is None:
            raise self._lost("was deleted at the lock server by somebody else")
        by, theirs = found
        raise taken(self._place.name, by, self._left(theirs, headers, deadline))

    def _revoke(self, lease: str, headers: Mapping[str, str], deadline: Deadline) -> None:
        self._call("/v3/lease/revoke", {"ID": lease}, headers, deadline)

    def _login(self, deadline: Deadline) -> dict[str, str]:
        """The header of a user with a password; none for a certificate, or for a server without users."""
        if self._place.secret is None:
            return {}
        wish = {"name": self._place.user, "password": self._tools.resolve(self._place.secret).reveal()}
        return {"Authorization": str(self._call("/v3/auth/authenticate", wish, {}, deadline).get("token", ""))}

    def _call(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str], deadline: Deadline
    ) -> dict[str, Any]:
        request = HttpRequest(
            "POST",
            self._url + path,
            {"Content-Type": "application/json", "Accept": "application/json", **headers},
            json.dumps(body).encode(),
            self._place.ca_file,
            self._place.cert_file,
            self._place.key_file,
        )
        try:
            response = self._tools.net.http(request, deadline=deadline.within(CALL_SECONDS), limit=_LIMIT)
        except Retryable as error:
            raise self._unavailable(f"can't be used: {error.message}") from error
        answer = self._parsed(response)
        if response.status != 200:
            raise self._problem(response, answer)
        return answer

    def _parsed(self, response: HttpResponse) -> dict[str, Any]:
        try:
            answer = json.loads(response.body.splitlines()[0] if response.body else b"")
        except (ValueError, RecursionError, IndexError) as error:
            raise self._unavailable(f"answers what is not of its protocol (HTTP {response.status})") from error
        if not isinstance(answer, dict):
            raise self._unavailable("answers what is not of its protocol")
        return answer

    def _problem(self, response: HttpResponse, answer: Mapping[str, Any]) -> ProviderError:
        said = foreign(str(answer.get("message") or answer.get("error") or f"HTTP {response.status}"))
        code = answer.get("code")
        if code == _UNAUTHENTICATED or (code == _INVALID and "auth" in said):
            return BadCredentials(f"{self._who} does not accept user and password: {said.rstrip('.')}")
        if code == _DENIED:
            return NotPermitted(
                f"{self._who} does not permit the lease: {said}",
                advice="Give its user a role that may read and write the keys ddns/lease/.",
            )
        return self._unavailable(f"refuses: {said}")

    def _lost(self, how: str) -> LeaseLost:
        return LeaseLost(f"the fleet lease {self._place.name} {how}", until=self._tools.clock.now())

    def _unavailable(self, what: str) -> LeaseUnavailable:
        return LeaseUnavailable(f"{self._who} {what}", until=self._tools.clock.now())


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
