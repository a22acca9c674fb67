"""A machine that leaves by an address of its settings, in a whole run over real servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from e2e import world as worlds
from e2e.machine import Machine
from e2e.world import FIRST
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami


@pytest.mark.parametrize("plain", [True, False])
def test_a_bound_machine_asks_cheaply_where_the_file_says_so_plainly(
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
    *,
    plain: bool,
) -> None:
    world = worlds.make(Machine(tmp_path / "data"), bind, fresh_name(), ca, echo, whoami)
    source = '"127.0.0.9"' if plain else "'127.0.0.9'"
    world.write_settings(more=f'[network]\nsource4 = {source}\n[proof]\nsettle = "1ms"')
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (FIRST,)
    again = world.machine.ddns("run")
    assert again.exit == 0
    assert again.out.startswith("nothing changed") == plain
    assert world.machine.status()["run"]["full"] is not plain
    assert set(world.probe.peers) == {"127.0.0.9"}
