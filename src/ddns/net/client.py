"""`ports.Net` on httpx: family forced, TLS verified, sizes and times limited, no redirects, no proxy by surprise."""

from __future__ import annotations

import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Callable

import httpx
import msgspec

from ddns import __version__, http_time
from ddns.address import Family
from ddns.errors import Malformed, ProviderError, Transport, Untrusted, foreign
from ddns.net import server_clock, sockets, ways
from ddns.net.certificates import RENEW, refused
from ddns.net.portal import SEEMS, notice
from ddns.net.proxies import Hop
from ddns.net.timed import Limit, TimedTransport
from ddns.net.trust import context
from ddns.ports import Deadline, HttpRequest, HttpResponse

USER_AGENT = f"ddns-fleet/{__version__}"
_CONNECT_SECONDS = 5.0
_CHECK_IT = "Check the secret of this provider: it may hold a line break, or a letter that is not ASCII."
_LOGIN = (
    "Set user and password of [proxy], or correct them: ddns secret set. A proxy that wants NTLM or Kerberos needs a"
    " local forwarder in between"
)
_LET_THROUGH = "Have the proxy let this machine reach the server, or name the server in [proxy] no_proxy."
_CHECK_PROXY = "Check [proxy] of the settings, and that the proxy is at work."


class _Door(msgspec.Struct, frozen=True):
    """What a client of httpx is made for."""

    family: Family | None
    ca_file: str
    cert_file: str
    key_file: str
    hop: Hop | None


class Client:
    """One client of httpx for each family, trust, certificate and proxy, made when first used.

    Safe to use from several threads.
    """

    def __init__(
        self,
        transport: Callable[[Family | None, str], httpx.BaseTransport] | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._limit = Limit()
        self._now = now
        self._transport = transport
        self._clients: dict[_Door, httpx.Client] = {}

    def _made(self, door: _Door) -> httpx.BaseTransport:
        if self._transport is not None:
            return self._transport(door.family, door.ca_file)
        trusted = context(door.ca_file, door.cert_file, door.key_file)
        return TimedTransport(trusted, door.family, self._limit, door.hop)

    def _client(self, door: _Door) -> httpx.Client:
        if door not in self._clients:
            self._clients[door] = httpx.Client(
                transport=self._made(door),
                headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
                follow_redirects=False,
                trust_env=False,
            )
        return self._clients[door]

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        """See `ports.Net`."""
        try:
            where = httpx.URL(request.url).host
        except httpx.InvalidURL as error:  # the URL itself may hold a password
            raise Transport(f"a URL of the settings can't be asked: {_words(error)}") from error
        try:
            headers = httpx.Headers(dict(request.headers))
        except UnicodeEncodeError:  # its words would hold the header's value
            raise Transport(f"{where}: a header holds characters that HTTP can't carry", advice=_CHECK_IT) from None
        left = deadline.left()
        if left <= 0:
            raise Transport(f"{where}: no time was left to ask")
        timeout = httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS))
        # A family is forced to learn this machine's own address of it: a proxy would tell its own instead.
        hop = ways.current().proxies.hop(request.url) if family is None else None
        door = _Door(family, request.ca_file, request.cert_file, request.key_file, hop)
        self._limit.deadline, self._limit.reached = deadline, True
        try:
            with self._client(door).stream(
                request.method, request.url, headers=headers, content=request.content, timeout=timeout
            ) as response:
                body = _body(response, where, limit)
        except httpx.LocalProtocolError:  # its words would hold the header's value
            raise Transport(f"{where}: the request holds what HTTP can't carry", advice=_CHECK_IT) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            certificate = _certificate_error(error)
            if certificate is not None:
                raise self._untrusted(where, certificate, request, door, deadline) from error
            if hop is not None and not self._limit.reached:
                raise _of_proxy(where, hop, error) from error
            raise _of_exchange(where, error, left) from error
        finally:
            self._limit.deadline = None
        found = HttpResponse(response.status_code, dict(response.headers), body)
        portal = notice(request, where, found.status, found.headers, found.body)
        if portal is not None and family is None:  # sources judge what they get by themselves
            raise portal
        return found

    def _untrusted(
        self, where: str, error: ssl.SSLCertVerificationError, request: HttpRequest, door: _Door, deadline: Deadline
    ) -> Untrusted:
        said, advice = refused(error)
        authority = advice is None
        if advice is RENEW:
            said += self._clock_words(where, request, door, deadline)
        elif not door.ca_file and not _is_address(where):
            said += f"; {SEEMS}, or a proxy that opens TLS"
        return Untrusted(f"{where}: its certificate is not trusted: {said}", authority=authority, advice=advice)

    def _clock_words(self, where: str, request: HttpRequest, door: _Door, deadline: Deadline) -> str:
        """How far this machine's clock is off, where a certificate is refused for its dates and that is the reason."""
        if door.hop is not None or self._transport is not None:
            return ""
        port = httpx.URL(request.url).port or 443
        seconds = server_clock.ask(where, port, deadline, door.family, self._now())
        if seconds is None or abs(seconds) <= http_time.SKEW_TOLD:
            return ""
        return f"; by that server's Date {server_clock.words(seconds)}"

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        """See `ports.Net`."""
        host, port = to
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sockets.bind(sock, host)
                sock.connect((host, port))
                sock.send(data)
                if not select.select([sock], [], [], deadline.left())[0]:
                    raise Transport(f"{host}:{port}: no answer in time")
                return sock.recv(65535)
        except OSError as error:
            raise Transport(f"{host}:{port}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close what is open."""
        for client in self._clients.values():
            client.close()


def _body(response: httpx.Response, where: str, limit: int) -> bytes:
    parts = bytearray()
    for part in response.iter_raw():
        parts += part
        if len(parts) > limit:
            raise Malformed(f"{where}: the answer is longer than {limit} bytes")
    return bytes(parts)


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """TLS's own error among the causes of one of httpx."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _of_exchange(where: str, error: Exception, left: float) -> ProviderError:
    """The error that one of httpx stands for, on a direct way."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Transport(f"{where}: can't connect: {_words(error)}")
    if isinstance(error, httpx.RemoteProtocolError):
        return Malformed(f"{where}: broke off or is not HTTP: {_words(error)}")
    if isinstance(error, httpx.TimeoutException):
        return Transport(f"{where}: no answer within {left:.1f} s", ambiguous=True)
    return Transport(f"{where}: the connection broke: {_words(error)}", ambiguous=True)


def _of_proxy(where: str, hop: Hop, error: Exception) -> Transport:
    """The error of a way that ended at the proxy: the server was not reached, so nothing was done."""
    said = _words(error)
    if isinstance(error, httpx.ProxyError):
        advice = _LOGIN if said.startswith("407") else _LET_THROUGH
        return Transport(f"{where}: the proxy {hop} refuses: {said}", advice=advice)
    if isinstance(error, httpx.TimeoutException):
        said = "no answer in time"
    return Transport(f"{where}: the proxy {hop} can't be used: {said}", advice=_CHECK_PROXY)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _words(error: Exception) -> str:
    return foreign(str(error)) or type(error).__name__
