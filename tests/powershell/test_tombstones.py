"""Records and keys of machines that go: taken back, or kept in mind until they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from powershell.fleet import Fleet

Make = Callable[..., Fleet]
PCS = "pcs = @{ Machines = @(@{m01}, @{m02}) }"
ONE = "pcs = @{ Machines = @(@{m01}) }"


def tombstones(file: Path) -> dict[str, Any]:
    machines = json.loads(file.read_text())["machines"]
    return {name: entry["tombstone"] for name, entry in machines.items() if entry["tombstone"]}


def test_a_fleet_remembers_what_it_could_not_take_back(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"])
    fleet.sync(fleet.file(PCS))
    one = fleet.file(ONE)
    fleet.behave("m02", "gateway away")

    rows = fleet.sync(one, "-Prune -RemoveRecord -Confirm:$false")
    assert (rows["m02"]["Outcome"], rows["m02"]["ErrorCode"]) == ("Failed", "GatewayUnreachable")
    inventory = next(fleet.home.rglob("inventory.json"))
    assert tombstones(inventory)["m02"]["Gateways"] == [{"Url": "https://gw.test", "Host": "h7"}]

    before = inventory.read_bytes()
    assert fleet.sync(one, "-WhatIf")["m02"]["Outcome"] == "WouldRemove"
    assert inventory.read_bytes() == before
    assert fleet.sync(one)["m02"]["ErrorCode"] == "GatewayUnreachable", "it is still away"

    fleet.behave("m02", "")
    rows = fleet.sync(one)
    assert {name: row["Outcome"] for name, row in rows.items()} == {"m01": "Unchanged", "m02": "Removed"}
    assert fleet.installed("m02") == {}
    assert set(fleet.sync(one)) == {"m01"}, "and is forgotten"


def test_machines_of_a_list_are_remembered_too(make_fleet: Make) -> None:
    """By whoever uninstalled them; the next roll-out of any fleet clears it, but takes away nothing that is back."""
    fleet = make_fleet(["m01", "m02", "m03"])
    path = fleet.file("pcs = @{ Machines = @(@{m01}, @{m02}, @{m03}) }")
    fleet.sync(path)
    fleet.behave("m02", "gateway away")
    fleet.behave("m03", "gateway away")
    machines = f"Import-Csv '{fleet.list_of(['m02', 'm03'])}'"
    command = f"{machines} | Uninstall-Ddns @way -RemoveRecord -Confirm:$false"
    before = fleet.module()
    _, rows, _ = fleet.call(command, before=before)
    assert {name: row["Error"]["Code"] for name, row in rows.items()} == dict.fromkeys(rows, "GatewayUnreachable")
    kept = next(fleet.home.rglob("tombstones.json"))
    assert set(tombstones(kept)) == {"m02", "m03"}

    fleet.behave("m02", "")
    _, rows, _ = fleet.call(command, before=before)
    assert {name: row["Outcome"] for name, row in rows.items()} == {"m02": "Removed", "m03": "Failed"}
    assert set(tombstones(kept)) == {"m03"}

    # Somebody deploys m03 again: the tombstone there is gone, and the one here is of the past.
    (fleet.machines["m03"].folder / "tombstone").unlink()
    assert fleet.sync(fleet.file(ONE))["m03"]["Outcome"] in ("Unchanged", "Left")
    assert fleet.installed("m03")
    assert tombstones(kept) == {}


def test_a_machine_that_lost_its_key_is_told_until_somebody_says_that_it_is_done(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"])
    fleet.sync(fleet.file(PCS))
    one = fleet.file(ONE)
    fleet.behave("m02", "gateway away")
    fleet.sync(one, "-Prune -RemoveRecord -Confirm:$false")
    for name in ("tombstone", "installed.json"):
        (fleet.machines["m02"].folder / name).unlink()
    for _ in range(2):
        row = fleet.sync(one)["m02"]
        assert (row["Outcome"], row["ErrorCode"]) == ("Left", "Tombstone")
        assert "home.example.test A, host h7 at https://gw.test" in row["Error"]
        assert "ddns gateway retire" in row["Advice"]
    ended = fleet.ask(
        f"Sync-DdnsFleet -Path '{one}' -ForgetTombstone m02; Sync-DdnsFleet -Path '{one}' -ForgetTombstone m09"
    )
    assert "no tombstone of a machine m09" in " ".join(ended.err.replace("|", " ").split())
    assert ended.err.count("tombstone") == 1, ended.err
    assert set(fleet.sync(one)) == {"m01"}
