"""The programs whose start is measured: ddns.exe under Wine, the same on Linux, and a bare one of each.

A bare program is compiled with the options of ddns.exe and ends at once. On Linux it is compiled only for this, to set
it beside CPython: the product for Linux is a wheel.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.clients import Client, Place, environment
from bench.measure import Command
from bench.ours import HOST, install, quietly, settings
from bench.startup import BARE
from ground import NotHere, debian, exe
from windows import alignment, app, cache, nuitka, options, registry, sources, suite
from windows.interpreter import interpreter
from windows.progress import Progress
from windows.resources import version as resource
from windows.toolchain import Toolchain, toolchain
from windows.wine import Wine, windows_path

_BARE_SOURCE = '"""Ends as the program does."""\n\nimport os\n\nos._exit(0)\n'
#: Of options.toml, what only Windows has.
_WINDOWS_ONLY = ("--windows-", "--experimental=force-dependencies-pefile", "--output-filename")
_SECRET = {"BENCH_PASSWORD": "bench"}


@dataclass(frozen=True)
class Program:
    """A way to run ddns, and its bare companion: how commands begin, with which environment, and where data lie.

    `told` begins the command that tells on standard error which modules it imports.
    """

    system: str
    bare: tuple[str, ...]
    ddns: tuple[str, ...]
    told: tuple[str, ...]
    env: Mapping[str, str]
    data: str

    def lines(self) -> dict[str, tuple[str, ...]]:
        """The arguments of each command that is measured."""
        return {
            "ddns --version": ("--version",),
            "ddns status --json": ("status", "--json", "--data", self.data),
            "ddns run, no change": ("run", "--data", self.data),
        }

    def commands(self) -> dict[str, Command]:
        """All of them, the bare one first."""
        ours = {name: Command((*self.ddns, *line), self.env) for name, line in self.lines().items()}
        return {BARE: Command(self.bare, self.env), **ours}

    def client(self) -> Client:
        """Its scheduled run, as the other benches know clients."""
        return Client(self.system, "", HOST, self.commands()["ddns run, no change"])

    def modules(self) -> dict[str, int]:
        """How many modules each command imports, by CPython's own count of the same source."""
        return {name: _imports((*self.told, *line), self.env) for name, line in self.lines().items()}


def _imports(command: tuple[str, ...], env: Mapping[str, str]) -> int:
    own = dict(env) | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=own, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-500:]}")
    return len(re.findall(r"(?m)^import time:\s+\d", done.stderr))


def on_windows(machine: Wine, place: Place) -> Program:
    """The exe and the bare one on one machine under Wine. Raises NotHere, BuildError."""
    tools = toolchain(interpreter(None))
    bare, ddns = bare_exe(tools), exe.app()
    wine = shutil.which("wine") or "wine"
    machine.run("cmd.exe", "/c", "exit")  # whatever comes first starts Windows' services
    data = machine.path("C:\\data")
    data.mkdir()
    shutil.copy(place.ca, data / "ca.pem")
    (data / "ddns.toml").write_text(settings(place, "env:BENCH_PASSWORD", "C:/data/ca.pem"))
    return Program(
        "Windows (Wine)",
        (wine, str(bare)),
        (wine, str(ddns)),
        (wine, str(tools.python / "python.exe"), "-X", "importtime", "-m", "ddns"),
        {**machine.environ(_SECRET), "PYTHONPATH": windows_path(sources.ROOT / "src")},
        "C:\\data",
    )


def bare_exe(tools: Toolchain) -> Path:
    """From the cache, or built (2 min). Raises BuildError."""
    lists = options.load()
    key = "\n".join(
        (tools.folder.name, suite.sha256(options.FILE), suite.sha256(Path(alignment.__file__)), _BARE_SOURCE)
    )

    def make(folder: Path) -> None:
        with app._workshop() as work, nuitka.prefix() as machine, Progress() as progress:
            source, out = _bare_source(work / "bare"), work / "bare-out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            progress.begin("compile", "a bare program, for the bench")
            icon, told = windows_path(resource.ICON), windows_path(out / "report.xml")
            line = lists.command_line("wine", sources.version(), icon, windows_path(out), told)
            environ = {"PYTHONPATH": windows_path(source.parent)}
            arguments = (*line, nuitka.jobs(), windows_path(source))
            nuitka.under_wine(machine, tools, work, arguments, environ, nuitka.Watcher(progress))
            alignment.align(out / "ddns.dist" / "ddns.exe")
            shutil.copytree(out / "ddns.dist", folder / "app")

    return cache.once("windows-bare", key, make) / "app" / "ddns.exe"


def _bare_source(folder: Path) -> Path:
    package = folder / "ddns"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_BARE_SOURCE)
    return package


def on_linux(place: Place) -> tuple[Program, Program]:
    """Compiled, and on CPython, each with data of its own below `place`. Raises NotHere."""
    venv = install()
    told = (str(venv / "bin" / "python"), "-X", "importtime", str(venv / "bin" / "ddns"))
    built = linux_build()
    python = str(venv / "bin" / "python")
    ways: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "Linux, compiled": ((str(built / "bare" / "ddns"),), (str(built / "ddns" / "ddns"),)),
        "Linux, CPython": ((python, "-c", "import os; os._exit(0)"), (str(venv / "bin" / "ddns"),)),
    }
    made = []
    for number, (system, (bare, ddns)) in enumerate(ways.items()):
        data = place.folder / f"data{number}"
        data.mkdir()
        (data / "ddns.toml").write_text(settings(place, "env:BENCH_PASSWORD", place.ca))
        made.append(Program(system, bare, ddns, told, environment(place, **_SECRET), str(data)))
    return made[0], made[1]


def linux_build() -> Path:
    """A folder with ddns/ and bare/, compiled for this Linux; from the cache, or built (5 min). Raises NotHere."""
    if not shutil.which("cc"):
        raise NotHere("no C compiler is installed (apt-get install gcc), so nothing is compiled for Linux")
    patchelf = debian.program("patchelf", "patchelf")
    lists = options.load()
    line = [one for one in lists.options if not one.startswith(_WINDOWS_ONLY)]
    line.append(f"--nofollow-import-to={','.join(lists.forbidden)}")
    line += [f"--noinclude-custom-mode={name}:bytecode" for name in lists.bytecode]
    snapshot = sources.Snapshot.take(lists.sources_left_out)
    parts = (sys.version, platform.machine(), *line, snapshot.digest(), _BARE_SOURCE)
    locks = (registry.lock("windows-nuitka"), registry.lock("client"))

    def make(folder: Path) -> None:
        print("bench: compiling for Linux, once for each content of src", file=sys.stderr, flush=True)
        work = folder / "work"
        quietly(sys.executable, "-m", "venv", work / "venv")
        python = work / "venv" / "bin" / "python"
        pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes")
        for lock in locks:
            quietly(*pip, "-r", lock)
        snapshot.stage(work / "src" / "ddns", for_testing=True)
        env = {**os.environ, **patchelf.env, "PATH": f"{patchelf.path.parent}:{os.environ['PATH']}"}
        for name, package in (("bare", _bare_source(work / "bare")), ("ddns", work / "src" / "ddns")):
            out = work / f"{name}-out"
            command = (python, "-m", "nuitka", *line, "--output-filename=ddns", f"--output-dir={out}", package)
            quietly("env", f"PATH={env['PATH']}", f"PYTHONPATH={package.parent}", *command)
            shutil.copytree(out / "ddns.dist", folder / name)
        shutil.rmtree(work)

    return cache.once("linux-build", "\n".join((*parts, *(suite.sha256(lock) for lock in locks))), make)
