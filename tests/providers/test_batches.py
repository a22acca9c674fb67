"""The writes of one zone in one call; and one name that is refused never keeps the others from being written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from ddns.errors import Conflict, ProviderError, Transport
from ddns.model import Applied, Change, Reason, RecordKey, RecordType, RRset
from ddns.ports import Deadline, HttpRequest, HttpResponse, Provider
from ddns.providers import rows
from providers.cast import FIRST, NEAR, SECOND, ZONE, Fault, SystemClock, addresses
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


class Slow(SystemClock):
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_a_record_that_changes_while_the_others_are_read_is_not_overwritten() -> None:
    """Cloudflare has no conditional write, and a batch of many records takes long to read."""
    with cloudflare.serve() as api:
        clock = Slow()

        class Reading:
            """The last list takes long; meanwhile somebody writes a record that was read before."""

            def http(self, request: HttpRequest, **options: Any) -> HttpResponse:
                if "dns_records?" in request.url and NAMES[-1] in request.url and not clock.seconds:
                    clock.seconds += rows.FRESH_SECONDS + 1
                    found = next(record for record in api.records.values() if record["name"] == NAMES[3])
                    found["content"] = NEAR  # under the same identifier, so that only a look can tell
                return api.net.http(request, **options)

            def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
                raise AssertionError

        for name in NAMES:
            api.put(name, "A", FIRST)
        provider = connect("cloudflare", api.settings, api.secrets, Reading(), clock=clock)
        moves = [Change(name, key(name), addresses(FIRST), addresses(SECOND), Reason.ADDRESS) for name in NAMES[2:]]
        told = {change.key.name: result for change, result in provider.apply(moves, deadline())}
        assert isinstance(told[NAMES[3]], Conflict)
        assert [told[NAMES[2]], told[NAMES[4]]] == [Applied()] * 2
        assert [api.get(name, "A") for name in NAMES[2:]] == [{SECOND}, {NEAR}, {SECOND}]


def test_a_batch_does_not_wait_until_its_first_record_is_old() -> None:
    """A service that takes half a second to list a name: several calls, each soon after what it was read from."""
    with cloudflare.serve() as api:
        clock, ages = Slow(), list[float]()
        read: dict[str, float] = {}

        class Reading:
            def http(self, request: HttpRequest, **options: Any) -> HttpResponse:
                if request.url.endswith("/batch"):
                    names = [item["name"] for item in json.loads(request.content or b"")["posts"]]
                    ages.extend(clock.seconds - read[name] for name in names)
                for name in NAMES:
                    if "dns_records?" in request.url and f"name={name}" in request.url:
                        read[name] = clock.seconds
                        clock.seconds += 0.5
                return api.net.http(request, **options)

            def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
                raise AssertionError

        provider = connect("cloudflare", api.settings, api.secrets, Reading(), clock=clock)
        assert {result for _, result in provider.apply(creations(), deadline())} == {Applied()}
        assert api.batches == 1
        assert len(ages) == 4
        assert max(ages) <= rows.FRESH_SECONDS
        assert [api.get(name, "A") for name in NAMES] == [{FIRST}] * 5
