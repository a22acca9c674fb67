"""The real world of these tests. Hypothesis: no deadline (a run writes to disk); in CI the same examples each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from e2e.machine import Machine
from faults.world import FIRST, World
from ground import in_ci
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami

settings.register_profile(
    "faults",
    deadline=None,
    derandomize=in_ci(),
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture
def world(
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    machine = Machine(tmp_path / "data")
    world = World(machine, bind, fresh_name(), ca, echo(FIRST), echo(FIRST), whoami(FIRST))
    world.write_settings(record="")
    return world
