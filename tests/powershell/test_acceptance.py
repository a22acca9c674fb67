"""The acceptance script, as far as it can be tried without Windows: list, refusals, counting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ground import NotHere, not_run, pwsh

SCRIPT = pwsh.ROOT / "packaging" / "acceptance.ps1"
CHECKLIST = pwsh.ROOT / "packaging" / "RELEASE.md"
#: The functions of the script, without what it does.
FUNCTIONS = """
$ErrorActionPreference = 'Stop'
$ast = [System.Management.Automation.Language.Parser]::ParseFile('{script}', [ref]$null, [ref]$null)
$kind = [System.Management.Automation.Language.FunctionDefinitionAst]
foreach ($one in $ast.FindAll({{ $args[0] -is $kind }}, $false)) {{
    . ([scriptblock]::Create($one.Extent.Text))
}}
$checks = New-Object -TypeName System.Collections.ArrayList
$asked = @{{ Only = @({only}) }}
"""
EXAMPLES = """
Add-Check -Id 'good' -Title 'Good' -Test { 'seen' }
Add-Check -Id 'bad' -Title 'Bad' -Test { Assert-That -Condition $false -Otherwise 'was 3' }
Add-Check -Id 'absent' -Title 'Absent' -Test { Skip-Check -Reason 'nothing here' }
Add-Check -Id 'broken' -Title 'Broken' -Test { Get-Item -LiteralPath '/no/such/thing' }
Add-Check -Id 'later' -At 'AfterBoot' -Title 'Later' -Test { 'no' }
$entries = @(Invoke-Stage -At 'Installed')
ConvertTo-Json -InputObject $entries -Depth 4
"""


@pytest.fixture(scope="module")
def shell() -> pwsh.Shell:
    try:
        return pwsh.linux()
    except NotHere as missing:
        not_run(missing)


def test_the_release_checklist_is_its_list(shell: pwsh.Shell) -> None:
    listed = shell.file(SCRIPT, "-List")
    assert (listed.exit, listed.err) == (0, "")
    checks = [tuple(line.split("\t")) for line in listed.out.splitlines()]
    assert len({check[0] for check in checks}) == len(checks) > 0
    assert re.findall(r"(?m)^- `([a-z0-9-]+)` \((\w+)\): (.+)$", CHECKLIST.read_text("utf-8")) == checks


def test_elsewhere_it_changes_nothing(shell: pwsh.Shell, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.json"
    done = shell.file(SCRIPT, "-Release", str(tmp_path), "-Evidence", str(evidence))
    assert (done.exit, done.out) == (2, "")
    assert done.err == "acceptance: this runs on Windows only; -List runs everywhere\n"
    assert not list(tmp_path.iterdir())


def run_examples(shell: pwsh.Shell, only: str) -> list[dict[str, object]]:
    done = shell.text(FUNCTIONS.format(script=SCRIPT, only=only) + EXAMPLES)
    found = done.json()
    assert isinstance(found, list)
    return found


def test_each_check_has_a_result_and_its_evidence(shell: pwsh.Shell) -> None:
    found = run_examples(shell, "")
    assert [(one["id"], one["result"]) for one in found] == [
        ("good", "pass"),
        ("bad", "fail"),
        ("absent", "not-run"),
        ("broken", "fail"),
    ]
    texts = [str(one["evidence"]) for one in found]
    assert texts[0] == "seen"
    assert texts[1].startswith("was 3 (")
    assert texts[2] == "nothing here"
    assert "/no/such/thing" in texts[3]
    assert all(isinstance(one["milliseconds"], int) and one["title"] for one in found)


def test_some_checks_can_be_asked_for(shell: pwsh.Shell) -> None:
    assert [one["id"] for one in run_examples(shell, "'bad', 'later'")] == ["bad"]


TOOLS = """
$file = [System.IO.Path]::GetTempFileName()
$lines = '{"data": {"reason": "start"}}', '{"data": {"reason": "network"}}', '{"data": {"rea'
[System.IO.File]::WriteAllText($file, $lines -join "`n")
$reasons = @(Get-WatchReason -Watch ([pscustomobject]@{ File = $file }))
[System.IO.File]::Delete($file)
$more = @{ Environment = @{ SET = 'so' }; InputText = "in`n" }
$done = Invoke-Program -Path '/bin/sh' -Arguments '-c "cat; echo $SET; exit 3"' @more
$mute = Invoke-Program -Path '/bin/cat' -Arguments ''
ConvertTo-Json -Depth 3 -InputObject @{
    Reasons = $reasons
    Done = @($done.Exit, $done.Out)
    Mute = @($mute.Exit, $mute.Out)
    File = Get-SettingsFile -Text '{"command": "config validate", "data": {"file": "C:/x/ddns.toml", "valid": false}}'
    Rule = Format-Rule -More 'S-1-5-19 1179817 3 Allow'
}
"""


def test_what_the_checks_stand_on(shell: pwsh.Shell) -> None:
    found = shell.text(FUNCTIONS.format(script=SCRIPT, only="") + TOOLS).json()
    assert found == {
        "Reasons": ["start", "network"],
        "Done": [3, "in\nso\n"],
        "Mute": [0, ""],
        "File": "C:/x/ddns.toml",
        "Rule": "S-1-5-32-544 protected=True: "
        "S-1-5-18 2032127 3 Allow, S-1-5-19 1179817 3 Allow, S-1-5-32-544 2032127 3 Allow",
    }


def test_it_is_ascii_for_windows_powershell() -> None:
    assert SCRIPT.read_bytes().isascii()
