"""The module and the scripts as the PowerShell Gallery takes them: complete, signed, and at work where they are put."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ground import code, judge, pwsh
from packages import gallery, stage
from packages.errors import PackageError
from packages.facts import facts
from packages.sign import Signer
from powershell.one.machine import package
from windows.sources import version

PRODUCT = version()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder, and the authority (PEM) of who signed what is in it."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "ca").mkdir()
    authority = code.Authority(folder / "ca")
    signer = Signer.of(authority.environ(facts().signer))
    gallery.make(pwsh.PS, folder / "out", PRODUCT, facts(), signer)
    return folder / "out", authority.pem


def test_every_file_is_signed(published: tuple[Path, Path]) -> None:
    folder, authority = published
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".css", ".js"}]
    assert len(files) > 60
    good = {"status": "Valid", "subject": f"CN={facts().signer}"}
    assert {str(path.relative_to(folder)): judge.verdict(path, authority) for path in files} == {
        str(path.relative_to(folder)): good for path in files
    }


def test_powershell_finds_it_where_install_module_puts_it(published: tuple[Path, Path], shell: pwsh.Shell) -> None:
    """By name and version; its manifest is right, and its commands, formats and help are there."""
    folder, _ = published
    told = shell.text(
        f"""
$manifest = Test-ModuleManifest -Path '{folder}/Ddns/{PRODUCT}/Ddns.psd1' -ErrorAction Stop
$found = @(Get-Module -ListAvailable -Name Ddns)
Import-Module -Name Ddns -RequiredVersion {PRODUCT}
$commands = @(Get-Command -Module Ddns | ForEach-Object {{ $_.Name }} | Sort-Object)
ConvertTo-Json -Depth 3 -InputObject @{{
    Manifest = "$($manifest.Name) $($manifest.Version) $($manifest.Guid)"
    Found = @($found | ForEach-Object {{ "$($_.Name) $($_.Version)" }})
    Tags = @($manifest.PrivateData.PSData.Tags)
    Exported = @($manifest.ExportedFunctions.Keys | Sort-Object)
    Commands = $commands
    Silent = @($commands | Where-Object {{ -not (Get-Help -Name $_).Synopsis -or -not (Get-Help -Name $_).examples }})
    Formats = @($manifest.ExportedFormatFiles | ForEach-Object {{ [IO.Path]::GetFileName($_) }})
}}""",
        environ={"PSModulePath": str(folder)},
    ).json()
    assert isinstance(told, dict)
    assert told["Manifest"] == f"Ddns {PRODUCT} 5d0a6f0e-6a3c-4d6b-9b52-3c1f9a7e2d41"
    assert told["Found"] == [f"Ddns {PRODUCT}"]
    assert told["Commands"] == told["Exported"]
    assert {"Install-Ddns", "Sync-DdnsFleet"} <= set(told["Commands"])
    assert told["Silent"] == []
    assert told["Formats"] == ["Ddns.Format.ps1xml", "Ddns.Fleet.Format.ps1xml"]
    assert {"PSEdition_Desktop", "PSEdition_Core", "Windows"} <= set(told["Tags"])


def test_the_signed_module_deploys(published: tuple[Path, Path], shell: pwsh.Shell, tmp_path: Path) -> None:
    """The worker is put together of signed files, of which none may bring its signature along."""
    folder, _ = published
    (tmp_path / "asked.toml").write_text("schema = 1\n")
    zipped = package(tmp_path / "releases", program=b"#!/bin/sh\nexit 0\n")
    places = f"@{{ Binaries = '{tmp_path}/p'; Data = '{tmp_path}/d'; InOne = $true; MachineId = 'x' }}"
    told = shell.text(
        f"""
Import-Module '{pwsh.tasks_double() / "ScheduledTasks.psd1"}' -DisableNameChecking
$module = Import-Module -Name Ddns -PassThru -DisableNameChecking
& $module {{ $script:DdnsPlaces = $args[0] }} {places}
$asked = @{{ Package = '{zipped.path}'; Sha256 = '{zipped.sha256}'; ConfigPath = '{tmp_path}/asked.toml' }}
ConvertTo-Json -Depth 4 -InputObject (Install-Ddns @asked -NoStart)""",
        environ={"PSModulePath": str(folder), "DDNS_FAKE_TASKS": str(tmp_path / "tasks")},
    ).json()
    assert isinstance(told, dict)
    assert (told["Outcome"], told["Error"]) == ("Installed", None), told


def test_module_and_release_have_all_that_the_module_reads(published: tuple[Path, Path], tmp_path: Path) -> None:
    stage.powershell(pwsh.PS, tmp_path / "ps")
    source = {str(path.relative_to(pwsh.PS / "Ddns")) for path in (pwsh.PS / "Ddns").rglob("*") if path.is_file()}
    for made in (published[0] / "Ddns" / PRODUCT, tmp_path / "ps" / "Ddns"):
        assert {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} == source


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("Ddns/Ddns.psd1", f"ModuleVersion = '{PRODUCT}'", "ModuleVersion = '9.9.9'", "ModuleVersion is 9.9.9"),
        ("Ddns/Ddns.psd1", "Author = ", "Other = ", "Author is missing"),
        ("Ddns/Ddns.psd1", "'DynamicDNS'", "'Dynamic DNS'", "without spaces"),
        ("Ddns/Ddns.psd1", "CmdletsToExport = @()", "CmdletsToExport = '*'", "never *"),
        ("Deploy-DDNS.ps1", f".VERSION {PRODUCT}", ".VERSION 9.9.9", "VERSION is 9.9.9"),
        ("Get-DDNS.ps1", "<#PSScriptInfo", "\n<#PSScriptInfo", "not the first thing"),
        ("Get-DDNS.ps1", ".PROJECTURI https://", ".PROJECTURI http://", "not an https URL"),
        ("Uninstall-DDNS.ps1", ".GUID ", ".GUID x", "is no GUID"),
    ],
)
def test_what_the_gallery_would_refuse(tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    shutil.copytree(pwsh.PS, tmp_path / "ps")
    path = tmp_path / "ps" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PackageError, match=re.escape(words)):
        gallery.make(tmp_path / "ps", tmp_path / "out", PRODUCT, facts(), None)
