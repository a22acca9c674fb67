"""Tencent Cloud DNSPod beyond what all providers owe: minimal writes, lines, paging, late lists, each code, clock."""

from __future__ import annotations

import json
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
from ddns.providers.rows import Refusal
from ddns.providers.tencentcloud import CODES, Settings, opened
from ddns.secret import SecretRef
from providers.cast import FIRST, HOME, SECOND, ZONE, addresses
from providers.doubles import tencentcloud
from providers.doubles.tencentcloud import KEY_ID, SECRET, Api
from providers.stage import connect, deadline, rrset, write

APEX = RecordKey("main", ZONE, RecordType.A)
WILD = RecordKey("main", f"*.{ZONE}", RecordType.A)


@pytest.fixture
def api() -> Iterator[Api]:
    with tencentcloud.serve() as double:
        yield double


def provider(api: Api, **settings: object) -> Provider:
    return connect("tencentcloud", msgspec.structs.replace(api.settings, **settings), api.secrets, api.net)


def written(api: Api) -> list[tuple[str, dict[str, Any]]]:
    return [
        (request.headers["x-tc-action"], json.loads(request.body))
        for request in api.web.server.requests
        if not request.headers["x-tc-action"].startswith("Describe")
    ]


def problem(code: str, status: int = 200) -> ProviderError | Refusal:
    whole = {"Response": {"Error": {"Code": code, "Message": "words"}, "RequestId": "1"}}
    response = HttpResponse(status, {}, json.dumps(whole).encode())
    _, said = opened(response)
    assert said is not None
    return CODES.problem(said, response, 0.0)


def test_an_address_alone_is_sent_alone(api: Api) -> None:
    kept = {"TTL": 777, "Remark": "the boiler", "Weight": 3, "LineId": "0"}
    record = api.add(Name="home", Type="A", Value=FIRST, **kept)
    assert write(provider(api), addresses(FIRST), addresses(SECOND)) == Applied()
    fields = [{"Key": "value", "Value": SECOND}]
    asked = {"Domain": ZONE, "RecordId": record["RecordId"], "FieldList": fields}
    assert written(api) == [("ModifyRecordFields", asked)]
    assert {name: record[name] for name in kept} == kept


def test_a_ttl_alone_is_sent_alone(api: Api) -> None:
    api.put(HOME.name, "A", FIRST)
    assert write(provider(api), addresses(FIRST), addresses(FIRST, ttl=900)) == Applied()
    assert [body["FieldList"] for _, body in written(api)] == [[{"Key": "ttl", "Value": "900"}]]
    assert rrset(provider(api)) == addresses(FIRST, ttl=900)


def test_a_new_record_has_the_plan_s_least_ttl_or_ours(api: Api) -> None:
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert rrset(provider(api)) == addresses(FIRST, ttl=600)
    api.put(HOME.name, "A")
    api.min_ttl = 1
    assert write(provider(api, min_ttl=1), None, addresses(FIRST)) == Applied()
    assert rrset(provider(api)) == addresses(FIRST, ttl=120)


def test_the_least_ttl_is_a_setting(api: Api) -> None:
    assert provider(api).capabilities.min_ttl == 600
    result = write(provider(api, min_ttl=1), None, addresses(FIRST, ttl=60))
    assert isinstance(result, Rejected)
    assert "min_ttl" in result.advice


@pytest.mark.parametrize(("key", "left"), [(APEX, "@"), (WILD, "*")])
def test_apex_and_wildcard(api: Api, key: RecordKey, left: str) -> None:
    assert write(provider(api), None, addresses(FIRST), key) == Applied()
    assert [record["Name"] for record in api.records.values()] == [left]
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
    nas2 = api.add(Name="nas2", Type="A", Value="192.0.2.50")
    plain = api._list
    api._list = lambda given: plain({**given, "Subdomain": "nas2"})  # type: ignore[method-assign]
    nas = RecordKey("main", f"nas.{ZONE}", RecordType.A)
    assert rrset(provider(api), nas) is None
    assert write(provider(api), None, addresses(FIRST), nas) == Applied()
    assert nas2["Value"] == "192.0.2.50"


def test_a_name_that_the_list_shows_in_its_script_is_found(api: Api) -> None:
    books = RecordKey("main", f"bücher.{ZONE}", RecordType.A)
    assert write(provider(api), None, addresses(FIRST), books) == Applied()
    (record,) = api.records.values()
    assert record["Name"] == "xn--bcher-kva"
    plain = api._list

    def shown(given: Any) -> Any:
        record["Name"] = "xn--bcher-kva"  # it is searched for in Punycode
        reply = plain(given)
        record["Name"] = "bücher"
        return replace(reply, body=reply.body.replace(b'"xn--bcher-kva"', json.dumps("bücher").encode()))

    api._list = shown  # type: ignore[method-assign]  # as consoles show it
    assert rrset(provider(api), books) == addresses(FIRST, ttl=600)


def test_other_lines_are_left_alone(api: Api) -> None:
    telecom = api.add(Name="home", Type="A", Value="192.0.2.50", Line="电信", LineId="10=0")
    assert rrset(provider(api)) is None
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert write(provider(api), addresses(FIRST), None) == Applied()
    assert list(api.records.values()) == [telecom]


def test_a_disabled_record_is_left_alone(api: Api) -> None:
    off = api.add(Name="home", Type="A", Value="192.0.2.50", Status="DISABLE")
    assert rrset(provider(api)) is None
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert off in api.records.values()


def test_a_disabled_record_with_our_value_is_told(api: Api) -> None:
    api.add(Name="home", Type="A", Value=FIRST, Status="DISABLE")
    result = write(provider(api), None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "Enable or delete" in result.advice


def test_a_record_that_is_not_in_the_list_yet_is_looked_for_later(api: Api) -> None:
    record = api.add(Name="home", Type="A", Value=FIRST)
    api.hidden.add(record["RecordId"])
    result = write(provider(api), None, addresses(FIRST))
    assert isinstance(result, ServerSide)
    assert result.in_doubt
    assert len(api.records) == 1


def test_a_record_that_was_taken_away_meanwhile(api: Api) -> None:
    api.put(HOME.name, "A", FIRST)
    ghost = next(iter(api.records.values()))
    listed = api._list

    def once(given: Any) -> Any:
        reply = listed(given)
        api.records.pop(ghost["RecordId"], None)
        return reply

    api._list = once  # type: ignore[method-assign]  # the record goes between our look and our write
    assert write(provider(api), addresses(FIRST), None) == Applied()
    assert isinstance(write(provider(api), addresses(FIRST), addresses(SECOND)), Conflict)


def test_a_locked_domain_is_told(api: Api) -> None:
    api.locked = True
    result = write(provider(api), None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "Unlock" in result.advice


def test_what_somebody_else_wrote_stays(api: Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(provider(api), addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def test_an_unknown_key_id_is_told_with_where_to_look(api: Api) -> None:
    result = provider(api, secret_id="AKIDother").observe([HOME], deadline())[HOME]
    assert isinstance(result, BadCredentials)
    assert "secret_id" in result.advice


@pytest.mark.parametrize(
    ("code", "kind", "advised"),
    [
        ("AuthFailure.SecretIdNotFound", BadCredentials, "API Keys"),
        ("AuthFailure.SignatureFailure", BadCredentials, "secret"),
        ("AuthFailure.InvalidSecretId", BadCredentials, "secret_id"),
        ("AuthFailure.SignatureExpire", ClockSkew, "clock"),
        ("AuthFailure.UnauthorizedOperation", NotPermitted, "QcloudDNSPodFullAccess"),
        ("UnauthorizedOperation", NotPermitted, "QcloudDNSPodFullAccess"),
        ("OperationDenied.AccessDenied", NotPermitted, "QcloudDNSPodFullAccess"),
        ("OperationDenied.NoPermissionToOperateDomain", NoSuchZone, "QcloudDNSPodFullAccess"),
        ("OperationDenied.IPInBlacklistNotAllowed", Rejected, ""),
        ("InvalidParameterValue.DomainNotExists", NoSuchZone, ""),
        ("InvalidParameter.DomainInvalid", NoSuchZone, ""),
        ("FailedOperation.NotDomainOwner", NoSuchZone, ""),
        ("RequestLimitExceeded", RateLimited, ""),
        ("RequestLimitExceeded.IPLimitExceeded", RateLimited, ""),
        ("RequestLimitExceeded.RequestLimitExceeded", RateLimited, ""),
        ("LimitExceeded.RecordTtlLimit", Rejected, "min_ttl"),
        ("LimitExceeded.SubdomainRollLimit", Rejected, "upgrade"),
        ("LimitExceeded.FailedLoginLimitExceeded", Banned, ""),
        ("InvalidParameter.AccountIsBanned", Banned, ""),
        ("FailedOperation.DomainIsSpam", Banned, ""),
        ("FailedOperation.DomainIsLocked", Rejected, "Unlock"),
        ("FailedOperation.NotRealNamedUser", NotPermitted, "real-name"),
        ("InvalidParameter.RecordLineInvalid", Rejected, "line"),
        ("InvalidParameter.RecordValueInvalid", Rejected, ""),
        ("InvalidParameter.RequestIpLimited", NotPermitted, "IP limits"),
        ("IpNotInWhitelist", NotPermitted, "IP limits"),
        ("InvalidParameter.DomainRecordExist", Refusal, None),
        ("InvalidParameter.RecordIdInvalid", Refusal, None),
        ("ResourceNotFound.NoDataOfRecord", Refusal, None),
        ("FailedOperation.UnknowError", ServerSide, ""),
        ("InternalError", ServerSide, ""),
        ("SomethingNew", Rejected, ""),
    ],
)
def test_each_documented_code(code: str, kind: type[Exception], advised: str | None) -> None:
    found = problem(code)
    assert type(found) is kind
    if advised is not None:
        assert isinstance(found, ProviderError)
        assert advised in found.advice


def test_signed_requests_leave_this_machine_by_https_only() -> None:
    with pytest.raises(ValueError, match=r"url: .* in the clear"):
        Settings(secret_id="A", secret_key=SecretRef("env:S"), url="http://api.example.com")
    assert Settings(secret_id="A", secret_key=SecretRef("env:S")).url.startswith("https://")


def test_words_that_are_not_the_api_s() -> None:
    for body in (b"<html>", b"[]", b'{"Response": {}}', b'{"Response": 7}'):
        with pytest.raises(Malformed):
            opened(HttpResponse(200, {}, body))
    assert isinstance(problem("InternalError", 502), ServerSide)


def test_tencent_s_own_sdk_can_use_the_double(api: Api) -> None:
    """So the double takes what the real service takes, and answers as it does."""
    from tencentcloud.common.common_client import CommonClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    http = HttpProfile(protocol="http", endpoint=api.web.root.removeprefix("http://"))
    client = CommonClient("dnspod", "2021-03-23", Credential(KEY_ID, SECRET), "", ClientProfile(httpProfile=http))
    assert client.call_json("DescribeDomain", {"Domain": ZONE})["Response"]["DomainInfo"]["Domain"] == ZONE
    record = {"Domain": ZONE, "SubDomain": "home", "RecordType": "A", "RecordLine": "默认", "Value": FIRST}
    client.call_json("CreateRecord", record)
    listed = client.call_json("DescribeRecordList", {"Domain": ZONE, "Subdomain": "home"})["Response"]["RecordList"]
    assert [(item["Value"], item["LineId"]) for item in listed] == [(FIRST, "0")]
    with pytest.raises(TencentCloudSDKException, match="already exists"):
        client.call_json("CreateRecord", record)
