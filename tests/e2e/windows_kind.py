"""Machines that run Windows, under Wine: the compiled program as it is installed, or Windows' Python from source."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from e2e.machine import PLAIN, SOURCE, Machine, Program, clean
from ground import NotHere
from windows.wine import Wine, windows_path

#: The folder of the data folders of tests, on drive C.
DATA = "ddns data"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class WindowsProgram(Program):
    """A program on one Windows machine, whose data folders lie on its drive C."""

    wine: Wine
    _sealed: dict[tuple[str, str], tuple[str, dict[str, bytes]]] = field(default_factory=dict)

    def named(self, path: Path) -> str:
        """A path with a drive, and with slashes, which Windows takes as well."""
        if path.is_relative_to(self.wine.drive_c):
            return f"C:/{path.relative_to(self.wine.drive_c)}"
        return windows_path(path).replace("\\", "/")

    def folder(self, place: Path) -> Path:
        """A new data folder on drive C."""
        return self.wine.drive_c / DATA / f"machine {next(_NUMBERS)}"

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


def installed(wine: Wine, executable: Path) -> WindowsProgram:
    """The compiled program or its launcher, that lies on drive C."""
    return WindowsProgram(("wine", str(executable)), _environ(wine), wine)


def from_source(wine: Wine, python: Path) -> WindowsProgram:
    """Windows' Python, which lies anywhere, with our source."""
    environ = _environ(wine) | {"PYTHONPATH": windows_path(SOURCE), "PYTHONPYCACHEPREFIX": r"C:\bytecode"}
    return WindowsProgram(("wine", str(python), "-m", "ddns"), environ, wine)


def here(wine: Wine) -> WindowsProgram:
    """What the tests run on this Windows machine. Raises NotHere.

    `DDNS_WINDOWS_PYTHON` names a python.exe for Windows, with our dependencies: then it is that with our source, which
    is how the Windows parts are worked on without a build for each change.
    """
    python = os.environ.get("DDNS_WINDOWS_PYTHON")
    wine.run("cmd", "/c", "exit")  # whatever comes first starts Windows' services
    if python:
        return from_source(wine, Path(python))
    raise NotHere("no exe yet")
