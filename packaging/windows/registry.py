"""Packages of the Python registry, exactly those that a lock pins by hash, and what they unpack to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from windows.errors import BuildError

LOCKS = Path(__file__).resolve().parent.parent / "locks"
#: What pip is told to fetch for: the target, not this machine.
WINDOWS = ("--platform", "win_amd64", "--implementation", "cp", "--only-binary=:all:", "--python-version")


def lock(name: str) -> Path:
    """The file that pins them."""
    return LOCKS / f"{name}.txt"


def fetch_wheels(pins: Path, folder: Path, python: str) -> list[Path]:
    """The wheels that `pins` names, for 64-bit Windows and CPython `python` ("3.13"). Raises BuildError."""
    return _download(pins, folder, *WINDOWS, python)


def fetch_source(pins: Path, folder: Path) -> list[Path]:
    """The source archives that `pins` names. Raises BuildError."""
    # pip asks every source archive for its metadata; setuptools for that is in our own environment, pinned as well.
    return _download(pins, folder, "--no-binary=:all:", "--no-build-isolation")


def _download(pins: Path, folder: Path, *options: str) -> list[Path]:
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input")
    done = subprocess.run(
        (*command, "--require-hashes", "--no-deps", *options, "--requirement", str(pins), "--dest", str(folder)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode:
        raise BuildError(f"packaging/locks/{pins.name}: {_reason(done.stderr)}", _advice(done.stderr))
    return sorted(path for path in folder.iterdir() if path.suffix in {".whl", ".gz", ".zip"})


def _reason(said: str) -> str:
    if "DO NOT MATCH THE HASHES" in said:
        package = re.search(r"\n {4}(\S+) from ", said)
        return f"what the registry serves is not what is pinned{f': {package[1]}' if package else ''}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else "pip gave no reason"


def _advice(said: str) -> str:
    if "DO NOT MATCH THE HASHES" in said:
        return "Find out why before anything else; after a legitimate change run: make lock"
    return "Is the registry reached (pip config list)? Is the version still served? `make lock` pins it anew."


def unpack_wheel(wheel: Path, folder: Path) -> None:
    """The files of a wheel where an installation puts them: its ``.data`` folders have a place each."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            target = _installed(entry.filename)
            if target is None:
                continue
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(entry))


def _installed(name: str) -> PurePosixPath | None:
    """Where a member belongs below site-packages; None: nowhere (scripts, headers, data)."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BuildError(f"a wheel holds a file outside of its folder: {name}")
    if not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if path.parts[1] in {"purelib", "platlib"} else None


def unpack_source(archive: Path, package: str, folder: Path) -> None:
    """The import package `package` of a source archive, below `folder`."""
    with tarfile.open(archive) as tar:
        top = tar.getnames()[0].split("/", 1)[0]
        wanted = [member for member in tar.getmembers() if member.name.startswith(f"{top}/{package}/")]
        for member in wanted:
            member.name = member.name.removeprefix(f"{top}/")
        tar.extractall(folder, wanted, filter="data")
