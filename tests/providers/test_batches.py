"""The writes of one zone in one call; and one name that is refused never keeps the others from being written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from ddns.errors import Conflict, ProviderError, Transport
from ddns.model import Applied, Change, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from providers.cast import FIRST, NEAR, SECOND, ZONE, Fault, addresses
from providers.doubles import cloudflare, rfc2136
from providers.stage import connect, deadline

NAMES = [f"{name}.{ZONE}" for name in "abcde"]


@dataclass
class Place:
    """A provider whose API has batches, its zone from behind, and how many calls that write came."""

    provider: Provider
    get: Callable[[str, str], frozenset[str]]
    put: Callable[..., None]
    fail: Callable[[Fault | None], None]
    writes: Callable[[], int]


@pytest.fixture(params=["cloudflare", "rfc2136"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "cloudflare":
        with cloudflare.serve() as api:
            provider = connect("cloudflare", api.settings, api.secrets, api.net)
            yield Place(provider, api.get, api.put, api.fail, lambda: api.batches)
    else:
        with rfc2136.serve() as primary:
            provider = connect("rfc2136", primary.settings, primary.secrets, primary.net)
            yield Place(provider, primary.zone.get, primary.zone.put, primary.fail, lambda: primary.zone.updates)


def key(name: str, rtype: RecordType = RecordType.A) -> RecordKey:
    return RecordKey("main", name, rtype)


def write(place: Place, changes: Sequence[Change]) -> Mapping[str, Applied | ProviderError]:
    assert place.provider.capabilities.batch
    return {change.key.name: result for change, result in place.provider.apply(changes, deadline())}


def creations(before: RRset | None = None) -> list[Change]:
    return [Change(name, key(name), before, addresses(FIRST), Reason.CREATE) for name in NAMES]


def test_all_of_a_zone_in_one_call(place: Place) -> None:
    assert write(place, creations()) == dict.fromkeys(NAMES, Applied())
    assert [place.get(name, "A") for name in NAMES] == [{FIRST}] * 5
    assert place.writes() == 1
    moved = [Change(f"2{name}", key(name), addresses(FIRST), addresses(SECOND), Reason.ADDRESS) for name in NAMES[:3]]
    gone = [Change(f"3{name}", key(name), addresses(FIRST), None, Reason.REMOVE) for name in NAMES[3:]]
    assert set(write(place, [*moved, *gone]).values()) == {Applied()}
    assert [place.get(name, "A") for name in NAMES] == [{SECOND}] * 3 + [frozenset()] * 2
    assert place.writes() == 2


def test_one_that_somebody_else_wrote_meanwhile_keeps_no_other_back(place: Place) -> None:
    place.put(NAMES[2], "A", NEAR)
    told = write(place, creations())
    assert isinstance(told[NAMES[2]], Conflict)
    assert [told[name] for name in NAMES if name != NAMES[2]] == [Applied()] * 4
    assert [place.get(name, "A") for name in NAMES] == [{FIRST}, {FIRST}, {NEAR}, {FIRST}, {FIRST}]


def test_one_that_the_service_refuses_keeps_no_other_back(place: Place) -> None:
    place.put(NAMES[1], "CNAME", "other.example.net." if place.provider.capabilities.compare_and_set else "a.b")
    told = write(place, creations())
    assert isinstance(told[NAMES[1]], ProviderError)
    assert [place.get(name, "A") for name in NAMES] == [{FIRST}, frozenset(), {FIRST}, {FIRST}, {FIRST}]


def test_a_zone_of_nobody_keeps_no_other_back(place: Place) -> None:
    stranger = Change("s", key("home.example.net"), None, addresses(FIRST), Reason.CREATE)
    told = write(place, [stranger, *creations()])
    assert isinstance(told["home.example.net"], ProviderError)
    assert [told[name] for name in NAMES] == [Applied()] * 5
    assert place.writes() == 1


def test_a_lost_answer_leaves_all_of_them_in_doubt(place: Place) -> None:
    place.fail(Fault.SILENT)
    told = {
        change.key.name: result
        for change, result in place.provider.apply(creations(), deadline(1.5))
        if isinstance(result, Transport)
    }
    assert told.keys() == set(NAMES)
    assert all(error.in_doubt for error in told.values())
