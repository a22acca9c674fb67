"""A PowerShell that stays for the tests of a worker, and Windows machines under Wine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import world
from e2e.conftest import gateway as gateway
from e2e.machine import Machine
from e2e.world import World
from ground import NotHere, exe, not_run, pwsh
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami
from powershell.one.machine import Once, Served, Windows
from powershell.one.on_windows import release
from windows import wine


@pytest.fixture(scope="session")
def _one_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served | NotHere]:
    try:
        served = Served(pwsh.linux(), tmp_path_factory.mktemp("pwsh"))
        pwsh.tasks_double()
    except NotHere as missing:
        yield missing
        return
    yield served
    served.stop()


@pytest.fixture
def served(_one_shell: Served | NotHere) -> Served:
    """PowerShell on this machine, with the module and the double of the task scheduler."""
    if isinstance(_one_shell, NotHere):
        not_run(_one_shell)
    return _one_shell


@pytest.fixture(scope="session")
def program() -> Path:
    """The built tree: app and bin."""
    try:
        return exe.tree()
    except NotHere as missing:
        not_run(missing)


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[Windows]:
    """A new Windows machine."""
    try:
        shell = pwsh.windows(tmp_path / "prefix")
        pwsh.tasks_double()
    except NotHere as missing:
        not_run(missing)
    assert shell.machine is not None
    yield Windows(shell.machine.drive_c, Once(shell))
    shell.machine.stop()
    shutil.rmtree(tmp_path / "prefix")


@pytest.fixture
def windows_world(
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    """A world for a machine under Wine; its settings, which are for one, are in draft/ddns.toml."""
    made = world.make(Machine(tmp_path / "draft"), bind, fresh_name(), ca, echo, whoami)
    made.write_settings(more='[proof]\nsettle = "1ms"')
    file = tmp_path / "draft" / "ddns.toml"
    windows_ca = wine.windows_path(ca.file).replace("\\", "/")
    file.write_text(file.read_text().replace(str(ca.file), windows_ca).replace("file:tsig", "dpapi:tsig"))
    return made


@pytest.fixture
def share(tmp_path: Path, program: Path) -> Path:
    """What an administrator puts on a share: the scripts beside the zip."""
    zipped = release(tmp_path / "share", program, "0.1.0")
    for name in ("Deploy-DDNS.ps1", "Get-DDNS.ps1", "Uninstall-DDNS.ps1"):
        shutil.copyfile(pwsh.PS / name, zipped.path.with_name(name))
    zipped.path.with_name("hash").write_text(zipped.sha256)
    return zipped.path.parent


@pytest.fixture
def plain_world(
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    """A world for a machine on Linux; its settings, which are for one, are in draft/ddns.toml."""
    made = world.make(Machine(tmp_path / "draft"), bind, fresh_name(), ca, echo, whoami)
    made.write_settings(more='[proof]\nsettle = "1ms"')
    return made
