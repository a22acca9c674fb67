"""Windows machines for tests: Wine prefixes, copies of the cached template."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ground import NotHere, exe, not_run
from windows import wine
from windows.errors import BuildError
from windows.interpreter import interpreter
from windows.toolchain import toolchain
from windows.wine import NoWine, Wine


@pytest.fixture(scope="session")
def _template() -> Path | NotHere:
    """The template, or why there is none: remembered, not tried again for each test."""
    try:
        return wine.template()
    except NoWine as missing:
        return NotHere(str(missing))


@pytest.fixture(scope="session")
def machine_template(_template: Path | NotHere) -> Path:
    """The prefix that machines are copies of. Nobody runs anything in it."""
    if isinstance(_template, NotHere):
        not_run(_template)
    return _template


@pytest.fixture(scope="session")
def windows_python() -> Path:
    """A python.exe for Windows with the program's dependencies: the one that the program is compiled with."""
    named = os.environ.get("DDNS_WINDOWS_PYTHON")
    if named:
        return Path(named)
    try:
        return toolchain(interpreter(None)).python / "python.exe"
    except (BuildError, wine.NoWine) as missing:
        not_run(NotHere(str(missing)))


@pytest.fixture(scope="session")
def wine_machine(machine_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """One Windows machine for all tests of a worker. Leave it as you found it; what changes it takes its own."""
    machine = wine.fresh(tmp_path_factory.mktemp("wine") / "machine")
    yield machine
    _end(machine)


@pytest.fixture(scope="session")
def tree() -> Path:
    """What `make exe` leaves, in the cache: app, bin, build.json. Nobody changes it."""
    try:
        return exe.tree()
    except NotHere as missing:
        not_run(missing)


@pytest.fixture
def fresh_machine(machine_template: Path, tmp_path: Path) -> Iterator[Callable[[], Wine]]:
    """Makes Windows machines that only this test uses (1 s each). They are stopped and removed after it."""
    made: list[Wine] = []

    def make() -> Wine:
        made.append(wine.fresh(tmp_path / f"machine{len(made)}"))
        return made[-1]

    yield make
    for machine in made:
        _end(machine)


def _end(machine: Wine) -> None:
    machine.stop()
    shutil.rmtree(machine.prefix)
