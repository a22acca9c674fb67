"""Webhooks beyond what all providers owe: where each thing is encoded, what an answer means, that no secret shows."""

from __future__ import annotations

import base64
import json
import traceback
import urllib.parse
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
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
)
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import HttpRequest, HttpResponse, Provider
from ddns.providers import templates
from ddns.providers.webhook import Settings
from ddns.secret import SecretRef
from providers.cast import FIRST, HOME, SECOND, addresses
from providers.doubles import webhook
from providers.doubles.dns import DnsServer
from providers.doubles.zone import MemoryZone
from providers.stage import connect, deadline

SECRET = 'canary&/"\\ é'
TXT = RecordKey("main", "home.example.com", RecordType.TXT)
JSON: dict[str, Any] = {
    "method": "POST",
    "body": '{"a": "{value}", "all": "{values}", "ttl": "{ttl}", "t": "ttl {ttl}", "k": "{secret}"}',
}


class Canned:
    """A `Net` that gives one answer and keeps the requests."""

    def __init__(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        self.response = HttpResponse(status, headers, body)
        self.requests: list[HttpRequest] = []

    def http(self, request: HttpRequest, **_how: object) -> HttpResponse:
        self.requests.append(request)
        return self.response

    def udp(self, data: bytes, to: tuple[str, int], **_how: object) -> bytes:
        raise AssertionError


def made(**settings: Any) -> Settings:
    raw = {"url": "https://svc.example.org/u?n={name}&t={type}&k={secret}", "secret": "env:S", **settings}
    return msgspec.convert(raw, Settings, dec_hook=lambda kind, text: kind(text))


def sent(
    net: Canned, after: RRset | None, key: RecordKey = HOME, secret: str = SECRET, **settings: Any
) -> Applied | ProviderError:
    on = connect("webhook", made(**settings), {"env:S": secret}, net)
    before = addresses(FIRST) if after is None else None
    ((_, result),) = on.apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    if isinstance(result, ProviderError):
        said = "".join(traceback.format_exception(result)) + result.advice
        for form in (secret, urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1]):
            assert not secret or form not in said
    return result


def told(status: int = 200, body: bytes = b"", **settings: Any) -> Applied | ProviderError:
    return sent(Canned(status, body), addresses(SECOND), **settings)


def test_a_url_is_percent_encoded() -> None:
    net = Canned()
    url = "https://svc.example.org/{name}/{type}?v={value}&all={values}&ttl={ttl}&k={secret}"
    assert sent(net, addresses("2001:db8::1"), HOME, url=url) == Applied()
    (request,) = net.requests
    assert (request.method, request.content) == ("GET", None)
    assert request.url == (
        "https://svc.example.org/home.example.com/A?v=2001%3Adb8%3A%3A1&all=2001%3Adb8%3A%3A1&ttl=120"
        "&k=canary%26%2F%22%5C%20%C3%A9"
    )


def test_json_has_values_of_their_own_type() -> None:
    net = Canned()
    assert sent(net, addresses(SECOND, ttl=300), **JSON) == Applied()
    (request,) = net.requests
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content or b"") == {
        "a": SECOND, "all": [SECOND], "ttl": 300, "t": "ttl 300", "k": SECRET,
    }  # fmt: skip


def test_quotes_do_not_break_out_of_json() -> None:
    net = Canned()
    evil = '"}, {"owned": "{secret}'
    assert sent(net, RRset(frozenset({evil})), TXT, **JSON) == Applied()
    assert json.loads(net.requests[0].content or b"")["a"] == evil, "and what was filled in is not filled again"


def test_a_form_and_plain_text() -> None:
    net = Canned()
    assert sent(net, addresses(SECOND), method="PUT", form="form", body="n={name}&k={secret}") == Applied()
    assert sent(net, addresses(SECOND), method="PUT", form="text", body="{name} {value}\n") == Applied()
    form, text = net.requests
    assert form.content == b"n=home.example.com&k=canary%26%2F%22%5C%20%C3%A9"
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (text.content, text.headers["Content-Type"]) == (
        b"home.example.com 192.0.2.2\n",
        "text/plain; charset=utf-8",
    )


def test_headers_and_basic() -> None:
    net = Canned()
    headers = {"X-Key": "k {secret}", "Content-Type": "application/vnd.own+json"}
    url, body = "https://svc.example.org/u", "{}"
    result = sent(
        net, addresses(SECOND), secret="canary", url=url, method="POST", body=body, headers=headers, username="me"
    )
    assert result == Applied()
    seen = net.requests[0].headers
    assert seen["X-Key"] == "k canary"
    assert seen["Content-Type"] == "application/vnd.own+json"
    assert base64.b64decode(seen["Authorization"].removeprefix("Basic ")) == b"me:canary"
    assert seen["User-Agent"].startswith("ddns-fleet/")


@pytest.mark.parametrize("secret", ["canary\r\nX-Evil: 1", "canary ü"])
def test_a_secret_that_no_header_can_carry(secret: str) -> None:
    net = Canned()
    result = sent(net, addresses(SECOND), secret=secret, headers={"X-Key": "{secret}"})
    assert isinstance(result, Rejected)
    assert "X-Key" in result.message
    assert not net.requests


@pytest.mark.parametrize(
    ("status", "settings", "expected"),
    [
        (200, {}, None),
        (204, {}, None),
        (302, {"statuses": [302]}, None),
        (200, {"statuses": [201]}, Malformed),
        (302, {}, Malformed),
        (400, {}, Rejected),
        (401, {}, BadCredentials),
        (403, {}, NotPermitted),
        (404, {}, NoSuchZone),
        (418, {"errors": {"418": "banned"}}, Banned),
        (403, {"errors": {"403": "rate_limited"}}, RateLimited),
        (429, {}, RateLimited),
    ],
)
def test_what_a_status_means(status: int, settings: dict[str, Any], expected: type[ProviderError] | None) -> None:
    result = told(status, f"said {SECRET} {urllib.parse.quote(SECRET, safe='')}".encode(), **settings)
    assert result == Applied() if expected is None else isinstance(result, expected)


def test_what_the_answer_must_say() -> None:
    assert told(200, b"status=OK", answer="^status=(OK|NOCHANGE)$") == Applied()
    result = told(200, b"status=KO", answer="^status=(OK|NOCHANGE)$")
    assert isinstance(result, Malformed)
    assert "status=KO" in result.message


def test_a_secret_that_the_service_repeats_is_masked() -> None:
    result = told(400, f"bad key {SECRET}".encode())
    assert isinstance(result, Rejected)
    assert "bad key ***" in result.message


def test_so_is_the_header_that_carries_it() -> None:
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    result = told(400, f"what is Basic {basic}?".encode(), username="me")
    assert isinstance(result, Rejected)
    assert "what is Basic ***?" in result.message


def test_several_values_need_a_template_for_them() -> None:
    net = Canned()
    both = addresses(FIRST, SECOND)
    result = sent(net, both, url="https://svc.example.org/u?v={value}")
    assert isinstance(result, Rejected)
    assert "{values}" in result.advice
    assert sent(net, both, url="https://svc.example.org/u?v={values}") == Applied()
    assert net.requests[0].url.endswith("?v=192.0.2.1%2C192.0.2.2")


def test_a_removal_needs_a_template() -> None:
    net = Canned()
    assert isinstance(sent(net, None), Rejected)
    assert sent(net, None, remove={"url": "https://svc.example.org/d?n={name}&v={value}"}) == Applied()
    assert [request.url for request in net.requests] == ["https://svc.example.org/d?n=home.example.com&v=192.0.2.1"]


def test_without_a_template_to_read_dns_is_asked() -> None:
    zone = MemoryZone()
    zone.put(HOME.name, "A", FIRST, ttl=60)
    with DnsServer(zone) as dns:
        on = connect("webhook", made(), {"env:S": SECRET}, Canned(), (dns.address,))
        seen = on.observe([HOME], deadline())[HOME]
    assert isinstance(seen, Observed)
    assert (seen.rrset, seen.by, on.capabilities.read) == (addresses(FIRST), dns.address, False)


@pytest.mark.parametrize(
    ("body", "read", "expected"),
    [
        (b'{"data": [{"ip": "192.0.2.1"}]}', {"json": "/data/0/ip"}, {FIRST}),
        (b'{"data": ["192.0.2.1", "192.0.2.2"]}', {"json": "/data"}, {FIRST, SECOND}),
        (b'{"a/b": {"~": "192.0.2.1"}}', {"json": "/a~1b/~0"}, {FIRST}),
        (b'{"data": []}', {"json": "/data/0/ip"}, set()),
        (b'{"data": null}', {"json": "/data"}, set()),
        (b"home A 192.0.2.1\nhome A 192.0.2.2\n", {"pattern": r"A (\S+)"}, {FIRST, SECOND}),
        (b"none", {"pattern": r"A (\S+)"}, set()),
        (b'{"data": {"ip": 7}}', {"json": "/data/ip"}, Malformed),
        (b'{"data": "not an address"}', {"json": "/data"}, Malformed),
        (b"<html>", {"json": "/data"}, Malformed),
    ],
)
def test_how_a_record_is_read(body: bytes, read: dict[str, str], expected: set[str] | type[ProviderError]) -> None:
    table = {"url": "https://svc.example.org/r?n={name}", **read}
    on = connect("webhook", made(read=table), {"env:S": SECRET}, Canned(200, body))
    assert on.capabilities.read
    seen = on.observe([HOME], deadline())[HOME]
    if isinstance(expected, set):
        assert isinstance(seen, Observed)
        assert set(seen.rrset.texts() if seen.rrset else ()) == expected
    else:
        assert isinstance(seen, expected)


def test_a_status_of_no_record() -> None:
    table = {"url": "https://svc.example.org/r?n={name}", "json": "/a", "absent": [404]}
    on = connect("webhook", made(read=table), {"env:S": SECRET}, Canned(404))
    seen = on.observe([HOME], deadline())[HOME]
    assert isinstance(seen, Observed)
    assert seen.rrset is None


@pytest.fixture
def api() -> Iterator[webhook.Api]:
    with webhook.serve() as double:
        yield double


def test_what_is_so_already_is_not_sent(api: webhook.Api) -> None:
    api.put(HOME.name, "A", SECOND)
    on: Provider = connect("webhook", api.settings, api.secrets, api.net)
    ((_, result),) = on.apply([Change("1", HOME, addresses(FIRST), addresses(SECOND), Reason.ADDRESS)], deadline())
    assert result == Applied()
    assert [request.method for request in api.web.server.requests] == ["GET"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "http://svc.example.org/"}, "in the clear"),
        ({"url": "https://{name}.example.org/"}, "host must not be a template"),
        ({"url": "https://svc.example.org/{secret}/u"}, "secret.* belongs in the query"),
        ({"url": "https://svc.example.org/?a={adress}"}, r"\{adress\} is not a placeholder"),
        ({"body": "{value}"}, "body is not JSON"),
        ({"headers": {"X Key": "v"}}, "not the name of a header"),
        ({"headers": {"X-Key": "{nome}"}}, "X-Key: .* is not a placeholder"),
        ({"answer": "("}, "answer is not a regular expression"),
        ({"errors": {"teapot": "banned"}}, "not an HTTP status"),
        ({"secret": None}, "secret is required"),
        ({"username": "a:b"}, "colon"),
        ({"read": {"url": "https://svc.example.org/"}}, "either json or pattern"),
        ({"read": {"url": "https://svc.example.org/", "json": "a"}}, "begins with"),
        ({"read": {"url": "https://svc.example.org/", "pattern": "x"}}, "needs a group"),
        ({"read": {"url": "https://svc.example.org/{value}", "json": "/a"}}, "must not ask for"),
        ({"method": "TRACE"}, "enum|TRACE"),
    ],
)
def test_settings_that_can_not_be(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        made(**settings)


_TEXT = st.text(max_size=20)


@given(_TEXT, _TEXT)
def test_whatever_is_filled_in_stays_where_it_is(name: str, secret: str) -> None:
    fill: templates.Fill = {"name": name, "secret": secret, "values": [name, secret], "ttl": 7}
    whole = templates.json_body('{"n": "{name}", "s": ["x{secret}y", "{values}", "{ttl}"]}', fill)
    assert json.loads(whole) == {"n": name, "s": [f"x{secret}y", [name, secret], 7]}
    query = templates.url("https://h/?n={name}&s={secret}", fill).partition("?")[2]
    assert urllib.parse.parse_qsl(query, keep_blank_values=True, errors="surrogatepass") == [("n", name), ("s", secret)]


@given(st.binary(max_size=60), st.integers(200, 599))
def test_any_answer_ends_typed(body: bytes, status: int) -> None:
    result = told(status, body)
    assert result == Applied() if status < 300 else isinstance(result, ProviderError)


def test_a_reference_is_what_is_set() -> None:
    assert made().secret == SecretRef("env:S")
