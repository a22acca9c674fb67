"""The watch after a write: an interval that holds the truth, within its time, whoever is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import cast

import pytest

from ddns.cycle import World
from ddns.errors import ProviderError, Transport
from ddns.memory import Visibility
from ddns.model import Change, Kind, Observed, Outcome, Reason, RecordKey, RecordType, RRset
from ddns.ports import Deadline, Tools
from ddns.runtime.watching import asking, watch
from ddns.secret import Secret
from providers.doubles.dns import DnsServer
from providers.doubles.zone import MemoryZone
from unit import fakes
from unit.fakes import START, FakeClock, FakeNet, FakeProvider

KEY = RecordKey("dns", "home.example.com", RecordType.A)
NOTE = RecordKey("dns", "home.example.com", RecordType.TXT)
OLD, NEW = (RRset(frozenset({IPv4Address(text)}), 60) for text in ("192.0.2.1", "192.0.2.2"))


def wrote(kind: Kind = Kind.UPDATED, key: RecordKey = KEY, after: RRset | None = NEW) -> Outcome:
    return Outcome(kind, key, START, after, Change("c", key, OLD, after, Reason.ADDRESS))


class Dns:
    """Shows the new value from a moment on; is silent before another."""

    def __init__(self, clock: FakeClock, shows: float, hears: float = 0.0, shown: RRset | None = NEW) -> None:
        self.clock, self.shows, self.hears, self.shown = clock, START + shows, START + hears, shown
        self.looks: list[float] = []

    def __call__(self, keys: Sequence[RecordKey], _within: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        now = self.clock.now()
        self.looks.append(now - START)
        if now < self.hears:
            return dict.fromkeys(keys, Transport("no answer"))
        return {key: Observed(key, self.shown if now >= self.shows else OLD, "ns", now) for key in keys}


@pytest.mark.parametrize("delay", [0.0, 0.5, 3.0, 47.0, 110.0])
def test_the_interval_holds_the_delay(delay: float) -> None:
    clock = FakeClock()
    dns = Dns(clock, delay)
    (seen,) = watch([wrote()], dns, seconds=120, clock=clock, deadline=clock.deadline(120))
    assert seen.upper is not None
    assert seen.lower <= delay <= seen.upper
    assert seen.upper - seen.lower <= 10.1
    assert len(dns.looks) < 20


def test_what_is_not_seen_in_time_has_no_upper_bound() -> None:
    clock = FakeClock()
    (seen,) = watch([wrote()], Dns(clock, 1000), seconds=30, clock=clock, deadline=clock.deadline(120))
    assert (seen.upper, 20 <= seen.lower <= 30, clock.now() - START <= 30) == (None, True, True)


def test_the_runs_deadline_is_the_end_in_any_case() -> None:
    clock = FakeClock()
    list(watch([wrote()], Dns(clock, 1000), seconds=120, clock=clock, deadline=clock.deadline(5)))
    assert clock.now() - START <= 5


def test_silence_says_nothing() -> None:
    clock = FakeClock()
    (seen,) = watch([wrote()], Dns(clock, 1, hears=20), seconds=120, clock=clock, deadline=clock.deadline(120))
    assert seen.lower == 0.0
    assert seen.upper is not None
    assert seen.upper >= 20


@pytest.mark.parametrize("outcome", [wrote(Kind.REMOVED, after=None), wrote(Kind.FAILED), wrote(Kind.ACCEPTED)])
def test_only_what_was_written_is_looked_for(outcome: Outcome) -> None:
    clock = FakeClock()
    dns = Dns(clock, 0)
    assert list(watch([outcome], dns, seconds=120, clock=clock, deadline=clock.deadline(120))) == []
    assert dns.looks == []


def test_a_text_is_seen_beside_those_of_others() -> None:
    clock = FakeClock()
    ours = RRset(frozenset({"ours"}), 60)
    change = Change("c", NOTE, None, ours, Reason.CREATE)
    dns = Dns(clock, 0, shown=RRset(frozenset({"ours", "theirs"}), None))
    outcome = Outcome(Kind.UPDATED, NOTE, START, ours, change)
    assert list(watch([outcome], dns, seconds=9, clock=clock, deadline=clock.deadline())) == [
        Visibility(NOTE, START, 0.0, 0.0)
    ]


@pytest.mark.parametrize(("before", "after"), [(True, None), (None, True), (False, None), (None, None)])
def test_a_proxied_record_is_looked_for_where_it_stands(before: bool | None, after: bool | None) -> None:
    """DNS shows the proxy's addresses in its place: whoever compares with those never sees his own."""
    clock, zone, truth = FakeClock(), MemoryZone(), fakes.Dns()
    zone.put(KEY.name, "A", "104.16.0.1")
    truth.alter(KEY.name, "192.0.2.2")
    provider = FakeProvider(truth, clock)
    old, new = (
        RRset(rrset.values, 60, {} if proxied is None else {"proxied": proxied})
        for rrset, proxied in ((OLD, before), (NEW, after))
    )
    outcome = Outcome(Kind.UPDATED, KEY, START, new, Change("c", KEY, old, new, Reason.ADDRESS))
    with DnsServer(zone) as server:
        tools = Tools(FakeNet(), clock, lambda _ref: Secret(""), proof_servers=(server.address,))
        ask = asking(cast("World", SimpleNamespace(providers={"dns": provider})), [outcome], tools)
        seen = ask([KEY], clock.deadline(5))[KEY]
    assert isinstance(seen, Observed)
    assert seen.rrset is not None
    assert seen.rrset.texts() == (["192.0.2.2"] if before or after else ["104.16.0.1"])
