"""The client's whole story over real BIND with TSIG and real TLS with a test authority, as a process from source."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.machine import Machine
from ground.bind import Bind
from ground.echo import Echo, Fault
from ground.tls import Authority
from ground.whoami import Whoami

FIRST, SECOND, LIE = "203.0.113.7", "203.0.113.8", "203.0.113.66"


class World:
    """Two echo services of different operators, a probe, a DNS server, and one machine that knows them."""

    def __init__(
        self, machine: Machine, bind: Bind, name: str, ca: Authority, alpha: Echo, beta: Echo, probe: Whoami
    ) -> None:
        self.machine, self.bind, self.name = machine, bind, name
        self.alpha, self.beta, self.probe = alpha, beta, probe
        machine.secret("tsig", bind.key.secret)
        machine.settings(f"""
[[record]]
name = "{name}"
provider = "bind"
ttl = 60

[provider.bind]
kind = "rfc2136"
server = "{bind.server}"
key_name = "{bind.key.name}"
key = "file:tsig"

[detect]
sources = [
    {{ url = "{alpha.url}", operator = "alpha", ca_file = "{ca.file}" }},
    {{ url = "{beta.url}", operator = "beta", ca_file = "{ca.file}" }},
]
probe4 = "dns://{probe.server}/whoami.test"
allow_private = ["203.0.113.0/24"]
timeout = "5s"

[proof]
settle = "1ms"
""")
        self.move(FIRST)

    def move(self, address: str) -> None:
        """The public address changes, and every source says so."""
        self.alpha.address = self.beta.address = self.probe.address = address

    def published(self) -> tuple[str, ...]:
        """What DNS says."""
        answer = self.bind.query(self.name)
        return answer.values if answer else ()


@pytest.fixture
def world(
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    return World(Machine(tmp_path / "data"), bind, fresh_name(), ca, echo(FIRST), echo(FIRST), whoami(FIRST))


def test_first_run_creates_then_nothing_then_a_change(world: World) -> None:
    first = world.machine.ddns("run")
    assert (first.exit, first.err) == (0, "")
    assert world.published() == (FIRST,)
    assert world.machine.status()["records"][0] | {"since": 0, "next_at": 0, "proven_at": 0} == {
        "name": world.name,
        "type": "A",
        "provider": "bind",
        "address": FIRST,
        "since": 0,
        "outcome": "updated",
        "proven_at": 0,
        "proven_by": None,
        "next_at": 0,
        "error": None,
    }

    asked = world.alpha.hits + world.beta.hits
    second = world.machine.ddns("run")
    assert second.out == f"nothing changed: {FIRST} (asked dns://{world.probe.server}/whoami.test)\n"
    assert second.exit == 0
    assert world.alpha.hits + world.beta.hits == asked
    assert world.machine.status()["run"]["full"] is False

    world.move(SECOND)
    third = world.machine.ddns("run")
    assert third.exit == 0
    assert world.published() == (SECOND,)
    assert [run["changed"] for run in world.machine.status()["last_runs"]] == [1, 0, 1]


def test_drift_is_repaired_by_a_due_proof(world: World) -> None:
    world.machine.ddns("run")
    world.bind.alter(world.name, "A", LIE)
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (LIE,), "the cheap run does not look at DNS"
    repaired = world.machine.ddns("run", "--prove")
    assert repaired.exit == 0
    assert "repaired" in repaired.out
    assert world.published() == (FIRST,)


def test_one_lying_operator_never_gets_its_address_published(world: World) -> None:
    world.machine.ddns("run")
    world.alpha.address = world.probe.address = LIE
    lied = world.machine.ddns("run")
    assert lied.exit == 11
    assert world.published() == (FIRST,)
    assert LIE in lied.out


#: What each fault is told as, of each of the two sources: a pattern, because a reset or a silence can be met in two
#: ways.
TOLD = {
    Fault.HTML: 'the answer is not one address: "<html>',
    Fault.TWO_ADDRESSES: re.escape(f'the answer is not one address: "{SECOND}, 198.51.100.77"'),
    Fault.PRIVATE: r"answered 192\.168\.1\.20, which is not a public address",
    Fault.WRONG_FAMILY: "answered 2606:4700::1111, which is not an IPv4 address",
    Fault.UNAVAILABLE: "answered with status 503",
    Fault.REDIRECT: "answered with status 302",
    Fault.HUGE: "the answer is longer than 4096 bytes",
    Fault.NOTHING: 'the answer is not one address: ""',
    Fault.HALF_A_BODY: "broke off or is not HTTP: .*?without sending complete message body",
    Fault.RESET: r"(?:the connection broke|broke off or is not HTTP: Server disconnected)",
    Fault.SILENCE: r"(?:alpha|beta): .*?no answer (?:in time|within)",
}


@pytest.mark.parametrize("fault", list(Fault))
def test_a_faulty_source_publishes_nothing(world: World, fault: Fault) -> None:
    """Two operators misbehave alike, which would be a quorum for whatever is made of their answers."""
    assert world.machine.ddns("run").exit == 0
    world.move(SECOND)
    world.alpha.fault = world.beta.fault = fault
    world.probe.address = ""
    ended = world.machine.ddns("run", environ={"DDNS_DETECT_TIMEOUT": "1s"})
    assert ended.exit == 11
    assert world.published() == (FIRST,)
    assert len(re.findall(TOLD[fault], ended.out)) == 2, ended.out
