"""dyndns2 beyond what all providers owe: each return code, what the service says it did, and who is asked."""

from __future__ import annotations

import base64
import ipaddress
import traceback
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddns.errors import (
    BadCredentials,
    Banned,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SettingsError,
)
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RRset
from ddns.ports import HttpRequest, HttpResponse, Provider
from ddns.providers.dyndns2 import Settings
from ddns.providers.replies import REFUSALS, REST, Answer, parse
from ddns.secret import SecretRef
from providers.cast import FIRST, HOME, HOME6, SECOND, addresses
from providers.doubles import dyndns2
from providers.doubles.dyndns2 import Service
from providers.stage import connect, deadline

HTML = b"<html><body>good 192.0.2.2</body></html>"


@pytest.fixture
def service() -> Iterator[Service]:
    with dyndns2.serve() as double:
        yield double


def provider(service: Service, **settings: object) -> Provider:
    changed = msgspec.structs.replace(service.settings, **settings)
    return connect("dyndns2", changed, service.secrets, service.net, service.proof_servers)


def write(on: Provider, after: RRset | None, key: RecordKey = HOME) -> Applied | ProviderError:
    ((_, result),) = on.apply([Change("1", key, addresses(FIRST), after, Reason.ADDRESS)], deadline())
    return result


class Canned:
    """A `Net` that gives one answer and keeps the request."""

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.response = HttpResponse(status, headers, body)
        self.requests: list[HttpRequest] = []

    def http(self, request: HttpRequest, **_how: object) -> HttpResponse:
        self.requests.append(request)
        return self.response

    def udp(self, data: bytes, to: tuple[str, int], **_how: object) -> bytes:
        raise AssertionError


def told(canned: Canned, address: str = SECOND, **settings: object) -> Applied | ProviderError:
    made = Settings(url="https://svc.example.org/nic/update", username="u", password=SecretRef("env:P"))
    on = connect("dyndns2", msgspec.structs.replace(made, **settings), {"env:P": "canary:with:colons"}, canned)
    return write(on, addresses(address), HOME6 if ":" in address else HOME)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("badauth", BadCredentials),
        ("!donator", NotPermitted),
        ("!yours", NotPermitted),
        ("nohost", NoSuchZone),
        ("notfqdn", Rejected),
        ("numhost", Rejected),
        ("badagent", Banned),
        ("abuse", Banned),
        ("911", RateLimited),
        ("dnserr", RateLimited),
        ("badsys", ServerSide),
    ],
)
def test_each_refusal(service: Service, code: str, expected: type[ProviderError]) -> None:
    service.word = f"{code} because\n"
    result = write(provider(service), addresses(SECOND))
    assert isinstance(result, expected)
    assert code in result.message
    assert HOME.name in result.message
    assert result.advice
    assert code in REFUSALS
    if isinstance(result, RateLimited):
        assert result.retry_after == REST, "the protocol: no call for half an hour"


@pytest.mark.parametrize("body", ["good", "good 192.0.2.2", "nochg 192.0.2.2\r\n", "good 192.0.2.2,2001:db8::1\n\n"])
def test_done(service: Service, body: str) -> None:
    service.word = body
    assert write(provider(service), addresses(SECOND)) == Applied()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        HTML,
        b"goodbye",
        b"GOOD 192.0.2.2",
        b"OK",
        b"good192.0.2.2",
        b"good 192.0.2.2 trust me",
        b"good 192.0.2.2\ngood 192.0.2.2\n",
        b"good 192.0.2.9",
        b"nochg 192.0.2.1",
        b"good \xff",
        b"nohosts",
        b"9111",
    ],
)
def test_not_of_the_protocol(body: bytes) -> None:
    result = told(Canned(body))
    assert isinstance(result, Malformed)
    assert "svc.example.org" in result.message


def test_the_wrong_address_is_named() -> None:
    result = told(Canned(b"good 192.0.2.9"))
    assert isinstance(result, Malformed)
    assert "good for 192.0.2.9, but 192.0.2.2 was asked for" in result.message


def test_an_ignored_client_is_banned() -> None:
    assert isinstance(told(Canned(b"good 127.0.0.1")), Banned)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"", BadCredentials),
        (401, HTML, BadCredentials),
        (401, b"badauth", BadCredentials),
        (403, HTML, NotPermitted),
        (403, b"abuse", Banned),
        (404, HTML, Malformed),
        (404, b"nohost", NoSuchZone),
        (400, b"notfqdn", Rejected),
        (409, b"good 192.0.2.2", Malformed),
        (429, b"abuse", RateLimited),
        (500, b"good 192.0.2.2", ServerSide),
        (503, b"911", RateLimited),
        (302, b"", Malformed),
    ],
)
def test_status_and_code(status: int, body: bytes, expected: type[ProviderError]) -> None:
    assert isinstance(told(Canned(body, status)), expected)


def test_the_request() -> None:
    canned = Canned(b"good 192.0.2.2")
    told(canned)
    (request,) = canned.requests
    assert (request.method, request.content) == ("GET", None)
    assert request.url == "https://svc.example.org/nic/update?hostname=home.example.com&myip=192.0.2.2"
    scheme, _, basic = request.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(basic)) == ("Basic", b"u:canary:with:colons")
    assert request.headers["User-Agent"].startswith("ddns-fleet/")


def test_the_request_for_ipv6_and_a_url_with_a_query() -> None:
    canned = Canned(b"good 2001:db8::1")
    assert (
        told(canned, "2001:db8::1", url="https://svc.example.org/u?system=dyndns", ipv6_parameter="myipv6") == Applied()
    )
    assert canned.requests[0].url == (
        "https://svc.example.org/u?system=dyndns&hostname=home.example.com&myipv6=2001:db8::1"
    )


def test_it_is_observed_in_dns_without_ttl(service: Service) -> None:
    service.zone.put(HOME.name, "A", FIRST, ttl=60)
    seen = provider(service).observe([HOME], deadline())[HOME]
    assert isinstance(seen, Observed)
    assert (seen.rrset, seen.by) == (addresses(FIRST), service.dns.address)
    assert seen.rrset is not None
    assert seen.rrset.covers(addresses(FIRST, ttl=3600)), "a TTL that is not ours to set is never drift"


@pytest.mark.parametrize("after", [None, addresses(FIRST, SECOND)], ids=["none", "two"])
def test_what_it_can_not_do(service: Service, after: RRset | None) -> None:
    assert isinstance(write(provider(service), after), Rejected)
    assert service.web.server.hits == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "http://members.example.org/nic/update"}, "url: .* in the clear"),
        ({"username": "a:b"}, "username .* colon"),
    ],
)
def test_settings_that_can_not_be(service: Service, settings: dict[str, object], words: str) -> None:
    given = {"url": "https://members.example.org/nic/update", "username": "me", "password": SecretRef("env:P")}
    with pytest.raises(ValueError, match=words):
        Settings(**{**given, **settings})  # type: ignore[arg-type]  # values of the parameters


def test_proof_servers_that_can_not_be(service: Service) -> None:
    with pytest.raises(SettingsError, match=r"proof\.servers"):
        connect("dyndns2", service.settings, service.secrets, service.net, ("nowhere:x",))


def test_words_of_the_service_are_cleaned() -> None:
    result = told(Canned("\x1b]0;owned\x07\u202e".encode()))
    assert isinstance(result, Malformed)
    assert result.message.isprintable()


_LINES = st.sampled_from(["good", "nochg", "911", "badauth", " ", ",", "\r", "\n", "192.0.2.1", "2001:db8::1", "x"])


@given(st.binary(max_size=80) | st.lists(_LINES, max_size=8).map(lambda parts: "".join(parts).encode()))
@example(b"good\n,\n")
def test_any_bytes_are_lines_or_malformed(body: bytes) -> None:
    try:
        lines = parse(body)
    except Malformed:
        return
    assert lines
    assert all(line.code in {"good", "nochg", *REFUSALS} for line in lines)


@given(st.binary(max_size=80), st.integers(100, 599))
def test_any_answer_ends_typed_and_keeps_the_secret(body: bytes, status: int) -> None:
    result = told(Canned(body, status))
    assert isinstance(result, ProviderError)
    assert "canary" not in "".join(traceback.format_exception(result))


def test_parse() -> None:
    assert parse(b"good 192.0.2.1\nnochg\n") == (Answer("good", (ipaddress.ip_address("192.0.2.1"),)), Answer("nochg"))
