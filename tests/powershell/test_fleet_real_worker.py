"""The worker itself at the other end of real sessions, on machines with places and a task scheduler of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ground import NotHere, not_run, pwsh
from powershell.fleet import Fleet
from powershell.one.machine import package

#: Stands for the client: writes settings and a status. A file `unwell` beside the machine makes runs of 2.0.0 fail.
CLIENT = """#!/bin/sh
data=
previous=
for argument in "$@"; do
    [ "$previous" = --data ] && data=$argument
    previous=$argument
done
case "$*" in
"config init"*) printf 'schema = 1\\n' > "$data/ddns.toml" ;;
*--trial*) ;;
run*)
    code=0
    [ -e "$DDNS_MACHINE/unwell" ] && [ VERSION = 2.0.0 ] && code=12
    now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    mkdir -p "$data/public"
    run="{\\"started\\": \\"$now\\", \\"ended\\": \\"$now\\", \\"exit\\": $code, \\"full\\": true}"
    printf '{"schema": 1, "version": "VERSION", "run": %s, "records": [], "last_runs": [%s]}' "$run" "$run" \\
        > "$data/public/status.json"
    exit $code
    ;;
esac
exit 0
"""
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
GATE = "Gate = @{ MaxFailed = 0; WaitSeconds = 1; OnFailure = 'RollBack' }"
RINGS = f"@{{ Name = 'canary'; Groups = 'lab'; {GATE} }}, @{{ Name = 'rest'; Groups = '*' }}"
GROUPS = "lab = @{ Machines = @(@{m01}, @{m02}) }; pcs = @{ Machines = @(@{m03}) }"


@pytest.fixture
def worker() -> str:
    """A script that puts the real worker in the stand-in's place."""
    try:
        double = pwsh.tasks_double() / "ScheduledTasks.psd1"
    except NotHere as missing:
        not_run(missing)
    return WORKER.format(source=pwsh.PS / "Ddns" / "Private" / "Get-DdnsWorker.ps1", double=double)


def release(fleet: Fleet, version: str) -> Path:
    """A release that can be installed, where the fleet file looks for it."""
    path, _ = fleet.package(version, size=0)
    shutil.copyfile(package(fleet.home / "releases", version, CLIENT.replace("VERSION", version).encode()).path, path)
    return path


def version_of(machine: Path) -> tuple[str, str]:
    """What a machine's launcher and its task start; "" for none."""
    current = machine / "Program Files" / "DDNS" / "bin" / "current"
    task = machine / "tasks" / "Tasks" / "DDNS" / "Update.xml"
    there = task.read_text(encoding="utf-16") if task.exists() else ""
    return (
        current.read_text().strip() if current.exists() else "",
        next((version for version in ("1.0.0", "2.0.0") if f"/{version}/" in there), ""),
    )


def sync(fleet: Fleet, worker: str, version: str) -> dict[str, tuple[str, str]]:
    """Outcome and version by machine, of a roll-out with the real worker."""
    release(fleet, version)
    path = fleet.file(GROUPS, RINGS, version=version)
    rows = fleet.results(f"$(\n{worker}\n{fleet.sync_command(path, '-TimeoutSeconds 300')})", timeout=600)
    return {name: (row["Outcome"], row["Version"]) for name, row in rows.items()}


def test_a_ring_goes_back_on_its_machines(make_fleet: Callable[..., Fleet], worker: str) -> None:
    """m02 takes its own upgrade back, m01, which was well, follows it, and m03 is not reached. Then all go on."""
    fleet = make_fleet(["m01", "m02", "m03"])
    folders = [fleet.machines[name].folder for name in ("m01", "m02", "m03")]
    assert sync(fleet, worker, "1.0.0") == dict.fromkeys(("m01", "m02", "m03"), ("Installed", "1.0.0"))
    (folders[1] / "unwell").touch()

    assert sync(fleet, worker, "2.0.0") == {
        "m01": ("RolledBack", "1.0.0"),
        "m02": ("RolledBack", "1.0.0"),
        "m03": ("NotReached", ""),
    }
    assert [version_of(folder) for folder in folders] == [("1.0.0", "1.0.0")] * 3

    (folders[1] / "unwell").unlink()
    assert sync(fleet, worker, "2.0.0") == dict.fromkeys(("m01", "m02", "m03"), ("Updated", "2.0.0"))
    assert [version_of(folder) for folder in folders] == [("2.0.0", "2.0.0")] * 3


def test_a_first_ring_that_fails_leaves_nothing(make_fleet: Callable[..., Fleet], worker: str) -> None:
    fleet = make_fleet(["m01", "m02", "m03"])
    folders = [fleet.machines[name].folder for name in ("m01", "m02", "m03")]
    (folders[1] / "unwell").touch()
    told = sync(fleet, worker, "2.0.0")
    assert {name: outcome for name, (outcome, _) in told.items()} == {
        "m01": "RolledBack",
        "m02": "Failed",
        "m03": "NotReached",
    }
    assert [version_of(folder) for folder in folders] == [("", "")] * 3
    assert not [folder for folder in folders if (folder / "Program Files" / "DDNS").exists()]


def test_this_machine_and_another_from_first_to_last(
    make_fleet: Callable[..., Fleet], worker: str, tmp_path: Path
) -> None:
    """Deployed, the same again, asked, upgraded, uninstalled: with the scripts' own commands."""
    fleet = make_fleet(["m01"])
    here = tmp_path / "here"
    here.mkdir()
    folders = [here, fleet.machines["m01"].folder]
    before = f"$script:machines = @('.') + $rows\n{worker}"

    def call(command: str) -> list[tuple[str, str]]:
        way = f"{fleet.way}\n$way.Remove('ErrorAction')"
        text = f"$(\n{way}\n{before}\n{command.replace('FLEET', '-ComputerName $machines @way')})"
        ended = fleet.shell.text(
            fleet.script(f"ConvertTo-Json -InputObject @({text}) -Depth 8"),
            environ={**fleet.environ(), "DDNS_MACHINE": str(here)},
            timeout=600,
        )
        rows = ended.json()
        assert isinstance(rows, list)
        assert {row["ComputerName"] for row in rows} == {".", "m01"}, ended
        assert not [row["Error"] for row in rows if row.get("Error")]
        return sorted((row.get("Outcome") or row["Health"], row["Version"]) for row in rows)

    def install(version: str, more: str = "") -> list[tuple[str, str]]:
        path = release(fleet, version)
        settings = "-Name '{computer}.example.test' -Provider main"
        return call(f"Install-Ddns FLEET -Package '{path}' -Sha256 (Get-DdnsHash '{path}') {settings} {more}")

    assert [outcome for outcome, _ in install("1.0.0", "-WhatIf")] == ["WhatIf"] * 2
    assert [version_of(folder) for folder in folders] == [("", "")] * 2
    assert install("1.0.0") == [("Installed", "1.0.0")] * 2
    assert install("1.0.0") == [("Unchanged", "1.0.0")] * 2
    assert call("Get-DdnsTask FLEET") == [("OK", "1.0.0")] * 2
    assert call("Test-DdnsTask FLEET") == [("Ok", "1.0.0")] * 2
    assert install("2.0.0") == [("Updated", "2.0.0")] * 2
    assert [version_of(folder) for folder in folders] == [("2.0.0", "2.0.0")] * 2
    assert call("Uninstall-Ddns FLEET -RemoveData -Confirm:$false") == [("Removed", "")] * 2
    assert not [folder for folder in folders if (folder / "Program Files" / "DDNS").exists()]
