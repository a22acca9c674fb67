"""Huawei Cloud DNS beyond what all providers owe: minimal writes, lines, what is left alone, the wait, each code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
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
from ddns.model import Applied, AppliedState, RecordKey, RecordType
from ddns.ports import HttpResponse, Provider
from ddns.providers.huaweicloud import CODES, Settings, said
from ddns.providers.rows import Refusal
from ddns.secret import SecretRef
from ground.http import Reply
from providers.cast import FIRST, HOME, SECOND, ZONE, addresses
from providers.doubles import huaweicloud
from providers.doubles.huaweicloud import ZONE_ID, Api
from providers.stage import Patient, connect, rrset, see, write

APEX = RecordKey("main", ZONE, RecordType.A)
WILD = RecordKey("main", f"*.{ZONE}", RecordType.A)
DOT = f"{HOME.name}."


@pytest.fixture
def api() -> Iterator[Api]:
    with huaweicloud.serve() as double:
        yield double


def provider(api: Api, clock: Patient | None = None, **settings: object) -> Provider:
    changed = msgspec.structs.replace(api.settings, **settings)
    return connect("huaweicloud", changed, api.secrets, api.net, clock=clock or Patient())


def written(api: Api) -> list[tuple[str, Any]]:
    return [(r.method, json.loads(r.body or b"null")) for r in api.web.server.requests if r.method != "GET"]


def test_an_address_alone_is_sent_alone(api: Api) -> None:
    kept = {"description": "the boiler", "ttl": 77, "weight": 3}
    record = api.add(name=DOT, type="A", records=[FIRST], **kept)
    assert write(provider(api), addresses(FIRST), addresses(SECOND)) == Applied()
    assert written(api) == [("PUT", {"records": [SECOND]})]
    assert {name: record[name] for name in kept} == kept


def test_a_ttl_alone_is_sent_alone(api: Api) -> None:
    api.put(HOME.name, "A", FIRST)
    assert write(provider(api), addresses(FIRST), addresses(FIRST, ttl=60)) == Applied()
    assert written(api) == [("PUT", {"ttl": 60})]


def test_a_new_record_set(api: Api) -> None:
    assert write(provider(api), None, addresses(FIRST, SECOND)) == Applied()
    assert written(api) == [("POST", {"name": DOT, "type": "A", "records": [FIRST, SECOND], "ttl": 120})]
    assert rrset(provider(api)) == addresses(FIRST, SECOND, ttl=120)


@pytest.mark.parametrize("key", [APEX, WILD])
def test_apex_and_wildcard(api: Api, key: RecordKey) -> None:
    assert write(provider(api), None, addresses(FIRST), key) == Applied()
    assert rrset(provider(api), key) == addresses(FIRST, ttl=120)
    assert write(provider(api), addresses(FIRST), None, key) == Applied()
    assert api.records == {}


def test_zones_and_record_sets_on_later_pages_are_found(api: Api) -> None:
    api.zones = {f"Z{number}": (f"{ZONE}.", "private") for number in range(3)} | api.zones
    for number in range(5):
        api.add(name=DOT, type="A", records=["192.0.2.50"], line=f"line{number}")
    api.add(name=DOT, type="A", records=[FIRST])
    api.page_size = 1
    plain = api._list
    api._list = lambda version, query: plain("v2", query)  # type: ignore[method-assign]  # the filter does nothing
    assert rrset(provider(api)) == addresses(FIRST, ttl=300)


def test_other_lines_are_left_alone(api: Api) -> None:
    telecom = api.add(name=DOT, type="A", records=["192.0.2.50"], line="Dianxin")
    assert rrset(provider(api)) is None
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert write(provider(api), addresses(FIRST), None) == Applied()
    assert list(api.records.values()) == [telecom]


def test_a_longer_name_is_not_taken_for_the_record(api: Api) -> None:
    api.put(f"my{HOME.name}", "A", FIRST)
    assert rrset(provider(api)) is None


def test_a_private_zone_and_a_longer_name_are_not_taken_for_the_zone_where_the_search_is_loose(api: Api) -> None:
    api.zones = {"Z1": (f"{ZONE}.", "private"), "Z2": (f"my{ZONE}.", "public")} | api.zones
    shown = [{"id": number, "name": name, "zone_type": kind} for number, (name, kind) in api.zones.items()]
    api._zones = lambda query: api._page("zones", shown, query)  # type: ignore[method-assign]
    assert rrset(provider(api)) is None
    assert {request.target.split("/")[3] for request in api.web.server.requests[-1:]} == {ZONE_ID}


def test_a_disabled_record_set_is_left_alone_and_told(api: Api) -> None:
    api.add(name=DOT, type="A", records=[FIRST], status="DISABLE")
    assert rrset(provider(api)) is None
    result = write(provider(api), None, addresses(SECOND))
    assert isinstance(result, Rejected)
    assert "Enable or delete" in result.advice
    assert written(api) == []


def test_weighted_record_sets_are_left_alone(api: Api) -> None:
    api.add(name=DOT, type="A", records=[FIRST], weight=1)
    api.add(name=DOT, type="A", records=[SECOND], weight=2)
    for result in (see(provider(api)), write(provider(api), None, addresses(FIRST))):
        assert isinstance(result, Rejected)
        assert "weighted" in result.message


def test_an_alias_is_left_alone(api: Api) -> None:
    target = {"resource_type": "cdn", "resource_domain_name": "x.example"}
    api.add(name=DOT, type="A", records=None, alias_target=target)
    for result in (see(provider(api)), write(provider(api), None, addresses(FIRST))):
        assert isinstance(result, Rejected)
        assert "alias" in result.message


@pytest.mark.parametrize(("status", "kind"), [("FREEZE", Rejected), ("ERROR", ServerSide)])
def test_what_is_not_in_dns_is_not_said_to_be(api: Api, status: str, kind: type[ProviderError]) -> None:
    api.add(name=DOT, type="A", records=[FIRST], status=status)
    assert isinstance(see(provider(api)), kind)


def test_a_cname_in_the_way_is_told(api: Api) -> None:
    api.add(name=DOT, type="CNAME", records=["www.example.net."])
    result = write(provider(api), None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "CNAME" in result.advice


@pytest.mark.parametrize(("value", "expected"), [(FIRST, Applied), ("192.0.2.99", Conflict)])
def test_a_duplicate_is_read_again(api: Api, value: str, expected: type[object]) -> None:
    plain = api._create

    def first(given: Any) -> Reply:
        api.put(HOME.name, "A", value)
        return plain(given)

    api._create = first  # type: ignore[method-assign]  # somebody else is faster
    assert isinstance(write(provider(api), None, addresses(FIRST)), expected)
    assert api.get(HOME.name, "A") == {value}


def test_what_somebody_else_wrote_stays(api: Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(provider(api), addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def test_a_change_is_waited_for(api: Api) -> None:
    api.busy, clock = 2, Patient()
    assert write(provider(api, clock), None, addresses(FIRST)) == Applied()
    assert clock.slept == [0.0, 1.0, 2.0]


def test_a_change_that_is_not_active_in_time_is_queued(api: Api) -> None:
    api.busy, clock = 99, Patient()
    assert write(provider(api, clock), None, addresses(FIRST)) == Applied(AppliedState.QUEUED)
    assert clock.slept == [0.0, 1.0, 2.0, 4.0]


def test_an_unknown_key_id_is_told_with_where_to_look(api: Api) -> None:
    result = see(provider(api, access_key_id="OTHER"))
    assert isinstance(result, BadCredentials)
    assert "access_key_id" in result.advice


def test_a_ttl_that_is_refused_is_told(api: Api) -> None:
    result = write(provider(api), None, addresses(FIRST, ttl=2**31))
    assert isinstance(result, Rejected)
    assert "ttl" in result.advice


@pytest.mark.parametrize(
    ("status", "code", "kind", "advised"),
    [
        (401, "APIGW.0301", BadCredentials, "Access Keys"),
        (401, "APIG.0301", BadCredentials, "Access Keys"),
        (403, "APIGW.0302", NotPermitted, "DNS FullAccess"),
        (429, "APIGW.0308", RateLimited, ""),
        (429, "APIGW.9999", RateLimited, ""),
        (502, "APIGW.0201", ServerSide, ""),
        (401, "DNS.0005", BadCredentials, ""),
        (403, "DNS.0013", NotPermitted, "DNS FullAccess"),
        (403, "DNS.1802", NotPermitted, "DNS FullAccess"),
        (403, "DNS.0040", NotPermitted, "real-name"),
        (403, "DNS.0014", RateLimited, ""),
        (404, "DNS.0302", NoSuchZone, ""),
        (404, "DNS.1206", NoSuchZone, ""),
        (404, "DNS.0313", Refusal, None),
        (404, "DNS.0004", Refusal, None),
        (400, "DNS.0312", Refusal, None),
        (400, "DNS.0335", Refusal, None),
        (400, "DNS.0308", Rejected, ""),
        (400, "DNS.0319", Rejected, "ttl"),
        (400, "DNS.0403", Rejected, "quota"),
        (500, "DNS.0001", ServerSide, ""),
    ],
)
def test_each_documented_code(status: int, code: str, kind: type[Exception], advised: str | None) -> None:
    reply = (huaweicloud._gateway if code.startswith("APIG") else huaweicloud._error)(status, code, "words")
    response = HttpResponse(status, {}, reply.body)
    found = CODES.problem(said(response), response, 0.0)
    assert type(found) is kind
    if advised is not None:
        assert isinstance(found, ProviderError)
        assert advised in found.advice


def test_signed_requests_leave_this_machine_by_https_only() -> None:
    with pytest.raises(ValueError, match=r"url: .* in the clear"):
        Settings(access_key_id="A", secret_access_key=SecretRef("env:S"), url="http://api.example.com")
    assert Settings(access_key_id="A", secret_access_key=SecretRef("env:S")).url.startswith("https://")


def test_words_that_are_not_the_api_s(api: Api) -> None:
    for status, body, kind in ((418, b"no", Malformed), (400, b'{"code": 7}', Malformed), (502, b"", ServerSide)):
        response = HttpResponse(status, {}, body)
        assert isinstance(CODES.problem(said(response), response, 0.0), kind)
    api._zones = lambda query: Reply(200, b'{"zones": []}')  # type: ignore[method-assign]  # no total
    assert isinstance(see(provider(api)), Malformed)
