"""The guide of one machine: its schtasks lines are about the task that the commands register, as it was registered."""

from __future__ import annotations

import re
from pathlib import Path

from ground import pwsh
from powershell.one.machine import Deployed, Served, package

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
