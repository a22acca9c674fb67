"""A parameter is the same everywhere: the scripts work alone from a share, so they repeat those of the commands.

Names, types, validation, aliases, defaults and help are compared, and so is the little logic that the scripts share.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest

from ddns.providers.table import MODULES
from ground import NotHere, not_run, pwsh
from powershell.fleet import LOAD

READ = """
$place = { $args[0].TypeName.Name -eq 'Parameter' }
$found = foreach ($file in $args) {
    $tree = [Management.Automation.Language.Parser]::ParseFile($file, [ref]$null, [ref]$null)
    $function = $tree.Find({ $args[0] -is [Management.Automation.Language.FunctionDefinitionAst] }, $false)
    $name = [IO.Path]::GetFileNameWithoutExtension($file)
    $command = $null -ne $function -and $function.Name -ceq $name
    $body = if ($command) { $function.Body } else { $tree }
    $help = if ($command) { $function.GetHelpContent() } else { $tree.GetHelpContent() }
    foreach ($parameter in $body.ParamBlock.Parameters) {
        $id = $parameter.Name.VariablePath.UserPath
        $said = $parameter.Attributes | Where-Object { $_ -is [Management.Automation.Language.AttributeAst] }
        @{
            Of = $name
            Name = $id
            Type = $parameter.StaticType.FullName
            Rules = @(
                $said | Where-Object { -not (& $place $_) } | ForEach-Object { $_.Extent.Text -replace '\\s+', ' ' }
            )
            Place = @($said | Where-Object { & $place $_ } | ForEach-Object { $_.Extent.Text }) -join ' '
            Default = "$($parameter.DefaultValue)"
            Help = ("$($help.Parameters[$id.ToUpperInvariant()])" -replace '\\s+', ' ').Trim()
        }
    }
}
ConvertTo-Json -InputObject @($found) -Depth 3
"""
#: Script -> the commands that it hands its parameters on to, and those that only it takes.
SCRIPTS = {
    "Deploy-DDNS": (("Install-Ddns",), set()),
    "Get-DDNS": (("Get-DdnsTask", "Test-DdnsTask", "Get-DdnsReport"), {"Drift"}),
    "Uninstall-DDNS": (("Uninstall-Ddns",), set()),
}
#: Questions wait less long than what changes machines; a roll-out of a fleet file has its own words.
QUESTIONS = {"Get-DDNS", "Get-DdnsTask", "Test-DdnsTask", "Get-DdnsReport"}
#: Parameters of one name and more than one meaning: they say themselves what they are.
NAMESAKES = {"Path", "Secret", "Detailed", "ReportPath"}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Row]]:
    """Command or script -> parameter -> what it is."""
    script = tmp_path_factory.mktemp("parameters") / "read.ps1"
    script.write_text(READ)
    files = [*pwsh.PS.glob("*.ps1"), *(pwsh.PS / "Ddns" / "Public").glob("*.ps1")]
    try:
        rows = pwsh.linux().file(script, *map(str, files)).json()
    except NotHere as missing:
        not_run(missing)
    assert isinstance(rows, list)
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        found[row["Of"]][row["Name"]] = row
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_takes_what_its_commands_take(parameters: dict[str, dict[str, Row]], script: str) -> None:
    commands, own = SCRIPTS[script]
    taken = set().union(*(parameters[command] for command in commands))
    # Of no use to a script: rows come from a pipeline of commands, and its exit code says what Quiet does.
    assert set(parameters[script]) - own == taken - {"InputObject", "Count", "Quiet"}


def test_a_parameter_is_the_same_everywhere(parameters: dict[str, dict[str, Row]]) -> None:
    wrong = []
    for name in sorted({name for rows in parameters.values() for name in rows} - NAMESAKES):
        rows = [of[name] for of in parameters.values() if name in of and of[name]["Of"] != "Sync-DdnsFleet"]
        for kind in ("Type", "Rules", "Help"):
            if name == "ComputerName" and kind == "Rules":
                # There InputObject is another parameter: rows of an earlier call.
                rows = [row for row in rows if row["Of"] != "Get-DdnsReport"]
            if len({str(row[kind]) for row in rows}) > 1:
                wrong.append((name, kind, {row["Of"]: row[kind] for row in rows}))
        for asks in (True, False):
            same = [row for row in rows if (row["Of"] in QUESTIONS) is asks]
            if len({row["Default"] for row in same}) > 1:
                wrong.append((name, "Default", {row["Of"]: row["Default"] for row in same}))
    assert not wrong, wrong


@pytest.mark.parametrize("script", SCRIPTS)
def test_namesakes_are_the_same_in_a_script_and_its_commands(
    parameters: dict[str, dict[str, Row]], script: str
) -> None:
    for name in NAMESAKES & set(parameters[script]) - {"Detailed"}:
        for command in SCRIPTS[script][0]:
            if name in parameters[command]:
                keys = ("Type", "Rules", "Default", "Help")
                assert [parameters[script][name][key] for key in keys] == [
                    parameters[command][name][key] for key in keys
                ], (name, command)


def test_machines_come_through_the_pipeline_everywhere(parameters: dict[str, dict[str, Row]]) -> None:
    for of, rows in parameters.items():
        assert "ValueFromPipeline" in rows["ComputerName"]["Place"], of
        assert {"Session", "Credential", "ThrottleLimit", "TimeoutSeconds", "Retry"} <= set(rows), of


def test_nothing_is_told_by_its_place_but_machines(parameters: dict[str, dict[str, Row]]) -> None:
    """What is deployed and published must be called by its name: a slip would be a record, or a machine."""
    for of, rows in parameters.items():
        file = next(path for path in pwsh.PS.rglob(f"{of}.ps1") if path.parent.name in ("ps", "Public"))
        assert "[CmdletBinding(PositionalBinding = $false" in file.read_text(), of
        placed = {name for name, row in rows.items() if "Position" in row["Place"]}
        expected = {"Install-Ddns": set(), "Deploy-DDNS": set(), "Set-DdnsConfig": set(), "Sync-DdnsFleet": {"Path"}}
        assert placed == expected.get(of, {"ComputerName"}), of


COMPLETE = """
. '{load}'
$lines = 'Install-Ddns -Provider ', 'Install-Ddns -Account N', 'Install-Ddns -Mode ', 'Get-DdnsTask -Transport '
$found = foreach ($line in $lines) {{
    , @([Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches |
        ForEach-Object {{ $_.CompletionText }})
}}
ConvertTo-Json -InputObject @($found) -Depth 3
"""


def test_values_are_completed(shell: pwsh.Shell) -> None:
    found = shell.text(COMPLETE.format(load=LOAD)).json()
    assert isinstance(found, list)
    providers, accounts, modes, ways = found
    assert providers == sorted(MODULES)
    assert accounts == ["NetworkService"]
    assert set(modes) == {"Task", "LogonTask", "Service", "RunKey"}
    assert set(ways) == {"WinRM", "SSH"}


def functions(script: str) -> dict[str, str]:
    """Function -> its text, of those that a script brings along."""
    text = (pwsh.PS / f"{script}.ps1").read_text()
    return dict(re.findall(r"^    function ([\w-]+) (\{\n.*?^    \})", text, re.MULTILINE | re.DOTALL))


def test_what_the_scripts_repeat_is_the_same() -> None:
    """They must work alone, and may load no file that lies beside them."""
    texts: dict[str, set[str]] = defaultdict(set)
    for script in SCRIPTS:
        for name, text in functions(script).items():
            texts[name].add(text)
    assert {"Find-DdnsInstalledModule", "Test-DdnsAdministrator", "Import-DdnsModule"} <= set(texts)
    # Deploy-DDNS.ps1 takes the module out of the zip that was verified; the two others never do.
    assert {name for name, found in texts.items() if len(found) > 1} == {"Import-DdnsModule"}
    begin = {
        script: (pwsh.PS / f"{script}.ps1").read_text().split("\nbegin {", 1)[1].split("\nend {", 1)[0]
        for script in ("Get-DDNS", "Uninstall-DDNS")
    }
    assert begin["Get-DDNS"] == begin["Uninstall-DDNS"]
