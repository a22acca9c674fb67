"""PowerShell for tests, on Linux and as a Windows program under Wine, and the double of the task scheduler's module.

PowerShell is looked for in `DDNS_PWSH` (the program), on PATH, and among the tools beside the checkout; the Windows
build in `DDNS_PWSH_WIN` (a program that starts it under Wine) and among the same tools; the double in
`DDNS_TASKS_DOUBLE` (its folder) and there.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ground import NotHere, NotToBeHad
from windows import cache, wine

ROOT = Path(__file__).resolve().parents[2]
#: Scripts and module under test.
PS = ROOT / "ps"
_BESIDE = ROOT.parent / "shared" / "tools"
#: Seconds that unpacking the tools, or making a Windows machine, may take.
_PATIENCE = 300
#: Seconds in which what a process has written is read after its end.
_LINGERING = 2.0


@dataclass(frozen=True)
class Ended:
    """A PowerShell that ended."""

    exit: int
    out: str
    err: str

    def json(self) -> object:
        """What standard output holds, as JSON."""
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"no JSON (exit {self.exit}): {self.out}\n{self.err}") from error


@dataclass(frozen=True)
class Shell:
    """A PowerShell. `environ` is added to the environment of each call; names of this project's are not inherited."""

    program: Path
    environ: dict[str, str] = field(default_factory=dict)
    machine: wine.Wine | None = None

    @property
    def windows(self) -> bool:
        """Whether it is the Windows build, under Wine."""
        return self.machine is not None

    def path(self, path: Path) -> str:
        """A path of this computer as this PowerShell knows it."""
        return wine.windows_path(path) if self.windows else str(path)

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The command line that starts it with these arguments."""
        return (str(self.program), "-NoProfile", "-NonInteractive", *arguments)

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a call."""
        all_of_it = os.environ if self.machine is None else _for_dotnet(self.machine)
        kept = {name: value for name, value in all_of_it.items() if not name.startswith("DDNS_")}
        return kept | {"NO_COLOR": "1"} | self.environ | dict(extra or {})

    def file(
        self,
        script: Path,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 120,
    ) -> Ended:
        """Run a script file to its end."""
        return self._run(self.command("-File", self.path(script), *arguments), environ, stdin, timeout)

    def text(
        self, script: str, *, environ: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 120
    ) -> Ended:
        """Run a script's text to its end."""
        return self._run(self.command("-Command", script), environ, stdin, timeout)

    def _run(self, command: tuple[str, ...], environ: Mapping[str, str] | None, stdin: str, timeout: float) -> Ended:
        process = subprocess.Popen(
            command,
            env=self.environment(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        readers = _Reader(process.stdout), _Reader(process.stderr)
        try:
            _write(process.stdin, stdin.encode())
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        for reader in readers:
            # What it started and left running holds its streams under Wine, even what was told not to.
            reader.join(_LINGERING if self.windows else None)
        return Ended(process.returncode, *(_text(bytes(reader.data)) for reader in readers))


class _Reader(threading.Thread):
    """Reads a stream to its end, and closes it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        assert stream is not None
        self._stream = stream
        self.data = bytearray()
        self.start()

    def run(self) -> None:
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self.data += chunk


def _write(stream: IO[bytes] | None, data: bytes) -> None:
    assert stream is not None
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(data)


def _for_dotnet(machine: wine.Wine) -> dict[str, str]:
    """Without the overrides: assemblies can't be loaded where mscoree is switched off."""
    return {name: value for name, value in machine.environ().items() if name != "WINEDLLOVERRIDES"}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


@functools.cache
def linux() -> Shell:
    """PowerShell for Linux. Raises NotHere."""
    named = os.environ.get("DDNS_PWSH") or shutil.which("pwsh")
    return Shell(Path(named) if named else _tool("pwsh/pwsh", "PowerShell (pwsh) is not installed"))


def windows(folder: Path) -> Shell:
    """The Windows PowerShell on a new machine under Wine in `folder`, which must not exist. Stop `machine` afterwards.

    Raises NotHere.
    """
    program = _windows_program()
    try:
        machine = wine.Wine(folder)
        _copy(cache.once("pwsh-wine", f"{program}\n{wine.installed()}", _prepare) / "prefix", folder)
    except wine.NoWine as missing:
        raise NotHere(str(missing)) from missing
    machine._warm_up()  # its services must not be started by a call that has pipes
    return Shell(program, machine=machine)


@functools.cache
def tasks_double() -> Path:
    """The folder of the module ScheduledTasks that stands for the task scheduler. Raises NotHere."""
    named = os.environ.get("DDNS_TASKS_DOUBLE")
    folder = Path(named) if named else _BESIDE / "windows-doubles" / "ScheduledTasks"
    if not (folder / "ScheduledTasks.psd1").exists():
        raise NotToBeHad("the double of the ScheduledTasks module is not here (DDNS_TASKS_DOUBLE names its folder)")
    return folder


@functools.cache
def tools() -> Path:
    """The folder of the tools beside the checkout, unpacked. Raises NotHere."""
    installer = _BESIDE / "install"
    if not installer.exists():
        raise NotToBeHad("there are no tools beside the checkout")
    done = subprocess.run(
        (str(installer),), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode:
        raise NotHere(f"the tools beside the checkout can't be unpacked: {done.stderr.strip()}")
    return Path(done.stdout.strip().splitlines()[-1])


def _tool(name: str, otherwise: str) -> Path:
    try:
        found = tools() / name
    except NotHere as missing:
        raise NotToBeHad(f"{otherwise}, and {missing}") from missing
    if not found.exists():
        raise NotToBeHad(otherwise)
    return found


def _windows_program() -> Path:
    named = os.environ.get("DDNS_PWSH_WIN")
    return Path(named) if named else _tool("pwsh-win/pwsh-wine", "PowerShell for Windows is not here (DDNS_PWSH_WIN)")


def _prepare(folder: Path) -> None:
    """A Windows machine on which PowerShell was started once, which sets its version and registry."""
    machine = wine.fresh(folder / "prefix")
    subprocess.run(
        (str(_windows_program()), "-NoProfile", "-Command", "exit 0"),
        env=_for_dotnet(machine),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_PATIENCE,
        check=False,
    )
    machine.stop()


def _copy(source: Path, target: Path) -> None:
    """Copy a machine; what lies below its Windows folder is shared, as `wine.fresh` does it."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("windows"))
    shutil.copytree(
        source / "drive_c" / "windows", target / "drive_c" / "windows", symlinks=True, copy_function=_share_or_copy
    )


def _share_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
        return target
    except OSError:  # another file system
        return str(shutil.copy2(source, target))
