"""Wheel and sdist: built and installed here, without an index, and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import ddns
from e2e import world as worlds
from e2e.machine import PLAIN, Machine, Program
from ground import NotHere, not_run
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami
from release.conftest import ROOT
from windows import cache

LOCKS = ROOT / "packaging" / "locks"


def _run(*command: str | Path, **environ: str) -> str:
    """What it printed. A command that fails, fails the test with what it said."""
    done = subprocess.run(
        [str(part) for part in command],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PIP_NO_INPUT": "1", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheelhouse() -> Path:
    """What the client needs, and pip, as files that the locks' hashes name; fetched once."""
    client = (LOCKS / "client.txt").read_text("utf-8")
    pip = re.search(r"^pip==.*(?:\n    --hash=.*)+", (LOCKS / "dev.txt").read_text("utf-8"), re.MULTILINE)
    assert pip is not None
    wanted = f"{client.rstrip()}\n{pip.group()}\n"

    def fetch(folder: Path) -> None:
        (folder / "wanted.txt").write_text(wanted)
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:")
        subprocess.run(
            (sys.executable, "-m", "pip", "download", *options, "-d", folder, "-r", folder / "wanted.txt"), check=True
        )

    return cache.once("wheelhouse", f"{sys.version}\n{wanted}", fetch)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    _run(sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder),
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="session")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"ddns_fleet-{ddns.__version__}"


@pytest.fixture(scope="session")
def installed(wheel: Path, wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment with the wheel and nothing that it does not ask for."""
    folder = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    options = ("--quiet", "--no-index", f"--find-links={wheelhouse}")
    _run(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", *options, wheel)
    return folder / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"ddns_fleet-{ddns.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = f"ddns_fleet-{ddns.__version__}.dist-info"
        told = archive.read(f"{metadata}/METADATA").decode()
    assert {name.split("/")[0] for name in names} == {"ddns", metadata}
    assert {"ddns/__main__.py", "ddns/py.typed", f"{metadata}/licenses/LICENSE"} <= names
    source = {f"ddns/{path.relative_to(ROOT / 'src' / 'ddns')}" for path in (ROOT / "src" / "ddns").rglob("*.py")}
    assert source <= names
    assert not [name for name in names if name.endswith((".pyc", ".c", ".exe"))]
    assert "License-Expression: Apache-2.0" in told
    assert "Provides-Extra: gateway" in told


@pytest.mark.parametrize("name", ["ddns", "ddns-fleet"])
def test_the_installed_program_runs(installed: Path, name: str) -> None:
    assert _run(installed / name, "--version").strip() == f"ddns {ddns.__version__}"


def test_the_installed_program_updates_and_then_finds_nothing_to_do(
    installed: Path,
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> None:
    program = Program((str(installed / "ddns"),), {"PATH": os.environ["PATH"], **PLAIN})
    machine = Machine(program.folder(tmp_path), program)
    world = worlds.make(machine, bind, fresh_name(), ca, echo, whoami)
    world.write_settings(more='[proof]\nsettle = "1ms"')

    assert machine.ddns("run").exit == 0
    assert world.published() == (worlds.FIRST,)
    assert machine.ddns("run", "--prove").exit == 0
    asked = len(world.probe.questions)
    world.alpha.close()
    world.beta.close()
    assert machine.ddns("run").exit == 0
    assert len(world.probe.questions) == asked + 1
    assert machine.status()["run"]["full"] is False


def test_a_gateway_without_its_extra_says_what_to_install(installed: Path) -> None:
    done = subprocess.run((installed / "ddns", "gateway", "serve"), capture_output=True, text=True, env={})
    assert done.returncode != 0
    assert "ddns-fleet[gateway]" in done.stderr
    assert "Traceback" not in done.stderr


def test_pipx_runs_it(wheel: Path, wheelhouse: Path, tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_DEFAULT_BACKEND": "pip",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheelhouse),
    }
    told = _run(sys.executable, "-m", "pipx", "run", "--spec", wheel, "ddns-fleet", "--version", **environ)
    assert told.strip() == f"ddns {ddns.__version__}"


def test_the_sdist_holds_what_git_holds(unpacked: Path) -> None:
    if not (ROOT / ".git").exists():
        not_run(NotHere("what git holds can be asked in a clone only"))
    tracked = subprocess.run(
        ("git", "ls-files", "src", "tests", "packaging", "ps", "docs"),
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    missing = [name for name in tracked if (ROOT / name).exists() and not (unpacked / name).exists()]
    assert missing == []
    held = {path.name for path in unpacked.iterdir()}
    assert {"Makefile", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= held


def test_the_sdist_can_be_tested_and_built_again(unpacked: Path, wheel: Path, tmp_path: Path) -> None:
    tests = ("tests/unit/test_cheap_path.py", "tests/unit/test_compare.py")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests),
        cwd=unpacked, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    _run(sys.executable, "-m", "pip", "wheel", *options, "-w", tmp_path, unpacked)
    with zipfile.ZipFile(tmp_path / wheel.name) as again, zipfile.ZipFile(wheel) as first:
        assert sorted(again.namelist()) == sorted(first.namelist())
