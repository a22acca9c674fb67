"""Accounts: which two are the same, who may own a folder, whose task a password is for; and records that stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ground import pwsh
from powershell.fleet import LOAD

WINE = "S-1-5-21-0-0-0-1000"


def ask(shell: pwsh.Shell, script: str) -> list[str]:
    ended = shell.text(f". '{LOAD}'\n{script}")
    assert ended.exit == 0, ended
    assert not ended.err, ended.err
    return ended.out.splitlines()


def test_accounts_of_two_domains_are_two(shell: pwsh.Shell) -> None:
    pairs = [
        ("S-1-5-19", "NT AUTHORITY\\LOCAL SERVICE", True),
        ("Local Service", "S-1-5-19", True),
        ("SYSTEM", "S-1-5-18", True),
        ("CORP\\anna", "corp\\ANNA", True),
        ("CORP\\anna", "OTHER\\anna", False),
        ("CORP\\SYSTEM", "S-1-5-18", False),
        ("S-1-5-21-1-2-3-1106", "S-1-5-21-9-9-9-1106", False),
        ("", "", False),
    ]
    calls = "; ".join(f"Test-DdnsSameAccount -Left '{left}' -Right '{right}'" for left, right, _ in pairs)
    assert ask(shell, calls) == [str(same) for _, _, same in pairs]


def test_the_owner_of_wines_files_is_trusted_under_wine_only(shell: pwsh.Shell) -> None:
    real, wine = ask(
        shell,
        f"(Get-DdnsTrustedOwner) -contains '{WINE}'; function Test-DdnsWine {{ $true }}\n"
        f"(Get-DdnsTrustedOwner) -contains '{WINE}'",
    )
    assert (real, wine) == ("False", "True")


@pytest.mark.parametrize(("user", "given"), [("S-1-5-19", "False"), ("S-1-5-21-1-2-3-1106", "True")])
def test_a_password_goes_with_its_own_accounts_definition_only(
    shell: pwsh.Shell, tmp_path: Path, user: str, given: str
) -> None:
    script = f"""
function Register-ScheduledTask {{ [CmdletBinding()] param($TaskPath, $TaskName, $Xml, [switch]$Force, $User, $Password)
    [Console]::Out.WriteLine($PSBoundParameters.ContainsKey('Password')) }}
$login = [pscredential]::new('CORP\\anna', [securestring]::new())
$xml = '<Task><Principals><Principal id="Author"><UserId>{user}</UserId></Principal></Principals></Task>'
Set-StrictMode -Version 3
Restore-DdnsTask -Run @{{ OldTask = $xml; OldTaskFile = ''; Places = @{{ TaskFile = '{tmp_path}/task.xml' }}
    OldTaskAccount = @{{ UserId = 'S-1-5-21-1-2-3-1106'; Password = $login; NeedsPassword = $true }} }}"""
    assert ask(shell, script) == [given]


def test_what_is_still_to_be_done_at_a_gateway_stays(shell: pwsh.Shell, tmp_path: Path) -> None:
    """A machine that says that nothing is there any more says nothing of its record."""
    path = tmp_path / "inventory.json"
    left = {"Gateway": "https://gw.example.test", "Computer": "M01"}
    path.write_text(json.dumps({"schema": 1, "machines": {"m01": {"version": "", "tombstone": left}, "m02": {}}}))
    script = f"""
$inventory = Read-DdnsInventory -Path '{path}'
foreach ($name in 'm01', 'm02') {{
    $result = [pscustomobject]@{{ ComputerName = $name; Outcome = 'NotInstalled'; Version = ''; Tombstone = $null
        Task = $null; StartedAt = ''; Steps = @(); Operation = 'Uninstall' }}
    Update-DdnsInventory -Inventory $inventory -Result $result -Target (New-DdnsTarget -Row @{{ Name = $name }})
}}"""
    ask(shell, script)
    kept = json.loads(path.read_text())["machines"]
    assert list(kept) == ["m01"]
    assert kept["m01"]["tombstone"] == left
