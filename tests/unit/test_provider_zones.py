"""Which zone holds a name: the longest parent that is there, each asked for once; no other than the named one."""

from __future__ import annotations

import pytest

from ddns.errors import NoSuchZone
from ddns.model import RecordKey, RecordType
from ddns.ports import Deadline
from ddns.providers.zones import Zone, Zones, parents
from providers.stage import deadline


def key(name: str) -> RecordKey:
    return RecordKey("main", name, RecordType.A)


def finder(*there: str, named: str = "") -> tuple[Zones, list[str]]:
    asked: list[str] = []

    def find(name: str, _deadline: Deadline) -> Zone | None:
        asked.append(name)
        return Zone(name) if name in there else None

    return Zones("Service", find, named), asked


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.b.example.com", ["a.b.example.com", "b.example.com", "example.com"]),
        ("example.com", ["example.com"]),
        ("*.example.com", ["example.com"]),
        ("host", ["host"]),
    ],
)
def test_candidates(name: str, expected: list[str]) -> None:
    assert parents(name) == expected


def test_the_longest_parent_wins_and_is_asked_for_once() -> None:
    zones, asked = finder("b.example.com", "example.com")
    assert zones.of(key("a.b.example.com"), deadline()).name == "b.example.com"
    assert zones.of(key("x.b.example.com"), deadline()).name == "b.example.com"
    assert asked == ["a.b.example.com", "b.example.com", "x.b.example.com"]


def test_the_named_zone_alone_is_asked_for() -> None:
    zones, asked = finder("example.com", "b.example.com", named="Example.com.")
    assert zones.of(key("a.b.example.com"), deadline()).name == "example.com"
    assert asked == ["example.com"]
    with pytest.raises(NoSuchZone, match=r"does not lie in the zone example\.com"):
        zones.of(key("home.notexample.com"), deadline())


def test_none_is_told_by_the_service_and_the_name() -> None:
    zones, _ = finder()
    with pytest.raises(NoSuchZone, match=r"Service: the account has no zone that holds home\.example\.com"):
        zones.of(key("home.example.com"), deadline())


@pytest.mark.parametrize(
    ("name", "left"),
    [("example.com", "@"), ("home.example.com", "home"), ("*.example.com", "*"), ("a.b.example.com", "a.b")],
)
def test_the_left_part_of_a_name(name: str, left: str) -> None:
    assert Zone("example.com").relative(name) == left
