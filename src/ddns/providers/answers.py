"""What HTTP providers share: reading answers, waiting times and status codes into the errors of this program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ddns
from ddns import http_time
from ddns.errors import (
    BadCredentials,
    ClockSkew,
    Malformed,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SettingsError,
    foreign,
)
from ddns.net.urls import base_url
from ddns.ports import HttpRequest, HttpResponse

#: Sent with each request: some services refuse clients that do not name themselves.
USER_AGENT = f"ddns-fleet/{ddns.__version__}"
#: What a mail address in a User-Agent may be; empty: none.
CONTACT = r"^([!-'*-;=?-~]+@[A-Za-z0-9.-]+)?$"
#: Seconds that one HTTP exchange with a provider may take.
CALL_LIMIT = 15.0


def user_agent(contact: str) -> str:
    """The User-Agent, with a mail address for services that want to reach whoever runs the client."""
    return f"{USER_AGENT} ({contact})" if contact else USER_AGENT


def json_request(method: str, url: str, authorization: str, body: Mapping[str, object] | None) -> HttpRequest:
    """A request to a JSON API; `body` None sends none."""
    headers = {"Authorization": authorization, "Accept": "application/json", "User-Agent": USER_AGENT}
    if body is None:
        return HttpRequest(method, url, headers)
    headers["Content-Type"] = "application/json"
    return HttpRequest(method, url, headers, json.dumps(body).encode())


def status_problem(response: HttpResponse, who: str, now: float) -> ProviderError | None:
    """The error that a status stands for where the body says nothing better; None for 2xx."""
    status = response.status
    said = f"{who}: HTTP {status}"
    if 200 <= status < 300:
        return None
    if status == 401:
        return BadCredentials(said)
    if status == 403:
        return NotPermitted(f"{said} {excerpt(response.body)}".rstrip())
    if status == 429:
        return limited(response, who, now)
    if status >= 500 or status == 408:
        return ServerSide(said)
    if 300 <= status < 400:
        return Malformed(f"{said}: redirects are not followed", advice="Set the service's final URL.")
    return Malformed(f"{said} {excerpt(response.body)}".rstrip())


def limited(response: HttpResponse, who: str, now: float) -> RateLimited:
    """The error for too many calls, with the wait that the answer asks for."""
    wait = http_time.retry_after(response.headers, now)
    asked = "" if wait is None else f", asks to wait {wait:.0f} s"
    return RateLimited(f"{who}: too many calls (HTTP {response.status}){asked}", retry_after=wait)


def clock_skew(response: HttpResponse, who: str, now: float) -> ClockSkew:
    """The error for a request whose time is refused; how far off it was is told by the answer's ``Date`` header."""
    seconds = http_time.skew(response.headers, now)
    if seconds is None:
        return ClockSkew(f"{who}: says that this machine's clock is wrong")
    return ClockSkew(f"{who}: its clock differs by {seconds:+.0f} s from ours", seconds=seconds)


def parsed(body: bytes, who: str) -> Any:
    """A JSON body. Raises Malformed when it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{who}: the answer is not JSON: {excerpt(body)}") from error


def objects(value: object, who: str) -> list[dict[str, Any]]:
    """A parsed value that must be a list of objects. Raises Malformed."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Malformed(f"{who}: a list of objects was expected in the answer")
    return value


def text(item: Mapping[str, object], who: str, name: str) -> str:
    """A field of an object that must be a text. Raises Malformed."""
    value = item.get(name)
    if not isinstance(value, str):
        raise Malformed(f'{who}: "{name}" is not a text in the answer')
    return value


def excerpt(body: bytes) -> str:
    """The start of a body, fit for a message."""
    return foreign(body[:400].decode("utf-8", "replace"), 80)


def checked_url(url: str, setting: str) -> str:
    """As `base_url`, but raises SettingsError that names the `setting`."""
    try:
        return base_url(url)
    except ValueError as error:
        raise SettingsError(f"{setting}: {error}") from error


def refuse_url(url: str) -> None:
    """Raise ValueError, for a `Settings` to be refused, unless the URL is one that `base_url` takes."""
    try:
        base_url(url)
    except ValueError as error:
        raise ValueError(f"url: {error}") from error


def ascii_name(name: str) -> str:
    """A record's name as HTTP services want it: lower case, Punycode, no final dot. Raises Rejected."""
    try:
        return name.rstrip(".").lower().encode("ascii" if name.isascii() else "idna").decode("ascii")
    except UnicodeError as error:
        raise Rejected(f'"{foreign(name)}" is not a DNS name', advice="Correct the record's name.") from error
