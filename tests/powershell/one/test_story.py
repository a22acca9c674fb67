"""The life of one machine on Linux, with the client from source and a real DNS server.

Deployed, asked, moved, upgraded, upgraded to something broken, uninstalled.
"""

from __future__ import annotations

import json
from pathlib import Path

from ddns.gateway import operators
from e2e.conftest import Gateway
from e2e.site import Site, until
from e2e.world import FIRST, SECOND, World
from ground import pwsh
from ground.bind import Bind
from ground.tls import Authority
from powershell.one.machine import Deployed, Row, Served, package, script, steps

#: The wrapper's answer to a real run, so that only the trial passes.
_FAILS_WHEN_IT_COUNTS = 'case "$*" in *--trial*) ;; run*) exit 1 ;; esac'


def _trigger(machine: Deployed) -> None:
    """The network comes: the event that the task subscribes to."""
    fire = pwsh.tasks_double() / "Invoke-FakeTaskEvent.ps1"
    machine.calls(
        script=f"& '{fire}' -Kind Event -Channel 'Microsoft-Windows-NetworkProfile/Operational'"
        " -Provider Microsoft-Windows-NetworkProfile -EventId 10000 -Wait | Out-Null; 'done'"
    )


def test_the_life_of_a_machine(tmp_path: Path, served: Served, plain_world: World) -> None:
    machine = Deployed(tmp_path / "machine", served)
    releases = tmp_path / "releases"
    first = package(releases, "1.0.0")
    settings = str(tmp_path / "draft" / "ddns.toml")

    made = machine.call(
        "Install-Ddns", {"Secret": {"tsig": plain_world.bind.key.secret}}, **first.asked, ConfigPath=settings
    )
    assert (made["Outcome"], made["Version"], made["Error"]) == ("Installed", "1.0.0", None), made
    assert steps(made)["FirstRun"] == "Done"
    assert plain_world.published() == (FIRST,)

    row, drift = machine.calls({"command": "Get-DdnsTask"}, {"command": "Test-DdnsTask"})
    (told,) = row["output"]
    assert (told["Health"], told["Address"], told["LastResult"]) == ("OK", FIRST, 0), told
    assert drift["output"] == []

    before = machine.task()
    again = machine.install(first, ConfigPath=settings)
    assert (again["Outcome"], again["Changed"]) == ("Unchanged", False), again
    assert machine.task() == before

    plain_world.move(SECOND)
    _trigger(machine)
    assert plain_world.published() == (SECOND,)

    second = package(releases, "1.1.0", script(first="# another"))
    upgraded = machine.install(second)
    assert (upgraded["Outcome"], upgraded["PreviousVersion"], upgraded["Version"]) == ("Updated", "1.0.0", "1.1.0")
    assert "1.1.0/app/ddns" in machine.task()
    assert (machine.programs / "bin" / "current").read_text() == "1.1.0"

    for number, broken in enumerate((script(first="exit 1"), script(first=_FAILS_WHEN_IT_COUNTS))):
        third = package(releases, f"1.2.{number}", broken)
        back = machine.install(third)
        assert (back["Outcome"], back["Version"]) == ("RolledBack", "1.1.0"), back
        assert back["Error"]["Code"] == ("TrialFailed", "FirstRun")[number]
        assert "1.1.0/app/ddns" in machine.task(), back
        assert (machine.programs / "bin" / "current").read_text() == "1.1.0"
        assert b"1.1.0" in (machine.programs / "bin" / "ddns").read_bytes()
        assert not (machine.programs / f"1.2.{number}").exists()

    plain_world.move(FIRST)
    started = machine.call("Start-DdnsTask", Wait=True)
    assert started["Address"] == FIRST
    assert plain_world.published() == (FIRST,)

    gone = machine.call("Uninstall-Ddns", RemoveData=True, Confirm=False)
    assert gone["Outcome"] == "Removed", gone
    assert machine.tree() == {"tasks/Tasks/DDNS"}, "the double can't remove a task folder"
    assert machine.call("Uninstall-Ddns", RemoveData=True, Confirm=False)["Outcome"] == "NotInstalled"


def test_the_record_goes_only_when_asked_for(tmp_path: Path, served: Served, plain_world: World) -> None:
    """Uninstalled without a word about it, the record stands."""
    machine = Deployed(tmp_path / "machine", served)
    machine.call(
        "Install-Ddns",
        {"Secret": {"tsig": plain_world.bind.key.secret}},
        **package(tmp_path / "releases").asked,
        ConfigPath=str(tmp_path / "draft" / "ddns.toml"),
    )
    gone = machine.call("Uninstall-Ddns", Confirm=False)
    assert gone["Outcome"] == "Removed"
    assert plain_world.published() == (FIRST,)
    assert (machine.data / "ddns.toml").exists()
    assert not machine.programs.exists()


def test_a_machine_of_a_fleet_has_no_token(
    tmp_path: Path, served: Served, plain_world: World, gateway: Gateway, bind: Bind
) -> None:
    """With a gateway: an enrolment code, once; its own key; the record by the gateway."""
    parts = gateway.running.parts
    code = operators.mint_code(parts.ledger, parts.audit, parts.clock, gateway.hosts, "pc7")
    base = tmp_path / "base.toml"
    base.write_text("schema = 1\n\n" + plain_world.detection(str(plain_world.ca.file)))
    machine = Deployed(tmp_path / "machine", served)
    asked: Row = {
        **package(tmp_path / "releases").asked,
        "ConfigPath": str(base),
        "Gateway": gateway.running.url,
        "GatewayCa": str(plain_world.ca.file),
    }
    made = machine.call("Install-Ddns", {"EnrolmentCode": code}, **asked)
    assert (made["Outcome"], steps(made)["Enrolment"]) == ("Installed", "Done"), made
    answer = bind.query("pc7.example.test")
    assert answer is not None
    assert answer.values == (FIRST,)
    again = machine.call("Install-Ddns", {"EnrolmentCode": code}, **asked)
    assert (again["Outcome"], again["Error"]) == ("Unchanged", None), again
    everything = b"".join(path.read_bytes() for path in machine.data.rglob("*") if path.is_file())
    assert bind.key.secret.encode() not in everything
    assert code.encode() not in everything


def test_a_wrong_code_leaves_nothing(tmp_path: Path, served: Served, plain_world: World, gateway: Gateway) -> None:
    base = tmp_path / "base.toml"
    base.write_text("schema = 1\n\n" + plain_world.detection(str(plain_world.ca.file)))
    machine = Deployed(tmp_path / "machine", served)
    result = machine.call(
        "Install-Ddns",
        {"EnrolmentCode": "no-such-code"},
        **package(tmp_path / "releases").asked,
        ConfigPath=str(base),
        Gateway=gateway.running.url,
        GatewayCa=str(plain_world.ca.file),
    )
    assert result["Error"]["Code"] == "EnrolmentFailed", result
    assert machine.tree() == set()


def test_a_machine_goes_with_its_record_and_its_key(
    tmp_path: Path, served: Served, plain_world: World, bind: Bind, ca: Authority
) -> None:
    """The gateway is away at first: what is needed to go on stays, and the same call later ends it."""
    folder = tmp_path / "site"
    folder.mkdir()
    site = Site(folder, bind, ca)
    base = tmp_path / "base.toml"
    base.write_text("schema = 1\n\n" + plain_world.detection(str(plain_world.ca.file)))
    machine = Deployed(tmp_path / "machine", served)
    asked = {**package(tmp_path / "releases").asked, "ConfigPath": str(base), "GatewayCa": str(ca.file)}

    def gone() -> bool:
        answer = bind.query("pc8.example.test")
        return answer is None or not answer.values

    with site.process() as (url, kill):
        made = machine.call("Install-Ddns", {"EnrolmentCode": site.code("pc8")}, **asked, Gateway=url)
        assert made["Outcome"] == "Installed", made
        assert not gone()
        kill()
        left = machine.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)
    assert (left["Outcome"], left["errors"]) == ("Failed", ["Ddns.GatewayUnreachable"]), left
    assert left["Tombstone"]["Records"] == ["pc8.example.test A"]
    assert left["Tombstone"]["Gateways"][0]["Url"] == url
    assert (machine.task(), gone()) == ("", False)

    settings = json.loads((folder / "gateway.json").read_text())
    settings["settings"]["listen"]["port"] = int(url.rsplit(":", 1)[1])
    (folder / "gateway.json").write_text(json.dumps(settings))
    with site.process():
        done = machine.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)
        assert (done["Outcome"], done["Tombstone"], steps(done)["Records"]) == ("Removed", None, "Done"), done
        until(gone)
        assert not list((machine.data / "secrets").iterdir())
        # And from the start, over the data that stayed.
        again = machine.call("Install-Ddns", {"EnrolmentCode": site.code("pc8")}, **asked, Gateway=url)
        assert (again["Outcome"], steps(again)["Resume"]) == ("Installed", "Unchanged"), again
        assert not gone()
