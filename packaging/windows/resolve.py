"""Pins for the Windows build, by hash: `python -m windows.resolve` (part of `make lock`) writes them.

pip resolves for another system, but reads the conditions of requirements (`sys_platform == "win32"`) as if for the one
it runs on. So what Windows alone asks for is looked up in the metadata and asked for by name, until nothing is missing;
what Windows does not ask for is left out. Needs pip and packaging only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from windows import suite, target
from windows.errors import BuildError
from windows.registry import LOCKS, WINDOWS

_PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
_NUITKA = "nuitka==4.3.*"
_ENVIRONMENT = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": f"{target.VERSION}.0",
    "python_version": target.VERSION,
    "sys_platform": "win32",
}


def asked_by(requirements: Iterable[str], extras: Iterable[str] = ()) -> list[Requirement]:
    """Those requirements that hold on the target."""
    found = []
    for text in requirements:
        one = Requirement(text)
        environments = [_ENVIRONMENT | {"extra": extra} for extra in (*extras, "")]
        if one.marker is None or any(one.marker.evaluate(environment) for environment in environments):
            one.marker = None
            found.append(one)
    return found


def closure(wanted: Iterable[Requirement], known: Mapping[str, Any]) -> tuple[dict[str, Any], list[Requirement]]:
    """What the target needs of pip's answer (name -> entry), and what is asked for and not in it."""
    needed: dict[str, Any] = {}
    missing = []
    queue = list(wanted)
    while queue:
        one = queue.pop()
        name = canonicalize_name(one.name)
        if name not in known:
            missing.append(one)
        elif name not in needed:
            needed[name] = known[name]
            queue += asked_by(known[name]["metadata"].get("requires_dist", ()), one.extras)
    return needed, missing


def resolve(requirements: Iterable[str]) -> dict[str, Any]:
    """Name -> entry of pip's report, of all that the target needs. Raises BuildError."""
    wanted = asked_by(requirements)
    asked = list(wanted)
    while True:
        known = _report(*WINDOWS, target.VERSION, *(str(one) for one in asked))
        needed, missing = closure(wanted, known)
        if not missing:
            return needed
        asked += missing


def _report(*arguments: str) -> dict[str, Any]:
    command = (sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--report", "-", "--ignore-installed")
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            (*command, "--disable-pip-version-check", "--no-input", "--target", place, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    if done.returncode:
        raise BuildError(f"pip can't resolve {' '.join(arguments)}:\n{done.stderr.strip()}")
    entries = json.loads(done.stdout)["install"]
    return {canonicalize_name(entry["metadata"]["name"]): entry for entry in entries}


def lines(entries: Mapping[str, Any]) -> str:
    """A lock file: name, version, and the hash of the file that was chosen; no address."""
    text = ""
    for name, entry in sorted(entries.items()):
        digest = entry["download_info"]["archive_info"]["hashes"]["sha256"]
        text += f"{name}=={entry['metadata']['version']} \\\n    --hash=sha256:{digest}\n"
    return text


def _debian() -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite.download(target.SUITE, target.DEBIAN_PACKAGES, folder)
        return "".join(f"{suite.sha256(path)}  {path.name}\n" for path in sorted(folder.glob("*.deb")))


def main() -> None:
    """Write the files. panda3d's is written by hand: another version may carry another Python."""
    project = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]
    pins = {
        "windows": lines(resolve(project["dependencies"])),
        "windows-nuitka": lines(_report("--no-deps", "--no-binary=:all:", "--no-build-isolation", _NUITKA)),
        "windows-debian": _debian(),
    }
    for name, text in pins.items():
        (LOCKS / f"{name}.txt").write_text(text)
        print(f"packaging/locks/{name}.txt")


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        sys.exit(f"lock: {error}")
