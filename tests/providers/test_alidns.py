"""Alibaba Cloud DNS beyond what all providers owe: what an update keeps, lines, paging, each error code, the clock."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ddns.errors import (
    BadCredentials,
    Banned,
    ClockSkew,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
)
from ddns.model import Applied, RecordKey, RecordType
from ddns.ports import HttpResponse, Provider
from ddns.providers.alidns import CODES, Settings, said
from ddns.providers.rows import Refusal
from ddns.secret import SecretRef
from providers.cast import FIRST, HOME, SECOND, STRANGER, ZONE, addresses
from providers.doubles import alidns
from providers.doubles.alidns import Api
from providers.stage import Still, connect, deadline, rrset, write

APEX = RecordKey("main", ZONE, RecordType.A)
WILD = RecordKey("main", f"*.{ZONE}", RecordType.A)


@pytest.fixture
def api() -> Iterator[Api]:
    with alidns.serve() as double:
        yield double


def provider(api: Api, **settings: object) -> Provider:
    return connect("alidns", msgspec.structs.replace(api.settings, **settings), api.secrets, api.net)


def written(api: Api) -> list[tuple[str, dict[str, str]]]:
    return [
        (request.headers["x-acs-action"], dict(urllib.parse.parse_qsl(request.target.partition("?")[2])))
        for request in api.web.server.requests
        if not request.headers["x-acs-action"].startswith("Describe")
    ]


def problem(response: HttpResponse) -> ProviderError | Refusal:
    return CODES.problem(said(response), response, 0.0)


def test_an_update_sends_the_ttl_that_is_there_and_keeps_the_rest(api: Api) -> None:
    kept = {"TTL": 777, "Remark": "the boiler", "Weight": 3}
    record = api.add(RR="home", Type="A", Value=FIRST, **kept)
    assert write(provider(api), addresses(FIRST), addresses(SECOND)) == Applied()
    fields = {"RecordId": record["RecordId"], "RR": "home", "Type": "A", "Line": "default"}
    assert written(api) == [("UpdateDomainRecord", {**fields, "TTL": "777", "Value": SECOND})]
    assert {name: record[name] for name in kept} == kept
    assert record["Value"] == SECOND


def test_a_ttl_alone(api: Api) -> None:
    api.put(HOME.name, "A", FIRST, ttl=600)
    assert write(provider(api), addresses(FIRST), addresses(FIRST, ttl=900)) == Applied()
    assert rrset(provider(api)) == addresses(FIRST, ttl=900)
    assert len(written(api)) == 1


def test_a_new_record_has_the_plan_s_least_ttl_or_ours(api: Api) -> None:
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert rrset(provider(api)) == addresses(FIRST, ttl=600)
    api.put(HOME.name, "A")
    api.min_ttl = 1
    assert write(provider(api, min_ttl=1), None, addresses(FIRST)) == Applied()
    assert rrset(provider(api)) == addresses(FIRST, ttl=120)


def test_the_least_ttl_is_a_setting(api: Api) -> None:
    assert provider(api).capabilities.min_ttl == 600
    assert provider(api, min_ttl=1).capabilities.min_ttl == 1
    result = write(provider(api, min_ttl=1), None, addresses(FIRST, ttl=60))
    assert isinstance(result, Rejected)
    assert "min_ttl" in result.advice


@pytest.mark.parametrize(("key", "left"), [(APEX, "@"), (WILD, "*")])
def test_apex_and_wildcard(api: Api, key: RecordKey, left: str) -> None:
    assert write(provider(api), None, addresses(FIRST), key) == Applied()
    assert [record["RR"] for record in api.records.values()] == [left]
    assert rrset(provider(api), key) == addresses(FIRST, ttl=600)
    assert write(provider(api), addresses(FIRST), None, key) == Applied()
    assert rrset(provider(api), key) is None


def test_records_on_a_later_page_are_seen(api: Api) -> None:
    many = [f"192.0.2.{number}" for number in range(1, 8)]
    api.put(HOME.name, "A", *many)
    api.page_size = 3
    seen = rrset(provider(api))
    assert seen is not None
    assert seen.texts() == many


def test_a_longer_name_is_not_taken_for_the_record_where_the_search_is_loose(api: Api) -> None:
    nas2 = api.add(RR="nas2", Type="A", Value="192.0.2.50")
    plain = api._list
    api._list = lambda given: plain({**given, "SubDomain": nas2["RR"] + f".{ZONE}"})  # type: ignore[method-assign]
    nas = RecordKey("main", f"nas.{ZONE}", RecordType.A)
    assert rrset(provider(api), nas) is None
    assert write(provider(api), None, addresses(FIRST), nas) == Applied()
    assert nas2["Value"] == "192.0.2.50"


def test_two_calls_of_one_moment_have_two_nonces(api: Api) -> None:
    assert rrset(connect("alidns", api.settings, api.secrets, api.net, clock=Still(time.time()))) is None
    assert len({request.headers["x-acs-signature-nonce"] for request in api.web.server.requests}) == 3


def test_a_name_that_the_list_shows_in_its_script_is_found(api: Api) -> None:
    books = RecordKey("main", f"bücher.{ZONE}", RecordType.A)
    assert write(provider(api), None, addresses(FIRST), books) == Applied()
    (record,) = api.records.values()
    assert record["RR"] == "xn--bcher-kva"
    plain = api._list

    def shown(given: Any) -> Any:
        record["RR"] = "xn--bcher-kva"  # it is searched for in Punycode
        reply = plain(given)
        record["RR"] = "bücher"
        return replace(reply, body=reply.body.replace(b'"xn--bcher-kva"', json.dumps("bücher").encode()))

    api._list = shown  # type: ignore[method-assign]  # as consoles show it
    assert rrset(provider(api), books) == addresses(FIRST, ttl=600)


def test_other_lines_are_left_alone(api: Api) -> None:
    telecom = api.add(RR="home", Type="A", Value="192.0.2.50", Line="telecom")
    assert rrset(provider(api)) is None
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert write(provider(api), addresses(FIRST), None) == Applied()
    assert list(api.records.values()) == [telecom]


def test_a_disabled_record_is_left_alone(api: Api) -> None:
    off = api.add(RR="home", Type="A", Value="192.0.2.50", Status="DISABLE")
    assert rrset(provider(api)) is None
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert off in api.records.values()


def test_a_disabled_record_with_our_value_is_told(api: Api) -> None:
    api.add(RR="home", Type="A", Value=FIRST, Status="DISABLE")
    result = write(provider(api), None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "disabled" in result.message
    assert "Enable or delete" in result.advice


def test_a_locked_record_is_told(api: Api) -> None:
    api.add(RR="home", Type="A", Value=FIRST, Locked=True)
    result = write(provider(api), addresses(FIRST), addresses(SECOND))
    assert isinstance(result, Rejected)
    assert "Unlock" in result.advice


def test_a_cname_in_the_way_is_told(api: Api) -> None:
    api.add(RR="home", Type="CNAME", Value="www.example.com")
    result = write(provider(api), None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "CNAME" in result.advice


def test_what_somebody_else_wrote_stays(api: Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(provider(api), addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def test_the_zone_of_the_settings_alone_is_asked_for(api: Api) -> None:
    assert write(provider(api, zone=ZONE), None, addresses(FIRST)) == Applied()
    asked = [r for r in api.web.server.requests if r.headers["x-acs-action"] == "DescribeDomainInfo"]
    assert len(asked) == 1


def test_a_domain_of_somebody_else_is_no_zone_of_ours(api: Api) -> None:
    api.others.add("example.net")
    assert isinstance(provider(api).observe([STRANGER], deadline())[STRANGER], NoSuchZone)


def test_an_unknown_key_id_is_told_with_where_to_look(api: Api) -> None:
    result = provider(api, access_key_id="LTAIother").observe([HOME], deadline())[HOME]
    assert isinstance(result, BadCredentials)
    assert "access_key_id" in result.advice


@pytest.mark.parametrize(
    ("status", "code", "kind", "advised"),
    [
        (404, "InvalidAccessKeyId.NotFound", BadCredentials, "AccessKey"),
        (400, "InvalidAccessKeyId.Inactive", BadCredentials, "enabled"),
        (403, "SignatureDoesNotMatch", BadCredentials, "secret"),
        (400, "IncompleteSignature", BadCredentials, "secret"),
        (400, "InvalidTimeStamp.Expired", ClockSkew, "clock"),
        (400, "SignatureNonceUsed", ServerSide, ""),
        (400, "Throttling.User", RateLimited, ""),
        (400, "Throttling", RateLimited, ""),
        (503, "Throttling.Api", RateLimited, ""),
        (400, "LastOperationNotFinished", ServerSide, ""),
        (500, "InternalError", ServerSide, ""),
        (503, "ServiceUnavailable", ServerSide, ""),
        (400, "UnKnownError", ServerSide, ""),
        (403, "Forbidden.RAM", NotPermitted, "AliyunDNSFullAccess"),
        (403, "Forbidden", NotPermitted, "AliyunDNSFullAccess"),
        (403, "NoPermission", NotPermitted, "AliyunDNSFullAccess"),
        (403, "Forbidden.UserVerification", NotPermitted, "real-name"),
        (403, "Forbidden.RiskControl", Banned, ""),
        (400, "IncorrectDomainUser", NoSuchZone, ""),
        (400, "InvalidDomainName.NoExist", NoSuchZone, ""),
        (400, "DomainRecordDuplicate", Refusal, None),
        (400, "DomainRecordNotBelongToUser", Refusal, None),
        (400, "DomainRecordConflict", Rejected, "CNAME"),
        (400, "DomainRecordLocked", Rejected, "Unlock"),
        (400, "QuotaExceeded.TTL", Rejected, "min_ttl"),
        (400, "QuotaExceeded.ARecord", Rejected, ""),
        (400, "DomainForbidden", Rejected, ""),
        (400, "RecordForbidden.BlackHole", Rejected, ""),
    ],
)
def test_each_documented_code(status: int, code: str, kind: type[Exception], advised: str | None) -> None:
    body = json.dumps({"RequestId": "1", "HostId": "alidns.aliyuncs.com", "Code": code, "Message": "words"}).encode()
    found = problem(HttpResponse(status, {}, body))
    assert type(found) is kind
    assert code in str(found) or isinstance(found, ClockSkew)
    if advised is not None:
        assert isinstance(found, ProviderError)
        assert advised in found.advice


def test_signed_requests_leave_this_machine_by_https_only() -> None:
    with pytest.raises(ValueError, match=r"url: .* in the clear"):
        Settings(access_key_id="A", access_key_secret=SecretRef("env:S"), url="http://api.example.com")
    assert Settings(access_key_id="A", access_key_secret=SecretRef("env:S")).url.startswith("https://")


def test_words_that_are_not_the_api_s() -> None:
    assert isinstance(problem(HttpResponse(418, {}, b"<html>")), Malformed)
    assert isinstance(problem(HttpResponse(400, {}, b'{"Code": 7}')), Malformed)
    assert isinstance(problem(HttpResponse(502, {}, b"")), ServerSide)
