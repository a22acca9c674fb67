"""Porkbun beyond what all providers owe: by id, notes and neighbours kept, codes old and new, the floor of the TTL."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

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
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from ground.http import Reply
from providers.cast import FIRST, HOME, SECOND, STRANGER, ZONE, addresses
from providers.doubles import porkbun
from providers.stage import connect, deadline

APEX = RecordKey("main", ZONE, RecordType.A)
STAR = RecordKey("main", f"*.{ZONE}", RecordType.A)


@pytest.fixture
def api() -> Iterator[porkbun.Api]:
    with porkbun.serve() as double:
        yield double


def provider(api: porkbun.Api) -> Provider:
    return connect("porkbun", api.settings, api.secrets, api.net)


def see(api: porkbun.Api, key: RecordKey = HOME) -> Observed | ProviderError:
    return provider(api).observe([key], deadline())[key]


def write(
    api: porkbun.Api, before: RRset | None, after: RRset | None, key: RecordKey = HOME
) -> Applied | ProviderError:
    ((_, result),) = provider(api).apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def written(api: porkbun.Api) -> list[tuple[str, dict[str, str]]]:
    """Calls that write, without the keys."""
    calls = [r for r in api.web.server.requests if "/retrieve" not in r.target]
    bodies = [json.loads(request.body) for request in calls]
    return [
        (
            request.target.removeprefix("/api/json/v3/dns/"),
            {name: value for name, value in body.items() if not name.endswith("apikey")},
        )
        for request, body in zip(calls, bodies, strict=True)
    ]


def test_a_record_is_edited_by_id_and_keeps_ttl_and_notes(api: porkbun.Api) -> None:
    number = api.add(name=HOME.name, type="A", content=FIRST, ttl="900", notes="the router's")
    assert write(api, addresses(FIRST), addresses(SECOND)) == Applied()
    fields = {"name": "home", "type": "A", "content": SECOND, "ttl": "900", "notes": "the router's"}
    assert written(api) == [(f"edit/{ZONE}/{number}", fields)]
    assert api.records[number]["notes"] == "the router's"


def test_a_second_value_of_the_name_stays(api: porkbun.Api) -> None:
    """editByNameType would give both records the same address."""
    stays = api.add(name=HOME.name, type="A", content="192.0.2.50", notes="another")
    moves = api.add(name=HOME.name, type="A", content=FIRST)
    assert write(api, addresses(FIRST, "192.0.2.50"), addresses(SECOND, "192.0.2.50")) == Applied()
    assert [call for call, _ in written(api)] == [f"edit/{ZONE}/{moves}"]
    assert (api.records[stays]["content"], api.records[stays]["notes"]) == ("192.0.2.50", "another")


@pytest.mark.parametrize(("key", "left"), [(APEX, ""), (STAR, "*")], ids=["apex", "wildcard"])
def test_names_that_are_written_apart(api: porkbun.Api, key: RecordKey, left: str) -> None:
    assert write(api, None, addresses(FIRST), key) == Applied()
    assert written(api) == [(f"create/{ZONE}", {"name": left, "type": "A", "content": FIRST, "ttl": "600"})]
    seen = see(api, key)
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=600)


def test_a_ttl_below_the_floor_is_raised(api: porkbun.Api) -> None:
    assert write(api, None, addresses(FIRST, ttl=60)) == Applied()
    assert written(api)[0][1]["ttl"] == "600"


def test_what_somebody_else_wrote_stays(api: porkbun.Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(api, addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def test_a_record_that_went_while_it_was_edited(api: porkbun.Api) -> None:
    api.put(HOME.name, "A", FIRST)
    honest = api.web._answer

    def answer(request: object) -> Reply:
        if "/edit/" in request.target:  # type: ignore[attr-defined]  # a `ground.http.Request`
            api.put(HOME.name, "A")
        return honest(request)  # type: ignore[arg-type]  # as above

    api.web._answer = answer
    assert isinstance(write(api, addresses(FIRST), addresses(SECOND)), Conflict)


@pytest.mark.parametrize("coded", [True, False], ids=["with codes", "without"])
def test_refusals_with_and_without_codes(api: porkbun.Api, coded: bool) -> None:
    api.coded = coded
    stranger = see(api, STRANGER)
    assert isinstance(stranger, NoSuchZone)
    api.opted_in = False
    shut = see(api)
    assert isinstance(shut, NotPermitted)
    assert "Switch API access on" in shut.advice
    api.secrets = {"env:SECRET": "sk1_canary_other"}
    wrong = see(api)
    assert isinstance(wrong, BadCredentials)
    assert "sk1_" in wrong.advice
    assert "canary" not in wrong.message


def test_a_record_that_excludes_it_is_explained(api: porkbun.Api) -> None:
    api.add(name=HOME.name, type="CNAME", content="pixie.porkbun.com")
    result = write(api, None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "unable to create" in result.message
    assert "pixie.porkbun.com" in result.advice


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, b'{"status":"ERROR","message":"Invalid API key. (002)"}'), BadCredentials),
        (Reply(200, b'{"status":"ERROR","code":"IP_NOT_ALLOWED","message":"no"}'), NotPermitted),
        (Reply(403, b'{"status":"ERROR","code":"DOMAIN_NOT_ALLOWED","message":"no"}'), NotPermitted),
        (Reply(200, b'{"status":"ERROR","code":"DUPLICATE_RECORD","message":"no"}'), Malformed),
        (Reply(200, b'{"status":"WHAT"}'), Malformed),
        (Reply(200, b'{"status":"SUCCESS"}'), Malformed),
        (Reply(200, b'{"status":"SUCCESS","records":[{"name":"home.example.com","type":"A"}]}'), Malformed),
        (Reply(429, b'{"status":"ERROR","message":"slow down"}', {"Retry-After": "42"}), RateLimited),
        (Reply(502, b"<html>bad gateway</html>"), ServerSide),
        (Reply(403, b"<html>moved</html>"), NotPermitted),
    ],
)
def test_other_answers(api: porkbun.Api, reply: Reply, expected: type[ProviderError]) -> None:
    api.web.limited = reply
    seen = see(api)
    assert isinstance(seen, expected)
    if isinstance(seen, RateLimited):
        assert seen.retry_after == 42


def test_the_address_is_that_of_the_api(api: porkbun.Api) -> None:
    """Since December 2024 the API answers at api.porkbun.com only."""
    assert type(api.settings)(api_key="pk1", secret_api_key=api.settings.secret_api_key).url.startswith(
        "https://api.porkbun.com/"
    )
