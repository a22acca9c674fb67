"""What must be read, in which order, and in whose share of the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest

from ddns.address import Family, HostRule
from ddns.detection import Absent, Available, Detection, Unknown
from ddns.errors import ProviderError, Transport
from ddns.memory import Intent, Memory, Published
from ddns.model import Change, Observed, Reason, RecordKey, RecordType, RRset, Target
from ddns.observe import due, needs, observe, wanted
from ddns.ports import Deadline
from unit.fakes import UNREACHABLE, Dns, FakeClock, FakeProvider

NOW = 1_000_000.0
EVERY = 6 * 3600.0
KEY = RecordKey("dns", "home.example.com", RecordType.A)
TARGET = Target(KEY, Family.V4, 60)
THERE = Available(IPv4Address("1.0.0.1"), ("A", "B"))
ONE, TWO = (RRset(frozenset({IPv4Address(text)}), 60) for text in ("1.0.0.1", "1.0.0.2"))
FRESH = Published(ONE, NOW - 9, NOW - 9, NOW - 9)
INTENT = Intent(Change("x", KEY, None, ONE, Reason.CREATE, 1), NOW - 5)


def published(
    rrset: RRset = ONE, *, written: float = NOW - 9, proven: float | None = NOW - 9, **more: object
) -> Published:
    return Published(rrset, NOW - 9, written, proven, **more)  # type: ignore[arg-type]  # a table's short hand


@pytest.mark.parametrize(
    ("found", "record", "intent", "prove", "read"),
    [
        pytest.param(THERE, None, None, False, True, id="never published"),
        pytest.param(THERE, published(), None, False, False, id="fresh"),
        pytest.param(THERE, published(TWO), None, False, True, id="another address"),
        pytest.param(THERE, published(RRset(ONE.values, 300)), None, False, True, id="another ttl"),
        pytest.param(THERE, published(), None, True, True, id="run --prove"),
        pytest.param(THERE, published(written=NOW - EVERY - 1, proven=NOW - EVERY - 1), None, False, True, id="due"),
        pytest.param(THERE, published(proven=NOW - EVERY), None, False, False, id="written lately"),
        pytest.param(THERE, published(written=NOW - EVERY), None, False, False, id="read lately"),
        pytest.param(THERE, published(written=NOW - EVERY - 1, proven=None), None, False, True, id="never read"),
        pytest.param(THERE, published(pending=True), None, False, True, id="pending"),
        pytest.param(THERE, published(proven=NOW + 9), None, False, True, id="read in the future"),
        pytest.param(THERE, published(held_until=NOW + 1), None, False, False, id="held"),
        pytest.param(THERE, published(held_until=NOW), None, False, True, id="hold served"),
        pytest.param(THERE, published(), INTENT, False, True, id="intent open"),
        pytest.param(Absent("no route"), None, None, True, False, id="absent, never published"),
        pytest.param(Absent("no route"), published(TWO), None, False, False, id="absent, fresh"),
        pytest.param(Absent("no route"), published(TWO), None, True, True, id="absent, prove"),
        pytest.param(Unknown(("a: silent",)), None, None, True, False, id="unknown"),
        pytest.param(Unknown(("a: silent",)), published(TWO, pending=True), None, True, False, id="unknown, due"),
        pytest.param(Unknown(("a: silent",)), published(TWO), INTENT, False, True, id="unknown, intent open"),
    ],
)
def test_what_is_read(
    found: Detection, record: Published | None, intent: Intent | None, prove: bool, read: bool
) -> None:
    memory = Memory({KEY: record} if record else {}, {KEY: intent} if intent else {})
    assert needs([TARGET], {Family.V4: found}, memory, NOW, every=EVERY, prove=prove) == ([KEY] if read else [])


def test_the_oldest_unconfirmed_come_first() -> None:
    keys = [RecordKey("dns", f"{name}.example.com", RecordType.A) for name in "abc"]
    memory = Memory({keys[0]: published(proven=NOW - 5), keys[1]: published(proven=NOW - 50)})
    targets = [Target(key, Family.V4, 60) for key in keys]
    assert needs(targets, {Family.V4: THERE}, memory, NOW, every=EVERY, prove=True) == [keys[2], keys[1], keys[0]]


def test_wanted() -> None:
    assert wanted(TARGET, {Family.V4: THERE}) == ONE
    assert wanted(TARGET, {Family.V4: Absent("no route")}) is None
    assert wanted(TARGET, {Family.V4: Unknown(())}) is None


def test_wanted_of_a_value_that_the_settings_say() -> None:
    target = Target(RecordKey("dns", "note.example.com", RecordType.TXT), None, 60, value="a note")
    assert wanted(target, {}) == RRset(frozenset({"a note"}), 60)


def test_wanted_of_another_host_of_the_network() -> None:
    key = RecordKey("dns", "nas.example.com", RecordType.AAAA)
    detected = {Family.V6: Available(IPv6Address("2001:db8:1:2:aaaa:bbbb:cccc:dddd"), ("alpha",))}
    for rule, address in (
        ("::1:2:3:4/64", "2001:db8:1:2:1:2:3:4"),
        ("::5/56", "2001:db8:1::5"),
        ("::2:0:0:0:5/56", "2001:db8:1:2::5"),
    ):
        want = wanted(Target(key, Family.V6, host_rule=HostRule(rule)), detected)
        assert want == RRset(frozenset({IPv6Address(address)}))


def test_due_at_the_minute() -> None:
    assert not due(FRESH, NOW - 9 + EVERY, EVERY), "the expectation made with it still holds"
    assert due(FRESH, NOW - 9 + EVERY + 1, EVERY)


class Slow(FakeProvider):
    """Uses all the time that it is given."""

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        self._clock.tick(deadline.left())
        return {key: Transport("too slow") for key in keys}


def test_a_slow_provider_does_not_eat_the_others_time() -> None:
    clock = FakeClock()
    left: list[float] = []

    class Last(FakeProvider):
        def observe(
            self, keys: Sequence[RecordKey], deadline: Deadline
        ) -> Mapping[RecordKey, Observed | ProviderError]:
            left.append(deadline.left())
            return super().observe(keys, deadline)

    keys = [RecordKey(name, "home.example.com", RecordType.A) for name in ("one", "two", "three")]
    providers = {"one": Slow(Dns(), clock), "two": Slow(Dns(), clock), "three": Last(Dns(), clock)}
    seen = observe(keys, providers, clock.deadline(30.0))
    assert left == [pytest.approx(10.0)]
    assert [type(seen[key]) for key in keys] == [Transport, Transport, Observed]


def test_each_provider_reads_its_own_and_an_error_is_a_value() -> None:
    clock, dns = FakeClock(), Dns()
    dns.alter("home.example.com", "1.0.0.1")
    good, bad = FakeProvider(dns, clock), FakeProvider(dns, clock)
    bad.down = UNREACHABLE
    keys = [RecordKey("good", "home.example.com", RecordType.A), RecordKey("bad", "home.example.com", RecordType.A)]
    seen = observe(keys, {"good": good, "bad": bad}, clock.deadline())
    assert isinstance(seen[keys[0]], Observed)
    assert isinstance(seen[keys[1]], Transport)
    assert (good.reads, bad.reads) == (keys[:1], keys[1:])
