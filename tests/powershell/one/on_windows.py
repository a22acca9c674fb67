"""What the stories under Wine share: release zips of the real program, and scripts typed by an administrator."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

from ground import pwsh
from packages import facts, stage
from packages.facts import Build
from powershell.one.machine import Package, Windows


def release(folder: Path, tree: Path, version: str, changed: dict[str, bytes] | None = None) -> Package:
    """A release zip of a built tree, with other files in places."""
    inside = {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    inside = {name: data for name, data in inside.items() if name.startswith(("app/", "bin/"))}
    folder.mkdir(exist_ok=True)
    stage.powershell(pwsh.PS, folder / "ps")
    for path in (folder / "ps").rglob("*"):
        if path.is_file():
            inside[str(path.relative_to(folder))] = path.read_bytes()
    shutil.rmtree(folder / "ps")
    inside["release.json"] = stage.release_json(facts.facts(), Build(version, "amd64", for_testing=True)).encode()
    inside |= changed or {}
    lines = [f"{hashlib.sha256(data).hexdigest()} *{name}\n" for name, data in sorted(inside.items())]
    inside["SHA256SUMS"] = "".join(lines).encode()
    path = folder / f"ddns-{version}-windows-amd64-for-testing.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for name, data in inside.items():
            zipped.writestr(name, data)
    return Package(path, hashlib.sha256(path.read_bytes()).hexdigest())


def typed(windows: Windows, text: str, **environ: str) -> pwsh.Ended:
    """Run a script of an administrator in a new PowerShell, in which the double is the task scheduler's module."""
    shell = windows.served.shell
    file = windows.root / "administrator.ps1"
    file.write_text(text)
    modules = shell.path(pwsh.tasks_double().parent)
    known = {"DDNS_FAKE_TASKS": shell.path(windows.tasks), "PSModulePath": modules, "DOTNET_GCgen0size": "80000000"}
    return shell.file(file, environ=known | environ, timeout=300)
