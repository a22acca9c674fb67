"""A change that a cloud accepted and has not carried out everywhere: told as such, and proven by the next run."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddns.address import Family
from ddns.compare import Rules, compare
from ddns.detection import Available
from ddns.model import Kind, Run, Target
from ddns.ports import Provider
from ddns.publish import publish
from ddns.resilience import Retry
from ddns.state.opening import open_store
from ddns.state.store import Store
from providers.cast import FIRST, HOME
from providers.doubles import huaweicloud, route53
from providers.stage import Patient, connect, deadline

CLOCK = Patient()
_RUNS = itertools.count(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(str(tmp_path / "state.db"), CLOCK.now())
    yield opened
    opened.close_file()


def run(store: Store, provider: Provider) -> list[Kind]:
    """One run as the cycle chains it; how each record ended."""
    detected = {Family.V4: Available(ipaddress.ip_address(FIRST), ("one", "two"))}
    this, memory = Run(f"r{next(_RUNS)}", "schedule", CLOCK.now()), store.recall()
    store.begin(this)
    seen = provider.observe([HOME], deadline())
    plan = compare(this, [Target(HOME, Family.V4, 60)], detected, seen, memory, CLOCK.now(), Rules(settle=0))
    outcomes = publish(
        this,
        plan,
        {"main": provider},
        store,
        policy=Retry(),
        clock=CLOCK,
        deadline=deadline(),
        random=lambda: 0.0,
    )
    return [outcome.kind for outcome in outcomes]


def test_route53(store: Store) -> None:
    with route53.serve() as api:
        api.sync = 99
        provider = connect("route53", api.settings, api.secrets, api.net, clock=CLOCK)
        assert run(store, provider) == [Kind.ACCEPTED]
        assert run(store, provider) == [Kind.PROVEN]


def test_huaweicloud(store: Store) -> None:
    with huaweicloud.serve() as api:
        api.busy = 99
        provider = connect("huaweicloud", api.settings, api.secrets, api.net, clock=CLOCK)
        assert run(store, provider) == [Kind.ACCEPTED]
        assert run(store, provider) == [Kind.PROVEN]
