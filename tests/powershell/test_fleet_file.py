"""What a fleet command is told: the fleet file, names of machines from everywhere, errors of the way."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from ground import pwsh
from powershell.fleet import LOAD

ZIP = b"a release"
PIN = f"Package = @{{ Path = 'ddns-1.0.0-windows-amd64.zip'; Sha256 = '{hashlib.sha256(ZIP).hexdigest()}' }}"


def told(shell: pwsh.Shell, folder: Path, text: str) -> str:
    """What is said against a fleet file; "" when nothing is."""
    (folder / "ddns-1.0.0-windows-amd64.zip").write_bytes(ZIP)
    (folder / "fleet.psd1").write_text(text)
    ended = shell.text(
        f". '{LOAD}'\ntry {{ $null = Get-DdnsFleetPlan -Fleet (Import-DdnsFleetFile -Path '{folder}/fleet.psd1') }}"
        " catch { $_.Exception.Message }"
    )
    assert not ended.err, ended.err
    return ended.out


def rows(shell: pwsh.Shell, script: str) -> list[dict[str, Any]]:
    ended = shell.text(f". '{LOAD}'\nConvertTo-Json -InputObject @({script}) -Depth 8")
    found = ended.json()
    assert isinstance(found, list)
    return found


def test_every_problem_is_told_at_once(shell: pwsh.Shell, tmp_path: Path) -> None:
    said = told(
        shell,
        tmp_path,
        "@{ Schema = 2; Name = 'a b'; Colour = 'red'; Groups = @{ pcs = @{ Machines = 'pc1',"
        " @{ Name = 'pc2'; Prot = 1 }; Task = @{ IntervalMinutes = 'often' }; Settings = 'none' } };"
        " Rings = @( @{ Gate = @{ MaxFaild = 1 } } ) }",
    )
    assert "has 7 problems" in said
    for words in (
        "Schema: expected 1, found '2'",
        "Name: expected letters",
        "Colour: unknown key; here are",
        "Groups.pcs.Machines[1].Prot: unknown key",
        "Groups.pcs.Task.IntervalMinutes: expected a whole number, found 'often'",
        "Groups.pcs.Settings: expected a table",
        "Rings[0].Gate.MaxFaild: unknown key",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = @{ Machines = 'pc1' }; b = @{ Machines = 'PC1' }", "PC1 is in group a and in group b"),
        ("a = @{ Machines = 'pc_1'; Settings = @{ Names = '{computer}.x.test' } }", "can't be a name in DNS"),
        ("a = @{ MachinesFile = 'none.csv' }", "MachinesFile: there is no"),
        ("a = @{ Machines = 'pc1' } }; Rings = @( @{ Groups = 'b' }", "there is no group b"),
        ("a = @{ Machines = 'pc1', 'pc2' } }; Rings = @( @{ Machines = 'pc1' }", "pc2 is in no ring"),
        (
            "a = @{ Machines = 'pc1' } }; Rings = @( @{ Groups = '*'; Gate = @{ MaxFailed = 'few' } }",
            "Gate.MaxFailed: expected a number of machines or a percentage",
        ),
        (
            "a = @{ Machines = 'pc1' } }; Rings = @( @{ Groups = '*'; Gate = @{ OnFailure = 'Panic' } }",
            "Gate.OnFailure: expected Stop or RollBack",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(shell: pwsh.Shell, tmp_path: Path, text: str, words: str) -> None:
    end = " ) }" if "Rings" in text else " } }"
    assert words in told(shell, tmp_path, f"@{{ Schema = 1; Name = 'test'; {PIN}; Groups = @{{ {text}{end}")


def test_another_package_than_the_one_that_was_meant_is_not_sent(shell: pwsh.Shell, tmp_path: Path) -> None:
    text = f"@{{ Schema = 1; Name = 'test'; {PIN}; Groups = @{{ a = @{{ Machines = 'pc1' }} }} }}"
    assert told(shell, tmp_path, text) == ""
    assert "it is not the file that was meant" in told(shell, tmp_path, text.replace("Sha256 = '", "Sha256 = 'f"))
    without = "@{ Schema = 1; Name = 'test'; Package = @{ Path = 'ddns-1.0.0-windows-amd64.zip' }; Groups = @{ a = @{"
    assert "Sha256 or Publisher is needed" in told(shell, tmp_path, without + " Machines = 'pc1' } } }")


@pytest.mark.parametrize("code", ["$(New-Item '{0}')", "(New-Item '{0}')", "[IO.File]::Create('{0}')"])
def test_a_fleet_file_is_never_run(shell: pwsh.Shell, tmp_path: Path, code: str) -> None:
    mark = tmp_path / "run"
    assert "is no data file" in told(
        shell,
        tmp_path,
        f'@{{ Schema = 1; Name = "{code.format(mark)}" }}\n'
        if "$(" in code
        else f"@{{ Schema = 1; Name = {code.format(mark)} }}\n",
    )
    assert not mark.exists()


def test_layers_and_templates(shell: pwsh.Shell, tmp_path: Path) -> None:
    (tmp_path / "ddns-1.0.0-windows-amd64.zip").write_bytes(ZIP)
    (tmp_path / "more.csv").write_text("ComputerName,Address\nPC3.corp.example.com,10.0.0.3\n")
    (tmp_path / "fleet.psd1").write_text(
        f"@{{ Schema = 1; Name = 'test'; {PIN}; Defaults = @{{ Task = @{{ IntervalMinutes = 10; Account = 'System' }};"
        " Settings = @{ Names = '{computer}.{group}.example.com'; Provider = 'main' } }; Groups = @{ pcs = @{"
        " Task = @{ IntervalMinutes = 5 }; MachinesFile = 'more.csv';"
        " Machines = 'PC1', @{ Name = 'pc2'; Task = @{ Account = 'LocalService' } } } } }"
    )
    (ring,) = rows(shell, f"Get-DdnsFleetPlan (Import-DdnsFleetFile '{tmp_path}/fleet.psd1') | ForEach-Object {{ $_ }}")
    machines = {one["Target"]["Name"]: one for one in ring["Machines"]}
    assert set(machines) == {"PC1", "pc2", "PC3.corp.example.com"}
    assert machines["PC1"]["Request"]["Settings"]["Names"] == ["pc1.pcs.example.com"]
    assert machines["PC3.corp.example.com"]["Request"]["Settings"]["Names"] == ["pc3.pcs.example.com"]
    assert machines["PC3.corp.example.com"]["Target"]["Address"] == "10.0.0.3"
    assert machines["PC1"]["Request"]["Task"] == {"IntervalMinutes": 5, "Account": "System"}
    assert machines["pc2"]["Request"]["Task"] == {"IntervalMinutes": 5, "Account": "LocalService"}
    assert machines["PC1"]["Request"]["Version"] == "1.0.0"


def test_machines_come_from_everywhere_and_count_once(shell: pwsh.Shell) -> None:
    found = rows(
        shell,
        "Resolve-DdnsTarget -InputObject @('pc1', '  # a comment', '', 'PC1', 'admin@pc2:2222', '[2001:db8::7]:5986',"
        " [pscustomobject]@{ Name = 'PC4'; DNSHostName = 'pc4.example.com' }, @{ Name = 'pc5'; Address = '10.0.0.5' },"
        " 'localhost', '10.0.0.9')",
    )
    told_as = [(one["Name"], one["Address"], one["Transport"], one["Port"], one["ExpectedName"]) for one in found]
    assert told_as == [
        ("pc1", "pc1", "WinRM", 0, "pc1"),
        ("pc2", "pc2", "WinRM", 2222, "pc2"),
        ("2001:db8::7", "2001:db8::7", "WinRM", 5986, ""),
        ("pc4.example.com", "pc4.example.com", "WinRM", 0, "pc4"),
        ("pc5", "10.0.0.5", "WinRM", 0, "pc5"),
        ("localhost", "localhost", "Local", 0, ""),
        ("10.0.0.9", "10.0.0.9", "WinRM", 0, ""),
    ]
    assert not [one for one in found if one["Problem"]]


def test_what_can_be_no_name_is_a_row_and_no_option_of_ssh(shell: pwsh.Shell) -> None:
    names = ["-oProxyCommand=touch x", "a b", "pc;rm", "x" * 300, "-x@host", "pc$(id)"]
    given = ", ".join(f"'{name}'" for name in names)
    found = rows(
        shell,
        f"Invoke-DdnsFleet -Target (Resolve-DdnsTarget -InputObject @({given}) -Connection @{{ Transport = 'SSH' }})"
        " -Request @{ Operation = 'Query' }",
    )
    assert len(found) == len(names)
    assert {(one["Outcome"], one["Error"]["Code"]) for one in found} == {("Failed", "BadName")}


@pytest.mark.parametrize(
    ("number", "text", "code"),
    [
        (5, "Zugriff verweigert", "AccessDenied"),
        (-2144108526, "Le client ne peut pas", "RemotingOff"),
        (-2144108250, "x", "Unreachable"),
        (-2144108103, "x", "NameUnknown"),
        (-2146893022, "x", "Untrusted"),
        (0, "ssh: Could not resolve hostname pc9: Name or service not known", "NameUnknown"),
        (0, "Host key verification failed.", "Untrusted"),
        (0, "subsystem request failed on channel 0", "RemotingOff"),
        (0, "something else", "Unreachable"),
    ],
)
def test_errors_of_the_way_by_number_or_by_the_words_of_ssh(
    shell: pwsh.Shell, number: int, text: str, code: str
) -> None:
    (found,) = rows(
        shell,
        f"Get-DdnsTransportError -Reason ([pscustomobject]@{{ ErrorCode = {number}; Message = '{text}' }}) |"
        " ForEach-Object { @{ Code = $_.Code; Advice = $_.Advice; Message = $_.Message } }",
    )
    assert found["Code"] == code
    assert text.rstrip(".") in found["Message"]
    assert found["Advice"]


def test_secrets_are_not_in_the_hash_of_a_request_nor_the_order_of_its_keys(shell: pwsh.Shell) -> None:
    one, same, other = rows(
        shell,
        "$a = ConvertTo-SecureString 'one' -AsPlainText -Force; $b = ConvertTo-SecureString 'two' -AsPlainText -Force\n"
        "(Get-DdnsRequestHash @{ A = 1; B = @{ C = 2; D = 'x', 'y' }; Secrets = @{ t = $a } })\n"
        "(Get-DdnsRequestHash @{ Secrets = @{ t = $b }; B = @{ D = 'x', 'y'; C = 2 }; A = 1 })\n"
        "(Get-DdnsRequestHash @{ Secrets = @{ t = $b }; B = @{ D = 'y', 'x'; C = 2 }; A = 1 })",
    )
    assert one == same
    assert one != other
