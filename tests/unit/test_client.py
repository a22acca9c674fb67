"""The HTTP client over loopback and over httpx's own double: every way an exchange can end, as a typed error."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from ddns import __version__
from ddns.address import Family
from ddns.errors import Malformed, ProviderError, SettingsError, Transport, Untrusted
from ddns.net.client import Client
from ddns.ports import Deadline, HttpRequest, HttpResponse
from ddns.runtime.clock import SystemClock
from ground.echo import Echo, Fault
from ground.http import Reply, Request, Server
from ground.tls import Authority
from ground.whoami import Whoami


def soon(seconds: float = 10.0) -> Deadline:
    return Deadline(SystemClock(), seconds)


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(answer: Callable[[Request], Reply], tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(answer, tls).__enter__())
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def get(client: Client, url: str, *, limit: int = 4096, seconds: float = 10.0, ca_file: str = "") -> HttpResponse:
    return client.http(HttpRequest("GET", url, ca_file=ca_file), deadline=soon(seconds), limit=limit)


def failure(client: Client, url: str, *, seconds: float = 10.0, ca_file: str = "") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        get(client, url, seconds=seconds, ca_file=ca_file)
    return caught.value


# -- over httpx's double


def double(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client(lambda _family, _ca_file: httpx.MockTransport(answer))


@pytest.mark.parametrize("status", [200, 204, 301, 401, 404, 429, 500, 599])
def test_any_status_is_an_answer(status: int) -> None:
    answer = httpx.Response(status, headers={"Retry-After": "9"}, stream=httpx.ByteStream(b"x"))
    response = get(double(lambda _: answer), "https://h/")
    assert (response.status, response.headers["retry-after"], response.body) == (status, "9", b"x")


def test_what_is_sent() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b""))

    request = HttpRequest("PUT", "https://h:8443/a?b=c", {"authorization": "Bearer x"}, b'{"a":1}')
    double(answer).http(request, deadline=soon())
    assert (sent[0].method, str(sent[0].url), sent[0].content) == ("PUT", "https://h:8443/a?b=c", b'{"a":1}')
    headers = dict(sent[0].headers)
    assert headers["user-agent"] == f"ddns-fleet/{__version__}"
    assert (headers["accept-encoding"], headers["authorization"]) == ("identity", "Bearer x")


@pytest.mark.parametrize(
    ("error", "kind", "ambiguous", "message"),
    [
        (httpx.ConnectError("refused"), Transport, False, "h: can't connect: refused"),
        (httpx.ConnectTimeout(""), Transport, False, "h: can't connect: ConnectTimeout"),
        (httpx.UnsupportedProtocol("no ftp"), Transport, False, "h: can't connect: no ftp"),
        (httpx.ReadTimeout(""), Transport, True, "h: no answer within 5.0 s"),
        (httpx.WriteTimeout(""), Transport, True, "h: no answer within 5.0 s"),
        (httpx.PoolTimeout(""), Transport, True, "h: no answer within 5.0 s"),
        (httpx.ReadError("\x1b[31mreset"), Transport, True, "h: the connection broke: [31mreset"),
        (httpx.CloseError(""), Transport, True, "h: the connection broke: CloseError"),
        (httpx.RemoteProtocolError("bad chunk"), Malformed, True, "h: broke off or is not HTTP: bad chunk"),
        (httpx.LocalProtocolError("secret"), Transport, False, "h: the request holds what HTTP can't carry"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_of_the_library(error: Exception, kind: type[ProviderError], ambiguous: bool, message: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    found = failure(double(answer), "https://h/", seconds=5.0)
    assert (type(found), found.in_doubt, found.message) == (kind, ambiguous, message)


@pytest.mark.parametrize("url", ["https://[::1/", "https://user:hunter2@h:x/"])
def test_a_url_that_is_none_is_not_repeated(client: Client, url: str) -> None:
    found = failure(client, url)
    assert found.message.startswith("a URL of the settings can't be asked: ")
    assert not found.in_doubt
    assert "hunter2" not in found.message


@pytest.mark.parametrize("value", ["Bearer tökén", "Bearer a\nb", "Bearer “a”", "Bearer a\x00"])
def test_a_secret_that_http_can_t_carry_is_told_and_not_shown(
    client: Client, echo: Callable[..., Echo], value: str
) -> None:
    request = HttpRequest("GET", echo("x", tls=False).url, {"authorization": value})
    with pytest.raises(Transport) as caught:
        client.http(request, deadline=soon())
    assert "HTTP can't carry" in caught.value.message
    assert caught.value.advice.startswith("Check the secret of this provider")
    assert "Bearer" not in caught.value.message
    assert not caught.value.in_doubt


def test_without_time_nobody_is_asked() -> None:
    found = failure(double(lambda _: httpx.Response(200)), "https://h/", seconds=0.0)
    assert (found.message, found.in_doubt) == ("h: no time was left to ask", False)


# -- over loopback


@pytest.mark.parametrize("tls", [True, False])
def test_an_exchange(client: Client, echo: Callable[..., Echo], ca: Authority, tls: bool) -> None:
    response = get(client, echo("198.51.100.7", tls=tls).url, ca_file=str(ca.file))
    assert (response.status, response.body) == (200, b"198.51.100.7\n")


def test_a_redirect_is_an_answer_and_not_followed(client: Client, echo: Callable[..., Echo]) -> None:
    server = echo("198.51.100.7", tls=False)
    server.fault = Fault.REDIRECT
    response = get(client, server.url)
    assert (response.status, response.headers["location"]) == (302, f"{server.url}elsewhere")
    assert server.hits == 1


@pytest.mark.parametrize(
    ("fault", "kind", "ambiguous", "message"),
    [
        (Fault.HUGE, Malformed, True, "127.0.0.1: the answer is longer than 4096 bytes"),
        (Fault.HALF_A_BODY, Malformed, True, "127.0.0.1: broke off or is not HTTP: peer closed connection"),
        (Fault.RESET, Transport, True, "127.0.0.1: the connection broke: [Errno 104] Connection reset by peer"),
        (Fault.SILENCE, Transport, True, "127.0.0.1: no answer within 0.5 s"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_faults(
    client: Client, echo: Callable[..., Echo], fault: Fault, kind: type[ProviderError], ambiguous: bool, message: str
) -> None:
    server = echo("198.51.100.7", tls=False)
    server.fault = fault
    found = failure(client, server.url, seconds=0.5 if fault is Fault.SILENCE else 10.0)
    assert (type(found), found.in_doubt) == (kind, ambiguous)
    assert found.message.startswith(message)


@pytest.mark.parametrize(("size", "fits"), [(4096, True), (4097, False)])
def test_the_limit_is_to_the_byte(client: Client, serve: Callable[..., Server], size: int, fits: bool) -> None:
    server = serve(lambda _: Reply(body=b"x" * size))
    if fits:
        assert len(get(client, server.url).body) == size
    else:
        assert isinstance(failure(client, server.url), Malformed)


class Talker:
    """A server that sends a part at a time until it is told to stop, as a hostile one does."""

    def __init__(self, head: bytes, drop: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._over = threading.Event()
        self._head, self._drop = head, drop
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError), self._listener.accept()[0] as connection:  # the client goes away
            connection.recv(4096)
            connection.sendall(self._head)
            while self._drop and not self._over.wait(0.02):
                connection.sendall(self._drop)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def talker() -> Iterator[Callable[..., Talker]]:
    made: list[Talker] = []

    def make(head: bytes, drop: bytes = b"") -> Talker:
        made.append(Talker(head, drop))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_body_in_drops_ends_in_time(client: Client, talker: Callable[..., Talker]) -> None:
    server = talker(b"HTTP/1.1 200 OK\r\n\r\n", b" ")
    began = time.monotonic()
    found = failure(client, server.url, seconds=0.2)
    assert found.message == "127.0.0.1: no answer within 0.2 s"
    assert found.in_doubt
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("head", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b""])
def test_what_is_not_http(client: Client, talker: Callable[..., Talker], head: bytes) -> None:
    found = failure(client, talker(head).url)
    assert type(found) is Malformed
    assert found.message.startswith("127.0.0.1: broke off or is not HTTP: ")


def test_nobody_there(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = failure(client, f"http://127.0.0.1:{port}/")
    assert found.message == "127.0.0.1: can't connect: [Errno 111] Connection refused"
    assert not found.in_doubt


def test_the_family_is_forced(client: Client, echo: Callable[..., Echo]) -> None:
    server = echo("198.51.100.7", tls=False)
    url = f"http://localhost:{server.port}/"
    assert client.http(HttpRequest("GET", url), family=Family.V4, deadline=soon()).status == 200
    with pytest.raises(Transport) as caught:
        client.http(HttpRequest("GET", server.url), family=Family.V6, deadline=soon())
    assert caught.value.message.startswith("127.0.0.1: can't connect: ")
    assert not caught.value.in_doubt


def test_no_proxy_by_surprise(client: Client, echo: Callable[..., Echo], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert get(client, echo("198.51.100.7", tls=False).url).status == 200


# -- TLS


def test_an_unknown_authority_is_refused(client: Client, echo: Callable[..., Echo]) -> None:
    server = echo("198.51.100.7")
    found = failure(client, server.url)
    assert found.message == "127.0.0.1: its certificate is not trusted: unable to get local issuer certificate"
    assert isinstance(found, Untrusted)
    assert found.advice.startswith("For a server with an authority of its own, name that one's PEM file with ca_file")
    assert (found.in_doubt, found.authority) == (False, True)
    assert server.hits == 0


def test_another_host_s_certificate_is_refused(client: Client, serve: Callable[..., Server], ca: Authority) -> None:
    server = serve(lambda _: Reply(), ca.server("elsewhere.example"))
    found = failure(client, server.url, ca_file=str(ca.file))
    assert found.message.endswith("certificate is not valid for '127.0.0.1'")
    assert found.advice == "Ask for the server by a name that its certificate holds: check the URL."
    assert server.hits == 0


def test_an_expired_certificate_is_refused(client: Client, serve: Callable[..., Server], tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    authority.issue_cert("127.0.0.1", not_after=yesterday).configure_cert(context)
    server = serve(lambda _: Reply(), context)
    found = failure(client, server.url, ca_file=str(tmp_path / "ca.pem"))
    assert found.message.endswith("certificate has expired")
    assert found.advice == "Renew the server's certificate, or set this machine's clock if that is wrong."
    assert [request.method for request in server.requests] == ["HEAD"], "only its time was asked for"


def test_sslkeylogfile_is_not_honoured(
    client: Client, echo: Callable[..., Echo], ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert get(client, echo("198.51.100.7").url, ca_file=str(ca.file)).status == 200
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"], ids=["missing", "empty", "garbage"])
def test_a_ca_file_that_is_none_is_a_matter_of_settings(client: Client, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        get(client, "https://127.0.0.1:1/", ca_file=str(file))
    assert caught.value.message.startswith(f"ca_file {file}: it can't be used: ")


def test_the_library_s_command_line_is_not_imported() -> None:
    code = "import sys, ddns.net.client; sys.exit(sys.modules['httpx._main'] is not None or 'rich' in sys.modules)"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environ).returncode == 0


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_is_none(client: Client, port: int) -> None:
    found = failure(client, f"http://127.0.0.1:{port}/")
    assert type(found) is Transport
    assert not found.in_doubt


# -- UDP


def test_udp(client: Client, whoami: Callable[..., Whoami]) -> None:
    server = whoami("198.51.100.7")
    with pytest.raises(Transport, match=rf"^127\.0\.0\.1:{server.port}: no answer in time$"):
        client.udp(b"nonsense", ("127.0.0.1", server.port), deadline=soon(0.05))


def test_udp_to_nobody(client: Client) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(Transport, match=rf"^127\.0\.0\.1:{port}: Connection refused$"):
        client.udp(b"x", ("127.0.0.1", port), deadline=soon())
    with pytest.raises(Transport, match=r"^2001:db8::1:53: "):
        client.udp(b"x", ("2001:db8::1", 53), deadline=soon(0.05))


@pytest.mark.parametrize("tls", [False, True])
def test_headers_that_drip_end_with_the_deadline(client: Client, tmp_path: Path, tls: bool) -> None:
    """Each byte comes in time, the answer never does."""
    authority = Authority(tmp_path)
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            taken, _ = listener.accept()
            with authority.server().wrap_socket(taken, server_side=True) if tls else taken as peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.05):
                    peer.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        began = time.monotonic()
        url = f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}/"
        stop = threading.Timer(4.0, over.set)
        stop.start()
        error = failure(client, url, seconds=0.5, ca_file=str(authority.file) if tls else "")
        took = time.monotonic() - began
        over.set()
        stop.cancel()
        thread.join()
    assert isinstance(error, Transport)
    assert error.in_doubt
    assert took < 2.0


PORTAL = "; a captive portal seems to answer, or a proxy that opens TLS"


@pytest.mark.parametrize(
    ("code", "words", "advised"),
    [
        (0x800B0101, "it has expired, or is not valid yet", "Renew the server's certificate"),
        (
            0x800B0109,
            f"Windows does not trust the authority at the end of its chain{PORTAL}",
            "name that one's PEM file",
        ),
        (
            0x800B010A,
            f"Windows finds no chain from it to an authority that it trusts{PORTAL}",
            "name that one's PEM file",
        ),
        (0x800B010C, "it was revoked", "Renew the server's certificate"),
        (0x800B010F, f"it is for another name{PORTAL}", "Ask for the server by a name that its certificate holds"),
        (0x80096004, f"Die Signatur des Zertifikats kann nicht überprüft werden{PORTAL}", "name that one's PEM file"),
    ],
)
def test_what_windows_says_of_a_certificate_is_said_in_our_words(code: int, words: str, advised: str) -> None:
    refused = ssl.SSLCertVerificationError("in any language")
    refused.verify_code = code
    refused.verify_message = "Die Signatur des Zertifikats kann nicht überprüft werden."

    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused") from refused

    request, deadline = HttpRequest("GET", "https://gateway.test/"), Deadline(SystemClock(), 5)
    made = Client(lambda _family, _ca_file: httpx.MockTransport(refuse))
    with contextlib.closing(made), pytest.raises(Untrusted) as caught:
        made.http(request, deadline=deadline)
    assert caught.value.message == f"gateway.test: its certificate is not trusted: {words}"
    assert advised in caught.value.advice
