"""`ports.Net` on httpx: family forced, TLS verified, sizes and times limited, no redirects, no proxy by surprise."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable

import httpx

from ddns import __version__
from ddns.address import Family
from ddns.errors import Malformed, Transport, Untrusted, foreign
from ddns.model import HttpRequest, HttpResponse
from ddns.net.timed import Limit, TimedTransport
from ddns.net.trust import context
from ddns.ports import Deadline

USER_AGENT = f"ddns-fleet/{__version__}"
#: Binding to the family's wildcard address leaves only its own addresses to connect to.
_ANY = {Family.V4: "0.0.0.0", Family.V6: "::", None: None}  # noqa: S104 - a client's source address, not a listener
_CONNECT_SECONDS = 5.0
_CHECK_IT = "Check the secret of this provider: it may hold a line break, or a letter that is not ASCII."
_RENEW = "Renew the server's certificate, or set this machine's clock if that is wrong."
_RENAME = "Ask for the server by a name that its certificate holds: check the URL."
#: By OpenSSL's code (x509_vfy.h): not yet valid, expired; another host name, another IP address.
_CERTIFICATE_ADVICE = {9: _RENEW, 10: _RENEW, 62: _RENAME, 64: _RENAME}
#: By Windows' code (winerror.h, CERT_E_*), whose own words are in the language of the machine, or missing.
_WINDOWS_CERTIFICATE = {
    0x800B0101: ("it has expired, or is not valid yet", _RENEW),
    0x800B0109: ("Windows does not trust the authority at the end of its chain", None),
    0x800B010A: ("Windows finds no chain from it to an authority that it trusts", None),
    0x800B010C: ("it was revoked", _RENEW),
    0x800B010F: ("it is for another name", _RENAME),
}


class Client:
    """One client a family and CA file, made when first used. Safe to use from several threads."""

    def __init__(self, transport: Callable[[Family | None, str], httpx.BaseTransport] | None = None) -> None:
        self._limit = Limit()
        self._transport = transport or self._timed
        self._clients: dict[tuple[Family | None, str], httpx.Client] = {}

    def _timed(self, family: Family | None, ca_file: str) -> httpx.BaseTransport:
        return TimedTransport(context(ca_file), _ANY[family], self._limit)

    def _client(self, family: Family | None, ca_file: str) -> httpx.Client:
        key = family, ca_file
        if key not in self._clients:
            self._clients[key] = httpx.Client(
                transport=self._transport(family, ca_file),
                headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
                follow_redirects=False,
                trust_env=False,
            )
        return self._clients[key]

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
        self._limit.deadline = deadline
        try:
            with self._client(family, request.ca_file).stream(
                request.method, request.url, headers=headers, content=request.content, timeout=timeout
            ) as response:
                body = _body(response, where, limit)
                return HttpResponse(response.status_code, dict(response.headers), body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            refused = _certificate_error(error)
            if refused is not None:
                raise _untrusted(where, refused) from error
            raise Transport(f"{where}: can't connect: {_words(error)}") from error
        except httpx.LocalProtocolError:  # its words would hold the header's value
            raise Transport(f"{where}: the request holds what HTTP can't carry", advice=_CHECK_IT) from None
        except httpx.RemoteProtocolError as error:
            raise Malformed(f"{where}: broke off or is not HTTP: {_words(error)}") from error
        except httpx.TimeoutException as error:
            raise Transport(f"{where}: no answer within {left:.1f} s", ambiguous=True) from error
        except httpx.HTTPError as error:
            raise Transport(f"{where}: the connection broke: {_words(error)}", ambiguous=True) from error
        finally:
            self._limit.deadline = None

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        """See `ports.Net`."""
        host, port = to
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
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


def _untrusted(where: str, error: ssl.SSLCertVerificationError) -> Untrusted:
    said, advice = _WINDOWS_CERTIFICATE.get(error.verify_code, (error.verify_message or str(error), None))
    advice = advice or _CERTIFICATE_ADVICE.get(error.verify_code)
    said = foreign(said).removesuffix(".")
    return Untrusted(f"{where}: its certificate is not trusted: {said}", authority=advice is None, advice=advice)


def _words(error: Exception) -> str:
    return foreign(str(error)) or type(error).__name__
