"""The guide of one machine, and the list of bad input: what they name exists, and is as they say."""

from __future__ import annotations

import re
from pathlib import Path

from ground import pwsh
from powershell.one.machine import Deployed, Served, package

TESTS = pwsh.ROOT / "tests" / "powershell"
GUIDE = (pwsh.ROOT / "docs" / "guides" / "windows.md").read_text()


def test_schtasks_names_the_same_task() -> None:
    lines = re.findall(r"`(schtasks [^`]+)`", GUIDE)
    verbs = {line.split()[1] for line in lines}
    assert verbs == {"/query", "/run", "/end", "/change", "/create", "/delete", "/showsid"}
    for line in lines:
        assert re.search(r'/tn "\\DDNS\\Update"( |$)', line), line


def test_schtasks_registers_the_same_definition(tmp_path: Path, served: Served) -> None:
    """What `schtasks /create /xml` is given is what was registered: registering it again is no difference."""
    assert r'/xml "%ProgramFiles%\DDNS\task.xml"' in GUIDE
    one = Deployed(tmp_path / "machine", served)
    settings = tmp_path / "asked.toml"
    settings.write_text("schema = 1\n")
    made = one.install(package(tmp_path, program=b"#!/bin/sh\nexit 0\n"), ConfigPath=str(settings), NoStart=True)
    assert made["Outcome"] == "Installed", made
    before = one.task()
    one.calls(
        script=f"""
$xml = [IO.File]::ReadAllText('{one.programs / "task.xml"}')
Register-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update -Xml $xml -Force | Out-Null
'done'"""
    )
    assert one.task() == before
    (drift,) = one.calls({"command": "Test-DdnsTask"})
    assert drift["output"] == []


def test_every_parameter_in_the_guide_exists() -> None:
    known = "".join(path.read_text() for path in (*pwsh.PS.glob("*.ps1"), *(pwsh.PS / "Ddns" / "Public").glob("*.ps1")))
    code = "\n".join(re.findall(r"```powershell\n(.*?)```", GUIDE, re.DOTALL) + re.findall(r"`(-[A-Z][^`]*)`", GUIDE))
    for parameter in set(re.findall(r"(?<![\w-])-([A-Z]\w+)", code)) - {"WhatIf", "AsSecureString"}:
        assert f"${parameter}" in known, parameter


def test_the_table_of_systems_is_what_the_analysis_compares_with() -> None:
    """A row for each profile: its version of PowerShell and its build of Windows."""
    settings = (pwsh.PS / "PSScriptAnalyzerSettings.psd1").read_text()
    profiles = set(re.findall(r"win-\d+_x64_([\d.]+)\.0_(\d+\.\d+)\.", settings))
    table = GUIDE.split("## Where it runs")[1]
    builds = {"Server 2016": "10.0.14393", "Server 2019": "10.0.17763"}
    rows = re.findall(
        r"^\| (?:Windows )?PowerShell (\S+), Windows (Server \d+) \|.*\(([\d.]+)\) \|$", table, re.MULTILINE
    )
    assert {(build, version) for version, _, build in rows} == profiles
    assert all(builds[system] == build for _, system, build in rows)


def test_every_bad_input_has_its_test_or_its_check() -> None:
    table = (pwsh.ROOT / "docs" / "design" / "powershell.md").read_text().split("## Bad input")[1]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "shown by" not in line]
    assert len(rows) > 20
    tests = {name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    checks = set(re.findall(r"-Id '([a-z0-9-]+)'", (pwsh.ROOT / "packaging" / "acceptance.ps1").read_text()))
    codes = set(re.findall(r"Code '(\w+)'|Code = '(\w+)'|(\w+) = @\{", _sources()))
    known = {code for group in codes for code in group}
    for row in rows:
        _, errors, shown = row.strip("| ").split(" | ")
        named = re.findall(r"`(test_\w+)`", shown)
        assert named or "*(" in shown, row
        assert set(named) <= tests, set(named) - tests
        assert set(re.findall(r"\*\(([a-z-]+)\)\*", shown)) <= checks, row
        assert set(re.findall(r"`(\w+)`", errors)) <= known, row


def _sources() -> str:
    return "".join(path.read_text() for path in pwsh.PS.rglob("*.ps*1"))
