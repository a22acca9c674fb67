"""What connections leave by, hosts with one family only, portals that answer in a server's place, and clocks."""

from __future__ import annotations

import datetime as dt
import email.utils
import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import dns.message
import httpx
import msgspec
import pytest
import trustme

from ddns.address import Family
from ddns.errors import Intercepted, Malformed, ProviderError, Retryable, Transport, Untrusted
from ddns.model import Change, Reason, RecordKey, RecordType, RRset
from ddns.net import exchange, server_clock, sockets, ways
from ddns.net.client import Client
from ddns.net.ways import Ways
from ddns.ports import Deadline, HttpRequest, HttpResponse, Tools
from ddns.protocol import Identity
from ddns.providers import table as providers
from ddns.runtime.clock import SystemClock
from ddns.secret import Secret, SecretRef
from ground.http import Reply, Request, Server
from ground.whoami import Whoami
from unit.fakes import FakeClock

SEEMS = "a captive portal seems to answer"


def soon(seconds: float = 10.0) -> Deadline:
    return Deadline(SystemClock(), seconds)


@pytest.fixture(autouse=True)
def _plain_ways() -> Iterator[None]:
    yield
    ways.use(Ways())


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


class Listener:
    """Accepts one connection and keeps who came."""

    def __init__(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        if kind == socket.SOCK_STREAM:
            self.socket.listen()


# -- leaving by an address or an interface


@pytest.mark.parametrize("code", sorted(sockets._NO_ADDRESS))
def test_a_name_without_an_address_of_the_family_is_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def none(*_asked: object) -> list[object]:
        raise socket.gaierror(code, "in the system's words")

    monkeypatch.setattr(socket, "getaddrinfo", none)
    request = HttpRequest("GET", "https://only4.test/")
    for family, said in ((Family.V6, "it has no IPv6 address"), (None, f"[Errno {code}] in the system's words")):
        with pytest.raises(Transport) as caught:
            client.http(request, deadline=Deadline(SystemClock(), 5.0), family=family)
        assert caught.value.message == f"only4.test: can't connect: {said}"


def test_http_leaves_by_the_address(client: Client) -> None:
    seen: list[str] = []

    def note(request: Request) -> Reply:
        seen.append(request.peer)
        return Reply()

    with Server(note) as server:
        ways.use(Ways(source4="127.0.0.77"))
        client.http(HttpRequest("GET", server.url), deadline=soon())
    assert seen == ["127.0.0.77"]


def test_dns_over_udp_and_tcp_leaves_by_the_address() -> None:
    ways.use(Ways(source4="127.0.0.78"))
    query = dns.message.make_query("example.test", "A")
    there = Listener(socket.SOCK_DGRAM)
    with there.socket:
        with pytest.raises(Transport):
            exchange.over_udp(query, exchange.Server("127.0.0.1", there.port), soon(0.1))
        assert there.socket.recvfrom(4096)[1][0] == "127.0.0.78"
    stream = Listener()
    with stream.socket:
        with pytest.raises(Transport):
            exchange.over_tcp(query, exchange.Server("127.0.0.1", stream.port), soon(0.1))
        near, peer = stream.socket.accept()
        near.close()
    assert peer[0] == "127.0.0.78"


def test_a_whoami_question_leaves_by_the_address(client: Client) -> None:
    ways.use(Ways(source4="127.0.0.79"))
    there = Listener(socket.SOCK_DGRAM)
    with there.socket:
        with pytest.raises(Transport):
            client.udp(b"x", ("127.0.0.1", there.port), deadline=soon(0.05))
        assert there.socket.recvfrom(64)[1][0] == "127.0.0.79"


def test_this_machine_itself_is_reached_by_its_own_address(client: Client) -> None:
    """A resolver or proxy beside us: an address of the network could not reach it."""
    ways.use(Ways(source4="192.0.2.9", interface="nosuch0"))
    with Server(lambda _: Reply()) as server:
        assert client.http(HttpRequest("GET", server.url), deadline=soon()).status == 200


def test_an_address_that_is_not_ours_is_named() -> None:
    ways.use(Ways(source4="192.0.2.9"))
    with (
        socket.socket() as sock,
        pytest.raises(OSError, match=r"192\.0\.2\.9 is not an address to leave by: Cannot assign"),
    ):
        sockets.bind(sock, "198.51.100.1")


def test_an_interface_that_is_not_there_is_named() -> None:
    ways.use(Ways(interface="nosuch0"))
    with socket.socket() as sock, pytest.raises(OSError, match="nosuch0 is not an interface to leave by"):
        sockets.bind(sock, "198.51.100.1")


def test_an_interface(client: Client) -> None:
    ways.use(Ways(interface="lo"))
    with Server(lambda _: Reply()) as server:
        assert client.http(HttpRequest("GET", server.url), deadline=soon()).status == 200
    with socket.socket() as sock:
        sockets.bind(sock, "127.0.0.1")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"


def test_the_other_family_is_left_to_the_routing_table() -> None:
    ways.use(Ways(source6="2001:db8::9"))
    with socket.socket() as sock:
        sockets.bind(sock, "198.51.100.1")
        assert sock.getsockname()[0] == "0.0.0.0"


# -- hosts with one family


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Names have these addresses, in this order."""
    real = socket.getaddrinfo

    def lookup(host: bytes | str, port: int, family: int = 0, type: int = 0) -> list[object]:  # noqa: A002
        found: list[object] = []
        for address in addresses:
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            if family in (0, kind):
                found += real(address, port, kind, type)
        if not found:
            raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_a_host_without_ipv6_reaches_a_server_that_has_both(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(lambda _: Reply(body=b"here")) as server:
        resolves(monkeypatch, "2001:db8::1", "127.0.0.1")
        url = f"http://both.example.test:{server.port}/"
        assert client.http(HttpRequest("GET", url), deadline=soon()).body == b"here"
        assert client.http(HttpRequest("GET", url), deadline=soon(), family=Family.V4).body == b"here"
        with pytest.raises(Transport, match="can't connect"):
            client.http(HttpRequest("GET", url), deadline=soon(2.0), family=Family.V6)


@pytest.mark.parametrize("addresses", [("2001:db8::1", "127.0.0.1"), ("127.0.0.1", "2001:db8::1")])
def test_of_two_failures_that_of_the_family_that_is_there_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    real = socket.socket.connect

    def connect(sock: socket.socket, address: tuple[object, ...]) -> None:
        if sock.family == socket.AF_INET6:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        real(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    resolves(monkeypatch, *addresses)
    with pytest.raises(Transport, match="Connection refused"):
        client.http(HttpRequest("GET", "http://both.example.test:1/"), deadline=soon(2.0))


# -- portals


def answered(
    status: int, headers: dict[str, str], body: bytes = b"", *, accept: str = "application/json", url: str = ""
) -> HttpResponse | ProviderError:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    request = HttpRequest("GET", url or "https://api.example.test/zones", {"accept": accept})
    try:
        return Client(lambda _family, _ca: httpx.MockTransport(answer)).http(request, deadline=soon())
    except ProviderError as error:
        return error


PAGE = {"content-type": "text/html; charset=utf-8"}
HTML = b"<!DOCTYPE html><html><title>Sign in</title></html>"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, PAGE, HTML),
        (200, PAGE, b"\n  <HTML>"),
        (302, {"location": "https://portal.example/login"}, b""),
        (302, {"location": "http://api.example.test/zones"}, b""),
        (301, {"location": "http://api.example.test/zones"}, b""),
        (307, {"location": "//portal.example/"}, b""),
        (511, PAGE, HTML),
    ],
)
def test_a_portal(status: int, headers: dict[str, str], body: bytes) -> None:
    found = answered(status, headers, body)
    assert isinstance(found, Intercepted)
    assert found.message.startswith(f"api.example.test: {SEEMS}: HTTP {status}")
    assert found.in_doubt, "should it be the server after all, the record is read first"
    assert "sign in with a browser" in found.advice


@pytest.mark.parametrize(
    ("status", "headers", "body", "accept"),
    [
        (200, {"content-type": "application/json"}, b"{}", "application/json"),
        (200, {"content-type": "text/html"}, b"good 192.0.2.1", "text/plain"),  # dyndns2 services label it so
        (200, PAGE, HTML, "*/*"),
        (200, PAGE, HTML, "text/html"),
        (401, PAGE, HTML, "text/plain"),
        (401, {"content-type": "application/json"}, b"{}", "application/json"),
        (404, PAGE, HTML, "application/json"),
        (502, PAGE, HTML, "application/json"),
        (302, {"location": "/v2/zones"}, b"", "application/json"),
        (301, {"location": "https://new.example.test/"}, b"", "application/json"),
        (304, {}, b"", "application/json"),
        (302, {"location": "https://[broken"}, b"", "application/json"),
    ],
)
def test_what_is_no_portal(status: int, headers: dict[str, str], body: bytes, accept: str) -> None:
    found = answered(status, headers, body, accept=accept)
    assert isinstance(found, HttpResponse)
    assert found.status == status


def test_a_portal_s_password_is_not_repeated() -> None:
    found = answered(302, {"location": "https://user:canary@portal.example/"})
    assert isinstance(found, Malformed)
    assert "canary" not in found.message


@pytest.mark.parametrize("kind", ["cloudflare", "digitalocean", "gateway", "desec"])
@pytest.mark.parametrize(
    "answer",
    [(200, PAGE, HTML), (302, {"location": "http://portal.example/"}, b""), (511, PAGE, HTML)],
    ids=["page", "redirect", "sign-in"],
)
def test_a_portal_is_no_wrong_password_of_a_provider(kind: str, answer: tuple[int, dict[str, str], bytes]) -> None:
    """At providers and the gateway alike: tried again, and nothing is blocked."""
    status, headers, body = answer

    def portal(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    tools = Tools(
        net=Client(lambda _family, _ca: httpx.MockTransport(portal)),
        clock=SystemClock(),
        resolve=lambda _ref: Secret(Identity("h1", bytes(32), "gw.example.test").text()),
        gateway_url="https://gw.example.test",
    )
    module = providers.load(kind)
    provider = module.connect(msgspec.convert({"token": "env:T"}, module.Settings, dec_hook=_made), tools)
    key = RecordKey("p", "home.example.com", RecordType.A)
    found = provider.observe([key], soon())[key]
    assert isinstance(found, Retryable)
    assert SEEMS in found.message
    change = Change("c", key, None, RRset(frozenset({ip_address("203.0.113.7")}), 60), Reason.CREATE, 1)
    ((_, result),) = provider.apply([change], soon())
    assert isinstance(result, Retryable)


def _made(kind: type[object], value: str) -> object:
    return SecretRef(value)


def test_a_certificate_of_a_portal() -> None:
    refused = ssl.SSLCertVerificationError("x")
    refused.verify_code, refused.verify_message = 18, "self-signed certificate"

    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused") from refused

    with pytest.raises(Untrusted, match=SEEMS):
        Client(lambda _family, _ca: httpx.MockTransport(refuse)).http(
            HttpRequest("GET", "https://api.example.test/"), deadline=soon()
        )


# -- clocks


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (-7200, "; by that server's Date this machine's clock is 7200 s behind"),
        (86400, "; by that server's Date this machine's clock is 86400 s ahead"),
        (10, ""),
    ],
)
@pytest.mark.parametrize("expired", [True, False], ids=["expired", "not yet valid"])
def test_a_certificate_refused_for_its_dates_tells_the_clock(
    tmp_path: Path, ahead: int, words: str, expired: bool
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = dt.datetime.now(dt.UTC)
    dates = (now - dt.timedelta(days=9), now - dt.timedelta(days=1))
    if not expired:
        dates = (now + dt.timedelta(days=1), now + dt.timedelta(days=9))
    authority.issue_cert("127.0.0.1", not_before=dates[0], not_after=dates[1]).configure_cert(context)
    began = time.time()
    date = email.utils.formatdate(began, usegmt=True)
    client = Client(now=lambda: float(int(began)) + ahead)
    with Server(lambda _: Reply(headers={"Date": date}), context) as server:
        asked = HttpRequest("GET", server.url, {"authorization": "canary"}, ca_file=str(tmp_path / "ca.pem"))
        with pytest.raises(Untrusted) as caught:
            client.http(asked, deadline=soon())
        client.close()
    said = "certificate has expired" if expired else "certificate is not yet valid"
    assert caught.value.message == f"127.0.0.1: its certificate is not trusted: {said}{words}"
    assert [(request.method, "canary" in str(request)) for request in server.requests] == [("HEAD", False)]


def test_a_server_that_tells_no_time() -> None:
    with Listener().socket as silent:
        silent.close()
        clock = FakeClock()
        assert server_clock.ask("127.0.0.1", 1, clock.deadline(1.0), None, 0.0) is None


def test_an_answer_comes_back_to_the_address(whoami: Callable[..., Whoami]) -> None:
    ways.use(Ways(source4="127.0.0.80"))
    server = whoami("198.51.100.7")
    host, _, port = server.server.rpartition(":")
    answer = exchange.ask(dns.message.make_query("whoami.test", "A"), exchange.Server(host, int(port)), soon())
    assert "198.51.100.7" in answer.to_text()
