"""Wine: a Windows for building the program and for trying it.

A prefix (the machine: its drive C, its registry) is made once and kept in the cache; each user of it works on a copy.
Standard streams are always pipes: Wine 8 does not know the name of an inherited regular file, and CPython then ends at
its start with "can't initialize sys standard streams". The first call of a prefix has no pipes at all, because it
starts Wine's services, which keep what they inherit, and a reader of such a pipe would wait for ever.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from windows import cache

PACKAGES = ("wine", "wine64")
#: As Windows calls it. Wine 8 begins as Windows 7.
WINDOWS = "win10"
#: Seconds for anything that only makes or stops a prefix.
_PATIENCE = 180


class NoWine(Exception):
    """Wine is not here and can't be installed; the message says why."""


def installed() -> str:
    """The version of Wine; as root on Debian it is installed first when it is missing. Raises NoWine."""
    if not shutil.which("wine"):
        _install()
    done = subprocess.run(("wine", "--version"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoWine(f"wine --version ended with {done.returncode}")
    return done.stdout.strip()


def _install() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoWine("Wine is not installed (as root: apt-get install wine wine64)")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    for command in (
        ("apt-get", "-q", "update"),
        ("apt-get", "-q", "install", "-y", "--no-install-recommends", *PACKAGES),
    ):
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if line.startswith("E:")), "no reason given")
            raise NoWine(f"apt-get could not install Wine: {said}")


def windows_path(path: Path) -> str:
    """A path of this machine as programs under Wine know it: drive Z is the whole file system."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


class Wine:
    """One prefix. Use it as a context manager, or `stop` it: its server and services outlive the calls."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.drive_c = prefix / "drive_c"
        self._warm = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def environ(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a call: quiet, without a screen, without offers to install Mono or Gecko, in UTF-8."""
        kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        kept |= {"WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
        kept["LC_ALL"] = "C.UTF-8"  # file names and arguments would lose what ASCII lacks
        return kept | dict(extra or {})

    def path(self, windows: str) -> Path:
        r"""Where a path on drive C of this prefix lies, e.g. r"C:\ProgramData"."""
        drive, rest = windows[:2].lower(), windows[2:].replace("\\", "/").lstrip("/")
        if drive != "c:":
            raise ValueError(f"not on drive C: {windows}")
        return self.drive_c / rest

    def start(
        self, program: str | Path, *arguments: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a Windows program (a path of this machine or of Wine's) with pipes for its streams."""
        self._warm_up()
        return subprocess.Popen(
            ("wine", str(program), *arguments),
            cwd=cwd,
            env=self.environ(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(
        self,
        program: str | Path,
        *arguments: str,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a Windows program to its end. Raises subprocess.TimeoutExpired; the program is killed then."""
        with self.start(program, *arguments, cwd=cwd, environ=environ) as process:
            try:
                out, err = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess((str(program), *arguments), process.returncode, out, err)

    def _warm_up(self) -> None:
        """Start the server, to stay, and Wine's services, with no pipe of ours in their hands."""
        if self._warm:
            return
        self.quietly("wineserver", "-p")
        self.quietly("wine", "wineboot")
        self._warm = True

    def quietly(self, *command: str) -> None:
        """Run one of Wine's own programs without streams, whatever comes of it."""
        subprocess.run(
            command,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )

    def stop(self) -> None:
        """End every program of the prefix and its server, and wait for that."""
        self.quietly("wineserver", "-k")
        self.quietly("wineserver", "-w")
        self._warm = False


def template() -> Path:
    """The prefix that others are copies of, made when it is not there (10 s). Raises NoWine."""
    return cache.once("wine", f"{installed()}\n{WINDOWS}", _make) / "prefix"


def _make(folder: Path) -> None:
    print(f"windows: a Wine prefix ({WINDOWS}), once", file=sys.stderr, flush=True)
    wine = Wine(folder / "prefix")
    for command in (("wine", "wineboot", "--init"), ("wine", "winecfg", "-v", WINDOWS)):
        wine.quietly(*command)
    subprocess.run(("wineserver", "-w"), env=wine.environ(), timeout=_PATIENCE, check=False)
    if not (wine.prefix / "system.reg").exists():
        raise NoWine(f"wineboot made no prefix in {folder}")


def fresh(folder: Path) -> Wine:
    """A new machine in `folder`, which must not exist. Wine's own files are shared with the template: they are 700 MB.

    Raises NoWine.
    """
    source = template()
    shutil.copytree(source, folder, symlinks=True, ignore=shutil.ignore_patterns("windows"))
    windows = ("drive_c", "windows")
    shutil.copytree(source.joinpath(*windows), folder.joinpath(*windows), symlinks=True, copy_function=cache.share)
    return Wine(folder)
