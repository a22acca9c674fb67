"""Fan-out over real PowerShell remoting: SSH on loopback, a folder for each machine, every kind of trouble at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from powershell.fleet import Fleet

Make = Callable[..., Fleet]
TEN = [f"m{number:02}" for number in range(1, 11)]
GROUP = "pcs = @{ Machines = @(" + ", ".join(f"@{{{name}}}" for name in TEN) + ") }"


def fill(fleet: Fleet, name: str, version: str = "1.0.0") -> None:
    """Leave no space for the package on a machine: what is written to /dev/full meets ENOSPC."""
    part = fleet.machines[name].folder / "versions" / f"{version}.part"
    part.mkdir(parents=True)
    (part / "package").symlink_to("/dev/full")


def test_every_machine_has_its_one_result_whatever_befalls_it(make_fleet: Make) -> None:
    fleet = make_fleet(TEN, refused=["m02"], dead=["m03"])
    fleet.behave("m04", "hang")
    fleet.behave("m05", "die")
    fleet.behave("m07", "garbage")
    fleet.behave("m08", "busy once")
    fill(fleet, "m06")
    path = fleet.file(GROUP)

    rows = fleet.sync(path, "-TimeoutSeconds 20 -Retry 1 -ThrottleLimit 10")

    told = {name: (row["Outcome"], row["ErrorCode"]) for name, row in rows.items()}
    assert told == {
        "m01": ("Installed", ""),
        "m02": ("Unreachable", "AccessDenied"),
        "m03": ("Unreachable", "Unreachable"),
        "m04": ("Failed", "TimedOut"),
        "m05": ("Failed", "Died"),
        "m06": ("Failed", "DiskFull"),
        "m07": ("Failed", "NoResult"),
        "m08": ("Installed", ""),
        "m09": ("Installed", ""),
        "m10": ("Installed", ""),
    }
    assert "Permission denied" in rows["m02"]["Error"]
    assert "Connection refused" in rows["m03"]["Error"]
    assert rows["m08"]["Attempts"] == 2
    assert all(row["Advice"] for row in rows.values() if row["ErrorCode"])
    assert fleet.installed("m10")["version"] == "1.0.0"
    assert (fleet.machines["m01"].folder / "names").read_text() == "m01.pcs.example.test"

    # What is left is done by the next call, and only that; the package goes only where it is missing.
    for name in ("m04", "m05", "m07"):
        fleet.behave(name, "")
    for name in TEN:
        fleet.calls(name)
    rows = fleet.sync(path, "-Retry 0")
    assert {name for name, row in rows.items() if row["FromJournal"]} == {"m01", "m08", "m09", "m10"}
    assert [fleet.calls(name) for name in ("m01", "m08", "m09", "m10")] == [[], [], [], []]
    done = {name for name, row in rows.items() if row["Outcome"] == "Installed"}
    assert done == set(TEN) - {"m02", "m03"}
    assert len(rows) == 10


def test_a_second_run_changes_nothing_and_sends_nothing(make_fleet: Make) -> None:
    names = TEN[:3]
    fleet = make_fleet(names)
    path = fleet.file("pcs = @{ Machines = @(@{m01}, @{m02}, @{m03}) }")
    assert {row["Outcome"] for row in fleet.sync(path).values()} == {"Installed"}
    before = {name: sorted(os.listdir(fleet.machines[name].folder)) for name in names}
    for name in names:
        assert fleet.calls(name) == ["Install whatif=False package=False", "Install whatif=False package=True"]

    rows = fleet.sync(path)

    assert {(row["Outcome"], row["Changed"], row["FromJournal"]) for row in rows.values()} == {
        ("Unchanged", False, False)
    }
    for name in names:
        assert fleet.calls(name) == ["Install whatif=False package=False"]
        assert sorted([*os.listdir(fleet.machines[name].folder), "calls"]) == before[name]


def test_what_if_tells_drift_and_changes_nothing(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"])
    fleet.sync(fleet.file("pcs = @{ Machines = @(@{m01}) }"))
    path = fleet.file("pcs = @{ Machines = @(@{m01}, @{m02}); Task = @{ IntervalMinutes = 5 } }", version="1.1.0")
    inventory = next(fleet.home.rglob("inventory.json")).read_bytes()
    journal = next(fleet.home.rglob("journal")).read_bytes()
    was = fleet.installed("m01")

    rows = fleet.sync(path, "-WhatIf")

    assert {name: row["Outcome"] for name, row in rows.items()} == {"m01": "WouldUpdate", "m02": "WouldInstall"}
    assert "Package" in rows["m02"]["Pending"]
    assert (fleet.installed("m01"), fleet.installed("m02")) == (was, {})
    assert next(fleet.home.rglob("inventory.json")).read_bytes() == inventory
    assert next(fleet.home.rglob("journal")).read_bytes() == journal
    assert all("whatif=True" in call for call in fleet.calls("m02"))


def test_a_killed_run_is_taken_up_where_it_was(make_fleet: Make) -> None:
    names = [f"m{number:02}" for number in range(1, 7)]
    fleet = make_fleet(names)
    fleet.behave("m06", "hang")
    path = fleet.file("pcs = @{ Machines = @(" + ", ".join(f"@{{{name}}}" for name in names) + ") }")
    process = subprocess.Popen(
        fleet.shell.command("-Command", fleet.script(fleet.sync_command(path, "-ThrottleLimit 2"))),
        env=fleet.shell.environment(fleet.environ()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = fleet.home / "state" / "DDNS" / "fleet" / "test" / "journal"
    until = time.monotonic() + 60
    while not journal.exists() or journal.read_text().count('"done"') < 3:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with open(journal, "a") as file:
        file.write('{"kind": "done", "computer": "m05", "requ')  # the line that the kill cut off
    known = {
        line.split('"computer":"')[1][:3]
        for line in journal.read_text().splitlines()
        if '"done"' in line and "result" in line
    }
    fleet.behave("m06", "")
    for name in names:
        fleet.calls(name)

    rows = fleet.sync(path)

    assert {name for name, row in rows.items() if row["FromJournal"]} == known
    assert {row["Outcome"] for row in rows.values()} <= {"Installed", "Unchanged"}
    assert all(fleet.installed(name) for name in names)
    assert all(not fleet.calls(name) for name in known)
    # That run left nothing behind, so the next one asks all of them again.
    assert not any(row["FromJournal"] for row in fleet.sync(path).values())


def test_two_runs_at_once_are_one_too_many(make_fleet: Make) -> None:
    fleet = make_fleet(["m01"])
    path = fleet.file("pcs = @{ Machines = @(@{m01}) }")
    ended = fleet.ask(
        f"$other = Open-DdnsJournal -Path (Join-Path (Get-DdnsFleetStatePath -Name test) journal)\n"
        f"try {{ Sync-DdnsFleet -Path '{path}' }} catch {{ \"refused: $_\" }} finally {{ Close-DdnsJournal $other }}"
    )
    assert ended.out.startswith("refused: Another run has the journal"), ended
    assert fleet.installed("m01") == {}


def test_the_wrong_machine_is_not_touched(make_fleet: Make) -> None:
    fleet = make_fleet(["m01"])
    port = fleet.machines["m01"].port
    row = f"@{{ Name = 'other'; Address = '127.0.0.1'; Port = {port} }}"
    rows = fleet.sync(fleet.file(f"pcs = @{{ Machines = @({row}) }}"))
    assert (rows["other"]["Outcome"], rows["other"]["ErrorCode"]) == ("Failed", "WrongMachine")
    assert "m01" in rows["other"]["Error"]
    assert fleet.calls("m01") == []


def test_a_frozen_machine_holds_up_nobody(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02", "m03"])
    fleet.behave("m01", "freeze")
    path = fleet.file("pcs = @{ Machines = @(@{m01}, @{m02}, @{m03}) }")
    began = time.monotonic()
    rows = fleet.sync(path, "-TimeoutSeconds 15 -ThrottleLimit 1 -Retry 0")
    assert {name: row["ErrorCode"] for name, row in rows.items()} == {"m01": "TimedOut", "m02": "", "m03": ""}
    assert time.monotonic() - began < 75


def test_a_reader_who_stops_early_stops_the_rest(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"])
    fleet.behave("m02", "hang")
    ended = fleet.ask(
        "(Invoke-DdnsFleet -Target (Resolve-DdnsTarget $rows -Connection $connection)"
        " -Request @{ Operation = 'Query' } | Select-Object -First 1).ComputerName"
    )
    assert ended.out.strip() == "m01", ended


@pytest.mark.parametrize(
    ("mode", "version", "names"),
    [("Stop", "2.0.0", "not reached"), ("RollBack", "1.0.0", "rolled back")],
)
def test_an_ill_ring_stops_the_next_one(make_fleet: Make, mode: str, version: str, names: str) -> None:
    fleet = make_fleet(["m01", "m02", "m03"])
    groups = "lab = @{ Machines = @(@{m01}, @{m02}) }; pcs = @{ Machines = @(@{m03}) }"
    gate = f"@{{ MaxFailed = 0; WaitSeconds = 0; OnFailure = '{mode}' }}"
    rings = f"@{{ Name = 'canary'; Groups = 'lab'; Gate = {gate} }}, @{{ Name = 'rest'; Groups = '*' }}"
    first = fleet.sync(fleet.file(groups, rings))
    assert {row["Outcome"] for row in first.values()} == {"Installed"}
    fleet.behave("m02", "unwell")

    rows = fleet.sync(fleet.file(groups, rings, version="2.0.0"))

    told = {name: row["Outcome"] for name, row in rows.items()}
    if mode == "Stop":
        assert told == {"m01": "Updated", "m02": "Updated", "m03": "NotReached"}
        assert rows["m02"]["ErrorCode"] == "NotWell"
    else:
        assert told == {"m01": "RolledBack", "m02": "RolledBack", "m03": "NotReached"}
    assert [fleet.installed(name)["version"] for name in ("m01", "m02")] == [version, version]
    assert fleet.installed("m03")["version"] == "1.0.0"

    fleet.behave("m02", "")
    rows = fleet.sync(fleet.file(groups, rings, version="2.0.0"))
    assert {row["Outcome"] for row in rows.values()} == {"Updated"}
    assert {fleet.installed(name)["version"] for name in ("m01", "m02", "m03")} == {"2.0.0"}


def test_only_what_it_made_is_removed(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02", "m03"])
    both = "pcs = @{ Machines = @(@{m01}, @{m02}) }"
    fleet.sync(fleet.file(both))
    (fleet.machines["m03"].folder / "installed.json").write_text('{"version": "1.0.0", "wanted": "by hand"}')
    one = fleet.file("pcs = @{ Machines = @(@{m01}) }")

    rows = fleet.sync(one)
    assert {name: row["Outcome"] for name, row in rows.items()} == {"m01": "Unchanged", "m02": "Left"}
    assert fleet.installed("m02")

    assert fleet.sync(one, "-Prune -WhatIf")["m02"]["Outcome"] == "WouldRemove"
    assert fleet.installed("m02")

    rows = fleet.sync(one, "-Prune -Confirm:$false")
    assert {name: row["Outcome"] for name, row in rows.items()} == {"m01": "Unchanged", "m02": "Removed"}
    assert (fleet.installed("m02"), bool(fleet.installed("m03"))) == ({}, True)
    assert set(fleet.sync(one)) == {"m01"}


def test_a_selection_visits_only_that(make_fleet: Make, tmp_path: Path) -> None:
    fleet = make_fleet(["m01", "m02", "m03"])
    path = fleet.file("pcs = @{ Machines = @(@{m01}, @{m02}, @{m03}) }")
    (tmp_path / "some.csv").write_text("ComputerName,Room\nm02,4\n")
    chosen = f"Import-Csv '{tmp_path / 'some.csv'}' | {fleet.sync_command(path)}"
    assert set(fleet.results(chosen)) == {"m02"}
    computer = "[pscustomobject]@{ Name = 'M03'; DNSHostName = 'm03.example.test'; DistinguishedName = 'CN=M03' }"
    assert set(fleet.results(f"{computer} | {fleet.sync_command(path)}")) == {"m03"}
    assert fleet.installed("m01") == {}
