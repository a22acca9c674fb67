"""The definition of the task: golden texts, an independent schema, and what must differ from machine to machine."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ground import NotHere, not_run, pwsh
from powershell.one.machine import MODULE

GOLDEN = Path(__file__).with_name("golden")
SCHEMA = Path(__file__).with_name("task.xsd")
BASE: dict[str, Any] = {
    "Mode": "Task",
    "Command": r"C:\Program Files\DDNS\1.2.3\app\ddns.exe",
    "Arguments": "run",
    "WorkingDirectory": r"C:\ProgramData\DDNS\state",
    "Version": "1.2.3",
    "Description": "Keeps <records> & names.",
    "UserId": "S-1-5-19",
    "LogonType": "",
    "TokenSid": True,
    "RunLevel": "LeastPrivilege",
    "IntervalMinutes": 10,
    "PhaseSeconds": 137,
    "DelaySeconds": 60,
    "BootTrigger": True,
    "NetworkTrigger": True,
    "ResumeTrigger": True,
    "LogonTrigger": False,
}
KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    "every-minute-of-system": {"IntervalMinutes": 1, "UserId": "S-1-5-18", "TokenSid": False, "PhaseSeconds": 59},
    "network-service": {"UserId": "S-1-5-20"},
    "group-managed": {"UserId": "S-1-5-21-1-2-3-1105", "LogonType": "Password", "TokenSid": False},
    "user-with-highest-rights": {
        "UserId": r"CORP\operator",
        "LogonType": "Password",
        "TokenSid": False,
        "RunLevel": "Highest",
    },
    "only-by-clock": {"BootTrigger": False, "NetworkTrigger": False, "ResumeTrigger": False, "IntervalMinutes": 44640},
    "network-only-and-logon": {"ResumeTrigger": False, "LogonTrigger": True, "DelaySeconds": 90},
    "logon-task": {"Mode": "LogonTask", "DelaySeconds": 30},
    "trial": {"Triggers": False, "Arguments": "run --trial"},
    "data-folder": {"Arguments": r'run --data "D:\my data"', "WorkingDirectory": r"D:\my data\state"},
}
_RENDER = """
$all = [ordered]@{}
foreach ($kind in $spec.kinds.PSObject.Properties) {
    $table = @{}
    foreach ($property in $kind.Value.PSObject.Properties) { $table[$property.Name] = $property.Value }
    $all[$kind.Name] = & $module { New-DdnsTaskXml -Task $args[0] } $table
}
"""
_VALIDATE = """
$set = New-Object -TypeName System.Xml.Schema.XmlSchemaSet
[void]$set.Add([NullString]::Value, $spec.schema)
$faults = [ordered]@{}
foreach ($kind in $all.Keys) {
    $document = New-Object -TypeName System.Xml.XmlDocument
    $document.Schemas = $set
    $document.LoadXml($all[$kind])
    $found = [System.Collections.ArrayList]::new()
    $document.Validate({ param($sender, $problem) [void]$found.Add($problem.Message) }.GetNewClosure())
    $faults[$kind] = @($found)
}
"""


def _ask(shell: pwsh.Shell, folder: Path, script: str, **spec: Any) -> Any:
    file = folder / "spec.json"
    file.write_text(json.dumps(spec))
    head = f"""
$ErrorActionPreference = 'Stop'
$spec = [IO.File]::ReadAllText('{shell.path(file)}') | ConvertFrom-Json
$module = Import-Module -Name '{shell.path(MODULE)}' -PassThru -DisableNameChecking
"""
    return shell.text(head + script).json()


@pytest.fixture(scope="module")
def shell_of_module() -> pwsh.Shell:
    try:
        return pwsh.linux()
    except NotHere as missing:
        not_run(missing)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory, shell_of_module: pwsh.Shell) -> dict[str, Any]:
    """Every kind of definition, and what the schema has against it."""
    kinds = {name: BASE | more for name, more in KINDS.items()}
    script = _RENDER + _VALIDATE + "ConvertTo-Json -Depth 5 @{ xml = $all; faults = $faults }"
    found: dict[str, Any] = _ask(
        shell_of_module,
        tmp_path_factory.mktemp("xml"),
        script,
        kinds=kinds,
        schema=shell_of_module.path(SCHEMA),
    )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_is_as_it_was(rendered: dict[str, Any], kind: str) -> None:
    """Set REWRITE_GOLDEN=1 to write the texts again, and read the difference."""
    file = GOLDEN / f"{kind}.xml"
    if os.environ.get("REWRITE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_bytes(rendered["xml"][kind].encode())
    assert rendered["xml"][kind].encode() == file.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_reader_finds_nothing(rendered: dict[str, Any], kind: str) -> None:
    assert rendered["faults"][kind] == []


def test_the_schema_sees_what_is_wrong(shell_of_module: pwsh.Shell, tmp_path: Path) -> None:
    """The schema is no rubber stamp: each of these is refused by Windows, too."""
    spoil = """
$good = $all['default']
$all = [ordered]@{
    short = $good.Replace('PT10M</Interval>', 'PT30S</Interval>')
    empty = $good.Replace('<Interval>PT10M</Interval>', '<Interval>PT10M</Interval><Duration></Duration>')
    order = $good -replace '(?s)(<Subscription>.*?</Subscription>)(\\s*)(<Delay>.*?</Delay>)', '$3$2$1'
    zone = $good.Replace('T00:02:17', 'T00:02:17Z')
    quoted = $good.Replace('<WorkingDirectory>', '<WorkingDirectory>"')
    unknown = $good.Replace('<Hidden>', '<Visible>true</Visible><Hidden>')
    twice = $good.Replace('<Hidden>false</Hidden>', '<Hidden>false</Hidden><Hidden>false</Hidden>')
    unmarked = $good -replace '<Source>.*</Source>', ''
}
"""
    script = _RENDER + spoil + _VALIDATE + "ConvertTo-Json -Depth 5 $faults"
    found = _ask(shell_of_module, tmp_path, script, kinds={"default": BASE}, schema=shell_of_module.path(SCHEMA))
    assert {name for name, faults in found.items() if faults} == set(found)
    assert len(found) == 8


def test_repetition_never_ends_and_began_in_the_past(rendered: dict[str, Any]) -> None:
    text = rendered["xml"]["default"]
    assert "Duration>" not in text
    assert re.search(r"<StartBoundary>2020-01-01T00:02:17</StartBoundary>", text)
    assert "Date>" not in text


def test_the_token_sid_is_asked_for_only_where_windows_takes_it(rendered: dict[str, Any]) -> None:
    with_it = {kind for kind, text in rendered["xml"].items() if "ProcessTokenSidType" in text}
    assert with_it == set(KINDS) - {"every-minute-of-system", "group-managed", "user-with-highest-rights"}


def test_each_machine_has_its_own_moment_and_keeps_it(shell_of_module: pwsh.Shell, tmp_path: Path) -> None:
    script = """
ConvertTo-Json @(foreach ($number in 1..500) {
    & $module { Get-DdnsPhase -MachineId "machine-$($args[0])" -IntervalMinutes 10 } $number
})
"""
    phases = _ask(shell_of_module, tmp_path, script)
    assert phases == _ask(shell_of_module, tmp_path, script)
    assert all(0 <= phase < 600 for phase in phases)
    per_minute = [sum(1 for phase in phases if phase // 60 == minute) for minute in range(10)]
    assert min(per_minute) > 25, per_minute
    assert max(per_minute) < 75, per_minute


def test_sids_of_task_and_service(shell_of_module: pwsh.Shell, tmp_path: Path) -> None:
    """By one rule, which gives the known SIDs of a task (`schtasks /showsid`) and of Windows' own installer service."""
    script = r"""
ConvertTo-Json @((& $module { Get-DdnsTaskSid -TaskPath '\DDNS\Update' }),
    ((& $module { Get-DdnsTaskSid -TaskPath 'TrustedInstaller' }) -replace '-87-', '-80-'))
"""
    assert _ask(shell_of_module, tmp_path, script) == [
        "S-1-5-87-768050842-1180670816-2834424877-3765668796-586832359",
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    ]


def test_rights_are_as_they_were(shell_of_module: pwsh.Shell, tmp_path: Path) -> None:
    """Every folder's SDDL, by account, golden."""
    script = r"""
$places = @{}
foreach ($name in 'Binaries', 'Staging', 'Snapshots', 'Data', 'Config', 'Secrets', 'State', 'Logs', 'Public') {
    $places[$name] = $name
}
$task = & $module { Get-DdnsTaskSid -TaskPath '\DDNS\Update' }
$trial = & $module { Get-DdnsTaskSid -TaskPath '\DDNS\Trial' }
$rows = [ordered]@{}
$service = & $module { Get-DdnsServiceSid }
$cases = @(
    @('LocalService', 'S-1-5-19', $task, ''), @('LocalService-Trial', 'S-1-5-19', $task, $trial),
    @('System', 'S-1-5-18', 'S-1-5-18', ''), @('Service', $service, $service, ''),
    @('GroupManaged', 'S-1-5-21-1-2-3-1105', 'S-1-5-21-1-2-3-1105', '')
)
$ask = { Get-DdnsAccess -Places $args[0] -Sid $args[1] -Reader $args[2] -Trial $args[3] }
foreach ($case in $cases) {
    $table = [ordered]@{}
    foreach ($row in (& $module $ask $places $case[1] $case[2] $case[3])) {
        $table[$row.Path] = $row.Sddl
    }
    $rows[$case[0]] = $table
}
ConvertTo-Json $rows -Depth 4
"""
    found = _ask(shell_of_module, tmp_path, script)
    file = GOLDEN / "rights.json"
    if os.environ.get("REWRITE_GOLDEN"):
        file.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(file.read_text())
    for case, rows in found.items():
        for folder, sddl in rows.items():
            assert sddl.startswith("O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"), (case, folder)
            assert not re.search(r";;;(WD|AU|AN|IU)\)", sddl), (case, folder)
        assert not re.search(r"0x1301bf", rows["Binaries"] + rows["Secrets"] + rows["Config"] + rows["Staging"])
        assert ";;;BU" not in rows["Secrets"] + rows["Config"] + rows["State"] + rows["Staging"]
