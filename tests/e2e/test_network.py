"""A machine that leaves by an address of its settings, in a whole run over real servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from e2e import world as worlds
from e2e.machine import Machine
from e2e.world import FIRST
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami


def test_a_bound_machine_asks_in_full_each_time(
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> None:
    world = worlds.make(Machine(tmp_path / "data"), bind, fresh_name(), ca, echo, whoami)
    world.write_settings(more='[network]\nsource4 = "127.0.0.9"\n[proof]\nsettle = "1ms"')
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (FIRST,)
    again = world.machine.ddns("run")
    assert again.exit == 0
    assert not again.out.startswith("nothing changed"), "the cheap question would leave by another address"
    assert world.machine.status()["run"]["full"] is True
