"""What a request says about itself, before and beside its proof: for the signature, the audit log and the trace."""

from __future__ import annotations

import re
import uuid

import msgspec
from starlette.requests import Request

from ddns import protocol
from ddns.gateway.problem import Problem
from ddns.gateway.updates import Body

_TRACE = re.compile(r"[A-Za-z0-9-]{1,64}")


def note_wish(request: Request, body: bytes) -> None:
    """Remember which record the request is for, so that its refusal names it."""
    try:
        wish = msgspec.json.decode(body, type=Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # the update itself says what is wrong with it
    request.state.record = (wish.name, wish.type)


def claimed(request: Request) -> str:
    """The host that an unproven request says to come from."""
    try:
        return protocol.parse(request.headers.get("authorization", ""))[0].host
    except protocol.ProtocolError:
        return ""


def trace(request: Request) -> str:
    """The client's trace id, or a new one where it has none that is fit for a log."""
    given = request.headers.get(protocol.TRACE_HEADER, "")
    if not hasattr(request.state, "trace"):
        request.state.trace = given if _TRACE.fullmatch(given) else uuid.uuid4().hex
    return str(request.state.trace)


def target(request: Request) -> str:
    """Path and query, byte for byte as they came."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("latin-1")


async def body(request: Request) -> bytes:
    """All of it. Raises Problem for more than `protocol.MAX_BODY` bytes, before they are read where it says so."""
    too_large = Problem("too-large", 413, f"at most {protocol.MAX_BODY} bytes", headers={"Connection": "close"})
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:12]) > protocol.MAX_BODY:
        raise too_large
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > protocol.MAX_BODY:
            raise too_large
    return bytes(whole)
