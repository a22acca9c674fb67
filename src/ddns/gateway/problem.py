"""Refusals as the gateway words them: RFC 9457 problem details, told apart by their type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from ddns.protocol import PROBLEM_JSON, problem_type

TITLES = {
    "malformed": "The request is malformed",
    "too-large": "The request is too large",
    "unsigned": "The request is not signed",
    "bad-signature": "The signature is not accepted",
    "revoked": "The host was revoked",
    "clock-skew": "The request's time is too far from the gateway's",
    "replayed": "The request was sent before",
    "not-your-name": "The name belongs to another host, or to none",
    "no-zone": "The gateway serves no zone that holds the name",
    "not-allowed": "The record is not allowed",
    "frozen": "An operator holds the host's updates",
    "conflict": "The record is not as the request expects it",
    "stale-sequence": "The sequence number is not above the current one",
    "idempotency": "The idempotency key was used for another request",
    "not-your-lease": "The lease is not one of this host's",
    "lease-taken": "Another host has the lease",
    "lease-over": "The lease is over",
    "refused-by-dns": "The DNS server refuses the record",
    "throttled": "Too many requests",
    "dns-unreachable": "The DNS server can't be read now",
    "unavailable": "The gateway can't keep records now",
    "code-invalid": "The enrolment code is not known",
    "code-used": "The enrolment code was used before",
    "code-expired": "The enrolment code is too old",
    "other-machine": "The host is bound to another machine",
    "name-taken": "The name belongs to another host",
    "not-found": "There is nothing here",
    "not-acceptable": "The method is not allowed here",
}


class Problem(Exception):  # an answer over HTTP, not an end of a program: hence outside the tree of `errors`
    """A request that is refused. `extra` are the machine-readable fields beside the standard's four."""

    def __init__(
        self,
        slug: str,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra

    def response(self) -> Response:
        """The answer."""
        body = {
            "type": problem_type(self.slug),
            "title": TITLES[self.slug],
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        return JSONResponse(body, self.status, {**self.headers, "Cache-Control": "no-store"}, PROBLEM_JSON)
