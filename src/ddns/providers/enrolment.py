"""Enrolment at the gateway, client side: a one-time code is exchanged for this machine's identity.

The caller makes the key (`new_key`) and stores it before it calls `enrol`, so that an answer that is lost is asked for
again with the same code, machine and key, and is the same.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from ddns import protocol
from ddns.errors import (
    BadCredentials,
    Malformed,
    NotPermitted,
    ProviderError,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.ports import Deadline, HttpRequest, HttpResponse, Net
from ddns.protocol import GATEWAY_NAME, Identity
from ddns.providers import answers

_NEW_CODE = "Ask for a new code (ddns gateway code HOST), then run the same command again."
_OTHER_SIDE = "Check the gateway's URL, and that its version and this one fit, then run the same command again."


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the gateway made of this machine: what is stored as its secret, its label and its names."""

    identity: Identity
    label: str
    names: tuple[str, ...]


def new_key() -> bytes:
    """A fresh key for this machine."""
    return secrets.token_bytes(protocol.KEY_BYTES)


def enrol(
    url: str,
    code: str,
    machine: str,
    key: bytes,
    *,
    net: Net,
    deadline: Deadline,
    now: float,
    ca_file: str = "",
    trace_id: str = "",
) -> Enrolled:
    """Redeem `code` at the gateway `url` for `key`; `machine` is this machine's identity (8 to 256 characters).

    `now`: UTC seconds. Raises ProviderError (after a Retryable one the same call may be repeated); SettingsError for a
    URL that is not one.
    """
    base = answers.checked_url(url, "url")
    headers = {"Content-Type": "application/json", "User-Agent": answers.USER_AGENT}
    if trace_id:
        headers[protocol.TRACE_HEADER] = trace_id
    body = json.dumps({"code": code.strip(), "machine": machine, "key": protocol.encode_key(key)}).encode()
    request = HttpRequest("POST", f"{base}/v1/enroll", headers, body, ca_file=ca_file)
    response = net.http(request, deadline=deadline.within(answers.CALL_LIMIT), limit=1 << 16)
    who = f"gateway {base.partition('//')[2]}"
    if response.status != 200:
        raise _problem(response, who, now)
    answer = answers.parsed(response.body, who)
    if not isinstance(answer, dict):
        raise Malformed(f"{who}: the answer is not an object")
    host, gateway = answers.text(answer, who, "host"), answers.text(answer, who, "gateway")
    names = answer.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Malformed(f'{who}: "names" is not a list of names in the answer')
    if not protocol.HOST_ID.fullmatch(host) or not GATEWAY_NAME.fullmatch(gateway):
        raise Malformed(f"{who}: the answer does not name host and gateway")
    return Enrolled(Identity(host, key, gateway), answers.text(answer, who, "label"), tuple(names))


def _problem(response: HttpResponse, who: str, now: float) -> ProviderError:
    if response.status == 429 or response.status >= 500:
        return answers.status_problem(response, who, now) or ServerSide(who)
    ours = response.headers.get("content-type", "").startswith(protocol.PROBLEM_JSON)
    body = answers.parsed(response.body, who) if ours else None
    if not isinstance(body, dict):
        return Malformed(f"{who}: HTTP {response.status}, not in the gateway's words")
    said = f"{who}: {foreign(str(body.get('detail', '')))}"
    slug = protocol.problem_slug(body.get("type"))
    if slug.startswith("code-"):
        return BadCredentials(said, advice=_NEW_CODE)
    if response.status in (403, 409):
        return NotPermitted(said, advice="Name this machine anew, or let the gateway's administrator move the host.")
    return Rejected(said, advice=_OTHER_SIDE)
