"""The worker itself at the other end of real sessions, on machines with places and a task scheduler of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ground import NotHere, not_run, pwsh
from powershell.fleet import Fleet
from powershell.one.machine import package

#: Stands for the client: every command succeeds.
CLIENT = b"#!/bin/sh\nexit 0\n"
SETTINGS = 'schema = 1\n\n[provider.main]\nkind = "cloudflare"\ntoken = "env:TOKEN"\n'
#: The worker's text with what a machine that is no Windows lacks: its places, and the module ScheduledTasks.
WORKER = """
$real = & {{ . '{source}'; Get-DdnsWorker }}
function Get-DdnsWorker {{ @'
param([hashtable]$Request)
$env:DDNS_FAKE_TASKS = "$env:DDNS_MACHINE/tasks"
Import-Module -Name '{double}' -DisableNameChecking -Global
$Request['Places'] = @{{
    Binaries = "$env:DDNS_MACHINE/Program Files/DDNS"; Data = "$env:DDNS_MACHINE/ProgramData/DDNS"; InOne = $true
    MachineId = $env:COMPUTERNAME
}}
'@ + "`n& {{`n$real`n}} `$Request" }}
"""


@pytest.fixture
def worker() -> str:
    """A script that puts the real worker in the stand-in's place."""
    try:
        double = pwsh.tasks_double() / "ScheduledTasks.psd1"
    except NotHere as missing:
        not_run(missing)
    return WORKER.format(source=pwsh.PS / "Ddns" / "Private" / "Get-DdnsWorker.ps1", double=double)


def test_two_machines_are_deployed_upgraded_and_taken_back(make_fleet: Callable[..., Fleet], worker: str) -> None:
    fleet = make_fleet(["m01", "m02"])
    folder = fleet.home / "releases"

    def install(version: str) -> dict[str, str]:
        zipped = package(folder, version, CLIENT + version.encode())
        request = (
            f"@{{ Schema = 1; Operation = 'Install'; Version = '{version}'; Sha256 = '{zipped.sha256}';"
            f" StartNow = $false; Settings = @{{ Text = '{SETTINGS}' }} }}"
        )
        rows = fleet.results(
            f"$(\n{worker}\nInvoke-DdnsFleet -Target (Resolve-DdnsTarget $rows -Connection $connection)"
            f" -Request {request} -PackagePath '{zipped.path}')",
            timeout=300,
        )
        assert not [row["Error"] for row in rows.values() if row["Error"]]
        assert {row["Version"] for row in rows.values()} == {version}
        return {name: row["Outcome"] for name, row in rows.items()}

    assert install("1.0.0") == {"m01": "Installed", "m02": "Installed"}
    assert install("1.0.0") == {"m01": "Unchanged", "m02": "Unchanged"}
    assert install("1.1.0") == {"m01": "Updated", "m02": "Updated"}
    for name in ("m01", "m02"):
        machine = fleet.machines[name].folder
        current = (machine / "Program Files" / "DDNS" / "bin" / "current").read_text()
        assert current.strip() == "1.1.0"
        assert "1.1.0" in (machine / "tasks" / "Tasks" / "DDNS" / "Update.xml").read_text(encoding="utf-16")
