"""GoDaddy beyond what all providers owe: whole RRsets, the TTL that is there, small accounts, parked names."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ddns.errors import BadCredentials, Conflict, Malformed, NotPermitted, ProviderError, RateLimited, Rejected
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from ground.http import Reply
from providers.cast import FIRST, HOME, SECOND, ZONE, addresses
from providers.doubles import godaddy
from providers.stage import connect, deadline

APEX = RecordKey("main", ZONE, RecordType.A)
STAR = RecordKey("main", f"*.{ZONE}", RecordType.A)


@pytest.fixture
def api() -> Iterator[godaddy.Api]:
    with godaddy.serve() as double:
        yield double


def provider(api: godaddy.Api) -> Provider:
    return connect("godaddy", api.settings, api.secrets, api.net)


def write(
    api: godaddy.Api, before: RRset | None, after: RRset | None, key: RecordKey = HOME
) -> Applied | ProviderError:
    ((_, result),) = provider(api).apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def written(api: godaddy.Api) -> list[tuple[str, str, object]]:
    return [
        (request.method, request.target, json.loads(request.body or b"null"))
        for request in api.web.server.requests
        if request.method != "GET"
    ]


def test_the_whole_set_is_replaced_with_its_ttl(api: godaddy.Api) -> None:
    api.put(HOME.name, "A", FIRST, ttl=1800)
    assert write(api, addresses(FIRST), addresses(FIRST, SECOND)) == Applied()
    both = [{"data": FIRST, "ttl": 1800}, {"data": SECOND, "ttl": 1800}]
    assert written(api) == [("PUT", f"/v1/domains/{ZONE}/records/A/home", both)]


def test_what_is_so_already_is_not_sent(api: godaddy.Api) -> None:
    api.put(HOME.name, "A", SECOND)
    assert write(api, addresses(FIRST), addresses(SECOND)) == Applied()
    assert written(api) == []


@pytest.mark.parametrize(("key", "left"), [(APEX, "@"), (STAR, "*")], ids=["apex", "wildcard"])
def test_names_that_are_written_apart(api: godaddy.Api, key: RecordKey, left: str) -> None:
    assert write(api, None, addresses(FIRST), key) == Applied()
    assert [target for _, target, _ in written(api)] == [f"/v1/domains/{ZONE}/records/A/{left}"]
    seen = provider(api).observe([key], deadline())[key]
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=600)


def test_a_small_account_finds_its_zone(api: godaddy.Api) -> None:
    """acme.sh#6849: the call about the domain is refused to accounts with fewer than ten domains."""
    api.put(HOME.name, "A", FIRST)
    assert isinstance(provider(api).observe([HOME], deadline())[HOME], Observed)
    assert all("/records/" in request.target for request in api.web.server.requests)


def test_a_small_account_that_is_shut_out_is_told_why(api: godaddy.Api) -> None:
    body = b'{"code":"ACCESS_DENIED","message":"Authenticated user is not allowed access"}'
    api.web.limited = Reply(403, body)
    seen = provider(api).observe([HOME], deadline())[HOME]
    assert isinstance(seen, NotPermitted)
    assert "10 or more domains" in seen.advice


def test_a_wait_in_the_body(api: godaddy.Api) -> None:
    api.limit()
    seen = provider(api).observe([HOME], deadline())[HOME]
    assert isinstance(seen, RateLimited)
    assert seen.retry_after == 7


@pytest.mark.parametrize("wait", [-1, "7", None, 10**12])
def test_a_wait_that_is_none(api: godaddy.Api, wait: object) -> None:
    body = {"code": "TOO_MANY_REQUESTS", "message": "", "retryAfterSec": wait}
    api.web.limited = Reply(429, json.dumps(body).encode())
    seen = provider(api).observe([HOME], deadline())[HOME]
    assert isinstance(seen, RateLimited)
    assert seen.retry_after == (86400 if wait == 10**12 else None)


def test_a_parked_name_is_not_overwritten(api: godaddy.Api) -> None:
    api.put(ZONE, "A", "Parked")
    assert isinstance(write(api, None, addresses(FIRST), APEX), Rejected)
    seen = provider(api).observe([APEX], deadline())[APEX]
    assert isinstance(seen, Rejected)
    assert "Parked" in seen.message
    assert "forwarding" in seen.advice
    assert written(api) == []


def test_what_somebody_else_wrote_stays(api: godaddy.Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(api, addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def test_a_ttl_below_the_floor_is_raised(api: godaddy.Api) -> None:
    assert write(api, None, addresses(FIRST, ttl=60)) == Applied()
    assert written(api)[0][2] == [{"data": FIRST, "ttl": 600}]


def test_a_field_that_is_refused_is_named(api: godaddy.Api) -> None:
    key = RecordKey("main", HOME.name, RecordType.TXT)
    result = write(api, None, RRset(frozenset({"too long" * 200})), key)
    assert isinstance(result, Rejected)
    assert "INVALID_BODY" in result.message
    assert "records[0].data" in result.message


def test_an_alias_of_the_zone_itself(api: godaddy.Api) -> None:
    key = RecordKey("main", HOME.name, RecordType.CNAME)
    api.put(HOME.name, "CNAME", "@")
    seen = provider(api).observe([key], deadline())[key]
    assert isinstance(seen, Observed)
    assert seen.rrset is not None
    assert seen.rrset.texts() == [ZONE]


@pytest.mark.parametrize("code", ["UNABLE_TO_AUTHENTICATE", "MISSING_CREDENTIALS", "MALFORMED_CREDENTIALS"])
def test_keys_that_are_refused(api: godaddy.Api, code: str) -> None:
    api.web.limited = Reply(401, json.dumps({"code": code, "message": "no"}).encode())
    seen = provider(api).observe([HOME], deadline())[HOME]
    assert isinstance(seen, BadCredentials)
    assert "Production" in seen.advice


def test_a_page_in_place_of_an_answer_to_a_write(api: godaddy.Api) -> None:
    api.put(HOME.name, "A", FIRST)
    on = provider(api)
    on.observe([HOME], deadline())
    honest = api.web._answer
    api.web._answer = lambda request: Reply(200, b"<html>") if request.method == "PUT" else honest(request)
    ((_, result),) = on.apply([Change("1", HOME, addresses(FIRST), addresses(SECOND), Reason.ADDRESS)], deadline())
    assert isinstance(result, Malformed)
    assert result.in_doubt
