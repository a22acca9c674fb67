"""PowerDNS beyond what all providers owe: what was not asked for stays as it is on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ddns.errors import NoSuchZone, ProviderError, Rejected
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from providers.cast import FIRST, HOME, SECOND, STRANGER, ZONE, addresses
from providers.doubles import powerdns
from providers.stage import connect, deadline


@pytest.fixture(scope="module")
def _running() -> Iterator[powerdns.Relay]:
    with powerdns.serve() as relay:
        yield relay


@pytest.fixture
def relay(_running: powerdns.Relay) -> powerdns.Relay:
    for rdtype in ("A", "CNAME"):
        _running.put(HOME.name, rdtype)
    return _running


def provider(relay: powerdns.Relay) -> Provider:
    return connect("powerdns", relay.settings, relay.secrets, relay.net)


def write(
    relay: powerdns.Relay, before: RRset | None, after: RRset | None, key: RecordKey = HOME
) -> Applied | ProviderError:
    ((_, result),) = provider(relay).apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def test_comments_and_the_ttl_stay(relay: powerdns.Relay) -> None:
    comments = [{"content": "the office", "account": "ops", "modified_at": 1700000000}]
    relay.pdns.put(ZONE, HOME.name, "A", FIRST, ttl=77, comments=comments)
    assert write(relay, addresses(FIRST), addresses(SECOND)) == Applied()
    after = relay.pdns.rrset(ZONE, HOME.name, "A")
    assert after is not None
    assert (after["ttl"], after["comments"]) == (77, comments)


def test_a_record_that_was_switched_off_stays_so_and_is_not_seen(relay: powerdns.Relay) -> None:
    off = {"content": "192.0.2.99", "disabled": True}
    rrset = {"name": f"{HOME.name}.", "type": "A", "changetype": "REPLACE", "ttl": 300}
    on = {"content": FIRST, "disabled": False}
    relay.pdns.api("PATCH", f"/zones/{ZONE}.", {"rrsets": [rrset | {"records": [on, off]}]}).raise_for_status()
    seen = provider(relay).observe([HOME], deadline())[HOME]
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=300)
    assert write(relay, addresses(FIRST), addresses(SECOND)) == Applied()
    assert write(relay, addresses(SECOND), None) == Applied()
    left = relay.pdns.rrset(ZONE, HOME.name, "A")
    assert left is not None
    assert left["records"] == [off]


def test_an_asterisk_is_a_name_and_no_pattern(relay: powerdns.Relay) -> None:
    wildcard = RecordKey("main", f"*.{ZONE}", RecordType.A)
    off = {"content": "192.0.2.99", "disabled": True}
    rrset = {"name": f"{HOME.name}.", "type": "A", "changetype": "REPLACE", "ttl": 300, "records": [off]}
    relay.pdns.api("PATCH", f"/zones/{ZONE}.", {"rrsets": [rrset]}).raise_for_status()
    assert write(relay, None, addresses(FIRST), wildcard) == Applied()
    made = relay.pdns.rrset(ZONE, wildcard.name, "A")
    relay.put(wildcard.name, "A")
    assert made is not None
    assert made["records"] == [{"content": FIRST, "disabled": False}]


def test_an_address_beside_a_cname_is_refused_in_their_words(relay: powerdns.Relay) -> None:
    relay.pdns.put(ZONE, HOME.name, "CNAME", "other.example.com.")
    result = write(relay, None, addresses(FIRST))
    assert isinstance(result, Rejected)
    assert "Conflicts with pre-existing RRset" in result.message
    assert relay.get(HOME.name, "A") == set()


def test_the_zone_itself(relay: powerdns.Relay) -> None:
    apex = RecordKey("main", ZONE, RecordType.A)
    assert write(relay, None, addresses(FIRST, ttl=60), apex) == Applied()
    assert relay.get(ZONE, "A") == {FIRST}


def test_a_zone_of_nobody(relay: powerdns.Relay) -> None:
    assert isinstance(write(relay, None, addresses(FIRST), STRANGER), NoSuchZone)
