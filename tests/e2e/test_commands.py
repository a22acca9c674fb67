"""What a person looks with, on a machine in a world of real servers: doctor, plan and a support bundle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from e2e.test_journeys import answer
from e2e.windows_kind import WindowsProgram
from e2e.world import FIRST, SECOND, World


def problems(world: World, told: Any) -> tuple[int, list[Any]]:
    """The exit code that a doctor's answer asks for, and its problems, but for those that Wine makes.

    Wine keeps of an access list what a mode can say, so that everybody may read what only some should: the real lists
    are on the acceptance list.
    """
    found = [check for check in told["checks"] if check["verdict"] == "problem"]
    wine = isinstance(world.machine.program, WindowsProgram)
    return (20 if found else 0), [check for check in found if not (wine and check["area"] == "permissions")]


def test_a_doctor_finds_a_machine_that_is_well(world: World) -> None:
    assert world.machine.ddns("run").exit == 0
    ended = world.machine.ddns("doctor", "--json")
    told = answer(ended.out, "doctor")
    code, wrong = problems(world, told)
    assert (ended.exit, ended.err, wrong) == (code, "", [])
    areas = {check["area"] for check in told["checks"]}
    assert areas >= {"settings", "network", "addresses", "time", "credentials", "permissions", "state", "schedule"}
    (tried,) = [check for check in told["checks"] if check["area"] == "credentials"]
    assert world.name in tried["says"]
    assert any("vouches for it" in check["says"] for check in told["checks"] if check["what"] == "TLS")


def test_a_doctor_and_a_plan_change_nothing(world: World) -> None:
    world.machine.ddns("run")
    before = world.sql("SELECT * FROM changes"), world.sql("SELECT * FROM runs"), world.machine.status()
    world.move(SECOND)

    doctor = world.machine.ddns("doctor", "--json")
    assert (doctor.exit, problems(world, answer(doctor.out, "doctor"))) == (doctor.exit, (doctor.exit, []))
    plan = world.machine.ddns("plan")
    assert plan.exit == 0
    assert f"{FIRST} → {SECOND}" in plan.out

    assert world.published() == (FIRST,)
    assert (world.sql("SELECT * FROM changes"), world.sql("SELECT * FROM runs"), world.machine.status()) == before


def test_a_doctor_tells_a_wrong_secret_a_source_that_is_gone_and_what_to_do(world: World) -> None:
    world.machine.ddns("run")
    world.machine.secret("tsig", world.bind.stranger.secret)
    world.alpha.close()
    ended = world.machine.ddns("doctor")
    assert ended.exit == 20
    assert "TSIG key" in ended.out
    assert "ddns secret set" in ended.out
    assert "sources did not tell it" in ended.out
    assert world.published() == (FIRST,)


def test_a_support_bundle_has_the_story_and_no_secret(world: World, tmp_path: Path) -> None:
    """What is searched for the secret, also in the zip, is in `ground.canary`."""
    world.machine.ddns("run")
    world.move(SECOND)
    world.machine.ddns("run")
    file = world.machine.folder / "bundle.zip"
    ended = world.machine.ddns("support-bundle", "-o", world.machine.program.named(file))
    assert (ended.exit, ended.err) == (0, "")
    with zipfile.ZipFile(file) as archive:
        texts = {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()}
    assert [entry["to"] for entry in json.loads(texts["history.json"])] == [[SECOND], [FIRST]]
    assert problems(world, json.loads(texts["doctor.json"]))[1] == []
    assert json.loads(texts["status.json"])["records"][0]["address"] == SECOND
    assert not any(world.bind.key.secret in text for text in texts.values())
