"""The gateway over HTTP, as an ASGI application: takes requests apart, asks the parts, words the answers.

Blocking work (ledger, DNS, password hashes) runs in worker threads; an update waits for the publisher as a future, not
as a thread. Every refusal is audited, except that of an address that asks too often: those are limited because they
would fill the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ddns.address import Address
from ddns.errors import DdnsError, StateError
from ddns.gateway import asking, dyndns2, leaving
from ddns.gateway.audit import Audit
from ddns.gateway.auth import Authenticator
from ddns.gateway.enrolment import Enrolment
from ddns.gateway.leases import Leases
from ddns.gateway.ledger import Host, Ledger, Receipt, RecordState
from ddns.gateway.peer import client_address
from ddns.gateway.problem import Problem
from ddns.gateway.publisher import Publisher, Settled
from ddns.gateway.settings import GatewaySettings
from ddns.gateway.throttle import Throttle
from ddns.gateway.updates import Asked, Updates
from ddns.ports import Clock
from ddns.protocol import Signed

#: Seconds that an update waits for DNS before it is answered as queued.
WAIT = 2.0
#: Passwords that are checked at a time: each check takes 19 MiB, and a core.
LOGINS = 2
_LOG = logging.getLogger("ddns.gateway")
#: Refusals of somebody who may be guessing.
_GUESSES = frozenset({"unsigned", "bad-signature", "code-invalid", "code-used", "code-expired"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of."""

    settings: GatewaySettings
    ledger: Ledger
    publisher: Publisher
    audit: Audit
    auth: Authenticator
    enrolment: Enrolment
    updates: Updates
    leases: Leases
    throttle: Throttle
    clock: Clock


class EnrolBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/enroll`."""

    code: str
    machine: str
    key: str


def build(parts: Parts, *, wait: float = WAIT) -> Starlette:
    """The application. `wait`: seconds that an update waits for DNS."""
    gateway = _Gateway(parts, wait)
    app = Starlette(
        routes=[
            Route("/v1/update", gateway.update, methods=["POST"]),
            Route("/v1/record", gateway.record, methods=["GET"]),
            Route("/v1/lease", gateway.lease, methods=["POST"]),
            Route("/v1/enroll", gateway.enroll, methods=["POST"]),
            Route("/v1/revoke", gateway.revoke, methods=["POST"]),
            Route("/nic/update", gateway.nic_update, methods=["GET"]),
            Route("/update", gateway.nic_update, methods=["GET"]),
            Route("/ip", gateway.ip, methods=["GET"]),
            Route("/healthz", gateway.healthz, methods=["GET"]),
            Route("/readyz", gateway.readyz, methods=["GET"]),
        ],
        exception_handlers={
            Problem: gateway.refused,
            DdnsError: gateway.unavailable,
            ClientDisconnect: _gone,
            HTTPException: _no_route,
        },
    )
    app.router.redirect_slashes = False  # a redirect would name the host of a header that anybody may write
    return app


class _Gateway:
    def __init__(self, parts: Parts, wait: float) -> None:
        self._parts = parts
        self._wait = wait
        self._logins = asyncio.Semaphore(LOGINS)
        self._trusted = tuple(cidr.network for cidr in parts.settings.listen.trusted_proxies)

    async def update(self, request: Request) -> Response:
        self._parts.throttle.address(self._peer(request))
        body = await asking.body(request)
        asked, signed = await self._asked(request, body)
        asking.note_wish(request, body)
        receipt = await run_in_threadpool(self._parts.updates.update, asked, signed, body)
        settled = await self._settled(receipt)
        if settled.state is RecordState.FAILED:
            raise Problem("refused-by-dns", 422, settled.problem or "DNS refused this record before")
        answer = {"state": settled.state, "seq": receipt.seq, "revision": receipt.revision}
        return _json(answer, 200 if settled.state is RecordState.CONFIRMED else 202)

    async def record(self, request: Request) -> Response:
        self._parts.throttle.address(self._peer(request))
        asked, _ = await self._asked(request, b"")
        query = request.query_params
        name, type_ = query.get("name", ""), query.get("type", "")
        request.state.record = (name, type_)
        waits = await run_in_threadpool(self._parts.updates.under_way, asked, name, type_)
        if waits is not None:  # such as one that was just released: DNS is about to say something else
            await self._settled(waits)
        return _json(await run_in_threadpool(self._parts.updates.read, asked, name, type_))

    async def lease(self, request: Request) -> Response:
        self._parts.throttle.address(self._peer(request))
        body = await asking.body(request)
        asked, _ = await self._asked(request, body)
        return _json(await run_in_threadpool(self._parts.leases.answer, asked, body))

    async def enroll(self, request: Request) -> Response:
        peer = self._admit(request)
        raw = await asking.body(request)
        try:
            body = msgspec.json.decode(raw, type=EnrolBody)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Problem("malformed", 400, "the body needs exactly code, machine and key, as texts") from error
        redeem = self._parts.enrolment.redeem
        enrolled = await run_in_threadpool(
            redeem, body.code, body.machine, body.key, peer=peer, trace_id=asking.trace(request)
        )
        return _json(
            {"host": enrolled.host, "label": enrolled.label, "names": enrolled.names, "gateway": enrolled.gateway}
        )

    async def revoke(self, request: Request) -> Response:
        self._parts.throttle.address(self._peer(request))
        body = await asking.body(request)
        asked, _ = await self._asked(request, body, revoked=True)
        left = await run_in_threadpool(
            leaving.leave, self._parts.ledger, self._parts.audit, asked, body, self._parts.clock
        )
        self._parts.publisher.notify()
        return _json({"state": "revoked", "host": asked.host.id, "repeated": left.repeated, "removing": left.removing})

    async def nic_update(self, request: Request) -> Response:
        peer = self._admit(request)
        try:
            host = await self._login(request, peer)
        except dyndns2.BadAuth:
            await run_in_threadpool(self._audit_refusal, request, reason="badauth", detail="user or password are wrong")
            return PlainTextResponse("badauth\n", 401, {"WWW-Authenticate": 'Basic realm="ddns"'})
        asked = Asked(host, peer, asking.trace(request))
        query = request.query_params
        lines = await run_in_threadpool(
            dyndns2.answer,
            self._parts.updates,
            self._parts.throttle,
            asked,
            query.get("hostname", ""),
            query.get("myip", ""),
            query.get("offline", ""),
        )
        texts = await asyncio.gather(*(self._dyndns2_line(request, asked, line) for line in lines))
        return PlainTextResponse("".join(f"{text}\n" for text in texts))

    async def _login(self, request: Request, peer: Address | None) -> Host:
        """The user of a dyndns2 request. Raises BadAuth, and Problem for an address that guessed too often."""
        async with self._logins:
            self._parts.throttle.before_guess(peer)  # it may have guessed wrong while this request waited its turn
            try:
                return await run_in_threadpool(
                    dyndns2.user_of, self._parts.ledger, request.headers.get("authorization")
                )
            except dyndns2.BadAuth:
                self._parts.throttle.wrong_guess(peer)
                raise

    async def _dyndns2_line(self, request: Request, asked: Asked, line: dyndns2.Line) -> str:
        for receipt in line.waits:
            settled = await self._settled(receipt)
            if settled.state is RecordState.FAILED:
                return "dnserr"
        if line.reason:
            request.state.record = (line.name, "")
            request.state.host = asked.host.id
            await run_in_threadpool(self._audit_refusal, request, reason=line.text, detail=line.reason)
        return line.text

    async def ip(self, request: Request) -> Response:
        peer = self._peer(request)
        self._parts.throttle.address(peer)
        return _json({"address": None if peer is None else str(peer)})

    async def healthz(self, _request: Request) -> Response:
        return _json({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        queued, since = await run_in_threadpool(self._parts.ledger.waiting)
        publisher = self._parts.publisher
        oldest = 0.0 if since is None else max(0.0, self._parts.clock.now() - since)
        # What DNS says stays inside: this page needs no login.
        answer = {"publisher": publisher.alive, "queued": queued, "oldest": round(oldest, 1)}
        return _json({"status": "ok" if publisher.alive else "down", **answer}, 200 if publisher.alive else 503)

    def _admit(self, request: Request) -> Address | None:
        """The client's address, unless it asks too often or guessed codes or passwords wrong too often."""
        peer = self._peer(request)
        self._parts.throttle.address(peer)
        self._parts.throttle.before_guess(peer)
        return peer

    async def _asked(self, request: Request, body: bytes, *, revoked: bool = False) -> tuple[Asked, Signed]:
        peer = self._peer(request)
        header = request.headers.get("authorization")
        check = partial(self._parts.auth.check, revoked=revoked)
        try:
            host, signed = await run_in_threadpool(check, request.method, asking.target(request), header, body)
        except Problem as problem:
            # After the signature, which nobody guesses: a site's address is also that of its other hosts.
            if problem.slug in _GUESSES:
                self._parts.throttle.before_guess(peer)
            raise
        request.state.host = host.id
        self._parts.throttle.host(host.id)
        return Asked(host, peer, asking.trace(request)), signed

    async def _settled(self, receipt: Receipt) -> Settled:
        """How the update ended, or where it stands when the wait is over."""
        if receipt.state is not RecordState.QUEUED:
            return Settled(receipt.state)
        publisher = self._parts.publisher
        future = await run_in_threadpool(publisher.watch, receipt.name, receipt.type, receipt.revision)
        publisher.notify()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._wait)
        except TimeoutError:
            return Settled(RecordState.QUEUED)

    def _peer(self, request: Request) -> Address | None:
        host = request.client.host if request.client else ""
        return client_address(host, request.headers.getlist("x-forwarded-for"), self._trusted)

    async def refused(self, request: Request, problem: Exception) -> Response:
        """The answer to a request that was refused, after its audit line."""
        assert isinstance(problem, Problem)
        if problem.slug in _GUESSES:
            self._parts.throttle.wrong_guess(self._peer(request))
        if problem.extra.get("limited") not in ("address", "guess"):
            try:
                await run_in_threadpool(self._audit_refusal, request, reason=problem.slug, detail=problem.detail)
            except StateError as error:
                return await self.unavailable(request, error)
        return problem.response()

    async def unavailable(self, _request: Request, error: Exception) -> Response:
        """The answer when ledger or audit log can't be used; the client keeps its change and tries again."""
        assert isinstance(error, DdnsError)
        _LOG.error("%s %s", error.message, error.advice)
        detail = "nothing was acknowledged; try again later"
        return Problem("unavailable", 503, detail, headers={"Retry-After": "10"}).response()

    def _audit_refusal(self, request: Request, *, reason: str, detail: str) -> None:
        name, record_type = getattr(request.state, "record", ("", ""))
        host = getattr(request.state, "host", "")
        self._parts.audit.write(
            "refused",
            reason=reason,
            detail=detail,
            trace_id=asking.trace(request),
            host=host,
            claimed="" if host else asking.claimed(request),
            name=name,
            type=record_type,
            method=request.method,
            path=request.url.path,
            peer=str(self._peer(request)),
        )


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store"})


async def _no_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    slug = "not-acceptable" if error.status_code == 405 else "not-found"
    return Problem(slug, error.status_code, str(error.detail), headers=error.headers).response()


async def _gone(_request: Request, _error: Exception) -> Response:
    """The client hung up before its request was complete; nobody reads this."""
    return Response(status_code=400)
