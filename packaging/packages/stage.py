"""The folder that the zip and the MSI are made of: the built tree, PowerShell, and what tells about them."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from packages import components, notices, sbom, sign, sums
from packages.components import Component
from packages.errors import PackageError
from packages.facts import BUILD, Build, Facts

SBOM, NOTICES, LICENCE, RELEASE = "sbom.cdx.json", "NOTICES.txt", "LICENSE.txt", "release.json"
#: Of ps/, what runs or is read on Windows.
_POWERSHELL = frozenset({".ps1", ".psm1", ".psd1", ".ps1xml", ".txt", ".xml", ".admx", ".adml", ".css", ".js"})


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where the parts of a package lie.

    `python` is the Windows CPython that the program was built with, its packages in Lib/site-packages.
    """

    tree: Path
    powershell: Path
    licence: Path
    python: Path

    def components(self, staged: Path) -> list[Component]:
        """What is in the program. After signing, for the hashes are those of the files that go out."""
        told = json.loads((self.tree / BUILD).read_bytes())
        modules = [one["name"] for one in told["modules"]] if "modules" in told else None
        tools = told.get("tools", {})
        if "compiler" in tools:  # a native build: zig made the launcher only, which holds nothing of it
            tools = {name: version for name, version in tools.items() if name != "zig"}
        libraries = self.python / "Lib" / "site-packages"
        return components.of_tree(staged, tools) + components.of_packages(libraries, modules)


def release_json(known: Facts, build: Build) -> str:
    """The facts that PowerShell needs, with what was built."""
    told = {
        "schema": 1,
        "product": known.product,
        "name": known.name,
        "version": build.version,
        "architecture": build.architecture,
        "for_testing": build.for_testing,
        "publisher": known.publisher,
        "signer": known.signer,
        "url": dict(known.url),
        "upgrade_code": known.upgrade_code[build.architecture],
        "entry": dict(known.entry),
        "event_source": dict(known.event_source),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def stage(known: Facts, build: Build, sources: Sources, target: Path, signer: sign.Signer | None) -> Path:
    """Fill `target` (which must not exist), sign what is to be signed, list and seal it. Raises PackageError."""
    target.mkdir(parents=True)
    for name in ("app", "bin"):
        if not (sources.tree / name).is_dir():
            raise PackageError(f"{sources.tree} has no folder {name}: build the program first (make exe)")
        shutil.copytree(sources.tree / name, target / name)
    shutil.copyfile(sources.tree / BUILD, target / BUILD)
    powershell(sources.powershell, target / "ps")
    shutil.copyfile(sources.licence, target / LICENCE)
    if signer:  # before anything is hashed
        sign.sign(sign.unsigned(target), known, signer)
    python = notices.python_licence(sources.python)
    parts = sources.components(target)
    text = notices.render(known.product, parts, python, strict=not build.for_testing)
    for name, content in {
        NOTICES: text,
        SBOM: sbom.render(known, build, parts),
        RELEASE: release_json(known, build),
    }.items():
        (target / name).write_bytes(content.encode())
    seal(target, known, build, signer)
    return target


def seal(folder: Path, known: Facts, build: Build, signer: sign.Signer | None, *, whole_release: bool = False) -> None:
    """List and seal a folder; signed with a signer. Raises PackageError."""
    architecture = "any" if whole_release else build.architecture
    sums.write(folder, known.product, build.version, architecture, for_testing=build.for_testing)
    if signer:
        sign.sign([folder / sums.SEAL], known, signer)


def powershell(source: Path, target: Path) -> None:
    """Copy what of ps/ runs or is read on Windows."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in _POWERSHELL:
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
