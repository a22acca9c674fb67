"""The three scripts and the commands on other machines: one result each, over real remoting on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ground import pwsh
from powershell.fleet import Fleet
from powershell.test_fleet import TEN, fill

Make = Callable[..., Fleet]
CANARY = "canary-71c0de"
DEPLOY, GET, UNINSTALL = (f"& '{pwsh.PS / name}'" for name in ("Deploy-DDNS.ps1", "Get-DDNS.ps1", "Uninstall-DDNS.ps1"))
MODULE = f"Import-Module '{pwsh.PS / 'Ddns' / 'Ddns.psd1'}'"


def deploy(fleet: Fleet, more: str = "", version: str = "1.0.0", machines: str = "") -> str:
    """`Import-Csv machines.csv | Deploy-DDNS.ps1 ...`"""
    package, digest = fleet.release(version)
    given = machines or f"Import-Csv '{fleet.list_of()}' |"
    return (
        f"{given} {DEPLOY} @way -Package '{package}' -Sha256 {digest}"
        f" -Name '{{computer}}.example.test' -Provider main {more}"
    )


def test_ten_machines_in_trouble_have_their_ten_results(make_fleet: Make) -> None:
    fleet = make_fleet(TEN, refused=["m02"], dead=["m03"])
    fleet.behave("m04", "hang")
    fleet.behave("m05", "die")
    fleet.behave("m07", "garbage")
    fleet.behave("m08", "busy once")
    fill(fleet, "m06")
    list_of = fleet.list_of()
    # Under the name m99 m01 answers.
    list_of.write_text(list_of.read_text() + f"m99,127.0.0.1,{fleet.machines['m01'].port},4\n")
    command = deploy(fleet, machines=f"Import-Csv '{list_of}' |")

    code, rows, _ = fleet.call(f"{command} -TimeoutSeconds 20 -Retry 1 -ThrottleLimit 10")

    told = {name: (row["Outcome"], (row["Error"] or {}).get("Code", "")) for name, row in rows.items()}
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
        "m99": ("Failed", "WrongMachine"),
    }
    assert code == 1
    assert all(row["Error"]["Advice"] for row in rows.values() if row["Error"])
    assert rows["m08"]["Attempts"] == 2
    assert fleet.calls("m01") == ["Install whatif=False package=False", "Install whatif=False package=True"]
    assert (fleet.machines["m10"].folder / "names").read_text() == "m10.example.test"

    for name in ("m04", "m05", "m07"):
        fleet.behave(name, "")
    for name in TEN:
        fleet.calls(name)
    code, rows, _ = fleet.call(deploy(fleet, "-Retry 0"))
    assert {name for name, row in rows.items() if row["FromJournal"]} == {"m01", "m08", "m09", "m10"}
    assert [fleet.calls(name) for name in ("m01", "m08", "m09", "m10")] == [[], [], [], []]
    assert {name for name, row in rows.items() if row["Outcome"] == "Installed"} == set(TEN) - {"m02", "m03"}
    assert (code, len(rows)) == (1, 10)


def test_a_second_deployment_changes_nothing_and_a_plan_even_less(make_fleet: Make) -> None:
    names = TEN[:3]
    fleet = make_fleet(names)
    code, rows, said = fleet.call(deploy(fleet, "-WhatIf"))
    assert (code, {row["Outcome"] for row in rows.values()}, said) == (0, {"WhatIf"}, "")
    assert all(row["Steps"] for row in rows.values())
    assert [fleet.installed(name) for name in names] == [{}, {}, {}]
    assert not list(fleet.home.rglob("_calls")), "a plan leaves no journal"

    code, rows, _ = fleet.call(deploy(fleet))
    assert (code, {row["Outcome"] for row in rows.values()}) == (0, {"Installed"})
    before = {name: {p: p.stat().st_mtime_ns for p in fleet.machines[name].folder.rglob("*")} for name in names}
    for name in names:
        fleet.calls(name)
    code, rows, _ = fleet.call(deploy(fleet))
    assert code == 0
    assert {(row["Outcome"], row["Changed"], row["FromJournal"]) for row in rows.values()} == {
        ("Unchanged", False, False)
    }
    for name in names:
        assert fleet.calls(name) == ["Install whatif=False package=False"], "no zip was sent"
        after = {p: p.stat().st_mtime_ns for p in fleet.machines[name].folder.rglob("*")}
        assert after == {p: at for p, at in before[name].items() if p.name != "calls"}


def test_a_killed_deployment_is_taken_up_where_it_was(make_fleet: Make) -> None:
    names = [f"m{number:02}" for number in range(1, 6)]
    fleet = make_fleet(names)
    fleet.behave("m05", "hang")
    process = subprocess.Popen(
        fleet.shell.command(
            "-Command",
            f"{fleet.way}\nfunction Get-AuthenticodeSignature {{ }}\n{deploy(fleet, '-ThrottleLimit 2')}",
        ),
        env=fleet.shell.environment(fleet.environ()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60

    def done() -> int:
        journals = [path for path in fleet.home.rglob("_calls/install-*") if path.suffix == ""]
        return sum(path.read_text().count('"done"') for path in journals)

    while done() < 2:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    known = done()
    fleet.behave("m05", "")

    code, rows, _ = fleet.call(deploy(fleet))

    assert code == 0
    assert sum(row["FromJournal"] for row in rows.values()) == known
    assert {row["Outcome"] for row in rows.values()} <= {"Installed", "Unchanged"}
    assert all(fleet.installed(name) for name in names)
    _, rows, _ = fleet.call(deploy(fleet))
    assert not any(row["FromJournal"] for row in rows.values()), "nothing was left, so all are asked again"


def test_what_was_uninstalled_meanwhile_is_not_taken_for_deployed(make_fleet: Make) -> None:
    """m02 is off, so the deployment stays unfinished, and its journal has m01 as done."""
    fleet = make_fleet(["m01", "m02"], dead=["m02"])
    _, rows, _ = fleet.call(deploy(fleet, "-Retry 0"))
    assert rows["m01"]["Outcome"] == "Installed"
    one = fleet.list_of(["m01"])
    _, rows, _ = fleet.call(f"Import-Csv '{one}' | Uninstall-Ddns @way -Confirm:$false", before=fleet.module())
    assert rows["m01"]["Outcome"] == "Removed"
    _, rows, _ = fleet.call(deploy(fleet, "-Retry 0"))
    assert (rows["m01"]["Outcome"], rows["m01"]["FromJournal"]) == ("Installed", False)
    assert fleet.installed("m01")


def test_this_machine_is_one_of_the_fleet_and_is_one(make_fleet: Make, tmp_path: Path) -> None:
    """However often and by whichever name it is named; and sessions that are open are used."""
    fleet = make_fleet(["m01", "m02", "m03"])
    here = tmp_path / "here"
    here.mkdir()
    sessions = (
        "$sessions = foreach ($row in $rows | Select-Object -First 2) { New-PSSession -HostName 127.0.0.1"
        " -Port $row.Port -UserName $connection.UserName -KeyFilePath $connection.KeyFilePath"
        " -Options ($connection.SshOption + @{ LogLevel = 'QUIET' }) }"
    )
    third = fleet.list_of(["m03"])
    given = f"-ComputerName ., localhost, ADMIN, (Import-Csv '{third}'), (Import-Csv '{third}') -Session $sessions"
    package, digest = fleet.release()
    asked = f"-Package '{package}' -Sha256 {digest} -Name '{{computer}}.example.test' -Provider main"
    before = f"$rows = @({fleet.rows()})\n$connection = {fleet.connection}\n{sessions}"

    code, rows, said = fleet.call(f"{DEPLOY} {given} @way {asked}", before=before, DDNS_MACHINE=str(here))

    ports = [fleet.machines[name].port for name in ("m01", "m02")]
    assert rows.keys() == {".", "m03", "127.0.0.1", f"127.0.0.1 (127.0.0.1:{ports[1]})"}, said
    assert {name: row["Outcome"] for name, row in rows.items()} == dict.fromkeys(rows, "Installed"), said
    assert (code, len(rows)) == (0, 4)
    assert (here / "names").read_text() == "admin.example.test"
    assert [(fleet.machines[name].folder / "installed.json").exists() for name in ("m01", "m02", "m03")] == [True] * 3
    assert fleet.calls("m03") == ["Install whatif=False package=False", "Install whatif=False package=True"]


def test_an_empty_list_is_not_this_machine(make_fleet: Make, tmp_path: Path) -> None:
    fleet = make_fleet(["m01"])
    package, digest = fleet.release()
    asked = f"-Package '{package}' -Sha256 {digest}"
    for command in (
        f"@() | {DEPLOY} {asked}",
        f"{DEPLOY} -ComputerName @() {asked}",
        f"@() | {UNINSTALL} -Confirm:$false",
        f"@() | {GET}",
        "@() | Start-DdnsTask",
    ):
        code, rows, said = fleet.call(command, before=fleet.module(), DDNS_MACHINE=str(tmp_path))
        assert (code, rows, said) == (0, {}, ""), command
    assert not (tmp_path / "calls").exists()


def test_questions_to_a_fleet_have_an_answer_from_each(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02", "m03"], dead=["m03"])
    fleet.call(deploy(fleet, machines=f"Import-Csv '{fleet.list_of(['m01'])}' |"))
    machines = f"Import-Csv '{fleet.list_of()}' |"
    code, rows, _ = fleet.call(f"{machines} {GET} @way", before=fleet.module())
    assert {name: row["Health"] for name, row in rows.items()} == {
        "m01": "OK",
        "m02": "NotInstalled",
        "m03": "Unreachable",
    }
    assert code == 1
    report = fleet.home / "fleet.json"
    fleet.call(f"{machines} {GET} @way -ReportPath '{report}'", before=fleet.module())
    assert '"m03"' in report.read_text()
    code, rows, _ = fleet.call(f"{machines} {GET} @way -Drift", before=fleet.module())
    assert {name: row["Outcome"] for name, row in rows.items()} == {
        "m01": "Drift",
        "m02": "NotInstalled",
        "m03": "Unreachable",
    }
    assert rows["m01"]["Drift"][0]["Item"] == "marker"
    assert code == 1
    _, rows, _ = fleet.call(f"{machines} Start-DdnsTask @way -Retry 0", before=fleet.module())
    assert {name: row["Health"] for name, row in rows.items()} == {
        "m01": "Warning",  # the stand-in tells of no run
        "m02": "Failed",
        "m03": "Unreachable",
    }


def test_a_secret_goes_to_the_machines_and_nowhere_else(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"], dead=["m02"])
    fleet.call(deploy(fleet, machines=f"Import-Csv '{fleet.list_of(['m01'])}' |"))
    secret = "$token = ConvertTo-SecureString $env:CANARY -AsPlainText -Force; $env:CANARY = $null"
    transcript = fleet.home / "transcript"
    before = f"{fleet.module()}\n{secret}\nStart-Transcript '{transcript}' > $null"
    _, rows, said = fleet.call(
        f"Import-Csv '{fleet.list_of()}' | Set-DdnsConfig @way -Retry 0 -Secret $token", before=before, CANARY=CANARY
    )
    assert {name: row["Outcome"] for name, row in rows.items()} == {"m01": "Updated", "m02": "Unreachable"}
    root = fleet.machines["m01"].folder
    assert (root / "secret").read_text() == CANARY
    assert (root / "seen").read_text() == "", "no process has it among its arguments"
    found = [path for path in fleet.home.parent.rglob("*") if path.is_file() and CANARY in path.read_text("latin-1")]
    assert found == [root / "secret"]
    assert CANARY not in said
    # The second call does what is left, and says what the journal does not know.
    _, rows, said = fleet.call(
        f"Import-Csv '{fleet.list_of()}' | Set-DdnsConfig @way -Retry 0 -Secret $token 3>&1 |"
        " Where-Object { if ($_ -isnot [Management.Automation.WarningRecord]) { return $true }\n"
        "[Console]::Error.WriteLine($_) }",
        before=f"{fleet.module()}\n{secret}",
        CANARY=CANARY,
    )
    assert rows["m01"]["FromJournal"]
    assert "-Fresh" in said


def test_what_can_not_be_meant_is_refused_before_any_machine_is_asked(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"])
    package, digest = fleet.release()
    code = "(ConvertTo-SecureString x -AsPlainText -Force)"
    for more, said in (
        (f"-Package '{package}' -Sha256 {digest} -Name home.example.test -Provider main", "{computer}"),
        (f"-Package '{package}' -Sha256 {'0' * 64}", "vouched for"),
        (f"-Package '{package}'", "vouches"),
        (f"-Package '{package}' -Sha256 {digest} -Gateway https://gw.test -EnrolmentCode {code}", "one machine"),
        (
            f"-Package '{package}' -Sha256 {digest} -Gateway https://gw.test -EnrolmentCode @{{ m01 = 'x' }}",
            "plain text",
        ),
        ("-Mode RunKey", "RunKey"),
    ):
        ended = fleet.ask(
            f"{fleet.way}\ntry {{ Import-Csv '{fleet.list_of()}' | Install-Ddns @way {more} }} catch {{ \"$_\" }}"
        )
        assert said in ended.out, (more, ended)
    assert (fleet.calls("m01"), fleet.calls("m02")) == ([], [])


def test_a_fleet_is_shown_as_a_table(make_fleet: Make) -> None:
    fleet = make_fleet(["m01", "m02"], dead=["m02"])
    ended = fleet.shell.text(
        f"{fleet.way}\n{fleet.module()}\n$PSStyle.OutputRendering = 'PlainText'\n"
        f"Import-Csv '{fleet.list_of()}' | Test-DdnsTask @way | Out-String -Width 160",
        environ=fleet.environ(),
    )
    lines = [line.split() for line in ended.out.splitlines() if line.strip()]
    assert lines[0][:5] == ["Computer", "Outcome", "Version", "Before", "Seconds"], ended
    assert {line[0]: line[1] for line in lines[2:] if line[0] in ("m01", "m02")} == {
        "m01": "NotInstalled",
        "m02": "Unreachable",
    }
