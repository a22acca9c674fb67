"""Through a real CONNECT proxy, and through one that refuses, fails or wants a password: always verified TLS."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family
from ddns.errors import BadCredentials, ProviderError, Transport, Untrusted
from ddns.net import options, ways
from ddns.net.client import Client
from ddns.net.options import Options
from ddns.net.proxies import Hop, Proxies, excepted
from ddns.net.ways import Ways
from ddns.ports import Deadline, HttpRequest, HttpResponse
from ddns.runtime.clock import SystemClock
from ddns.secret import Secret
from ground.http import Ending, Reply, Server
from ground.ports import free_port
from ground.proxy import Mood, Proxy
from ground.tls import Authority

NAME = "api.example.test"
CANARY = "canary-proxy"


class Town:
    """A provider that only the proxy finds, and this machine."""

    def __init__(self, ca: Authority) -> None:
        self.reply = Reply(body=b'{"ok":true}')
        self.ca = ca
        self.server = Server(lambda _request: self.reply, ca.server(NAME))
        self.client = Client()

    def use(self, proxy: Proxy, *, user: str = "", password: str = "", no_proxy: tuple[str, ...] = ()) -> None:
        opened = (lambda: Secret(password)) if password else None
        ways.use(Ways(proxies=Proxies(proxy.url, user, opened, no_proxy)))

    def get(
        self, url: str = f"https://{NAME}/zones", seconds: float = 10.0, family: Family | None = None
    ) -> HttpResponse:
        request = HttpRequest("GET", url, {"Authorization": "Bearer x"}, ca_file=str(self.ca.file))
        return self.client.http(request, deadline=Deadline(SystemClock(), seconds), family=family)

    def failure(self, seconds: float = 10.0) -> ProviderError:
        with pytest.raises(ProviderError) as caught:
            self.get(seconds=seconds)
        return caught.value


@pytest.fixture
def town(ca: Authority) -> Iterator[Town]:
    made = Town(ca)
    with made.server:
        yield made
        made.client.close()
    ways.use(Ways())


@pytest.fixture
def proxy(town: Town) -> Iterator[Callable[..., Proxy]]:
    made: list[Proxy] = []

    def make(login: str = "") -> Proxy:
        made.append(Proxy({f"{NAME}:443": town.server.port}, login).__enter__())
        return made[-1]

    yield make
    town.client.close()
    for one in made:
        one.__exit__(None, None, None)


def test_a_provider_behind_a_proxy(town: Town, proxy: Callable[..., Proxy]) -> None:
    through = proxy()
    town.use(through)
    assert [town.get().body for _ in range(2)] == [b'{"ok":true}'] * 2
    assert {line for line, _ in through.asked} == {f"CONNECT {NAME}:443 HTTP/1.1"}
    assert "authorization" not in through.asked[0][1], "the provider's secret is not the proxy's to see"
    assert [request.target for request in town.server.requests] == ["/zones"] * 2


def test_user_and_password(town: Town, proxy: Callable[..., Proxy]) -> None:
    through = proxy(f"pc1:{CANARY}")
    town.use(through, user="pc1", password=CANARY)
    assert town.get().status == 200
    headers = {name.lower() for name in town.server.requests[0].headers}
    assert "proxy-authorization" not in headers, "the proxy's secret is not the provider's to see"


@pytest.mark.parametrize("password", ["", "canary-wrong"])
def test_a_proxy_that_does_not_know_us(town: Town, proxy: Callable[..., Proxy], password: str) -> None:
    through = proxy(f"pc1:{CANARY}")
    town.use(through, user="pc1" if password else "", password=password)
    found = town.failure()
    where = f"127.0.0.1:{through.port}"
    assert found.message == f"{NAME}: the proxy {where} refuses: 407 Proxy Authentication Required"
    assert (type(found), found.in_doubt) == (Transport, False)
    assert found.advice.startswith("Set user and password of [proxy]")
    assert "canary" not in found.message


def test_a_password_that_can_t_be_opened_is_not_the_provider_s(town: Town, proxy: Callable[..., Proxy]) -> None:
    def missing() -> Secret:
        raise BadCredentials("the secret file:proxy is not there")

    ways.use(Ways(proxies=Proxies(proxy().url, "pc1", missing)))
    found = town.failure()
    assert (type(found), found.in_doubt) == (Transport, False)
    assert found.message.startswith("the proxy's password can't be opened: the secret file:proxy")


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (Mood.FORBIDS, "refuses: 403 Forbidden"),
        (Mood.FAR_SIDE_GONE, "refuses: 502 Bad Gateway"),
        (Mood.GARBAGE, "can't be used: "),
        (Mood.HANGS_UP, "can't be used: "),
        (Mood.SILENT, "can't be used: no answer in time"),
    ],
    ids=lambda value: value.name if isinstance(value, Mood) else "",
)
def test_a_proxy_that_fails_has_sent_nothing_on(town: Town, proxy: Callable[..., Proxy], mood: Mood, said: str) -> None:
    through = proxy()
    through.mood = mood
    town.use(through)
    found = town.failure(seconds=0.5 if mood is Mood.SILENT else 10.0)
    assert found.message.startswith(f"{NAME}: the proxy 127.0.0.1:{through.port} {said}")
    assert (type(found), found.in_doubt) == (Transport, False)
    assert town.server.hits == 0


def test_a_proxy_that_is_not_there(town: Town) -> None:
    port = free_port()
    ways.use(Ways(proxies=Proxies(f"http://127.0.0.1:{port}")))
    found = town.failure()
    assert found.message.startswith(f"{NAME}: the proxy 127.0.0.1:{port} can't be used: ")
    assert "refused" in found.message
    assert not found.in_doubt


def test_what_breaks_behind_the_proxy_is_the_server_s(town: Town, proxy: Callable[..., Proxy]) -> None:
    town.use(proxy())
    town.reply = Reply(ending=Ending.RESET)
    found = town.failure()
    assert found.in_doubt, "the request was sent: it may have been carried out"
    assert "proxy" not in found.message


def test_a_proxy_that_opens_tls_is_not_trusted(
    town: Town, proxy: Callable[..., Proxy], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    town.ca = stranger
    town.use(proxy())
    found = town.failure()
    assert isinstance(found, Untrusted)
    assert town.server.hits == 0


def test_an_authority_beside_the_system_s(town: Town, proxy: Callable[..., Proxy]) -> None:
    through = proxy()
    ways.use(Ways(proxies=Proxies(through.url), beside=str(town.ca.file)))
    request = HttpRequest("GET", f"https://{NAME}/zones")
    assert town.client.http(request, deadline=Deadline(SystemClock(), 10.0)).status == 200


def test_sources_and_this_machine_take_no_proxy(town: Town, proxy: Callable[..., Proxy]) -> None:
    through = proxy()
    town.use(through)
    with Server(lambda _request: Reply(body=b"direct")) as near:
        assert town.get(near.url).body == b"direct"
        with pytest.raises(Transport, match="can't connect"):  # directly, where nobody knows that name
            town.get(f"https://{NAME}:1/", family=Family.V4)
    assert through.asked == []


def test_who_is_excepted() -> None:
    names = ("example.com", ".corp.example", "*.lan", "10.0.0.0/8", "2001:db8::/32", "host")
    for host in ("example.com", "a.example.com", "x.corp.example", "pc.lan", "10.1.2.3", "2001:db8::1", "HOST"):
        assert excepted(host, names), host
    for host in ("badexample.com", "example.org", "11.1.2.3", "host.example", "2001:db9::1"):
        assert not excepted(host, names), host
    assert excepted("anything", ("*",))
    assert not excepted("anything", ())


# -- the system's


@pytest.mark.parametrize(
    ("environ", "hop"),
    [
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, Hop("http://proxy.example:3128")),
        ({"https_proxy": "proxy.example:3128"}, Hop("http://proxy.example:3128")),
        ({"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, Hop("http://[2001:db8::1]:3128")),
        ({"HTTPS_PROXY": "http://pc%401:canary@proxy.example"}, Hop("http://proxy.example:80", (b"pc@1", b"canary"))),
        ({"ALL_PROXY": "http://proxy.example:3128"}, Hop("http://proxy.example:3128")),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "example.test"}, None),
        ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
        ({}, None),
    ],
)
def test_the_system_s_proxy(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], hop: Hop | None) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Proxies("system").hop(f"https://{NAME}/") == hop
    assert Proxies("system").hop("https://127.0.0.1/") is None
    assert Proxies("none").hop(f"https://{NAME}/") is None


def test_a_proxy_of_the_system_that_is_not_spoken_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:canary@proxy.example:1080")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(Transport, match=r"not spoken here: socks5://proxy\.example:1080") as caught:
        Proxies("system").hop(f"https://{NAME}/")
    assert "canary" not in caught.value.message


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy in the environment."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("said", "url", "hop"),
    [
        (("proxy:3128", "", ""), "https://api.example.test/", "proxy:3128"),
        (("http=a:80;https=b:443;ftp=c:21", "", ""), "https://api.example.test/", "b:443"),
        (("HTTPS=b:443", "", ""), "https://api.example.test/", "b:443"),
        (("https=http://b:443/", "", ""), "https://api.example.test/", "b:443"),
        (("http=a:80 d:3128", "", ""), "https://api.example.test/", "d:3128"),
        (("http=a:80", "", ""), "https://api.example.test/", None),
        (("proxy", "", ""), "https://api.example.test/", "proxy:80"),
        (("[2001:db8::1]:3128", "", ""), "https://api.example.test/", "[2001:db8::1]:3128"),
        (("proxy:3128", "<local>;*.corp.test", ""), "https://api.example.test/", "proxy:3128"),
        (("proxy:3128", "<local>;*.corp.test", ""), "https://API.corp.test/", None),
        (("proxy:3128", "<local>", ""), "https://gateway/", None),
        (("proxy:3128", "", "http://wpad.test/proxy.pac"), "https://api.example.test/", "proxy:3128"),
        (("", "<local>", ""), "https://api.example.test/", None),
    ],
)
def test_the_proxy_of_the_system_s_options(said: tuple[str, str, str], url: str, hop: str | None) -> None:
    found = Proxies("system", system=lambda: Options(*said)).hop(url)
    assert (str(found) if found else None) == hop


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("socks=proxy:1080", "", ""), "not spoken here: socks://proxy:1080"),
        (("", "", "http://u:canary@wpad.test/proxy.pac?canary"), "not run here: http://wpad.test/proxy.pac"),
    ],
)
def test_options_of_the_system_that_can_t_be_followed(said: tuple[str, str, str], told: str) -> None:
    with pytest.raises(Transport) as caught:
        Proxies("system", system=lambda: Options(*said)).hop(f"https://{NAME}/")
    assert caught.value.message.endswith(told)
    assert "[proxy] url" in caught.value.advice
    assert not caught.value.in_doubt


@pytest.mark.parametrize(
    ("host", "port", "exceptions", "direct"),
    [
        ("gateway", 443, "<local>", True),
        ("gateway.corp.test", 443, "<local>", False),
        ("2001:db8::1", 443, "<local>", False),
        ("api.corp.test", 443, "*.corp.test", True),
        ("corp.test", 443, "*.corp.test", False),
        ("corp.test", 443, "*corp.test", True),
        ("badcorp.test", 443, "corp.test", False),
        ("10.1.2.3", 443, "10.*", True),
        ("110.1.2.3", 443, "10.*", False),
        ("api.test", 443, "API.TEST", True),
        ("api.test.", 443, "api.test", True),
        ("api.test", 443, "a?i.test", False),
        ("api.test", 443, "api.test:443", True),
        ("api.test", 8443, "api.test:443", False),
        ("api.test", 443, "https://api.test", True),
        ("2001:db8::1", 443, "[2001:db8::1]", True),
        ("2001:db8::1", 443, "[2001:db8::1]:8443", False),
        ("2001:db8::1", 443, "2001:db8:*", True),
        ("api.test", 443, " other.test ;\tapi.test;; ", True),
        ("api.test", 443, "*", True),
        ("api.test", 443, "", False),
        ("api.test", 443, "api.test/", False),
    ],
)
def test_the_exceptions_of_the_system_s_options(host: str, port: int, exceptions: str, *, direct: bool) -> None:
    assert options.excepted(host, port, exceptions) == direct


@given(st.text(max_size=40), st.integers(1, 65535), st.text("a.*:;[]<>local/= 1", max_size=60))
def test_any_options_are_read(host: str, port: int, text: str) -> None:
    assert options.excepted(host, port, f"{text};*") is True
    assert isinstance(options.server(text, "https"), str)


def test_a_proxy_is_told_without_its_password() -> None:
    hop = Hop("http://proxy.example:3128", (b"a", b"canary"))
    assert (str(hop), repr(hop)) == ("proxy.example:3128", "Hop('proxy.example:3128')")


def test_tls_is_what_goes_through(town: Town, proxy: Callable[..., Proxy]) -> None:
    """A provider's URL is https; http is for this machine only, and takes no proxy."""
    town.use(proxy())
    town.get()
    assert isinstance(town.ca.client(), ssl.SSLContext)
    assert town.server.url.startswith("https://")
