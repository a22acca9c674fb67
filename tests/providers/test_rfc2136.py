"""DNS UPDATE beyond what all providers owe: prerequisites, TTLs, aliases, and each refusal in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dns.message
import dns.opcode
import dns.rcode
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
    Rejected,
    ServerSide,
)
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from ddns.providers.rfc2136 import Settings
from ddns.secret import SecretRef
from providers.cast import FIRST, HOME, SECOND, Fault, addresses
from providers.doubles import rfc2136
from providers.doubles.rfc2136 import Primary
from providers.stage import connect, deadline


@pytest.fixture
def primary() -> Iterator[Primary]:
    with rfc2136.serve() as double:
        yield double


def provider(primary: Primary, **settings: object) -> Provider:
    return connect("rfc2136", msgspec.structs.replace(primary.settings, **settings), primary.secrets, primary.net)


def write(on: Provider, before: RRset | None, after: RRset | None, key: RecordKey = HOME) -> Applied | ProviderError:
    ((_, result),) = on.apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def ttl_of(on: Provider) -> int | None:
    seen = on.observe([HOME], deadline())[HOME]
    assert isinstance(seen, Observed)
    assert seen.rrset is not None
    return seen.rrset.ttl


def test_what_somebody_else_wrote_stays(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", "192.0.2.99")
    result = write(provider(primary), addresses(FIRST), addresses(SECOND))
    assert isinstance(result, Conflict)
    assert "expected 192.0.2.1, found 192.0.2.99" in result.message
    assert primary.zone.get(HOME.name, "A") == {"192.0.2.99"}


def test_a_second_value_beside_ours_is_a_conflict(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST, "192.0.2.99")
    assert isinstance(write(provider(primary), addresses(FIRST), addresses(SECOND)), Conflict)


def test_a_new_record_where_one_stands_is_a_conflict(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(provider(primary), None, addresses(FIRST)), Conflict)
    assert primary.zone.get(HOME.name, "A") == {"192.0.2.99"}


def test_several_values_become_one(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST, "192.0.2.99")
    assert write(provider(primary), addresses(FIRST, "192.0.2.99"), addresses(SECOND)) == Applied()
    assert primary.zone.get(HOME.name, "A") == {SECOND}


def test_the_other_type_of_the_name_stays(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST)
    primary.zone.put(HOME.name, "AAAA", "2001:db8::1")
    write(provider(primary), addresses(FIRST), None)
    assert primary.zone.get(HOME.name, "A") == set()
    assert primary.zone.get(HOME.name, "AAAA") == {"2001:db8::1"}


@pytest.mark.parametrize(("before", "asked", "expected"), [(None, None, 120), (300, None, 300), (300, 60, 60)])
def test_ttl(primary: Primary, before: int | None, asked: int | None, expected: int) -> None:
    if before is not None:
        primary.zone.put(HOME.name, "A", FIRST, ttl=before)
    old = addresses(FIRST, ttl=before) if before else None
    assert write(provider(primary), old, addresses(SECOND, ttl=asked)) == Applied()
    assert ttl_of(provider(primary)) == expected


def test_a_text_beside_those_of_others_leaves_their_ttl(primary: Primary) -> None:
    note = RecordKey("main", HOME.name, RecordType.TXT)
    primary.zone.put(note.name, "TXT", '"theirs"', ttl=1800)
    theirs, both = RRset(frozenset({"theirs"})), RRset(frozenset({"theirs", "ours"}))
    assert write(provider(primary), theirs, both, note) == Applied()
    seen = provider(primary).observe([note], deadline())[note]
    assert isinstance(seen, Observed)
    assert seen.rrset == RRset(both.values, 1800)


def test_a_ttl_alone_is_changed(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST, ttl=300)
    assert write(provider(primary), addresses(FIRST, ttl=300), addresses(FIRST, ttl=60)) == Applied()
    assert ttl_of(provider(primary)) == 60


def test_an_address_beside_an_alias_is_not_lost_in_silence(primary: Primary) -> None:
    primary.zone.put(HOME.name, "CNAME", "elsewhere.example.com.")
    assert isinstance(write(provider(primary), None, addresses(FIRST)), Rejected)
    assert isinstance(provider(primary).observe([HOME], deadline())[HOME], Rejected)


def test_a_key_without_the_right(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST)
    result = write(provider(primary, key_name="reader", algorithm="hmac-sha512"), addresses(FIRST), addresses(SECOND))
    assert isinstance(result, NotPermitted)
    assert "key reader" in result.advice
    assert primary.zone.get(HOME.name, "A") == {FIRST}


def test_no_key_at_all(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST)
    bare = provider(primary, key=None, key_name="")
    result = write(bare, addresses(FIRST), addresses(SECOND))
    assert isinstance(result, NotPermitted)
    assert "without key" in result.advice
    assert ttl_of(bare) == 300


@pytest.mark.parametrize("skew", [3600, -3600])
def test_a_wrong_clock_is_told_in_seconds(primary: Primary, skew: int) -> None:
    primary.server.skew = skew
    result = write(provider(primary), None, addresses(FIRST))
    assert isinstance(result, ClockSkew)
    assert result.seconds == pytest.approx(skew, abs=2)
    assert isinstance(provider(primary).observe([HOME], deadline())[HOME], ClockSkew)


def test_a_key_of_another_algorithm(primary: Primary) -> None:
    assert isinstance(write(provider(primary, algorithm="hmac-sha512"), None, addresses(FIRST)), BadCredentials)


@pytest.mark.parametrize("secret", ["canary, not base64!", "", "canary", "Y2FuYXJ5\nY2FuYXJ5"])
def test_a_secret_that_is_not_base64(primary: Primary, secret: str) -> None:
    on = connect("rfc2136", primary.settings, {"env:KEY": secret}, primary.net)
    result = write(on, None, addresses(FIRST))
    assert isinstance(result, BadCredentials)
    assert "env:KEY is not base64" in result.message
    assert result.__cause__ is None
    assert primary.server.messages == []


def test_a_zone_that_is_given(primary: Primary) -> None:
    assert write(provider(primary, zone="example.com"), None, addresses(FIRST)) == Applied()
    assert [message.opcode() for message in primary.server.messages] == [dns.opcode.UPDATE]


def test_a_given_zone_that_does_not_hold_the_name(primary: Primary) -> None:
    result = write(provider(primary, zone="example.org"), None, addresses(FIRST))
    assert isinstance(result, NoSuchZone)
    assert primary.server.messages == []


def test_a_server_that_is_not_the_primary(primary: Primary) -> None:
    other = RecordKey("main", "home.example.net", HOME.type)
    result = write(provider(primary, zone="example.net"), None, addresses(FIRST), other)
    assert isinstance(result, NoSuchZone)
    assert "NOTAUTH" in result.message


@pytest.mark.parametrize(
    ("rcode", "expected"),
    [
        (dns.rcode.SERVFAIL, ServerSide),
        (dns.rcode.REFUSED, NotPermitted),
        (dns.rcode.NOTIMP, NotPermitted),
        (dns.rcode.NOTZONE, NoSuchZone),
        (dns.rcode.NXDOMAIN, NoSuchZone),
        (dns.rcode.FORMERR, Rejected),
        (dns.rcode.Rcode(11), ServerSide),
    ],
)
def test_each_refusal_of_an_update(primary: Primary, rcode: dns.rcode.Rcode, expected: type[ProviderError]) -> None:
    def refuse(message: dns.message.Message) -> dns.message.Message:
        reply = primary.zone(message)
        if message.opcode() == dns.opcode.UPDATE:
            reply.set_rcode(rcode)
        return reply

    primary.server.handler = refuse
    result = write(provider(primary), None, addresses(FIRST))
    assert isinstance(result, expected)
    assert result.advice
    assert HOME.name in result.message
    assert f"{HOME.name}." not in result.message


def test_an_unsigned_success_is_not_believed(primary: Primary) -> None:
    primary.server.sign = False
    assert isinstance(write(provider(primary, zone="example.com"), None, addresses(FIRST)), Malformed)


def test_each_change_has_its_own_end(primary: Primary) -> None:
    primary.zone.put(HOME.name, "A", FIRST)
    other = RecordKey("main", "other.example.com", HOME.type)
    changes = [
        Change("1", HOME, addresses("192.0.2.99"), addresses(SECOND), Reason.ADDRESS),
        Change("2", other, None, addresses(SECOND), Reason.CREATE),
    ]
    results = dict(provider(primary).apply(changes, deadline()))
    assert isinstance(results[changes[0]], Conflict)
    assert results[changes[1]] == Applied()


def test_a_refused_connection_is_not_in_doubt_but_a_broken_one_is(primary: Primary) -> None:
    on = provider(primary, zone="example.com")
    primary.fail(Fault.HALF_A_BODY)
    broken = write(on, None, addresses(FIRST))
    primary.fail(Fault.REFUSED)
    refused = write(on, None, addresses(FIRST))
    assert isinstance(broken, ProviderError)
    assert isinstance(refused, ProviderError)
    assert (broken.in_doubt, refused.in_doubt) == (True, False)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"server": "a:0"}, "server: .*port"),
        ({"server": "ns1", "zone": "a..b"}, "zone: .*empty"),
        ({"server": "ns1", "key_name": "host1"}, "go together"),
        ({"server": "ns1", "key": SecretRef("env:KEY")}, "go together"),
    ],
)
def test_settings_that_can_not_be(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**settings)
