"""DigitalOcean beyond what all providers owe: only what differs is sent, every page is read, the apex."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ddns.errors import Conflict, ProviderError, Rejected
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from providers.cast import FIRST, HOME, SECOND, ZONE, addresses
from providers.doubles import digitalocean
from providers.stage import connect, deadline

APEX = RecordKey("main", ZONE, RecordType.A)


@pytest.fixture
def api() -> Iterator[digitalocean.Api]:
    with digitalocean.serve() as double:
        yield double


def provider(api: digitalocean.Api) -> Provider:
    return connect("digitalocean", api.settings, api.secrets, api.net)


def write(
    api: digitalocean.Api, before: RRset | None, after: RRset | None, key: RecordKey = HOME
) -> Applied | ProviderError:
    ((_, result),) = provider(api).apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def written(api: digitalocean.Api) -> list[tuple[str, object]]:
    return [(r.method, json.loads(r.body or b"null")) for r in api.web.server.requests if r.method != "GET"]


def test_an_address_alone_is_sent_alone(api: digitalocean.Api) -> None:
    api.put(HOME.name, "A", FIRST, ttl=77)
    assert write(api, addresses(FIRST), addresses(SECOND)) == Applied()
    assert written(api) == [("PATCH", {"type": "A", "data": SECOND})]
    assert [record["ttl"] for record in api.records.values()] == [77]


def test_a_ttl_alone_is_sent_alone(api: digitalocean.Api) -> None:
    api.put(HOME.name, "A", FIRST, ttl=300)
    assert write(api, addresses(FIRST), addresses(FIRST, ttl=60)) == Applied()
    assert written(api) == [("PATCH", {"type": "A", "ttl": 60})]


def test_the_zone_itself(api: digitalocean.Api) -> None:
    assert write(api, None, addresses(FIRST), APEX) == Applied()
    seen = provider(api).observe([APEX], deadline())[APEX]
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=120)


def test_records_on_a_later_page_are_seen(api: digitalocean.Api) -> None:
    many = [f"192.0.2.{number}" for number in range(1, 8)]
    api.put(HOME.name, "A", *many)
    api.page_size = 3
    seen = provider(api).observe([HOME], deadline())[HOME]
    assert isinstance(seen, Observed)
    assert seen.rrset is not None
    assert seen.rrset.texts() == many


def test_what_somebody_else_wrote_stays(api: digitalocean.Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(api, addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def test_a_ttl_below_the_floor_is_refused_in_their_words(api: digitalocean.Api) -> None:
    api.put(HOME.name, "A", FIRST, ttl=300)
    result = write(api, addresses(FIRST), addresses(FIRST, ttl=5))
    assert isinstance(result, Rejected)
    assert "greater than or equal to 30" in result.message
