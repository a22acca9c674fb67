"""TXT and CNAME at every kind that keeps them: written as meant, beside what others wrote, and taken away alone.

Through the steps of a run, on a real state; BIND and PowerDNS are real, the others are doubles.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ddns.compare import Rules, compare
from ddns.model import Kind, Outcome, RecordKey, RecordType, Run, Target
from ddns.ports import Deadline, Provider
from ddns.providers.rfc2136 import Settings
from ddns.publish import publish
from ddns.resilience import Retry
from ddns.secret import SecretRef
from ddns.state.opening import open_store
from ddns.state.store import Store
from ddns.withdraw import owned, withdraw
from ground.bind import Bind
from providers.cast import SystemClock
from providers.doubles import (
    alidns,
    cloudflare,
    desec,
    digitalocean,
    dnspod,
    godaddy,
    huaweicloud,
    porkbun,
    powerdns,
    route53,
    tencentcloud,
    webhook,
)
from providers.stage import connect

LONG = "v=DKIM1; k=rsa; p=" + "AbCd0189" * 60
CLOCK = SystemClock()
_RUNS = itertools.count(1)


@dataclass
class Machine:
    """A machine with a state, one provider, and the zone from behind. `quoted`: the zone shows texts in quotes."""

    provider: Provider
    store: Store
    get: Callable[[str, str], frozenset[str]]
    put: Callable[..., None]
    name: str
    quoted: bool = True
    interrupted: Callable[[], None] | None = None
    told: list[Outcome] = field(default_factory=list)

    def text(self, value: str) -> str:
        """A TXT value as the zone shows it."""
        return f'"{value}"' if self.quoted else value

    def target(self, value: str, rtype: RecordType = RecordType.TXT, name: str = "") -> Target:
        """What the settings ask for."""
        return Target(RecordKey("main", name or self.name, rtype), None, 3600, value=value)

    def run(self, *targets: Target) -> list[Kind]:
        """One run; returns how each record ended."""
        run = self._begin()
        memory = self.store.recall()
        seen = self.provider.observe([target.key for target in targets], self.deadline())
        plan = compare(run, targets, {}, seen, memory, CLOCK.now(), Rules(settle=0))
        return self._publish(run, plan)

    def remove(self) -> list[Kind]:
        """Take away what is ours."""
        run, memory = self._begin(), self.store.recall()
        seen = self.provider.observe(owned(memory), self.deadline())
        return self._publish(run, withdraw(run, owned(memory), seen, memory, CLOCK.now(), 0))

    def _begin(self) -> Run:
        run = Run(f"r{next(_RUNS)}", "schedule", CLOCK.now())
        self.store.begin(run)
        return run

    def _publish(self, run: Run, plan: object) -> list[Kind]:
        if self.interrupted is not None:
            self.interrupted()
        self.told = list(
            publish(
                run,
                plan,  # type: ignore[arg-type]  # a Plan
                {"main": self.provider},
                self.store,
                policy=Retry(attempts=2, base=0, jitter=0),
                clock=CLOCK,
                deadline=self.deadline(),
                random=lambda: 0.0,
            )
        )
        return [outcome.kind for outcome in self.told]

    @staticmethod
    def deadline() -> Deadline:
        return Deadline(CLOCK, 20)


@contextmanager
def _double(module: object) -> Iterator[tuple[Provider, object]]:
    with module.serve() as double:  # type: ignore[attr-defined]  # one of the doubles
        kind = module.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
        yield connect(kind, double.settings, double.secrets, double.net), double.zone


_DOUBLES = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        alidns,
        cloudflare,
        desec,
        digitalocean,
        dnspod,
        godaddy,
        huaweicloud,
        porkbun,
        powerdns,
        route53,
        tencentcloud,
        webhook,
    )
}
#: Whose zones show texts without quotes.
_BARE = {"alidns", "digitalocean", "dnspod", "godaddy", "porkbun", "tencentcloud", "webhook"}


@pytest.fixture(params=[*_DOUBLES, "rfc2136"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    store = open_store(str(tmp_path / "state.db"), CLOCK.now())
    try:
        if request.param in _DOUBLES:
            with _double(_DOUBLES[request.param]) as (provider, zone):
                yield Machine(
                    provider,
                    store,
                    zone.get,  # type: ignore[attr-defined]
                    zone.put,  # type: ignore[attr-defined]
                    "note.example.com",
                    quoted=request.param not in _BARE,
                )
        else:
            bind: Bind = request.getfixturevalue("bind")
            fresh: Callable[..., str] = request.getfixturevalue("fresh_name")
            settings = Settings(server=bind.server, key_name=bind.key.name, key=SecretRef("env:KEY"))
            provider = connect("rfc2136", settings, {"env:KEY": bind.key.secret}, None)  # type: ignore[arg-type]

            def get(name: str, kind: str) -> frozenset[str]:
                answer = bind.query(name, kind)
                return frozenset(answer.values) if answer else frozenset()

            yield Machine(provider, store, get, bind.alter, fresh())
    finally:
        store.close_file()


def test_our_text_lives_beside_those_of_others(machine: Machine) -> None:
    others = {machine.text("v=spf1 -all"), machine.text("google-site-verification=abc")}
    machine.put(machine.name, "TXT", *others, ttl=1800)
    assert machine.run(machine.target("ours")) == [Kind.UPDATED]
    assert machine.get(machine.name, "TXT") == others | {machine.text("ours")}
    assert machine.run(machine.target("ours")) == [Kind.PROVEN]
    assert machine.run(machine.target("ours, changed")) == [Kind.UPDATED]
    assert machine.get(machine.name, "TXT") == others | {machine.text("ours, changed")}
    assert machine.remove() == [Kind.REMOVED]
    assert machine.get(machine.name, "TXT") == others
    assert machine.remove() == []


def test_what_others_do_to_theirs_is_no_drift_and_what_they_do_to_ours_is(machine: Machine) -> None:
    machine.run(machine.target("ours"))
    machine.put(machine.name, "TXT", machine.text("ours"), machine.text("theirs"), ttl=3600)
    assert machine.run(machine.target("ours")) == [Kind.PROVEN]
    machine.put(machine.name, "TXT", machine.text("theirs"), ttl=3600)
    assert machine.run(machine.target("ours")) == [Kind.REPAIRED]
    assert machine.get(machine.name, "TXT") == {machine.text("ours"), machine.text("theirs")}


def test_a_neighbour_that_comes_between_reading_and_writing_stays(machine: Machine) -> None:
    machine.put(machine.name, "TXT", machine.text("early"), ttl=3600)

    def come() -> None:
        machine.interrupted = None
        machine.put(machine.name, "TXT", machine.text("early"), machine.text("late"), ttl=3600)

    machine.interrupted = come
    assert machine.run(machine.target("ours")) == [Kind.UPDATED], machine.told
    assert machine.get(machine.name, "TXT") == {machine.text(value) for value in ("early", "late", "ours")}


def test_a_long_text_and_one_with_quotes(machine: Machine) -> None:
    for value in (LONG, 'a "quoted" word; and \\ a slash'):
        assert machine.run(machine.target(value)) in ([Kind.UPDATED], [Kind.REPAIRED])
        assert machine.run(machine.target(value)) == [Kind.PROVEN], machine.get(machine.name, "TXT")
    assert len(machine.get(machine.name, "TXT")) == 1


def test_an_alias(machine: Machine) -> None:
    alias = f"www.{machine.name}"
    target = machine.target("Target.Example.NET.".lower().rstrip("."), RecordType.CNAME, alias)
    assert machine.run(target) == [Kind.UPDATED], machine.told
    assert {value.rstrip(".") for value in machine.get(alias, "CNAME")} == {"target.example.net"}
    assert machine.run(target) == [Kind.PROVEN]
    other = machine.target("other.example.net", RecordType.CNAME, alias)
    assert machine.run(other) == [Kind.UPDATED]
    assert machine.remove() == [Kind.REMOVED]
    assert machine.get(alias, "CNAME") == set()


def test_an_alias_is_never_put_over_an_address(machine: Machine) -> None:
    machine.put(machine.name, "A", "192.0.2.1")
    (kind,) = machine.run(machine.target("target.example.net", RecordType.CNAME))
    assert kind in (Kind.FAILED, Kind.CONTENDED), machine.told
    assert machine.get(machine.name, "A") == {"192.0.2.1"}
    assert machine.get(machine.name, "CNAME") == set()
