"""Group Policy's start-up script and Intune's package at work under Wine; the program is a stand-in."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from ground import NotHere, not_run, pwsh, standin
from powershell.one.machine import Package, Windows
from powershell.one.on_windows import release, typed
from windows.errors import BuildError

GPO, INTUNE = (
    (pwsh.ROOT / "docs" / "guides" / name).read_text().replace("1.4.0", "0.1.0") for name in ("gpo.md", "intune.md")
)


@pytest.fixture
def published(tmp_path: Path) -> Package:
    """A release of a stand-in, with the name that a published one has."""
    try:
        tree = standin.tree(tmp_path / "tree", "0.1.0")
    except BuildError as missing:
        not_run(NotHere(str(missing)))
    made = release(tmp_path / "files", tree, "0.1.0")
    path = made.path.with_name("ddns-0.1.0-windows-amd64.zip")
    made.path.rename(path)
    (tmp_path / "files" / "ddns.toml").write_text(
        'schema = 1\n\n[provider.main]\nkind = "cloudflare"\ntoken = "env:T"\n'
    )
    return Package(path, made.sha256)


def test_the_start_up_script_deploys_once_and_then_asks_nothing(windows: Windows, published: Package) -> None:
    """What it logs is what the guide shows; the second start does not even look at the share."""
    shell = windows.served.shell
    sysvol = windows.root / "sysvol"
    sysvol.mkdir()
    for name in ("gpo/Start-DDNS.ps1", "Deploy-DDNS.ps1"):
        shutil.copyfile(pwsh.PS / name, sysvol / Path(name).name)
    share = shell.path(published.path.parent)
    start = (
        f"$env:PROCESSOR_ARCHITECTURE = 'AMD64'; $env:ProgramW6432 = $env:ProgramFiles\n"
        f"& 'C:\\sysvol\\Start-DDNS.ps1' -Share '{share}' -Version 0.1.0 -Sha256 amd64={published.sha256}"
        f" -ConfigPath '{share}\\ddns.toml' -RefreshHours {{hours}}\nexit $LASTEXITCODE\n"
    )
    log = windows.root / "Program Files" / "DDNS" / "gpo.log"
    first = typed(windows, start.format(hours=24))
    assert (first.exit, first.err) == (0, ""), first
    moved = published.path.rename(published.path.with_suffix(".away"))
    assert typed(windows, start.format(hours=24)).exit == 0
    moved.rename(published.path)
    assert typed(windows, start.format(hours=0)).exit == 0
    said = [re.sub(r"^\S+ ", "", line) for line in log.read_text().splitlines()]
    assert said == ["ended with 0: Installed 0.1.0", "ended with 0: Unchanged 0.1.0"]
    assert said == [re.sub(r"^\S+ ", "", line) for line in re.findall(r"^20\d\d-\S+ ended.*$", GPO, re.MULTILINE)]
    assert r"0.1.0\app\ddns.exe" in windows.task()


def test_the_intune_package_installs_is_detected_and_goes(
    windows: Windows, published: Package, shell: pwsh.Shell, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    made = shell.file(
        pwsh.PS / "intune" / "New-DdnsIntunePackage.ps1",
        *("-Zip", str(published.path), "-Sha256", published.sha256, "-Destination", str(app)),
        *("-ConfigPath", str(published.path.with_name("ddns.toml"))),
    )
    assert made.exit == 0, made
    shown = re.findall(r"^(\w+) +: ", INTUNE, re.MULTILINE)
    assert shown == re.findall(r"^(\w+) +: ", made.out, re.MULTILINE), "the guide shows what it prints"
    assert hashlib.sha256((app / published.path.name).read_bytes()).hexdigest() == published.sha256

    at = windows.served.shell.path(app)
    first = "$env:PROCESSOR_ARCHITECTURE = 'AMD64'; $env:ProgramW6432 = $env:ProgramFiles\n"

    def run(script: str) -> pwsh.Ended:
        return typed(windows, f"{first}& '{script}'\nexit $LASTEXITCODE\n")

    detect = f"{at}.Detect-DDNS.ps1"
    assert (run(detect).exit, run(detect).out) == (1, "")
    installed = run(f"{at}\\Install-DDNS.ps1")
    assert installed.exit == 0, installed
    found = run(detect)
    assert (found.exit, found.out) == (0, "ddns 0.1.0\n"), found
    gone = typed(windows, f"{first}& '{at}\\Uninstall-DDNS.ps1' -Confirm:$false\nexit $LASTEXITCODE\n")
    assert gone.exit == 0, gone
    assert run(detect).exit == 1
