"""Machines that run Windows, under Wine: the compiled program as it is installed, or Windows' Python from source."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from e2e.machine import PLAIN, SOURCE, Ended, Machine, Program, clean, ended
from ground import exe
from windows.wine import Wine, windows_path

#: The folder of the data folders of tests, on drive C.
DATA = "ddns data"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class WindowsProgram(Program):
    """A program on one Windows machine, whose data folders lie on its drive C. `task` is what a task starts."""

    wine: Wine
    task: tuple[str, ...]
    _sealed: dict[tuple[str, str], tuple[str, dict[str, bytes]]] = field(default_factory=dict, repr=False)

    def named(self, path: Path) -> str:
        """A path with a drive, and with slashes, which Windows takes as well."""
        if path.is_relative_to(self.wine.drive_c):
            return f"C:/{path.relative_to(self.wine.drive_c)}"
        return windows_path(path).replace("\\", "/")

    def folder(self, place: Path) -> Path:
        """A new data folder on drive C."""
        return self.wine.drive_c / DATA / f"machine {next(_NUMBERS)}"

    def line(self, machine: Machine, *arguments: str) -> str:
        """The command line that `Machine.ddns` runs, as it is typed."""
        executable, *first = self.command[1:]
        typed = self.named(Path(executable)).replace("/", "\\")
        return subprocess.list2cmdline([typed, *first, *arguments, "--data", machine.data])

    def batch(self, *lines: str) -> Ended:
        """Run lines of a batch file with cmd.exe to its end."""
        with self.start_batch(*lines) as process:
            return ended(process)

    def start_batch(self, *lines: str) -> subprocess.Popen[bytes]:
        """Start cmd.exe with lines of a batch file."""
        file = self.wine.drive_c / DATA / f"lines {next(_NUMBERS)}.cmd"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes("\r\n".join(("@echo off", *lines, "")).encode("ascii"))
        command = ("wine", "cmd", "/c", self.named(file).replace("/", "\\"))
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environ, stdin=pipe, stdout=pipe, stderr=pipe)

    def keep(self, machine: Machine, name: str, text: str) -> str:
        """As an administrator does, by `ddns secret set`; once a text, for what is sealed is good on this Windows."""
        folder = machine.folder / "secrets"
        if (name, text) not in self._sealed:
            told = machine.ddns("secret", "set", name, stdin=text)
            assert told.exit == 0, told
            self._sealed[name, text] = told.out.strip(), dict(_stored(folder, name))
        reference, files = self._sealed[name, text]
        folder.mkdir(exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return reference


def _stored(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for file in folder.glob(f"{name}*"):
        yield file.name, file.read_bytes()


def _environ(wine: Wine) -> dict[str, str]:
    """Without a home of ours: the user's folders are those of the Windows account."""
    return clean(wine.environ(PLAIN))


def installed(wine: Wine, root: Path) -> WindowsProgram:
    """The compiled program as it is installed in `root` on drive C: its launcher is what people start."""
    task = ("wine", str(root / "msi" / "app" / "ddns.exe"))
    return WindowsProgram(("wine", str(root / "bin" / "ddns.exe")), _environ(wine), wine, task)


def _install(wine: Wine, tree: Path) -> Path:
    """Put what was built where an MSI puts it; returns that folder. The files are those of `tree`."""
    root = wine.drive_c / "Program Files" / "DDNS"
    shutil.copytree(tree / "app", root / "msi" / "app", copy_function=os.link)
    shutil.copytree(tree / "bin", root / "bin", copy_function=os.link)
    return root


def from_source(wine: Wine, python: Path) -> WindowsProgram:
    """Windows' Python, which lies anywhere, with our source."""
    environ = _environ(wine) | {"PYTHONPATH": windows_path(SOURCE), "PYTHONPYCACHEPREFIX": r"C:\bytecode"}
    command = ("wine", str(python), "-m", "ddns")
    return WindowsProgram(command, environ, wine, command)


def built() -> Path:
    """The tree that `make exe` builds, or that `DDNS_WINDOWS_TREE` names (of a release, say). Raises NotHere."""
    named = os.environ.get("DDNS_WINDOWS_TREE")
    return Path(named) if named else exe.tree()


def here(wine: Wine) -> WindowsProgram:
    """What the tests run on this Windows machine: what was `built`. Raises NotHere, BuildError.

    `DDNS_WINDOWS_PYTHON` names a python.exe for Windows, with our dependencies: then it is that with our source, so
    that a change of the Windows parts is tried without a build.
    """
    python = os.environ.get("DDNS_WINDOWS_PYTHON")
    wine.run("cmd", "/c", "exit")  # whatever comes first starts Windows' services
    if python:
        return from_source(wine, Path(python))
    return installed(wine, _install(wine, built()))
