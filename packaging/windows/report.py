"""build.json: what was built, of what, how long it took. Packing and the test of the exe's contract read it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from windows import registry, suite
from windows.authenticode import Verdict
from windows.errors import BuildError
from windows.progress import Spent

FILE = "build.json"
SCHEMA = 1


def modules(xml: Path) -> list[dict[str, str]]:
    """Name and kind (compiled, bytecode, extension) of every module, of Nuitka's report. Raises BuildError."""
    try:
        root = ET.parse(xml).getroot()  # noqa: S314 - Nuitka, which we ran, wrote it
    except (OSError, ET.ParseError) as error:
        raise BuildError(f"Nuitka's report {xml} can't be read: {error}") from error
    found = [{"name": one.attrib["name"], "kind": _kind(one.attrib["kind"])} for one in root.iter("module")]
    return sorted(found, key=lambda one: one["name"])


def _kind(nuitkas: str) -> str:
    if nuitkas.startswith("Uncompiled"):
        return "bytecode"
    return "extension" if "Extension" in nuitkas else "compiled"


def head(version: str, architecture: str, *, for_testing: bool) -> dict[str, Any]:
    """What packing asks first."""
    return {"product": "ddns-fleet", "version": version, "architecture": architecture, "for_testing": for_testing}


def unverified(app: Path) -> list[Verdict]:
    """Every DLL and pyd by its hash alone."""
    binaries = sorted(path for path in app.rglob("*") if path.suffix.lower() in {".dll", ".pyd"})
    return [Verdict(path.relative_to(app).as_posix(), suite.sha256(path)) for path in binaries]


def app_part(app: Path, xml: Path, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What is known once the app is built, and stays with it in the cache."""
    return {
        "modules": modules(xml),
        "binaries": [{name: text for name, text in asdict(one).items() if text} for one in verdicts],
        "files": {
            path.relative_to(app).as_posix(): path.stat().st_size for path in sorted(app.rglob("*")) if path.is_file()
        },
    }


def pins() -> dict[str, str]:
    """Name -> version, of everything of the registry that is in the program."""
    found = {}
    for line in registry.lock("windows").read_text("utf-8").splitlines():
        name, _, version = line.partition("==")
        if version:
            found[name] = version.split()[0]
    return found


def times(spent: Sequence[Spent]) -> list[dict[str, Any]]:
    """Stages in their order; one that came twice has its sum."""
    total: dict[str, list[float]] = {}
    for one in spent:
        so_far = total.setdefault(one.stage, [0.0, 0.0])
        so_far[0] += one.wall
        so_far[1] += one.cpu
    return [{"stage": name, "seconds": round(wall, 1), "cpu": round(cpu, 1)} for name, (wall, cpu) in total.items()]


def packed(app: Sequence[dict[str, Any]], spent: Sequence[Spent]) -> list[dict[str, Any]]:
    """Times of the app's build, which may be an earlier one, and of the packing of this one."""
    return [*app, *(one for one in times(spent) if one["stage"] == "pack")]


def hashes(tree: Path) -> dict[str, str]:
    """SHA-256 of every file of a build tree but this report."""
    return {
        path.relative_to(tree).as_posix(): suite.sha256(path)
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.name != FILE
    }


def write(tree: Path, told: dict[str, Any]) -> None:
    """Write it into the build tree."""
    (tree / FILE).write_text(json.dumps({"schema": SCHEMA, **told}, indent=1, ensure_ascii=False) + "\n", "utf-8")
