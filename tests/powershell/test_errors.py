"""Errors of the commands, as somebody meets them who says nothing about errors."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ground import pwsh

MODULE = pwsh.PS / "Ddns" / "Ddns.psd1"
BAD = "'-bad1', '-bad2', 'b ad3'"


def ask(shell: pwsh.Shell, script: str) -> list[str]:
    """The lines that a script prints with the module imported, as a person does it."""
    ended = shell.text(f"Import-Module '{MODULE}'\n{script}")
    assert ended.exit in (0, 1), ended
    return ended.out.splitlines()


def test_a_row_for_each_machine_and_an_error_for_each(shell: pwsh.Shell) -> None:
    rows, errors, first = ask(
        shell,
        f"$rows = @(Get-DdnsReport -ComputerName {BAD} 2>$null)\n"
        "($rows.ComputerName -join ','), ($Error.FullyQualifiedErrorId -join ','), \"$($Error[-1])\"",
    )
    assert rows == "-bad1,-bad2,b ad3"
    assert errors == ",".join(["Ddns.BadName,Get-DdnsReport"] * 3)
    assert "-bad1" in first
    assert "name" in first.lower()


def test_a_roll_out_goes_on_after_the_first_bad_machine(shell: pwsh.Shell, tmp_path: Path) -> None:
    (tmp_path / "ddns-1.0.0-windows-amd64.zip").write_bytes(b"zip")
    (tmp_path / "fleet.psd1").write_text(
        "@{ Schema = 1; Name = 'test'\n"
        f"Package = @{{ Path = 'ddns-1.0.0-windows-amd64.zip'; Sha256 = '{hashlib.sha256(b'zip').hexdigest()}' }}\n"
        f"Groups = @{{ pcs = @{{ Machines = @({BAD}) }} }} }}\n"
    )
    told = ask(
        shell,
        f"$rows = @(Sync-DdnsFleet -Path '{tmp_path}/fleet.psd1' -StatePath '{tmp_path}/state' 2>$null)\n"
        "$rows.ComputerName -join ','; $Error.Count",
    )
    assert told == ["-bad1,-bad2,b ad3", "3"]


@pytest.mark.parametrize("names", ["'pc1'", "'b ad', 'pc1'"], ids=["alone", "beside another"])
def test_an_attempt_that_could_not_begin_is_made_again(shell: pwsh.Shell, names: str) -> None:
    told = ask(
        shell,
        "& (Get-Module -Name Ddns) {\n"
        "  function script:Start-DdnsRemoteJob { throw 'no way there' }\n"
        f"  $targets = @(Resolve-DdnsTarget -InputObject {names})\n"
        "  $rows = @(Invoke-DdnsFleet -Target $targets -Worker '1' -Retry 2 -RetryDelaySeconds 0)\n"
        "  $rows | Where-Object ComputerName -eq 'pc1' |\n"
        "    ForEach-Object { $_.Outcome, $_.Attempts, $_.Error.Message }\n"
        "}",
    )
    assert told == ["Unreachable", "3", "The machine does not answer: no way there"]


def test_the_result_of_a_deployment_that_failed_is_kept(shell: pwsh.Shell) -> None:
    assert ask(shell, "$result = Install-Ddns 2>$null; $result.Outcome, $result.Error.Code") == [
        "Failed",
        "Unsupported",
    ]


def test_a_deployment_of_this_machine_has_its_report(shell: pwsh.Shell, tmp_path: Path) -> None:
    told = ask(
        shell,
        f"$null = Install-Ddns -ReportPath '{tmp_path}/r.csv' 2>$null\n"
        f"$row = Import-Csv -LiteralPath '{tmp_path}/r.csv'\n"
        "$row.ComputerName -eq [Environment]::MachineName; $row.Outcome, $row.ErrorCode, $row.Attempts",
    )
    assert told == ["True", "Failed", "Unsupported", "1"]


@pytest.mark.parametrize(
    ("before", "said"),
    [("", "-ErrorAction Stop"), ("$ErrorActionPreference = 'Stop';", "")],
    ids=["said", "preferred"],
)
def test_whoever_wants_to_stop_stops(shell: pwsh.Shell, before: str, said: str) -> None:
    """The row of the first machine is out by then."""
    command = f"Get-DdnsReport -ComputerName {BAD} {said} | ForEach-Object {{ [void]$rows.Add($_.ComputerName) }}"
    script = f"""$rows = [Collections.ArrayList]@()
function Ask {{ {before} {command}; 'went on' }}
try {{ Ask }} catch {{ $_.FullyQualifiedErrorId }}
$rows"""
    assert ask(shell, script) == ["Ddns.BadName,Get-DdnsReport", "-bad1"]
