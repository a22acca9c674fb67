"""The PowerShell Gallery's form: the module in `Ddns/VERSION`, as Publish-Module takes it, and the scripts beside it.

All PowerShell is signed when there is a signer; style and script of the report page can't be. What the gallery asks for
is looked at here, so that it is not met first when a version is published:
https://learn.microsoft.com/powershell/gallery/concepts/publishing-guidelines.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from packages import sign
from packages.errors import PackageError
from packages.facts import Facts

MODULE = "Ddns"
SCRIPTS = ("Deploy-DDNS.ps1", "Get-DDNS.ps1", "Uninstall-DDNS.ps1")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: The longest list of tags that the gallery takes, in characters.
_TAGS = 4000


def make(source: Path, target: Path, version: str, known: Facts, signer: sign.Signer | None) -> list[Path]:
    """Lay module and scripts of `source` (the folder ps) out in `target`, and sign them. Raises PackageError."""
    module = target / MODULE / version
    if module.exists():
        shutil.rmtree(module)
    shutil.copytree(source / MODULE, module, ignore=shutil.ignore_patterns("*.md"))
    manifest(module / f"{MODULE}.psd1", version)
    scripts = []
    for name in SCRIPTS:
        scripts.append(Path(shutil.copyfile(source / name, target / name)))
        script_info(scripts[-1], version)
    made = [*sorted(path for path in module.rglob("*") if path.is_file()), *scripts]
    if signer:
        sign.sign([path for path in made if path.suffix in sign.SCRIPTS], known, signer)
    return made


def manifest(path: Path, version: str) -> None:
    """Raises PackageError unless a module's manifest says what the gallery shows of it, for this version."""
    text = path.read_text(encoding="ascii")
    values = dict(re.findall(r"^\s*(\w+) = '((?:[^']|'')*)'", text, re.MULTILINE))
    _look(path, values, ("GUID", "Author", "Description", "LicenseUri", "ProjectUri", "ReleaseNotes"))
    if values.get("ModuleVersion") != version:
        raise PackageError(f"{path.name}: ModuleVersion is {values.get('ModuleVersion')}, the product's is {version}")
    tags = re.search(r"Tags = @\(([^)]*)\)", text)
    _tags(path, re.findall(r"'([^']*)'", tags[1]) if tags else [])
    if re.search(r"(Functions|Cmdlets|Variables|Aliases)ToExport = .*\*", text):
        raise PackageError(f"{path.name}: what is exported is named, never *")


def script_info(path: Path, version: str) -> None:
    """Raises PackageError unless a script begins with its PSScriptInfo, and describes itself."""
    text = path.read_text(encoding="ascii")
    info = re.match(r"<#PSScriptInfo\r?\n(.*?)#>", text, re.DOTALL)
    if not info:
        raise PackageError(f"{path.name}: PSScriptInfo is not the first thing in it")
    values = {name.capitalize(): value.strip() for name, value in re.findall(r"^\.(\w+) (.+)$", info[1], re.MULTILINE)}
    _look(path, values, ("Guid", "Author", "Licenseuri", "Projecturi"))
    if values.get("Version") != version:
        raise PackageError(f"{path.name}: its VERSION is {values.get('Version')}, the product's is {version}")
    if not re.search(r"^\.DESCRIPTION\r?\n\s+\S", text, re.MULTILINE):
        raise PackageError(f"{path.name}: has no .DESCRIPTION")
    _tags(path, values.get("Tags", "").split())


def _look(path: Path, values: dict[str, str], names: Iterable[str]) -> None:
    for name in names:
        value = values.get(name, "")
        if not value:
            raise PackageError(f"{path.name}: {name} is missing")
        if name.lower() == "guid" and not _GUID.fullmatch(value):
            raise PackageError(f"{path.name}: {value} is no GUID")
        if name.lower().endswith("uri") and not value.startswith("https://"):
            raise PackageError(f"{path.name}: {name} is not an https URL: {value}")


def _tags(path: Path, tags: list[str]) -> None:
    if not tags or any(" " in tag for tag in tags) or len(" ".join(tags)) > _TAGS:
        raise PackageError(f"{path.name}: tags are words without spaces, {_TAGS} characters in all; it has {tags}")
