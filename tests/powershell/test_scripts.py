"""The scripts beside the zip: which module they run. It is the one that was vouched for, whatever else is at hand."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from ground import pwsh

SCRIPTS = ("Deploy-DDNS.ps1", "Get-DDNS.ps1", "Uninstall-DDNS.ps1")
MANIFEST = "@{ RootModule = 'Ddns.psm1'; ModuleVersion = '1.0'; FunctionsToExport = '*' }\n"


def module(folder: Path, origin: str) -> Path:
    """A module Ddns that notes in `calls` that it was loaded and run."""
    (folder / "Ddns").mkdir(parents=True)
    note = f"[IO.File]::AppendAllText($env:CALLS, '{origin} {{}}' + \"`n\")"
    commands = "".join(
        f"function {name} {{ [CmdletBinding(SupportsShouldProcess)]"
        "param($Package, $Sha256, [switch]$Detailed, [switch]$RemoveData)\n"
        f"{note.format(name)}\nif ($env:ROWS) {{ return $env:ROWS | ConvertFrom-Json }}\n"
        "[pscustomobject]@{ Outcome = 'Done'; Health = 'OK'; Version = '1.0.0' } }\n"
        for name in ("Install-Ddns", "Get-DdnsTask", "Uninstall-Ddns")
    )
    (folder / "Ddns" / "Ddns.psd1").write_text(MANIFEST)
    (folder / "Ddns" / "Ddns.psm1").write_text(note.format("loaded") + "\n" + commands)
    return folder / "Ddns"


@dataclass
class Share:
    """A folder with the scripts, and the machine that calls them."""

    shell: pwsh.Shell
    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "share"

    def zip(self) -> tuple[Path, str]:
        """A release, as far as Deploy-DDNS.ps1 looks at it, and its hash."""
        made = module(self.root / "zipped", "zip")
        path = self.folder / "ddns-1.0.0-windows-amd64.zip"
        with zipfile.ZipFile(path, "w") as zipped:
            for file in made.iterdir():
                zipped.write(file, f"ps/Ddns/{file.name}")
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    def install(self) -> None:
        """Have a version installed."""
        module(self.root / "programs" / "DDNS" / "1.0.0" / "ps", "installed")
        (self.root / "programs" / "DDNS" / "bin").mkdir()
        (self.root / "programs" / "DDNS" / "bin" / "current").write_text("1.0.0")

    def run(self, script: str, arguments: str = "", before: str = "", **more: str) -> tuple[pwsh.Ended, list[str]]:
        """How a script ended, and what modules did."""
        calls = self.root / "calls"
        calls.unlink(missing_ok=True)
        environ = {
            "ProgramW6432": str(self.root / "programs"),
            "HOME": str(self.root / "home"),
            "CALLS": str(calls),
        } | more
        # PowerShell for Linux knows no signatures.
        before = f"function Get-AuthenticodeSignature {{ }}; {before}"
        ended = self.shell.text(
            f"{before}; & '{self.folder / script}' {arguments}; exit $LASTEXITCODE", environ=environ
        )
        return ended, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def share(shell: pwsh.Shell, tmp_path: Path) -> Share:
    (tmp_path / "share").mkdir()
    (tmp_path / "home" / ".local" / "share").mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copyfile(pwsh.PS / name, tmp_path / "share" / name)
    return Share(shell, tmp_path)


def test_a_planted_module_is_not_run_in_the_place_of_the_verified_one(share: Share) -> None:
    module(share.folder, "planted")
    loaded = module(share.root / "elsewhere", "before")
    path, sha256 = share.zip()
    before = f"Import-Module '{loaded}'; function Install-Ddns {{ 'shadowed' }}"
    ended, calls = share.run("Deploy-DDNS.ps1", f"-Package '{path}' -Sha256 {sha256}", before)
    assert ended.exit == 0, ended
    assert calls == ["before loaded", "zip loaded", "zip Install-Ddns"]
    assert "shadowed" not in ended.out
    assert not list((share.root / "home" / ".local" / "share").glob("DDNS-*"))


def test_a_zip_that_nobody_vouches_for_runs_nothing(share: Share) -> None:
    module(share.folder, "planted")
    path, _ = share.zip()
    ended, calls = share.run("Deploy-DDNS.ps1", f"-Package '{path}' -Sha256 {'0' * 64}")
    assert (ended.exit, calls) == (2, [])
    assert "vouched for" in ended.err


def test_without_a_zip_the_installed_module_is_run(share: Share) -> None:
    module(share.folder, "planted")
    ended, calls = share.run("Deploy-DDNS.ps1")
    assert (ended.exit, calls) == (2, [])
    assert "no release zip" in ended.err
    share.install()
    ended, calls = share.run("Deploy-DDNS.ps1")
    assert (ended.exit, calls) == (0, ["installed loaded", "installed Install-Ddns"]), ended


@pytest.mark.parametrize(
    ("script", "arguments", "command"),
    [("Get-DDNS.ps1", "", "Get-DdnsTask"), ("Uninstall-DDNS.ps1", "-Confirm:$false", "Uninstall-Ddns")],
)
def test_the_installed_module_goes_before_all_others(share: Share, script: str, arguments: str, command: str) -> None:
    module(share.folder, "beside")
    loaded = module(share.root / "elsewhere", "before")
    ended, calls = share.run(script, arguments)
    assert (ended.exit, calls) == (0, ["beside loaded", f"beside {command}"]), ended
    ended, calls = share.run(script, arguments, f"Import-Module '{loaded}'")
    assert (ended.exit, calls) == (0, ["before loaded", f"before {command}"]), ended
    share.install()
    ended, calls = share.run(script, arguments, f"Import-Module '{loaded}'")
    assert (ended.exit, calls) == (0, ["before loaded", "installed loaded", f"installed {command}"]), ended


@pytest.mark.parametrize(
    ("script", "rows", "code"),
    [
        ("Get-DDNS.ps1", '[{"Health":"OK"},{"Health":"OK"}]', 0),
        ("Get-DDNS.ps1", '[{"Health":"OK"},{"Health":"Warning"}]', 1),
        ("Get-DDNS.ps1", '[{"Outcome":"Ok"}]', 0),
        ("Get-DDNS.ps1", '[{"Outcome":"NotInstalled"}]', 1),
        ("Get-DDNS.ps1", '[{"Area":"Task","Item":"marker"}]', 1),
        ("Get-DDNS.ps1", "[]", 0),
        ("Uninstall-DDNS.ps1", '[{"Outcome":"Removed"},{"Outcome":"Unreachable"}]', 1),
        ("Uninstall-DDNS.ps1", "[]", 0),
        ("Deploy-DDNS.ps1", '[{"Outcome":"Updated"},{"Outcome":"RolledBack"}]', 1),
        ("Deploy-DDNS.ps1", "[]", 0),
    ],
)
def test_the_exit_code_says_what_the_rows_say(share: Share, script: str, rows: str, code: int) -> None:
    """Also in a strict session, and when no row has what rows of another kind have."""
    share.install()
    arguments = "-Confirm:$false" if script.startswith("Uninstall") else ""
    ended, _ = share.run(script, arguments, "Set-StrictMode -Version Latest", ROWS=rows)
    assert (ended.exit, ended.err) == (code, ""), ended


@pytest.mark.parametrize("script", SCRIPTS)
def test_constrained_language_is_said_before_anything_else(share: Share, script: str) -> None:
    share.install()
    before = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'"
    ended, calls = share.run(script, "-WhatIf" if script != "Get-DDNS.ps1" else "", before)
    assert (ended.exit, calls, ended.out) == (2, [], "")
    assert "ConstrainedLanguage mode" in " ".join(ended.err.split())
    assert ended.err.count("Line |") <= 1, ended.err


def test_an_error_that_the_command_caught_is_none_of_the_script(share: Share) -> None:
    """It is in -ErrorVariable all the same, as an exception that has no FullyQualifiedErrorId."""
    share.install()
    file = share.root / "programs" / "DDNS" / "1.0.0" / "ps" / "Ddns" / "Ddns.psm1"
    caught = "try { Get-Item -LiteralPath '/not/there' -ErrorAction Stop } catch { $null = $_ }"
    file.write_text(file.read_text().replace("if ($env:ROWS)", f"{caught}\nif ($env:ROWS)"))
    ended, calls = share.run("Get-DDNS.ps1")
    assert (ended.exit, ended.err, calls[-1]) == (0, "", "installed Get-DdnsTask"), ended


#: The functions of Deploy-DDNS.ps1 that start it again, without what it does.
AGAIN = """
$ast = [System.Management.Automation.Language.Parser]::ParseFile('{script}', [ref]$null, [ref]$null)
$kind = [System.Management.Automation.Language.FunctionDefinitionAst]
foreach ($one in $ast.FindAll({{ $args[0] -is $kind -and $args[0].Name -eq 'Invoke-DdnsAgain' }}, $true)) {{
    . ([scriptblock]::Create($one.Extent.Text))
}}
function Join-Path {{ param($Path, $ChildPath) [IO.Path]::Combine($Path, $ChildPath.Replace('\\', '/')) }}
$bound = {bound}
try {{ Invoke-DdnsAgain -Bound $bound; "code $LASTEXITCODE" }} catch {{ "$_" }}
"""


def again(share: Share, bound: str) -> list[str]:
    """What the 64-bit PowerShell is started with, line by line, or why it is not."""
    shell = share.root / "windows" / "sysnative" / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    shell.parent.mkdir(parents=True, exist_ok=True)
    shell.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    shell.chmod(0o755)
    text = AGAIN.format(script=share.folder / "Deploy-DDNS.ps1", bound=bound)
    return share.shell.text(text, environ={"SystemRoot": str(share.root / "windows")}).out.splitlines()


def test_from_the_32_bit_powershell_it_goes_on_in_the_64_bit_one(share: Share) -> None:
    """With every parameter, also those that have spaces, and its exit code."""
    said = again(share, "@{ ConfigPath = 'C:/my settings/ddns.toml'; NoStart = [switch]$true; Force = [switch]$false }")
    assert said[:3] == ["-NoProfile", "-NonInteractive", "-File"]
    assert said[-1] == "code 7"
    assert "-NoStart" in said
    assert "-Force" not in said
    assert said[said.index("-ConfigPath") + 1] == "C:/my settings/ddns.toml"


@pytest.mark.parametrize(
    ("bound", "key"),
    [
        ("@{ Secret = [securestring]::new() }", "-Secret"),
        ("@{ EnrolmentCode = [securestring]::new() }", "-EnrolmentCode"),
        ("@{ TaskCredential = [pscredential]::Empty }", "-TaskCredential"),
        ("@{ Name = 'a.example.com', 'b.example.com' }", "-Name"),
        ("@{ ProviderSetting = @{ a = 1 } }", "-ProviderSetting"),
    ],
)
def test_what_can_not_be_handed_on_is_said(share: Share, bound: str, key: str) -> None:
    (said,) = again(share, bound)
    assert "32-bit" in said
    assert f"{key} can not be handed on" in said


@pytest.mark.parametrize("script", ["Get-DDNS.ps1", "Uninstall-DDNS.ps1"])
def test_the_standard_input_names_no_machines(share: Share, script: str) -> None:
    """`powershell -File` hands it to the script's pipeline; what an agent or a person puts there may be a token."""
    share.install()
    calls = share.root / "calls"
    environ = {"ProgramW6432": str(share.root / "programs"), "HOME": str(share.root / "home"), "CALLS": str(calls)}
    for stdin in ("", "canary-on-standard-input\n"):
        calls.unlink(missing_ok=True)
        ended = share.shell.file(share.folder / script, environ=environ, stdin=stdin)
        command = "Get-DdnsTask" if script.startswith("Get") else "Uninstall-Ddns"
        assert (ended.exit, calls.read_text().splitlines()) == (0, ["installed loaded", f"installed {command}"]), ended
        assert "canary" not in ended.out + ended.err
