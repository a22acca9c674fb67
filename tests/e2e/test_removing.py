"""A machine that leaves: its records out of real DNS, its key back at a real gateway, and kills between the steps."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ddns.gateway import operators
from ddns.gateway.serve import opened
from ddns.net.client import Client
from ddns.runtime import enrolling, pausing, removing
from ddns.runtime.compose import Seams
from ddns.runtime.removing import Wish
from e2e.machine import Ended, Machine
from e2e.site import CLOCK, Site, until
from e2e.world import FIRST, LIE, SECOND, World
from faults.effects import SIDES, Cut, Effects, Killed
from ground.bind import Bind
from ground.tls import Authority

ALL = ("remove", "--all", "--revoke", "--yes", "--json")
pytestmark = pytest.mark.parametrize("program", ["source"], indirect=True)


@dataclass(frozen=True)
class Fleet:
    """A gateway, and machines that publish through it or straight to DNS."""

    world: World
    site: Site

    @property
    def machine(self) -> Machine:
        """The machine."""
        return self.world.machine

    def enrol(self, url: str) -> str:
        """Enrol the machine and let it publish; returns its id."""
        label = self.world.name.partition(".")[0]
        code, ca = self.site.code(label), str(self.site.ca.file)
        found = enrolling.enrol(self.machine.data, url, code, ca_file=ca)
        lines = found.settings.replace('types = ["A", "AAAA"]', 'types = ["A"]')
        self.machine.settings(f'{lines}\n{self.world.detection(str(self.world.ca.file))}\n[proof]\nsettle = "1ms"')
        assert self.machine.ddns("run").exit == 0
        assert self.world.published() == (FIRST,)
        return found.host

    def key(self) -> Path:
        """The file of the machine's key."""
        return self.machine.folder / "secrets" / "gateway"

    def retire(self, host: str) -> None:
        """What the operator does, in a process of its own."""
        with opened(self.site.settings, CLOCK) as store:
            operators.retire(store.ledger, store.audit, CLOCK, host)

    def decisions(self) -> list[str]:
        """The gateway's audit log."""
        lines = (self.site.data / "audit.jsonl").read_text().splitlines()
        return [json.loads(line)["decision"] for line in lines]


@pytest.fixture
def fleet(world: World, tmp_path: Path, bind: Bind, ca: Authority) -> Fleet:
    return Fleet(world, Site(tmp_path, bind, ca))


@pytest.fixture
def served(fleet: Fleet) -> Iterator[tuple[str, Callable[[], None]]]:
    with fleet.site.process() as found:
        yield found


def _same(net: Client) -> Client:
    return net


def told(ended: Ended) -> Any:
    """The data of the answer."""
    return json.loads(ended.out)["data"]


def test_a_machine_that_writes_dns_itself_leaves_nothing_but_what_others_wrote(world: World) -> None:
    assert world.machine.ddns("run").exit == 0
    world.bind.alter(world.name, "A", LIE)
    left = world.machine.ddns(*ALL)
    assert (left.exit, world.published()) == (12, (LIE,))
    assert [(item["outcome"], item["values"]) for item in told(left)["records"]] == [("contended", [LIE])]
    world.bind.alter(world.name, "A", FIRST)
    done = world.machine.ddns(*ALL)
    assert (done.exit, done.err, world.published()) == (0, "", ())
    world.move(SECOND)
    for flags in ((), ("--now",), ("--full", "--prove")):
        assert world.machine.ddns("run", *flags).exit == 0
    assert world.published() == ()
    assert world.machine.ddns("resume").exit == 0
    assert (world.machine.ddns("run").exit, world.published()) == (0, (SECOND,))


def test_a_machine_leaves_its_gateway(fleet: Fleet, served: tuple[str, Callable[[], None]]) -> None:
    url, _ = served
    host = fleet.enrol(url)
    done = fleet.machine.ddns(*ALL)
    assert (done.exit, fleet.world.published(), fleet.key().exists()) == (0, (), False), done
    (gateway,) = told(done)["gateways"]
    assert (gateway["state"], gateway["host"], gateway["gateway"]) == ("revoked", host, "gw.example.test")
    assert [item["outcome"] for item in told(done)["records"]] == ["removed"]
    assert fleet.decisions()[-1] == "revoked"
    again = fleet.machine.ddns(*ALL)
    assert (again.exit, told(again)["gateways"][0]["state"]) == (0, "absent")


def test_records_that_a_lost_state_forgot_go_with_the_key(fleet: Fleet, served: tuple[str, Callable[[], None]]) -> None:
    fleet.enrol(served[0])
    fleet.machine.state.unlink()
    done = fleet.machine.ddns(*ALL)
    assert (done.exit, told(done)["records"]) == (0, [])
    until(lambda: fleet.world.published() == ())


def test_what_somebody_else_wrote_stays_though_the_key_goes(
    fleet: Fleet, served: tuple[str, Callable[[], None]]
) -> None:
    fleet.enrol(served[0])
    fleet.world.bind.alter(fleet.world.name, "A", LIE)
    done = fleet.machine.ddns(*ALL)
    assert (done.exit, told(done)["gateways"][0]["state"], fleet.key().exists()) == (12, "revoked", False)
    assert fleet.world.published() == (LIE,)


def test_a_gateway_that_is_away_costs_nothing_and_leaves_a_tombstone(
    fleet: Fleet, served: tuple[str, Callable[[], None]]
) -> None:
    url, kill = served
    host = fleet.enrol(url)
    kill()
    left = fleet.machine.ddns(*ALL)
    assert (left.exit, fleet.world.published(), fleet.key().exists()) == (13, (FIRST,), True)
    data = told(left)
    assert [(item["name"], item["outcome"]) for item in data["records"]] == [(fleet.world.name, "deferred")]
    (gateway,) = data["gateways"]
    assert (gateway["host"], gateway["state"], gateway["url"]) == (host, "failed", url)
    assert fleet.machine.ddns("run").exit == 0, "retired: it does not publish in the meantime"
    # The machine is thrown away. What clears the tombstone, later:
    fleet.retire(host)
    with fleet.site.process():
        until(lambda: fleet.world.published() == ())
    fleet.retire(host)


def test_a_machine_that_its_operator_took_out_meanwhile_can_still_leave(
    fleet: Fleet, served: tuple[str, Callable[[], None]]
) -> None:
    fleet.retire(fleet.enrol(served[0]))
    until(lambda: fleet.world.published() == ())
    assert fleet.machine.ddns("remove", "--all", "--yes").exit == 12, "without --revoke it is not asked why"
    done = fleet.machine.ddns(*ALL)
    assert (done.exit, told(done)["gateways"][0]["state"], fleet.key().exists()) == (0, "revoked", False), done
    assert (fleet.machine.ddns(*ALL).exit, fleet.machine.ddns("run").exit) == (0, 0)


def test_nothing_dangles_wherever_it_is_killed(fleet: Fleet, served: tuple[str, Callable[[], None]]) -> None:
    """Around each effect (a request to the gateway, a transaction, a file): the same command again ends it."""
    url, _ = served
    wish, cuts, number, effects = Wish(everything=True, revoke=True), True, 0, Effects()
    while cuts:
        number += 1
        for side in SIDES:
            fleet.enrol(url)
            effects = Effects(Cut(number, side))
            with contextlib.suppress(Killed), effects.files(), contextlib.closing(Client()) as net:
                removing.remove(fleet.machine.data, wish, effects.seams(CLOCK, partial(_same, net)))
            cuts = effects.dead
            with contextlib.closing(Client()) as net:
                done = removing.remove(fleet.machine.data, wish, Seams(net=partial(_same, net)))
            assert (done.exit, fleet.key().exists()) == (0, False), (number, side, effects.labels, done)
            until(lambda: fleet.world.published() == ())
            pausing.pause(fleet.machine.data, None)
    assert effects.labels.count("net http") >= 3, effects.labels
    assert number > 10
