"""What a run promises the next one: nothing while anything is open, and never for longer than it is true."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

import pytest

from ddns.address import Family
from ddns.cycle import Found, World
from ddns.detection import Absent, Answer, Available, Detected
from ddns.errors import AddressError, BadCredentials, Conflict, Deferred, Held, LeaseTaken, Rejected, Transport
from ddns.expect import OWN_PROBE
from ddns.memory import BlockNote, Memory, Published
from ddns.model import Change, Kind, Outcome, Plan, Reason, RecordKey, RecordType, RRset, Target
from ddns.runtime.promise import Promise, promise
from unit.fakes import START, FakeClock, FakeNet, FakeState

KEY = RecordKey("dns", "home.example.com", RecordType.A)
V4, V6 = IPv4Address("1.0.0.1"), IPv6Address("2606:4700::1")
ONE = RRset(frozenset({V4}), 60)
CHANGE = Change("c", KEY, None, ONE, Reason.CREATE, 1)
FINE = Outcome(Kind.UNCHANGED, KEY, START, ONE)
HOUR = 3600.0
OWN = "http://192.0.2.1:8080/"


def agreed(*sources: str, address: IPv4Address | IPv6Address = V4) -> Detected:
    answers = [Answer(name, name.upper(), True, address=address) for name in sources]
    return Detected(Available(address, tuple(answer.operator for answer in answers)), tuple(answers))


def made(
    *outcomes: Outcome,
    detected: Mapping[Family, Detected] | None = None,
    probe: str = "opendns",
    published: Published | None = None,
    blocks: Mapping[str, BlockNote] | None = None,
    settings: bytes = b"",
) -> Promise | None:
    clock = FakeClock()
    world = World(
        targets=[Target(KEY, Family.V4, 60)], sources=[], providers={}, state=FakeState(), memory=Memory(),
        net=FakeNet(), clock=clock, random=lambda: 0.0, deadline=clock.deadline(),
        probes={Family.V4: probe, Family.V6: probe}, prove_every=6 * HOUR,
    )  # fmt: skip
    found = Found(detected or {Family.V4: agreed("ipify", "opendns")}, {}, Plan())
    memory = Memory({KEY: published or Published(ONE, START, START)}, {}, blocks or {})
    return promise(world, found, outcomes or (FINE,), memory, settings)


def shown(promised: Promise | None) -> list[tuple[int, int, str]]:
    assert promised is not None
    return [(item.family, item.probe, item.address) for item in promised.expected]


def test_the_probe_that_agreed() -> None:
    assert shown(made()) == [(4, 0, "1.0.0.1")]
    assert shown(made(detected={Family.V4: agreed("a", "google", "cloudflare")})) == [(4, 1, "1.0.0.1")]
    assert shown(made(detected={Family.V4: agreed("google", "cloudflare")}, probe="cloudflare")) == [(4, 2, "1.0.0.1")]
    assert made(detected={Family.V4: agreed("ipify", "aws")}) is None


def test_each_family_that_is_there() -> None:
    both = {Family.V4: agreed("opendns", "a"), Family.V6: agreed("google", "a", address=V6)}
    assert shown(made(detected=both)) == [(4, 0, "1.0.0.1"), (6, 1, "2606:4700::1")]
    assert shown(made(detected={**both, Family.V6: Detected(Absent("no route"))})) == [(4, 0, "1.0.0.1")]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (f'probe4 = "{OWN}"\n', [(4, OWN_PROBE, "1.0.0.1")]),
        (f"probe4 = '{OWN}'\n", None),
        ('probe4 = "http://192.0.2.66/"\n', None),
        ("", None),
    ],
)
def test_an_own_probe_is_promised_if_the_cheap_path_reads_the_same(
    settings: str, expected: list[tuple[int, int, str]] | None
) -> None:
    found = made(detected={Family.V4: agreed("a", OWN)}, probe=OWN, settings=settings.encode())
    assert (shown(found) if found else None) == expected


@pytest.mark.parametrize(
    ("outcome", "closed"),
    [
        *(
            pytest.param(Outcome(kind, KEY, START, ONE, CHANGE), True, id=kind.value)
            for kind in (Kind.UNCHANGED, Kind.PROVEN, Kind.UPDATED, Kind.REPAIRED, Kind.REMOVED)
        ),
        pytest.param(Outcome(Kind.YIELDED, KEY, START, cause=LeaseTaken("x")), False, id="yielded"),
        pytest.param(Outcome(Kind.FAILED, KEY, START, cause=BadCredentials("x")), True, id="blocked"),
        pytest.param(Outcome(Kind.CONTENDED, KEY, START, cause=Conflict("x"), until=START + 60), True, id="held"),
        pytest.param(Outcome(Kind.HELD, KEY, START, cause=Rejected("x")), True, id="not adopted"),
        pytest.param(Outcome(Kind.FAILED, KEY, START, cause=AddressError("x")), False, id="unknown"),
        pytest.param(Outcome(Kind.FAILED, KEY, START, cause=Rejected("x")), True, id="rejected"),
        pytest.param(Outcome(Kind.DEFERRED, KEY, START, cause=Transport("x")), False, id="unreachable"),
        pytest.param(Outcome(Kind.DEFERRED, KEY, START, cause=Deferred("x", until=START + 9)), False, id="deferred"),
        pytest.param(Outcome(Kind.ACCEPTED, KEY, START, ONE, CHANGE), False, id="accepted"),
        pytest.param(Outcome(Kind.HELD, KEY, START, ONE, CHANGE), False, id="held by the gateway"),
        pytest.param(Outcome(Kind.HELD, KEY, START, cause=Held("x")), False, id="still held by the gateway"),
        pytest.param(Outcome(Kind.CONTENDED, KEY, START, ONE, CHANGE, cause=Conflict("x")), False, id="conflict"),
    ],
)
def test_only_what_is_closed_is_promised(outcome: Outcome, closed: bool) -> None:
    assert (made(FINE, outcome) is not None) is closed


def test_a_run_without_records_promises_nothing() -> None:
    clock = FakeClock()
    world = World((), (), {}, FakeState(), Memory(), FakeNet(), clock, lambda: 0.0, clock.deadline())
    assert promise(world, Found({}, {}, Plan()), [], Memory(), b"") is None


def block(retry_at: float) -> dict[str, BlockNote]:
    return {"dns:f00": BlockNote("dns", "f00", "provider.banned", "m", "a", START, retry_at)}


@pytest.mark.parametrize(
    ("published", "blocks", "until", "seconds"),
    [
        pytest.param(Published(ONE, START, START), {}, None, 6 * HOUR, id="proof"),
        pytest.param(Published(ONE, START, START - HOUR, START - 2 * HOUR), {}, None, 5 * HOUR, id="written lately"),
        pytest.param(Published(ONE, START, 0.0, START - 7 * HOUR), {}, None, None, id="proof due"),
        pytest.param(Published(ONE, START, START), block(START + HOUR), None, HOUR, id="block"),
        pytest.param(Published(ONE, START, START), block(START - HOUR), None, 6 * HOUR, id="a block of long ago"),
        pytest.param(Published(ONE, START, START), {}, START + 60, 60.0, id="hold"),
        pytest.param(Published(ONE, START, START), {}, START + 90 * HOUR, 24 * HOUR, id="a day at most"),
    ],
)
def test_how_long(
    published: Published, blocks: dict[str, BlockNote], until: float | None, seconds: float | None
) -> None:
    held = Outcome(Kind.CONTENDED, KEY, START, cause=Conflict("x"), until=until)
    outcome = Outcome(Kind.UNCHANGED, KEY, START, ONE) if until is None else held
    promised = made(outcome, published=published, blocks=blocks)
    assert (promised and (promised.made, promised.until)) == (None if seconds is None else (START, START + seconds))
