"""Cloudflare beyond what all providers owe: only what differs is sent, paging, several values, each error code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.errors import (
    BadCredentials,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
)
from ddns.model import Applied, Observed, RecordKey, RRset
from ddns.ports import HttpRequest, HttpResponse, Provider
from ddns.providers.cloudflare import Settings, envelope
from ddns.providers.rows import Refusal
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import FIRST, HOME, HOME6, NEAR, NEIGHBOUR, SECOND, STRANGER, addresses
from providers.doubles import cloudflare
from providers.doubles.cloudflare import Api
from providers.stage import connect, deadline, rrset, write

THIRD = "192.0.2.3"


@pytest.fixture
def api() -> Iterator[Api]:
    with cloudflare.serve() as double:
        yield double


def provider(api: Api, **settings: object) -> Provider:
    return connect("cloudflare", msgspec.structs.replace(api.settings, **settings), api.secrets, api.net)


def sent(api: Api) -> list[tuple[str, dict[str, Any] | None]]:
    """The writes that came in: method and body."""
    return [
        (request.method, json.loads(request.body) if request.body else None)
        for request in api.web.server.requests
        if request.method != "GET"
    ]


def home(api: Api, *values: str, **fields: Any) -> list[dict[str, Any]]:
    fields = {"ttl": 300, **fields}
    return [api.add(type="A", name=HOME.name, content=value, **fields) for value in values]


def want(*values: str, ttl: int | None = None, **extra: str | bool) -> RRset:
    return RRset(addresses(*values).values, ttl, extra)


def test_only_the_address_is_sent(api: Api) -> None:
    (record,) = home(api, FIRST, comment="the boss's", tags=["owner:it"])
    assert write(provider(api), want(FIRST), want(SECOND)) == Applied()
    assert sent(api) == [("PATCH", {"content": SECOND})]
    assert (record["content"], record["comment"], record["tags"], record["ttl"]) == (
        SECOND,
        "the boss's",
        ["owner:it"],
        300,
    )


@pytest.mark.parametrize(
    ("stored", "after", "body"),
    [
        ({}, want(SECOND, ttl=300), {"content": SECOND}),
        ({}, want(SECOND, ttl=60), {"content": SECOND, "ttl": 60}),
        ({}, want(FIRST, ttl=60), {"ttl": 60}),
        ({}, want(FIRST, proxied=True), {"proxied": True}),
        ({}, want(FIRST, ttl=60, proxied=True), {"proxied": True}),
        ({"proxied": True}, want(SECOND, ttl=60), {"content": SECOND}),
        ({"proxied": True}, want(FIRST, ttl=60, proxied=False), {"proxied": False, "ttl": 60}),
        ({"comment": "old"}, want(FIRST, comment="new"), {"comment": "new"}),
        ({"ttl": 1}, want(FIRST, ttl=120), {"ttl": 120}),
    ],
)
def test_only_what_is_asked_for_and_differs_is_sent(
    api: Api, stored: dict[str, Any], after: RRset, body: dict[str, Any]
) -> None:
    home(api, FIRST, **stored)
    assert write(provider(api), want(FIRST), after) == Applied()
    assert sent(api) == [("PATCH", body)]
    seen = rrset(provider(api))
    assert seen is not None
    assert seen.covers(after), "what was written reads back as what was asked for"


@pytest.mark.parametrize("after", [want(FIRST), want(FIRST, ttl=60), want(FIRST, proxied=True)])
def test_nothing_is_sent_where_all_is_so(api: Api, after: RRset) -> None:
    home(api, FIRST, proxied=True)
    assert write(provider(api), want(FIRST), after) == Applied()
    assert sent(api) == []


@pytest.mark.parametrize(
    ("after", "body"),
    [
        (want(FIRST), {"ttl": 120}),
        (want(FIRST, ttl=600), {"ttl": 600}),
        (want(FIRST, proxied=False), {"ttl": 120, "proxied": False}),
        (want(FIRST, ttl=600, proxied=True), {"ttl": 1, "proxied": True}),
        (want(FIRST, comment="ddns"), {"ttl": 120, "comment": "ddns"}),
    ],
)
def test_a_new_record(api: Api, after: RRset, body: dict[str, Any]) -> None:
    assert write(provider(api), None, after) == Applied()
    assert sent(api) == [("POST", {"type": "A", "name": HOME.name, "content": FIRST, **body})]
    seen = rrset(provider(api))
    assert seen is not None
    assert seen.covers(after)


def test_what_is_observed(api: Api) -> None:
    home(api, FIRST, comment="hello")
    api.add(type="AAAA", name=HOME.name, content="2001:DB8::1", proxied=True)
    assert rrset(provider(api)) == want(FIRST, ttl=300, proxied=False, comment="hello")
    assert rrset(provider(api), HOME6) == want("2001:db8::1", proxied=True)


def test_several_values_become_one(api: Api) -> None:
    kept, *_ = home(api, FIRST, SECOND, THIRD)
    assert write(provider(api), want(FIRST, SECOND, THIRD), want("192.0.2.9")) == Applied()
    assert [method for method, _ in sent(api)] == ["PATCH", "DELETE", "DELETE"]
    assert kept["content"] == "192.0.2.9"
    assert api.get(HOME.name, "A") == {"192.0.2.9"}


def test_several_values_become_one_of_them(api: Api) -> None:
    home(api, FIRST, SECOND)
    assert write(provider(api), want(FIRST, SECOND), want(SECOND)) == Applied()
    assert sent(api) == [("DELETE", None)]
    assert api.get(HOME.name, "A") == {SECOND}


def test_one_value_becomes_two(api: Api) -> None:
    home(api, FIRST)
    assert write(provider(api), want(FIRST), want(FIRST, SECOND)) == Applied()
    assert [method for method, _ in sent(api)] == ["POST"]
    assert api.get(HOME.name, "A") == {FIRST, SECOND}


def test_all_pages_are_read(api: Api) -> None:
    api.page_size = 2
    values = [f"192.0.2.{number}" for number in range(10, 15)]
    home(api, *values)
    api.put(NEIGHBOUR.name, "A", NEAR)
    seen = rrset(provider(api))
    assert seen is not None
    assert seen.texts() == values
    assert write(provider(api), seen, want(FIRST)) == Applied()
    assert api.get(HOME.name, "A") == {FIRST}
    assert api.get(NEIGHBOUR.name, "A") == {NEAR}


def test_a_list_without_end_is_not_followed(api: Api) -> None:
    page = {"success": True, "result": [], "result_info": {"total_pages": 10**9}}
    on = connect("cloudflare", api.settings, api.secrets, Canned([_ONE_ZONE, json.dumps(page).encode()], 200))
    assert isinstance(on.observe([HOME], deadline())[HOME], Malformed)


_ONE_ZONE = json.dumps({"success": True, "result": [{"id": "a" * 32, "name": HOME.name}]}).encode()


def test_a_filter_that_the_service_ignores_harms_no_neighbour(api: Api) -> None:
    home(api, FIRST)
    api.put("www.home.example.com", "A", NEAR)
    api.put(HOME.name, "AAAA", "2001:db8::1")
    everything = [*api.records.values()]
    answer = api._answer

    def fuzzy(request: Request) -> Reply:
        if request.method == "GET" and "/dns_records" in request.target:
            return api._page(everything, {"per_page": "100"})
        return answer(request)

    api.web._answer = fuzzy
    assert rrset(provider(api)) == want(FIRST, ttl=300, proxied=False)
    assert write(provider(api), want(FIRST), want(SECOND)) == Applied()
    assert api.get("www.home.example.com", "A") == {NEAR}


def test_what_somebody_else_wrote_stays(api: Api) -> None:
    home(api, "192.0.2.99")
    result = write(provider(api), want(FIRST), want(SECOND))
    assert isinstance(result, Conflict)
    assert "expected 192.0.2.1, found 192.0.2.99" in result.message
    assert sent(api) == []


@pytest.mark.parametrize("after", [want(SECOND), want(THIRD)])
def test_a_twin_that_appears_under_our_write(api: Api, after: RRset) -> None:
    """An answer "already exists" is neither success nor failure: the record is read again."""
    home(api, FIRST)
    answer = api._answer

    def race(request: Request) -> Reply:
        if request.method == "PATCH":
            api.put(HOME.name, "A", SECOND)
            return cloudflare._error(400, 81058, "An identical record already exists.")
        return answer(request)

    api.web._answer = race
    result = write(provider(api), want(FIRST), after)
    if after == want(SECOND):
        assert result == Applied()
    else:
        assert isinstance(result, Conflict)


def test_a_record_that_vanishes_under_our_removal(api: Api) -> None:
    home(api, FIRST)
    answer = api._answer

    def race(request: Request) -> Reply:
        if request.method == "DELETE":
            api.put(HOME.name, "A")
        return answer(request)

    api.web._answer = race
    assert write(provider(api), want(FIRST), None) == Applied()


def test_half_of_a_write_is_in_doubt(api: Api) -> None:
    home(api, FIRST, SECOND)
    answer = api._answer

    def limited(request: Request) -> Reply:
        if request.method == "DELETE":
            return Reply(429, b"", {"Retry-After": "7"})
        return answer(request)

    api.web._answer = limited
    result = write(provider(api), want(FIRST, SECOND), want(THIRD))
    assert isinstance(result, RateLimited)
    assert result.in_doubt


def test_an_alias_at_the_name(api: Api) -> None:
    api.add(type="CNAME", name=HOME.name, content="elsewhere.example.com")
    result = write(provider(api), None, want(FIRST))
    assert isinstance(result, Rejected)
    assert "81053" in result.message


def test_a_ttl_that_the_service_refuses(api: Api) -> None:
    home(api, FIRST)
    result = write(provider(api), want(FIRST), want(FIRST, ttl=30))
    assert isinstance(result, Rejected)
    assert "9021 Invalid TTL" in result.message
    assert "TTL" in result.advice


def test_a_token_that_may_only_read(api: Api) -> None:
    home(api, FIRST)
    api.can_edit = False
    on = provider(api)
    assert rrset(on) == want(FIRST, ttl=300, proxied=False)
    result = write(on, want(FIRST), want(SECOND))
    assert isinstance(result, NotPermitted)
    assert "Zone.DNS edit" in result.advice


def test_the_zone_is_looked_up_once(api: Api) -> None:
    home(api, FIRST)
    on = provider(api)
    for _ in range(2):
        rrset(on)
        rrset(on, HOME6)
    zones = [request.target for request in api.web.server.requests if "/zones?" in request.target]
    assert zones == ["/client/v4/zones?name=home.example.com", "/client/v4/zones?name=example.com"]


def test_a_zone_that_is_given(api: Api) -> None:
    home(api, FIRST)
    on = provider(api, zone="Example.com.")
    assert rrset(on) == want(FIRST, ttl=300, proxied=False)
    assert [r.target for r in api.web.server.requests if "/zones?" in r.target] == ["/client/v4/zones?name=example.com"]
    assert isinstance(on.observe([STRANGER], deadline())[STRANGER], NoSuchZone)
    lookalike = RecordKey("main", "notexample.com", HOME.type)
    assert isinstance(on.observe([lookalike], deadline())[lookalike], NoSuchZone)


def test_a_url_that_would_show_the_token() -> None:
    with pytest.raises(ValueError, match=r"url: .* in the clear"):
        Settings(token=SecretRef("env:T"), url="http://api.example.com/client/v4")


def answer(status: int, *errors: dict[str, Any], **more: Any) -> HttpResponse:
    body = {"result": None, "success": False, "errors": list(errors), "messages": [], **more}
    return HttpResponse(status, {"retry-after": "7"}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "code", "message", "zone_known", "expected", "advice"),
    [
        (403, 9109, "Invalid access token", False, BadCredentials, "ddns secret set"),
        (403, 9109, "Cannot use the access token from location: 192.0.2.1", False, NotPermitted, "IP filter"),
        (403, 9109, "Unauthorized to access requested resource", True, NotPermitted, "Zone.DNS edit"),
        (401, 10000, "Authentication error", False, BadCredentials, "ddns secret set"),
        (403, 10000, "Authentication error", True, NotPermitted, "Zone.DNS edit"),
        (400, 6003, "Invalid request headers", False, BadCredentials, "ddns secret set"),
        (401, 1000, "Invalid API Token", False, BadCredentials, "ddns secret set"),
        (400, 10001, "Unable to authenticate request", False, BadCredentials, "ddns secret set"),
        (404, 7003, "Could not route to /zones/x", True, NoSuchZone, "Zone.Zone read"),
        (200, 971, "Please wait and consider throttling", True, RateLimited, "waits"),
        (401, 424242, "new", True, BadCredentials, ""),
        (403, 424242, "new", True, NotPermitted, ""),
        (400, 424242, "new", True, Rejected, ""),
        (404, 424242, "new", True, Rejected, ""),
        (200, 424242, "new", True, Rejected, ""),
        (409, 424242, "new", True, Rejected, ""),
        (500, 10000, "Authentication error", True, ServerSide, ""),
        (429, 10000, "Authentication error", True, RateLimited, ""),
    ],
)
def test_each_error_code(
    status: int, code: int, message: str, zone_known: bool, expected: type[ProviderError], advice: str
) -> None:
    with pytest.raises(expected) as caught:
        envelope(answer(status, {"code": code, "message": message}), 0.0, zone_known=zone_known)
    assert type(caught.value) is expected
    assert advice in caught.value.advice
    if status < 429 and expected is not RateLimited:
        assert f"{code} {message}" in caught.value.message
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [200, 400, 404, 409])
def test_no_success_is_an_error_whatever_the_status(status: int) -> None:
    with pytest.raises(Rejected, match="without an error text"):
        envelope(answer(status), 0.0)


@pytest.mark.parametrize("code", [81044, 81057, 81058])
def test_codes_that_ask_to_read_again(code: int) -> None:
    with pytest.raises(Refusal):
        envelope(answer(400, {"code": code, "message": "x"}), 0.0)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"", Malformed),
        (200, b"<html>", Malformed),
        (200, b"[]", Malformed),
        (200, b'{"success": "true"}', Malformed),
        (404, b'{"success": true, "result": []}', Malformed),
        (403, b"<html>error code: 1020</html>", NotPermitted),
        (401, b"", BadCredentials),
        (502, b"<html>bad gateway</html>", ServerSide),
        (301, b"", Malformed),
    ],
)
def test_what_is_no_envelope(status: int, body: bytes, expected: type[ProviderError]) -> None:
    with pytest.raises(expected):
        envelope(HttpResponse(status, {}, body), 0.0)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_ENVELOPE = st.fixed_dictionaries(
    {"success": st.booleans()},
    optional={
        "errors": _JSON | st.lists(st.fixed_dictionaries({"code": _JSON, "message": _JSON}), max_size=2),
        "result": _JSON
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "id": _JSON | st.just("a" * 32),
                    "name": _JSON | st.just(HOME.name) | st.just("example.com"),
                    "type": _JSON | st.just("A"),
                    "content": _JSON | st.just(FIRST),
                    "ttl": _JSON,
                    "proxied": _JSON,
                },
            ),
            max_size=2,
        ),
        "result_info": _JSON | st.fixed_dictionaries({"total_pages": st.integers(-3, 3) | _JSON}),
    },
)


class Canned:
    """A `Net` whose answers come from a list, the last one for ever."""

    def __init__(self, bodies: list[bytes], status: int) -> None:
        self._bodies, self._status = bodies, status

    def http(self, request: HttpRequest, **_how: object) -> HttpResponse:
        body = self._bodies.pop(0) if len(self._bodies) > 1 else self._bodies[0]
        return HttpResponse(self._status, {}, body)

    def udp(self, data: bytes, to: tuple[str, int], **_how: object) -> bytes:
        raise AssertionError


@given(
    st.lists(
        (_ENVELOPE | _JSON).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([200, 200, 200, 400, 403, 404, 500]),
)
def test_any_answers_end_in_a_value_or_a_typed_error(bodies: list[bytes], status: int) -> None:
    settings = msgspec.structs.replace(Settings(token=SecretRef("env:TOKEN")), zone="example.com")
    on = connect("cloudflare", settings, {"env:TOKEN": "canary"}, Canned(bodies, status))
    assert isinstance(on.observe([HOME], deadline())[HOME], Observed | ProviderError)
    assert isinstance(write(on, want(FIRST), want(SECOND)), Applied | ProviderError)
