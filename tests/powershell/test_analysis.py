"""All PowerShell of the tree, looked at without running it: PSScriptAnalyzer, and what it has no rule for.

The compatibility rules compare syntax, commands with their parameters, and types with Windows PowerShell 5.1 of Windows
Server 2016 and 2019, and with PowerShell 7.0.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ground import NotHere, not_run, pwsh

SETTINGS = pwsh.PS / "PSScriptAnalyzerSettings.psd1"
PROFILES = ("Server 2016", "Server 2019", "7.0")
#: What the analyser can't know: rule, part of the message -> why it is right.
ALLOWED = {
    ("PSUseCompatibleTypes", "'System.IO.Compression.Zip"): "in an assembly that the code loads first",
    ("PSUseCompatibleTypes", "'System.IO.FileSystemAclExtensions'"): "only reached where PowerShell is Core",
    ("PSUseCompatibleTypes", "'System.Runtime.InteropServices.NativeLibrary'"): "only reached in PowerShell 7",
    (
        "PSUseCompatibleCommands",
        "AppLocker",
    ): "Windows PowerShell's module, which 7 loads through its compatibility layer",
}
SCRIPT = """
Import-Module PSScriptAnalyzer
$found = foreach ($path in $env:ANALYSE_PATHS.Split(':')) {
    Invoke-ScriptAnalyzer -Path $path -Recurse -Settings $env:ANALYSE_SETTINGS
}
ConvertTo-Json -InputObject @($found | ForEach-Object {
    @{ Rule = $_.RuleName; File = $_.ScriptPath; Line = $_.Line; Message = $_.Message; Severity = "$($_.Severity)" }
}) -Depth 2
"""


def analyse(*paths: Path) -> list[dict[str, Any]]:
    """What PSScriptAnalyzer says of files and folders."""
    try:
        shell, modules = pwsh.linux(), os.environ.get("DDNS_PSSCRIPTANALYZER") or pwsh.tools()
    except NotHere as missing:
        not_run(missing)
    environ = {
        "PSModulePath": str(modules),
        "ANALYSE_PATHS": ":".join(map(str, paths)),
        "ANALYSE_SETTINGS": str(SETTINGS),
    }
    ended = shell.text(SCRIPT, environ=environ, timeout=300)
    assert not ended.err, ended.err
    found = ended.json()
    assert isinstance(found, list)
    return found


def sources(*endings: str) -> list[Path]:
    """Our PowerShell files."""
    found = [path for ending in endings for path in pwsh.PS.rglob(f"*{ending}")]
    return sorted(found + [path for path in (pwsh.ROOT / "packaging").glob("*.ps1") if ".ps1" in endings])


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is found in our files, and in the mistakes: in one go, because to begin takes the analyser seconds."""
    folder = tmp_path_factory.mktemp("mistakes")
    for number, (text, _, _) in enumerate(MISTAKES):
        (folder / f"{number}.ps1").write_text(text)
    more = [path for path in sources(".ps1") if pwsh.PS not in path.parents]
    found = analyse(pwsh.PS, folder, *more)
    mistakes = [one for one in found if Path(one["File"]).parent == folder]
    return [one for one in found if one not in mistakes], mistakes


def test_the_analyser_finds_nothing(analysed: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    found = [
        f"{Path(one['File']).relative_to(pwsh.ROOT)}:{one['Line']}: {one['Rule']}: {one['Message']}"
        for one in analysed[0]
        if not any(one["Rule"] == rule and words in one["Message"] for rule, words in ALLOWED)
    ]
    assert not found, "\n".join(found)


#: Mistakes that must be found: text, rule, part of the message.
MISTAKES = (
    ("$a = $null\n$a ??= 1\n$a\n", "PSUseCompatibleSyntax", ""),
    ("1, 2 | ForEach-Object -Parallel { $_ }\n", "PSUseCompatibleCommands", "2016"),
    ("Get-Uptime\n", "PSUseCompatibleCommands", "2019"),
    ("Get-WmiObject -Class Win32_BIOS\n", "PSUseCompatibleCommands", "7.0"),
    ("[System.Text.Json.JsonSerializer]::Serialize(1)\n", "PSUseCompatibleTypes", "2016"),
    ("function Get-A { param([string]$Password) $Password }\n", "PSAvoidUsingPlainTextForPassword", ""),
    ("Invoke-Expression 'Get-Item x'\n", "PSAvoidUsingInvokeExpression", ""),
)


def test_the_analyser_would_find_it(analysed: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    found = [(Path(one["File"]).stem, one["Rule"], one["Message"]) for one in analysed[1]]
    for number, (_, rule, words) in enumerate(MISTAKES):
        assert any(where == str(number) and which == rule and words in said for where, which, said in found), rule


@pytest.mark.parametrize("path", sources(".ps1", ".psm1", ".psd1", ".ps1xml"), ids=lambda path: path.name)
def test_windows_powershell_reads_it_as_it_is(path: Path) -> None:
    """Without a byte order mark it takes a file for the machine's code page, so there is nothing beyond ASCII."""
    data = path.read_bytes()
    assert data.isascii(), [line for line in data.splitlines() if not line.isascii()][:3]
    assert not re.search(rb"[ \t]+\r?$", data, re.MULTILINE), "white space at the end of a line"
    assert data.endswith(b"\n")


@functools.cache
def functions() -> dict[str, list[str]]:
    """Function name -> files that define it."""
    found: dict[str, list[str]] = {}
    for path in (pwsh.PS / "Ddns").rglob("*.ps1"):
        for name in re.findall(r"^function ([\w-]+)", path.read_text(), re.MULTILINE):
            found.setdefault(name, []).append(str(path.relative_to(pwsh.PS)))
    return found


def test_a_name_is_given_once() -> None:
    """The last file loaded would win, silently."""
    assert not {name: files for name, files in functions().items() if len(files) > 1}


def test_a_command_is_a_file_and_is_exported(shell: pwsh.Shell) -> None:
    manifest = pwsh.PS / "Ddns" / "Ddns.psd1"
    exported = shell.text(
        f"ConvertTo-Json -InputObject @((Test-ModuleManifest -Path '{manifest}').ExportedFunctions.Keys)"
    ).json()
    assert isinstance(exported, list)
    files = {path.stem for path in (pwsh.PS / "Ddns" / "Public").glob("*.ps1")}
    assert set(exported) == files
    assert all(functions()[name] == [f"Ddns/Public/{name}.ps1"] for name in files)


HELP = """
$found = foreach ($file in $args) {
    $tree = [Management.Automation.Language.Parser]::ParseFile($file, [ref]$null, [ref]$null)
    $function = $tree.Find({ $args[0] -is [Management.Automation.Language.FunctionDefinitionAst] }, $false)
    $name = [IO.Path]::GetFileNameWithoutExtension($file)
    $body = if ($function -and $function.Name -eq $name) { $function.Body } else { $tree }
    $help = if ($body -eq $tree) { $tree.GetHelpContent() } else { $function.GetHelpContent() }
    $binding = @($body.ParamBlock.Attributes | Where-Object { $_.TypeName.Name -eq 'CmdletBinding' })[0]
    @{
        Name = $name
        Synopsis = "$($help.Synopsis)".Trim()
        Examples = @($help.Examples).Count
        Described = @($help.Parameters.Keys)
        Parameters = @($body.ParamBlock.Parameters | ForEach-Object { $_.Name.VariablePath.UserPath })
        Asks = @($binding.NamedArguments | ForEach-Object { $_.ArgumentName }) -contains 'SupportsShouldProcess'
    }
}
ConvertTo-Json -InputObject @($found) -Depth 3
"""
CHANGING = {"Install", "Set", "Start", "Sync", "Uninstall", "Deploy"}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The comment-based help of commands and scripts."""
    script = tmp_path_factory.mktemp("help") / "help.ps1"
    script.write_text(HELP)
    files = [*(pwsh.PS / "Ddns" / "Public").glob("*.ps1"), *pwsh.PS.glob("*.ps1")]
    try:
        found = pwsh.linux().file(script, *map(str, files)).json()
    except NotHere as missing:
        not_run(missing)
    assert isinstance(found, list)
    return found


def test_each_command_explains_itself(described: list[dict[str, Any]]) -> None:
    assert len(described) >= 5
    for one in described:
        assert one["Synopsis"], one["Name"]
        assert one["Examples"] >= 1, one["Name"]
        assert {name.upper() for name in one["Parameters"]} == set(one["Described"]), one["Name"]


def test_each_command_that_changes_something_asks(described: list[dict[str, Any]]) -> None:
    changing = [one for one in described if one["Name"].split("-")[0] in CHANGING and "Get" not in one["Name"]]
    assert changing
    assert not [one["Name"] for one in changing if not one["Asks"]]
    assert not [one["Name"] for one in described if one["Name"].startswith(("Get-", "Test-")) and one["Asks"]]


@pytest.mark.parametrize("name", ["Deploy-DDNS", "Get-DDNS", "Uninstall-DDNS"])
def test_a_script_tells_the_gallery_what_it_is(name: str) -> None:
    """The fields that Publish-Script asks for."""
    text = (pwsh.PS / f"{name}.ps1").read_text()
    info = re.match(r"<#PSScriptInfo\n(.*?)#>", text, re.DOTALL)
    assert info, "PSScriptInfo is the first thing in the file"
    fields = dict(re.findall(r"^\.(\w+) (.+)$", info[1], re.MULTILINE))
    assert {"VERSION", "GUID", "AUTHOR", "TAGS", "LICENSEURI", "PROJECTURI"} <= set(fields)
    assert re.fullmatch(r"\d+\.\d+\.\d+", fields["VERSION"])
