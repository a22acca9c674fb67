"""Route 53 beyond what all providers owe: batches, compare-and-set, what is left alone, zones, the wait, each code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ddns.errors import (
    BadCredentials,
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
from ddns.model import Applied, AppliedState, Change, Reason, RecordKey, RecordType, RRset
from ddns.ports import HttpResponse, Provider
from ddns.providers.route53 import Settings
from ddns.providers.route53_codes import CODES
from ddns.providers.route53_wire import said
from ddns.providers.rows import Refusal
from ddns.secret import SecretRef
from ground.http import Reply
from providers import judges
from providers.cast import FIRST, HOME, HOME6, SECOND, STRANGER, ZONE, addresses
from providers.doubles import route53
from providers.doubles.route53 import KEY_ID, SECRET, ZONE_ID, Api, Hosted, Rrset
from providers.stage import Patient, connect, deadline, rrset, see, write

APEX = RecordKey("main", ZONE, RecordType.A)
WILD = RecordKey("main", f"*.{ZONE}", RecordType.A)
DOT = f"{HOME.name}."
ALIAS = Rrset(DOT, "A", extra="<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>x.</DNSName></AliasTarget>")
WEIGHTED = Rrset(DOT, "A", 60, (FIRST,))


@pytest.fixture
def api() -> Iterator[Api]:
    with route53.serve() as double:
        yield double


def provider(api: Api, clock: Patient | None = None, **settings: object) -> Provider:
    changed = msgspec.structs.replace(api.settings, **settings)
    return connect("route53", changed, api.secrets, api.net, clock=clock or Patient())


def change(before: RRset | None, after: RRset | None, key: RecordKey = HOME, number: int = 1) -> Change:
    return Change(str(number), key, before, after, Reason.ADDRESS)


def batches(api: Api) -> list[list[tuple[str, dict[str, Any]]]]:
    posts = [request for request in api.web.server.requests if request.method == "POST"]
    return [
        [(item["Action"], item["ResourceRecordSet"]) for item in judges.change_batch(r.body)["ChangeBatch"]["Changes"]]
        for r in posts
    ]


def between(api: Api, meddle: Any) -> None:
    """Have `meddle` done after the record was read and before it is written."""
    plain = api._change

    def meddled(hosted: Hosted, body: bytes) -> Reply:
        meddle()
        return plain(hosted, body)

    api._change = meddled  # type: ignore[method-assign]  # somebody else comes first


def test_an_update_is_one_batch_that_keeps_ttl_and_health_check(api: Api) -> None:
    api.sets.append(Rrset(DOT, "A", 77, (FIRST,), check="0a1b2c"))
    assert write(provider(api), addresses(FIRST), addresses(SECOND)) == Applied()
    common = {"Name": DOT, "Type": "A", "TTL": 77, "HealthCheckId": "0a1b2c"}
    old, new = {**common, "ResourceRecords": [{"Value": FIRST}]}, {**common, "ResourceRecords": [{"Value": SECOND}]}
    assert batches(api) == [[("DELETE", old), ("CREATE", new)]]
    assert api.sets == [Rrset(DOT, "A", 77, (SECOND,), check="0a1b2c")]


def test_a_ttl_alone_and_several_values(api: Api) -> None:
    api.put(HOME.name, "A", SECOND, FIRST, ttl=300)
    both = addresses(FIRST, SECOND)
    assert write(provider(api), both, addresses(FIRST, SECOND, ttl=60)) == Applied()
    assert rrset(provider(api)) == addresses(FIRST, SECOND, ttl=60)


def test_what_is_as_asked_is_not_written(api: Api) -> None:
    api.put(HOME.name, "A", FIRST)
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert write(provider(api), addresses(SECOND), addresses(FIRST)) == Applied()
    assert batches(api) == []


@pytest.mark.parametrize("key", [APEX, WILD])
def test_apex_and_wildcard(api: Api, key: RecordKey) -> None:
    assert write(provider(api), None, addresses(FIRST), key) == Applied()
    assert rrset(provider(api), key) == addresses(FIRST, ttl=120)
    assert write(provider(api), addresses(FIRST), None, key) == Applied()
    assert api.sets == []


def test_all_changes_of_a_zone_go_in_one_batch(api: Api) -> None:
    keys = [RecordKey("main", f"pc{number}.{ZONE}", RecordType.A) for number in range(60)]
    changes = [change(None, addresses(FIRST), key, number) for number, key in enumerate([*keys, HOME6])]
    changes[-1] = change(None, addresses("2001:db8::1"), HOME6, 60)
    results = dict(provider(api).apply(changes, deadline()))
    assert list(results.values()) == [Applied()] * 61
    assert [len(batch) for batch in batches(api)] == [50, 11]
    assert provider(api).capabilities.batch


def test_bytes_of_a_text_are_escaped_in_octal(api: Api) -> None:
    """https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html, TXT"""
    note = RecordKey("main", f"note.{ZONE}", RecordType.TXT)
    text = RRset(frozenset({'a\tb "c" \\x'}), 300)
    assert write(provider(api), None, text, note) == Applied()
    assert api.get(note.name, "TXT") == {r'"a\011b \"c\" \\x"'}
    assert rrset(provider(api), note) == text
    assert write(provider(api), text, None, note) == Applied()
    assert api.sets == []


def test_one_refused_record_does_not_stand_in_the_way_of_the_others(api: Api) -> None:
    api.sets.append(Rrset(f"www.{ZONE}.", "CNAME", 300, ("example.net.",)))
    www = RecordKey("main", f"www.{ZONE}", RecordType.A)
    changes = [change(None, addresses(FIRST), key, number) for number, key in enumerate([www, HOME, STRANGER])]
    results = {done.key: result for done, result in provider(api).apply(changes, deadline())}
    assert results[HOME] == Applied()
    refused = results[www]
    assert isinstance(refused, Rejected)
    assert "conflicts with other records" in refused.message
    assert isinstance(results[STRANGER], NoSuchZone)


def test_a_name_that_the_key_may_not_write_does_not_stand_in_the_way_of_the_others(api: Api) -> None:
    """A policy may name records: route53:ChangeResourceRecordSetsNormalizedRecordNames."""
    other, plain = RecordKey("main", f"other.{ZONE}", RecordType.A), api._change

    def limited(hosted: Hosted, body: bytes) -> Reply:
        if other.name.encode() in body:
            return route53._error(403, "AccessDenied", "not authorized to perform: route53:ChangeResourceRecordSets")
        return plain(hosted, body)

    api._change = limited  # type: ignore[method-assign]  # a right for one name
    changes = [change(None, addresses(FIRST), key, number) for number, key in enumerate([other, HOME])]
    results = {done.key: result for done, result in provider(api).apply(changes, deadline())}
    assert results[HOME] == Applied()
    assert isinstance(results[other], NotPermitted)
    assert rrset(provider(api)) == addresses(FIRST, ttl=120)


@pytest.mark.parametrize("values", [("192.0.2.99",), (FIRST,)], ids=["another value", "another TTL"])
def test_who_came_first_is_not_overwritten(api: Api, values: tuple[str, ...]) -> None:
    api.put(HOME.name, "A", FIRST)
    between(api, lambda: api.put(HOME.name, "A", *values, ttl=42))
    assert isinstance(write(provider(api), addresses(FIRST), addresses(SECOND)), Conflict)
    assert [(item.values, item.ttl) for item in api.sets] == [(values, 42)]


def test_who_wrote_the_same_first(api: Api) -> None:
    between(api, lambda: api.put(HOME.name, "A", FIRST))
    assert write(provider(api), None, addresses(FIRST)) == Applied()


def test_what_somebody_else_wrote_stays(api: Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(provider(api), addresses(FIRST), addresses(SECOND)), Conflict)
    assert batches(api) == []


@pytest.mark.parametrize(
    ("sets", "word"),
    [
        ([ALIAS], "alias"),
        ([replace(WEIGHTED, identifier="one"), replace(WEIGHTED, identifier="two")], "weighted"),
        ([replace(WEIGHTED, extra="<TrafficPolicyInstanceId>t</TrafficPolicyInstanceId>")], "traffic"),
    ],
    ids=["alias", "weighted", "traffic policy"],
)
def test_what_is_left_alone(api: Api, sets: list[Rrset], word: str) -> None:
    api.sets.extend(sets)
    for result in (see(provider(api)), write(provider(api), None, addresses(FIRST))):
        assert isinstance(result, Rejected)
        assert word in result.message
        assert "simple record" in result.advice
    assert api.sets == sets


def test_a_neighbour_is_not_taken_for_the_record(api: Api) -> None:
    api.put(f"homer.{ZONE}", "A", FIRST)
    assert rrset(provider(api)) is None
    api.put(HOME.name, "TXT", '"text"')
    assert rrset(provider(api)) is None


def test_records_and_zones_on_later_pages_are_found(api: Api) -> None:
    for number in range(5):
        api.put(f"a{number}.{ZONE}", "A", "192.0.2.50")
        api.zones[f"Z000PRIVATE{number}"] = Hosted(f"{ZONE}.", private=True)
        api.zones[f"ZOTHER{number}"] = Hosted(f"sub{number}.{ZONE}.")
    api.put(HOME.name, "A", FIRST)
    api.page_size = 1
    assert rrset(provider(api)) == addresses(FIRST, ttl=300)


def test_the_public_zone_of_two_of_one_name(api: Api) -> None:
    api.zones = {"Z0PRIVATE": Hosted(f"{ZONE}.", private=True), **api.zones}
    assert write(provider(api), None, addresses(FIRST)) == Applied()
    assert api.get(HOME.name, "A") == {FIRST}
    assert api.zones["Z0PRIVATE"].sets == []


def test_a_private_zone_only_by_its_id(api: Api) -> None:
    private = Hosted(f"{ZONE}.", private=True)
    api.zones = {"Z0PRIVATE": private}
    assert isinstance(see(provider(api)), NoSuchZone)
    named = provider(api, hosted_zone_id="Z0PRIVATE")
    assert write(named, None, addresses(FIRST)) == Applied()
    assert private.sets == [Rrset(DOT, "A", 120, (FIRST,))]
    assert isinstance(see(named, STRANGER), NoSuchZone)


def test_two_public_zones_of_one_name_are_told_apart_by_id(api: Api) -> None:
    api.zones["Z9SECOND"] = Hosted(f"{ZONE}.")
    result = see(provider(api))
    assert isinstance(result, NoSuchZone)
    assert "hosted_zone_id" in result.advice
    assert rrset(provider(api, hosted_zone_id=ZONE_ID)) is None


def test_an_unknown_hosted_zone_id(api: Api) -> None:
    assert isinstance(see(provider(api, hosted_zone_id="Z404")), NoSuchZone)


def test_a_change_is_waited_for(api: Api) -> None:
    api.sync, clock = 2, Patient()
    assert write(provider(api, clock), None, addresses(FIRST)) == Applied()
    assert clock.slept == [0.0, 1.0, 2.0]


def test_a_change_that_is_not_everywhere_in_time_is_queued(api: Api) -> None:
    api.sync, clock = 99, Patient()
    assert write(provider(api, clock), None, addresses(FIRST)) == Applied(AppliedState.QUEUED)
    assert clock.slept == [0.0, 1.0, 2.0, 4.0]
    assert rrset(provider(api)) == addresses(FIRST, ttl=120)


def test_a_key_without_the_right_to_ask_for_the_change_has_written_all_the_same(api: Api) -> None:
    denied = route53._error(403, "AccessDenied", "User is not authorized to perform: route53:GetChange")
    api._change_state = lambda identifier: denied  # type: ignore[method-assign]  # one right less
    assert write(provider(api), None, addresses(FIRST)) == Applied(AppliedState.QUEUED)


def test_a_temporary_key_needs_its_session_token(api: Api) -> None:
    api.put(HOME.name, "A", FIRST)
    api.token = "canaryIQoJb3JpZ2luX2VjE//////////wEaCXVzLWVhc3QtMSJ="
    without = see(provider(api))
    assert isinstance(without, BadCredentials)
    api.secrets = {**api.secrets, "env:TOKEN": api.token}
    with_token = provider(api, session_token=SecretRef("env:TOKEN"))
    assert rrset(with_token) == addresses(FIRST, ttl=300)
    assert write(with_token, addresses(FIRST), addresses(SECOND, ttl=60)) == Applied()
    assert api.get(HOME.name, "A") == {SECOND}
    api.expired = True
    over = see(with_token)
    assert isinstance(over, BadCredentials)
    assert "temporary key" in over.advice
    assert api.token not in f"{over} {without}"


def test_an_unknown_key_id_is_told_with_where_to_look(api: Api) -> None:
    result = see(provider(api, access_key_id="AKIAOTHER"))
    assert isinstance(result, BadCredentials)
    assert "access_key_id" in result.advice


def test_another_region_is_signed_for(api: Api) -> None:
    assert isinstance(see(provider(api, region="cn-northwest-1")), BadCredentials)
    assert "/cn-northwest-1/route53/aws4_request" in api.web.server.requests[-1].headers["authorization"]


@pytest.mark.parametrize(
    ("status", "code", "kind", "advised"),
    [
        (400, "Throttling", RateLimited, ""),
        (400, "ThrottlingException", RateLimited, ""),
        (400, "PriorRequestNotComplete", RateLimited, ""),
        (400, "InvalidChangeBatch", Refusal, None),
        (403, "AccessDenied", NotPermitted, "ChangeResourceRecordSets"),
        (403, "OptInRequired", NotPermitted, ""),
        (403, "InvalidClientTokenId", BadCredentials, "IAM"),
        (403, "SignatureDoesNotMatch", BadCredentials, "secret"),
        (403, "InvalidSignatureException", BadCredentials, "secret"),
        (403, "MissingAuthenticationToken", BadCredentials, ""),
        (400, "RequestExpired", ClockSkew, "clock"),
        (404, "NoSuchHostedZone", NoSuchZone, "hosted_zone_id"),
        (400, "InvalidInput", Rejected, ""),
        (500, "InternalFailure", ServerSide, ""),
        (503, "ServiceUnavailable", ServerSide, ""),
    ],
)
def test_each_documented_code(status: int, code: str, kind: type[Exception], advised: str | None) -> None:
    reply = route53._error(status, code, "words")
    found = CODES.problem(said(response := HttpResponse(status, {}, reply.body)), response, 0.0)
    assert type(found) is kind
    if advised is not None:
        assert isinstance(found, ProviderError)
        assert advised in found.advice


def test_the_other_form_of_a_refused_batch() -> None:
    """As API_ChangeResourceRecordSets shows it"""
    body = b"<InvalidChangeBatch xmlns='urn:x'><Messages><Message>but it was not found</Message></Messages>"
    response = HttpResponse(400, {}, body + b"<RequestId>1</RequestId></InvalidChangeBatch>")
    found = CODES.problem(said(response), response, 0.0)
    assert isinstance(found, Refusal)
    assert "not found" in str(found)


def test_signed_requests_leave_this_machine_by_https_only() -> None:
    with pytest.raises(ValueError, match=r"url: .* in the clear"):
        Settings(access_key_id="A", secret_access_key=SecretRef("env:S"), url="http://api.example.com")
    assert Settings(access_key_id="A", secret_access_key=SecretRef("env:S")).url.startswith("https://")


def test_words_that_are_not_the_api_s(api: Api) -> None:
    def problem(status: int, body: bytes) -> object:
        response = HttpResponse(status, {}, body)
        return CODES.problem(said(response), response, 0.0)

    assert isinstance(problem(400, b"no"), Malformed)
    assert isinstance(problem(400, b"<a/>"), Malformed)
    assert isinstance(problem(502, b""), ServerSide)
    bombed = b'<!DOCTYPE a [<!ENTITY b "bb">]><ErrorResponse><Error><Code>&b;</Code></Error></ErrorResponse>'
    assert isinstance(problem(400, bombed), Malformed)
    api._zones = lambda query: Reply(200, b"<ListHostedZonesByNameResponse/>")  # type: ignore[method-assign]  # hollow
    assert isinstance(see(provider(api)), Malformed)


def test_amazon_s_own_sdk_can_use_the_double(api: Api) -> None:
    """So the double takes what the real service takes, and answers as it does."""
    from botocore.session import get_session

    session = get_session()
    session.set_credentials(KEY_ID, SECRET)
    client = session.create_client("route53", region_name="us-east-1", endpoint_url=api.web.root)
    api.put(WILD.name, "A", FIRST)
    try:
        zones = client.list_hosted_zones_by_name(DNSName=ZONE, MaxItems="1")
        assert [(zone["Id"], zone["Config"]["PrivateZone"]) for zone in zones["HostedZones"]] == [
            (f"/hostedzone/{ZONE_ID}", False)
        ]
        assert client.get_hosted_zone(Id=ZONE_ID)["HostedZone"]["Name"] == f"{ZONE}."
        record = {"Name": DOT, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": SECOND}]}
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        info = client.change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch=batch)["ChangeInfo"]
        assert client.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
        with pytest.raises(client.exceptions.InvalidChangeBatch, match="already exists"):
            client.change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch=batch)
        with pytest.raises(client.exceptions.NoSuchHostedZone):
            client.get_hosted_zone(Id="Z404")
        listed = client.list_resource_record_sets(HostedZoneId=ZONE_ID)["ResourceRecordSets"]
        assert [(item["Name"], item["TTL"]) for item in listed] == [(f"\\052.{ZONE}.", 300), (DOT, 60)]
    finally:
        client.close()
