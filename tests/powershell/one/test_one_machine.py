"""One machine, with a client of a few lines of shell: what is done, in which order, and what a failure leaves."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from powershell.one.machine import Deployed, Package, Row, Served, package, steps

#: Stands for the client: ends a run with the number in the file `exit` of its data, notes arguments, keeps secrets.
CLIENT = b"""#!/bin/sh
data=
previous=
for argument in "$@"; do
    [ "$previous" = --data ] && data=$argument
    previous=$argument
done
echo "$@" >> "${data:-/tmp}/arguments" 2>/dev/null
case $1 in
run) [ -e "$data/exit" ] && exit "$(cat "$data/exit")" ;;
config) if grep -q nonsense "$data/ddns.toml"; then echo "ddns.toml:2: unknown key nonsense"; exit 10; fi ;;
secret) mkdir -p "$data/secrets"; cat > "$data/secrets/$3" ;;
remove) cat "$data/removal"; exit "$(cat "$data/removal-exit")" ;;
esac
exit 0
"""
SETTINGS = 'schema = 1\n\n[provider.main]\nkind = "cloudflare"\ntoken = "file:main-token"\n'
CANARY = "canary-4f1d9b"
STEPS = (
    *("Preflight", "Folders", "Package", "Settings", "Enrolment", "Secrets", "Snapshot", "Trial", "Task", "Launcher"),
    *("Current", "System", "FirstRun", "Msi", "Prune", "Record"),
)


@pytest.fixture
def machine(tmp_path: Path, served: Served) -> Deployed:
    return Deployed(tmp_path / "machine", served)


@pytest.fixture
def releases(tmp_path: Path) -> Callable[..., Package]:
    def make(version: str = "1.0.0", more: bytes = b"", **others: Any) -> Package:
        return package(tmp_path / "releases", version, CLIENT + more, **others)

    return make


@pytest.fixture
def settings(tmp_path: Path) -> str:
    path = tmp_path / "asked.toml"
    path.write_text(SETTINGS)
    return str(path)


@pytest.fixture
def deployed(machine: Deployed, releases: Callable[..., Package], settings: str) -> Deployed:
    """A machine with version 1.0.0."""
    made = machine.call("Install-Ddns", {"Secret": CANARY}, **releases().asked, ConfigPath=settings, NoStart=True)
    assert made["Outcome"] == "Installed", made
    return machine


def failed(result: Row, code: str) -> None:
    """A result row that says what is wrong and what to do, as an error, too."""
    assert result["Error"] is not None, result
    assert result["Error"]["Code"] == code, result["Error"]
    assert result["Error"]["Advice"].strip()
    assert result["errors"] == [f"Ddns.{code}"]


def test_each_step_is_told(deployed: Deployed, releases: Callable[..., Package]) -> None:
    result = deployed.install(releases("1.1.0"), NoStart=True)
    assert tuple(steps(result)) == STEPS
    assert result["Schema"] == 1
    assert all(step["Milliseconds"] >= 0 for step in result["Steps"])


def test_what_is_not_said_stays(deployed: Deployed, releases: Callable[..., Package]) -> None:
    assert deployed.install(Interval="5m", NoNetworkTrigger=True, Account="NetworkService")["Outcome"] == "Updated"
    assert deployed.install(releases("1.1.0"), NoStart=True)["Outcome"] == "Updated"
    task = deployed.task()
    assert "<Interval>PT5M</Interval>" in task
    assert "NetworkProfile" not in task
    assert "S-1-5-20" in task
    assert deployed.install()["Outcome"] == "Unchanged"


def test_what_would_be_done_is_told_and_nothing_is_touched(
    machine: Deployed, releases: Callable[..., Package], settings: str
) -> None:
    result = machine.install(releases(), ConfigPath=settings, WhatIf=True)
    assert (result["Outcome"], result["Changed"], result["Error"]) == ("WhatIf", False, None)
    assert steps(result)["Task"] == "WouldDo"
    assert machine.tree() == set()


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_the_next_deployment_finishes(
    deployed: Deployed, releases: Callable[..., Package], step: str
) -> None:
    (deployed.data / "state" / "state.db").write_bytes(b"state")
    new = releases("1.1.0", b"# new\n")
    deployed.more = {"EndAfter": step}
    killed = deployed.raw({"command": "Install-Ddns", "parameters": {**new.asked, "NoStart": True}})
    assert killed.exit != 0
    deployed.more = {}
    result = deployed.install(new, NoStart=True)
    assert result["Error"] is None, result
    assert result["Version"] == "1.1.0"
    assert "1.1.0/app/ddns" in deployed.task()
    assert (deployed.programs / "bin" / "current").read_text() == "1.1.0"
    assert b"1.1.0" in (deployed.programs / "bin" / "ddns").read_bytes()
    left = {path.name for path in deployed.programs.iterdir()}
    assert left == {"1.0.0", "1.1.0", "bin", "deploy.lock", "deployment.json", "snapshots", "staging", "task.xml"}
    assert not list((deployed.programs / "staging").iterdir())
    assert not (deployed.tasks / "Tasks" / "DDNS" / "Trial.xml").exists()
    assert deployed.install(new)["Outcome"] == "Unchanged"


def test_what_a_trial_that_was_killed_left_goes(deployed: Deployed) -> None:
    """Its task may run the client as an account that may read the secrets: it must not stay, even if nothing is new."""
    trial = deployed.tasks / "Tasks" / "DDNS" / "Trial.xml"
    deployed.calls(
        script="""
$xml = (Export-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update) -replace '^<\\?xml[^>]*>', ''
Register-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Trial -Xml $xml -Force | Out-Null
'done'"""
    )
    assert trial.exists()
    assert deployed.install(NoStart=True)["Outcome"] == "Unchanged"
    assert not trial.exists()


def test_a_copy_of_a_state_that_changed_meanwhile_does_not_count(machine: Deployed) -> None:
    """A run writes between the copy of the database and that of its journal."""
    state = machine.root / "state"
    state.mkdir(parents=True)
    (state / "state.db").write_text("old")
    told = machine.calls(
        script=f"""
& (Get-Module -Name Ddns) {{
    Copy-DdnsState -From '{state}' -To '{machine.root}/copy'
    $real = ${{function:Join-DdnsPath}}
    function Join-DdnsPath {{
        param([string[]]$Part)
        if ($Part[-1] -eq 'state.db-journal') {{ [IO.File]::AppendAllText('{state}/state.db', ' new') }}
        & $real -Part $Part
    }}
    Copy-DdnsState -From '{state}' -To '{machine.root}/copy'
}}"""
    )
    assert told == [True, False]
    assert (machine.root / "copy" / "state.db").read_text() == "old"


def test_what_can_not_be_taken_back_at_once_is_tried_again(machine: Deployed) -> None:
    """The last step goes back first; one that stays does not keep the others."""
    told = machine.calls(
        script="""
& (Get-Module -Name Ddns) {
    $run = @{ Undo = New-Object System.Collections.ArrayList; NotUndone = New-Object System.Collections.ArrayList }
    $run.Steps = New-Object System.Collections.ArrayList
    $script:said = @(); $script:tries = 0
    Add-DdnsUndo -Run $run -Name 'First' -Body { $script:said += 'First' }
    Add-DdnsUndo -Run $run -Name 'Held' -Body {
        $script:tries++
        if ($script:tries -lt 3) { throw [IO.IOException]::new('a reader has it') }
        $script:said += 'Held'
    }
    Add-DdnsUndo -Run $run -Name 'Stuck' -Body { throw [IO.IOException]::new('for good') }
    $any = Invoke-DdnsUndo -Run $run
    $steps = @($run.Steps | ForEach-Object { "$($_.Name) $($_.Outcome)" })
    @{ any = $any; said = $script:said; stuck = @($run.NotUndone); steps = $steps }
}"""
    )
    assert told == [
        {
            "any": True,
            "said": ["Held", "First"],
            "stuck": ["Stuck"],
            "steps": ["Stuck Failed", "Held Undone", "First Undone"],
        }
    ]


def says(machine: Deployed, code: int, record: str, key: str, message: str = "") -> None:
    """What the client will answer when it is told to take everything back."""
    error = {"code": "x", "message": message, "advice": "Do it."} if message else None
    told = {
        "records": [{"name": "home.example.test", "type": "A", "outcome": record, "error": error}],
        "gateways": [{"url": "https://gw.test", "host": "h7", "state": key, "error": error}],
    }
    (machine.data / "removal").write_text(json.dumps({"schema": 1, "command": "remove", "data": told}))
    (machine.data / "removal-exit").write_text(str(code))


def test_the_record_goes_before_the_files(deployed: Deployed) -> None:
    says(deployed, 0, "would be removed", "enrolled")
    before = deployed.tree()
    plan = deployed.call("Uninstall-Ddns", RemoveRecord=True, WhatIf=True)
    assert (plan["Outcome"], steps(plan)["Records"]) == ("WhatIf", "WouldDo")
    assert "home.example.test A, the key at https://gw.test" in str(plan["Steps"])
    assert "--dry-run" in (deployed.data / "arguments").read_text().splitlines()[-1]
    assert deployed.tree() - before <= {"ProgramData/DDNS/arguments"}

    says(deployed, 0, "removed", "revoked")
    result = deployed.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)

    assert (result["Outcome"], result["Tombstone"], result["Error"]) == ("Removed", None, None)
    names = list(steps(result))
    assert names.index("Task") < names.index("Records") < names.index("Files")
    assert "remove --all --revoke --json --yes" in (deployed.data / "arguments").read_text().splitlines()[-1]
    assert not deployed.programs.exists()
    # Settings that name a revoked key are of no use to the next deployment.
    assert not (deployed.data / "ddns.toml").exists()
    assert (deployed.data / "ddns.toml.before").exists()
    assert not (deployed.data / "tombstone.json").exists()


@pytest.mark.parametrize(
    ("record", "key", "outcome", "detail"),
    [
        ("would stay", "absent", "Unchanged", "home.example.test A: would stay"),
        ("is gone", "enrolled", "WouldDo", "remove the key at https://gw.test; home.example.test A: is gone"),
        ("would be removed", "absent", "WouldDo", "remove home.example.test A"),
        ("failed", "absent", "Warning", "home.example.test A: failed"),
    ],
)
def test_a_plan_names_as_removed_only_what_would_go(
    deployed: Deployed, record: str, key: str, outcome: str, detail: str
) -> None:
    says(deployed, 0, record, key)
    plan = deployed.call("Uninstall-Ddns", RemoveRecord=True, WhatIf=True)
    (step,) = [step for step in plan["Steps"] if step["Name"] == "Records"]
    assert (step["Outcome"], step["Detail"]) == (outcome, detail)


def test_a_gateway_that_is_away_leaves_a_tombstone_and_what_is_needed_to_go_on(deployed: Deployed) -> None:
    says(deployed, 13, "deferred", "failed", "gw.test can't be reached")
    result = deployed.call("Uninstall-Ddns", RemoveRecord=True, RemoveData=True, Confirm=False)
    failed(result, "GatewayUnreachable")
    assert "home.example.test A, the key at https://gw.test: gw.test can't be reached" in result["Error"]["Message"]
    kept = json.loads((deployed.data / "tombstone.json").read_text(encoding="utf-8-sig"))
    assert kept == result["Tombstone"]
    assert kept["Records"] == ["home.example.test A"]
    assert kept["Gateways"] == [{"Url": "https://gw.test", "Host": "h7"}]
    assert (deployed.task(), deployed.programs.exists()) == ("", True)
    assert (deployed.data / "secrets" / "main-token").exists()
    assert deployed.call("Get-DdnsTask", Detailed=True)["Tombstone"] == kept

    says(deployed, 0, "removed", "revoked")
    done = deployed.call("Uninstall-Ddns", RemoveRecord=True, RemoveData=True, Confirm=False)
    assert (done["Outcome"], done["Tombstone"], done["Error"]) == ("Removed", None, None)
    assert deployed.tree() == {"tasks/Tasks/DDNS"}


@pytest.mark.parametrize(
    ("code", "record", "key", "expected"),
    [(12, "failed", "enrolled", "RecordLeft"), (2, "", "", "NotYet"), (14, "", "", "Busy"), (0, "", "", "RecordLeft")],
)
def test_what_is_not_taken_back_stays_and_is_told(
    deployed: Deployed, code: int, record: str, key: str, expected: str
) -> None:
    says(deployed, code, record, key, "not allowed")
    if not record:
        (deployed.data / "removal").write_text("no JSON")
    failed(deployed.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False), expected)
    assert deployed.programs.exists()
    assert (deployed.data / "tombstone.json").exists()


def test_what_somebody_else_wrote_is_not_waited_for(deployed: Deployed) -> None:
    says(deployed, 12, "contended", "revoked", "another wrote it")
    result = deployed.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)
    assert (result["Outcome"], steps(result)["Records"]) == ("Removed", "Warning")


def test_deployed_again_a_machine_publishes_again(deployed: Deployed) -> None:
    """It was retired, though its record could not be taken back."""
    says(deployed, 13, "deferred", "failed", "away")
    assert deployed.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)["Outcome"] == "Failed"
    assert deployed.install(NoStart=True)["Error"] is None
    calls = [line.split()[0] for line in (deployed.data / "arguments").read_text().splitlines()]
    assert calls.index("resume") > calls.index("remove")
    assert not (deployed.data / "tombstone.json").exists()
    assert "resume" not in (deployed.data / "arguments").read_text().split("resume", 1)[1]
    assert deployed.install(NoStart=True)["Outcome"] == "Unchanged"


def test_a_machine_that_lost_its_state_but_not_its_mark_publishes_again(
    deployed: Deployed, releases: Callable[..., Package]
) -> None:
    assert deployed.call("Uninstall-Ddns", Confirm=False)["Outcome"] == "Removed"
    state = deployed.data / "state"
    state.mkdir(exist_ok=True)
    (state / "state.db").unlink(missing_ok=True)
    (state / "retired").write_text("1\n")
    assert deployed.install(releases(), NoStart=True)["Error"] is None
    assert "resume" in (deployed.data / "arguments").read_text().split()


def test_without_the_program_nobody_can_take_the_record_back(deployed: Deployed) -> None:
    says(deployed, 13, "deferred", "failed", "away")
    deployed.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)
    gone = deployed.call("Uninstall-Ddns", Confirm=False)
    assert (gone["Outcome"], gone["Tombstone"]["Records"]) == ("Removed", ["home.example.test A"])
    late = deployed.call("Uninstall-Ddns", RemoveRecord=True, Confirm=False)
    failed(late, "RecordLeft")
    assert "ddns gateway retire" in late["Error"]["Advice"]


def test_old_versions_go_but_for_the_last(deployed: Deployed, releases: Callable[..., Package]) -> None:
    """With the copies of their state."""
    (deployed.data / "state" / "state.db").write_bytes(b"state")
    for version in ("1.1.0", "1.2.0", "1.10.0"):
        assert deployed.install(releases(version, version.encode()), NoStart=True)["Outcome"] == "Updated"
    assert {path.name for path in deployed.programs.iterdir() if path.name[0].isdigit()} == {"1.2.0", "1.10.0"}
    assert [path.name for path in (deployed.programs / "snapshots").iterdir()] == ["1.2.0"]


def test_an_older_version_only_when_asked_for(deployed: Deployed, releases: Callable[..., Package]) -> None:
    old = releases("0.9.0", b"# old\n")
    failed(deployed.install(old), "Downgrade")
    assert "1.0.0/app/ddns" in deployed.task()
    assert not (deployed.programs / "0.9.0").exists()
    assert deployed.install(old, AllowDowngrade=True, NoStart=True)["Version"] == "0.9.0"


def test_a_damaged_program_is_put_right(deployed: Deployed, releases: Callable[..., Package]) -> None:
    (deployed.programs / "1.0.0" / "app" / "ddns").write_bytes(CLIENT + b"# changed")
    (deployed.programs / "1.0.0" / "app" / "planted.dll").write_bytes(b"MZ")
    (answer,) = deployed.calls({"command": "Test-DdnsTask"})
    assert {row["Actual"] for row in answer["output"]} == {"app/ddns differs", "app/planted.dll is not in it"}
    assert deployed.install(releases(), NoStart=True)["Outcome"] == "Updated"
    assert (deployed.programs / "1.0.0" / "app" / "ddns").read_bytes() == CLIENT
    assert not (deployed.programs / "1.0.0" / "app" / "planted.dll").exists()


class TestPackages:
    """What is not the release leaves no trace."""

    @pytest.mark.parametrize(
        ("code", "spoil"),
        [
            ("PackageHash", lambda good, make: Package(good.path, "0" * 64)),
            ("PackageUnsigned", lambda good, make: Package(good.path, "")),
            ("PackageMissing", lambda good, make: Package(good.path.with_name("none.zip"), good.sha256)),
            ("PackageSlip", lambda good, make: make("1.0.0", files={"../../evil": b"x"})),
            ("PackageSlip", lambda good, make: make("1.0.0", files={"app/nul.txt": b"x"})),
            ("PackageCorrupt", lambda good, make: make("1.0.0", list_of={"app/ddns": b"other"})),
            ("PackageCorrupt", lambda good, make: make("1.0.0", list_of={"app/missing": b"other"})),
            ("PackageCorrupt", lambda good, make: make("1.0.0", release={"version": "one"})),
            ("PackageArchitecture", lambda good, make: make("1.0.0", release={"architecture": "arm64"})),
        ],
        ids=["hash", "nobody-vouches", "missing", "dots", "device", "content", "file", "version", "architecture"],
    )
    def test_is_refused(
        self,
        machine: Deployed,
        releases: Callable[..., Package],
        settings: str,
        code: str,
        spoil: Callable[[Package, Callable[..., Package]], Package],
    ) -> None:
        bad = spoil(releases(), releases)
        failed(machine.install(bad, ConfigPath=settings), code)
        assert machine.tree() == set()

    def test_cut_short(self, machine: Deployed, releases: Callable[..., Package], settings: str) -> None:
        good = releases()
        data = good.path.read_bytes()
        good.path.write_bytes(data[: len(data) // 2])
        cut = Package(good.path, hashlib.sha256(good.path.read_bytes()).hexdigest())
        failed(machine.install(cut, ConfigPath=settings), "PackageCorrupt")
        assert machine.tree() == set()

    def test_a_file_that_the_list_does_not_name(
        self, machine: Deployed, releases: Callable[..., Package], settings: str
    ) -> None:
        good = releases()
        with zipfile.ZipFile(good.path, "a") as zipped:
            zipped.writestr("app/planted.dll", b"MZ")
        planted = Package(good.path, hashlib.sha256(good.path.read_bytes()).hexdigest())
        failed(machine.install(planted, ConfigPath=settings), "PackageCorrupt")
        assert machine.tree() == set()

    def test_replaced_on_the_share_after_it_was_hashed(
        self, machine: Deployed, releases: Callable[..., Package], settings: str
    ) -> None:
        good = releases()
        good.path.write_bytes(releases("1.0.0", b"# evil\n").path.read_bytes())
        failed(machine.install(good, ConfigPath=settings), "PackageHash")
        assert machine.tree() == set()

    def test_too_large_for_the_disk(self, machine: Deployed, tmp_path: Path, settings: str) -> None:
        huge = tmp_path / "huge.zip"
        with open(huge, "wb") as file:
            file.truncate(4 << 40)
        failed(machine.install(Package(huge, "1" * 64), ConfigPath=settings), "DiskFull")
        assert machine.tree() == set()

    def test_known_by_its_hash_it_is_not_needed(self, deployed: Deployed, releases: Callable[..., Package]) -> None:
        here = releases()
        asked = deployed.call("Install-Ddns", Sha256=here.sha256, Interval="20m", NoStart=True)
        assert asked["Outcome"] == "Updated", asked
        here.path.unlink()
        assert deployed.call("Install-Ddns", Sha256=here.sha256)["Outcome"] == "Unchanged"
        failed(deployed.call("Install-Ddns", Sha256="2" * 64), "PackageMissing")


class TestAccounts:
    def test_not_elevated(self, machine: Deployed, releases: Callable[..., Package], settings: str) -> None:
        result = machine.call(
            "Install-Ddns", environ={"DDNS_FAKE_ELEVATED": "0"}, **releases().asked, ConfigPath=settings
        )
        failed(result, "NotElevated")
        assert machine.tree() == set()

    def test_unknown(self, machine: Deployed, releases: Callable[..., Package], settings: str) -> None:
        failed(machine.install(releases(), ConfigPath=settings, Account="CORP\\nobody$"), "AccountUnknown")
        assert machine.tree() - {"tasks/Tasks/DDNS"} == set()

    def test_a_user_needs_a_password(self, machine: Deployed, releases: Callable[..., Package], settings: str) -> None:
        failed(machine.install(releases(), ConfigPath=settings, Account="CORP\\anna"), "AccountRight")
        assert machine.tree() == set()

    def test_may_not_log_on_as_a_batch_job(
        self, machine: Deployed, releases: Callable[..., Package], settings: str
    ) -> None:
        machine.tasks.mkdir(parents=True)
        users = [
            {"Name": "ddns$", "Sid": "S-1-5-21-1-2-3-1105", "Domain": "CORP", "Kind": "gmsa", "NoBatchLogon": True}
        ]
        (machine.tasks / "machine.json").write_text(json.dumps({"Users": users}))
        failed(machine.install(releases(), ConfigPath=settings, Account="CORP\\ddns$"), "AccountRight")
        assert machine.tree() - {"tasks/Tasks/DDNS"} == set()

    def test_a_group_managed_one(self, machine: Deployed, releases: Callable[..., Package], settings: str) -> None:
        machine.tasks.mkdir(parents=True)
        users = [{"Name": "ddns$", "Sid": "S-1-5-21-1-2-3-1105", "Domain": "CORP", "Kind": "gmsa"}]
        (machine.tasks / "machine.json").write_text(json.dumps({"Users": users}))
        made = machine.install(releases(), ConfigPath=settings, Account="CORP\\ddns$", NoStart=True)
        assert made["Outcome"] == "Installed", made
        assert "<LogonType>Password</LogonType>" in machine.task()
        assert "ProcessTokenSidType" not in machine.task()

    def _anna(self, machine: Deployed, asked: str, password: str = "") -> Row:
        """Install-Ddns with this command line, for a user, by SID, with a password or without one."""
        (machine.tasks).mkdir(parents=True, exist_ok=True)
        users = [
            {"Name": "anna", "Sid": "S-1-5-21-1-2-3-1106", "Domain": "CORP", "Kind": "user", "Password": "rose"},
        ]
        (machine.tasks / "machine.json").write_text(json.dumps({"Users": users}))
        account = "-Account S-1-5-21-1-2-3-1106"
        if password:
            account = "-TaskCredential ([pscredential]::new('S-1-5-21-1-2-3-1106', $secret))"
        (result,) = machine.calls(
            script=f"""
$secret = New-Object -TypeName System.Security.SecureString
foreach ($character in '{password}'.ToCharArray()) {{ $secret.AppendChar($character) }}
Install-Ddns {asked} {account} -ErrorAction SilentlyContinue"""
        )
        return {**result, "errors": [f"Ddns.{result['Error']['Code']}"] if result["Error"] else []}

    def test_a_users_task_that_stays_needs_no_password_again(
        self, machine: Deployed, releases: Callable[..., Package], settings: str
    ) -> None:
        """A deployment each day changes nothing, and has no password."""
        first = releases()
        asked = f"-Package '{first.path}' -Sha256 {first.sha256} -ConfigPath '{settings}' -NoStart"
        assert self._anna(machine, asked, "rose")["Outcome"] == "Installed"
        task = machine.task()
        again = self._anna(machine, asked)
        assert (again["Outcome"], again["Error"]) == ("Unchanged", None), again
        failed(self._anna(machine, asked + " -Interval 20m"), "AccountRight")
        new = releases("1.1.0", b"# new\n")
        failed(self._anna(machine, f"-Package '{new.path}' -Sha256 {new.sha256} -NoStart"), "AccountRight")
        assert machine.task() == task
        assert not (machine.programs / "1.1.0").exists()
        assert self._anna(machine, asked + " -Interval 20m", "rose")["Outcome"] == "Updated"

    def test_a_password_is_for_its_own_accounts_task_only(
        self, machine: Deployed, releases: Callable[..., Package], settings: str
    ) -> None:
        """From LocalService to a user; the first run fails; the old definition comes back, without the password."""
        first = releases()
        machine.install(first, ConfigPath=settings, NoStart=True)
        task = machine.task()
        new = package(first.path.parent, "1.1.0", CLIENT.replace(b"run) ", b"run) [ $2 = --trial ] || exit 1; "))
        back = self._anna(machine, f"-Package '{new.path}' -Sha256 {new.sha256}", "rose")
        assert back["Outcome"] == "RolledBack", back
        assert steps(back)["Task"] == "Undone", back["Steps"]
        assert machine.task() == task


class TestSettings:
    def test_wrong_ones_never_replace_right_ones(self, deployed: Deployed, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong.toml"
        wrong.write_text("schema = 1\nnonsense = 2\n")
        result = deployed.install(ConfigPath=str(wrong))
        failed(result, "SettingsInvalid")
        assert "ddns.toml:2: unknown key nonsense" in result["Error"]["Message"]
        failed(deployed.call("Set-DdnsConfig", Path=str(wrong)), "SettingsInvalid")
        assert (deployed.data / "ddns.toml").read_text() == SETTINGS

    def test_none_at_all(self, machine: Deployed, releases: Callable[..., Package]) -> None:
        failed(machine.install(releases()), "SettingsMissing")
        assert machine.tree() == set()

    def test_those_that_fail_their_trial_are_taken_back(self, deployed: Deployed, tmp_path: Path) -> None:
        other = tmp_path / "other.toml"
        other.write_text(SETTINGS + "# other\n")
        (deployed.data / "exit").write_text("12")
        result = deployed.call("Set-DdnsConfig", {"Secret": "wrong-token"}, Path=str(other))
        failed(result, "TrialFailed")
        assert (deployed.data / "ddns.toml").read_text() == SETTINGS
        assert (deployed.data / "secrets" / "main-token").read_text().strip() == CANARY

    def test_new_ones_replace_the_old(self, deployed: Deployed, tmp_path: Path) -> None:
        other = tmp_path / "other.toml"
        other.write_text(SETTINGS + "# other\n")
        assert deployed.call("Set-DdnsConfig", Path=str(other))["Outcome"] == "Updated"
        assert deployed.call("Set-DdnsConfig", Path=str(other))["Outcome"] == "Unchanged"
        assert (deployed.data / "ddns.toml").read_text().endswith("# other\n")
        assert (deployed.data / "ddns.toml.before").read_text() == SETTINGS

    @pytest.mark.parametrize("interval", ["30s", "59s", "PT30S", "00:00:30", "90s", "32d", "soon"])
    def test_an_interval_that_no_task_can_have(self, machine: Deployed, interval: str) -> None:
        (answer,) = machine.calls({"command": "Install-Ddns", "parameters": {"Interval": interval}})
        assert answer["thrown"]
        if interval in {"30s", "59s", "PT30S", "00:00:30"}:
            assert "resident mode" in answer["thrown"]
        assert machine.tree() == set()


class TestDrift:
    def _edit(self, machine: Deployed, old: str, new: str) -> None:
        text = machine.task()
        assert old in text
        machine.calls(
            script=f"""
$xml = Export-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update
$xml = ($xml -replace '^<\\?xml[^>]*>', '').Replace('{old}', '{new}')
Register-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update -Xml $xml -Force | Out-Null
'done'"""
        )

    def test_an_edited_task_is_told_and_changed_back_only_by_force(
        self, deployed: Deployed, releases: Callable[..., Package]
    ) -> None:
        right = deployed.task()
        self._edit(deployed, "PT10M</Interval>", "PT3H</Interval>")
        (answer,) = deployed.calls({"command": "Test-DdnsTask"})
        (row,) = answer["output"]
        assert (row["Area"], row["Item"]) == ("Task", "Triggers/TimeTrigger/Repetition/Interval")
        assert (row["Expected"], row["Actual"]) == ("600", "10800")
        (answer,) = deployed.calls({"command": "Get-DdnsTask"})
        assert answer["output"][0]["DefinitionMatch"] is False
        told = deployed.install()
        assert (told["Outcome"], steps(told)["Task"]) == ("Unchanged", "Warning")
        failed(deployed.install(releases("1.1.0"), NoStart=True), "TaskEdited")
        assert "PT3H" in deployed.task()
        assert deployed.install(Force=True, NoStart=True)["Outcome"] == "Updated"
        assert deployed.task() == right

    def test_a_disabled_task_stays_disabled(self, deployed: Deployed, releases: Callable[..., Package]) -> None:
        deployed.calls(script="Disable-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update | Out-Null; 'done'")
        (answer,) = deployed.calls({"command": "Test-DdnsTask"})
        assert [row["Item"] for row in answer["output"]] == ["Settings/Enabled"]
        upgraded = deployed.install(releases("1.1.0"), NoStart=True)
        assert upgraded["Outcome"] == "Updated", upgraded
        assert steps(upgraded)["Task"] == "Warning"
        assert "<Enabled>false</Enabled>" in deployed.task()
        assert deployed.install(Force=True, NoStart=True)["Outcome"] == "Updated"
        assert "<Enabled>false</Enabled>" not in deployed.task()

    def test_a_task_that_users_may_change(self, deployed: Deployed) -> None:
        """Whoever may change it runs code as its account. That Windows lets the account read it is no fault."""
        self._edit(deployed, "(A;;FA;;;BA)", "(A;;FA;;;BA)(A;;FRFX;;;LS)(A;;0x1301bf;;;BU)(A;;FA;;;WD)")
        (answer,) = deployed.calls({"command": "Test-DdnsTask"})
        assert [row["Actual"] for row in answer["output"]] == ["BU may", "WD may"]

    def test_a_task_that_is_gone_comes_back(self, deployed: Deployed) -> None:
        right = deployed.task()
        deployed.calls(script="Unregister-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update -Confirm:$false; 'done'")
        (answer,) = deployed.calls({"command": "Test-DdnsTask"})
        assert [(row["Area"], row["Actual"]) for row in answer["output"]] == [("Mode", "")]
        assert deployed.install(NoStart=True)["Outcome"] == "Updated"
        assert deployed.task() == right

    def test_nothing_differs_after_a_deployment(self, deployed: Deployed) -> None:
        quiet, rows = deployed.calls(
            {"command": "Test-DdnsTask", "parameters": {"Quiet": True}}, {"command": "Test-DdnsTask"}
        )
        assert quiet["output"] == [True]
        assert rows["output"] == []


class TestFolders:
    def test_a_link_is_refused(
        self, machine: Deployed, releases: Callable[..., Package], settings: str, tmp_path: Path
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        machine.data.parent.mkdir(parents=True)
        machine.data.symlink_to(tmp_path / "elsewhere")
        failed(machine.install(releases(), ConfigPath=settings), "UnsafeFolder")
        assert list((tmp_path / "elsewhere").iterdir()) == []
        assert not machine.programs.exists()

    def test_two_at_once(self, deployed: Deployed) -> None:
        with open(deployed.programs / "deploy.lock", "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            failed(deployed.install(Interval="7m"), "Busy")
        assert deployed.install(Interval="7m", NoStart=True)["Outcome"] == "Updated"

    def test_an_empty_task_folder_is_no_hindrance(
        self, machine: Deployed, releases: Callable[..., Package], settings: str
    ) -> None:
        machine.calls(
            script="""
$action = New-ScheduledTaskAction -Execute 'x.exe'
Register-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Old -Action $action | Out-Null
Unregister-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Old -Confirm:$false
'done'"""
        )
        assert machine.install(releases(), ConfigPath=settings, NoStart=True)["Outcome"] == "Installed"


def test_a_first_installation_that_fails_keeps_old_data(
    machine: Deployed, releases: Callable[..., Package], settings: str
) -> None:
    machine.data.mkdir(parents=True)
    (machine.data / "ddns.toml").write_text("schema = 1\n# mine\n")
    (machine.data / "exit").write_text("12")
    result = machine.install(releases(), ConfigPath=settings)
    failed(result, "TrialFailed")
    assert result["Outcome"] == "Failed"
    assert (machine.data / "ddns.toml").read_text() == "schema = 1\n# mine\n"
    assert not machine.programs.exists()
    assert machine.task() == ""


@pytest.mark.parametrize(
    ("code", "outcome"), [(11, "Updated"), (13, "Updated"), (12, "RolledBack"), (10, "RolledBack")]
)
def test_an_upgrade_passes_when_only_the_network_is_bad(
    deployed: Deployed, releases: Callable[..., Package], code: int, outcome: str
) -> None:
    (deployed.data / "exit").write_text(str(code))
    assert deployed.install(releases("1.1.0"), NoStart=True)["Outcome"] == outcome


@pytest.mark.parametrize(("code", "outcome"), [(12, "Updated"), (1, "RolledBack"), (20, "RolledBack")])
def test_the_old_version_ended_alike(
    deployed: Deployed, releases: Callable[..., Package], code: int, outcome: str
) -> None:
    """A provider that refuses the old version's token refuses the new one's: no reason to stay. A crash is one."""
    (deployed.data / "exit").write_text(str(code))
    (deployed.data / "public").mkdir(exist_ok=True)
    (deployed.data / "public" / "status.json").write_text(json.dumps({"schema": 1, "run": {"exit": code}}))
    upgraded = deployed.install(releases("1.1.0"))
    assert upgraded["Outcome"] == outcome
    assert steps(upgraded)["Trial"] == ("Warning" if outcome == "Updated" else "Failed")


@pytest.mark.parametrize(("written", "left"), [("new", "old"), ("newer, and legible", "newer, and legible")])
def test_state_returns_when_the_old_version_can_not_read_what_the_new_one_left(
    machine: Deployed, settings: str, written: str, left: str
) -> None:
    """The new version writes a state and fails. What the old one can read stays: it tells what was done."""
    old = (
        CLIENT.replace(b"exit 0\n", b"").rstrip()
        + b"""
if [ "$1" = run ] && grep -qx new "$data/state/state.db"; then exit 15; fi
exit 0
"""
    )
    new = (
        CLIENT.replace(b"exit 0\n", b"").rstrip()
        + f"""
if [ "$1" = run ] && [ "$2" != --trial ]; then echo '{written}' > "$data/state/state.db"; exit 1; fi
exit 0
""".encode()
    )
    first = package(machine.root / "r", "1.0.0", old)
    machine.install(first, ConfigPath=settings, NoStart=True)
    (machine.data / "state" / "state.db").write_text("old")
    back = machine.install(package(machine.root / "r", "1.1.0", new))
    assert back["Outcome"] == "RolledBack", back
    assert back["Error"]["Code"] == "FirstRun"
    assert back["Steps"][-1]["Name"] == "State", "when the old task and version are in force again"
    assert (machine.data / "state" / "state.db").read_text().strip() == left


def test_the_secret_is_nowhere_but_in_its_place(
    machine: Deployed, releases: Callable[..., Package], settings: str, tmp_path: Path
) -> None:
    """A deployment with every log on, one that works and one that fails; then every file is searched."""
    (tmp_path / "asked.toml").write_text(SETTINGS)
    good = releases()
    script = f"""
Start-Transcript -Path '{tmp_path}/transcript.txt' | Out-Null
$secure = [System.Security.SecureString]::new()
foreach ($character in [IO.File]::ReadAllText('{tmp_path}/token').ToCharArray()) {{ $secure.AppendChar($character) }}
$VerbosePreference = 'Continue'
$DebugPreference = 'Continue'
$asked = @{{ Package = '{good.path}'; Sha256 = '{good.sha256}'; ConfigPath = '{settings}'; Secret = $secure }}
Install-Ddns @asked -Verbose 4>'{tmp_path}/verbose.txt' | Out-String | Write-Output
[IO.File]::WriteAllText('{machine.data}/exit', '12')
Set-DdnsConfig -Secret $secure -Verbose -ErrorAction Continue 4>>'{tmp_path}/verbose.txt' | Out-String | Write-Output
try {{ Install-Ddns -Secret 'plain text' }} catch {{ 'refused: ' + $_.Exception.Message }}
$Error | Format-List * -Force | Out-File '{tmp_path}/errors.txt'
$Error | Export-Clixml -Path '{tmp_path}/errors.xml' -Depth 3
Get-History | Out-File '{tmp_path}/history.txt'
Stop-Transcript | Out-Null
"""
    (tmp_path / "token").write_text(CANARY)
    said = machine.calls(script=script)
    (tmp_path / "token").unlink()
    assert any("never plain text" in line for line in said), said
    found = {
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if path.is_file() and CANARY.encode() in path.read_bytes().replace(b"\0", b"")
    }
    assert found == {os.path.join("machine", "ProgramData", "DDNS", "secrets", "main-token")}
    arguments = (machine.data / "arguments").read_text()
    assert re.search(r"^secret set main-token --data ", arguments, re.MULTILINE)


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("ProgramData/DDNS/ddns.toml.new", "Settings"),
        ("Program Files/DDNS/task.xml.new", "Task"),
        ("Program Files/DDNS/bin/ddns.new", "Launcher"),
        ("Program Files/DDNS/bin/current.new", "Current"),
        ("Program Files/DDNS/deployment.json.new", "Record"),
    ],
)
def test_the_disk_is_full_half_way(
    deployed: Deployed, releases: Callable[..., Package], tmp_path: Path, file: str, step: str
) -> None:
    """An upgrade with new settings; a write fails as on a full disk; the old version is in force, whole."""
    before = {path: (deployed.root / path).read_bytes() for path in deployed.tree() if (deployed.root / path).is_file()}
    other = tmp_path / "other.toml"
    other.write_text(SETTINGS + "# other\n")
    (deployed.root / file).symlink_to("/dev/full")
    result = deployed.install(releases("1.1.0", b"# new\n"), ConfigPath=str(other), NoStart=True)
    (deployed.root / file).unlink(missing_ok=True)
    failed(result, "DiskFull")
    assert (result["Outcome"], result["Version"]) == ("RolledBack", "1.0.0")
    assert [one["Name"] for one in result["Steps"] if one["Outcome"] == "Failed"] == [step]
    after = {path: (deployed.root / path).read_bytes() for path in deployed.tree() if (deployed.root / path).is_file()}
    kept = {path: data for path, data in before.items() if not path.endswith(("arguments", "state.json", ".before"))}
    assert {path: data for path, data in after.items() if path in kept} == kept
    assert deployed.install(releases("1.1.0", b"# new\n"), ConfigPath=str(other), NoStart=True)["Version"] == "1.1.0"


class TestUsersTasks:
    """A task of a named user, whose password only the task scheduler keeps."""

    @pytest.fixture
    def of_anna(self, machine: Deployed, releases: Callable[..., Package], settings: str) -> Deployed:
        machine.tasks.mkdir(parents=True)
        users = [{"Name": "anna", "Sid": "S-1-5-21-1-2-3-1106", "Domain": "CORP", "Kind": "user", "Password": "rose"}]
        (machine.tasks / "machine.json").write_text(json.dumps({"Users": users}))
        made = self._install(machine, releases(), f"-ConfigPath '{settings}' -NoStart", "rose")
        assert made["Outcome"] == "Installed", made
        return machine

    def _install(self, machine: Deployed, package: Package, more: str, password: str = "") -> Row:
        login = "-TaskCredential ([pscredential]::new('S-1-5-21-1-2-3-1106', $secret))" if password else ""
        (result,) = machine.calls(
            script=f"""
$secret = New-Object -TypeName System.Security.SecureString
foreach ($character in '{password}'.ToCharArray()) {{ $secret.AppendChar($character) }}
Install-Ddns -Package '{package.path}' -Sha256 {package.sha256} {more} {login} -ErrorAction SilentlyContinue"""
        )
        return dict(result)

    def _fails_when_it_counts(self, releases: Callable[..., Package]) -> Package:
        folder = releases().path.parent
        return package(folder, "1.1.0", CLIENT.replace(b"run) ", b"run) [ $2 = --trial ] || exit 1; "))

    def test_comes_back_with_the_password_that_was_given(
        self, of_anna: Deployed, releases: Callable[..., Package]
    ) -> None:
        task = of_anna.task()
        back = self._install(of_anna, self._fails_when_it_counts(releases), "", "rose")
        assert (back["Outcome"], back["Version"]) == ("RolledBack", "1.0.0"), back
        assert of_anna.task() == task

    def test_is_not_given_up_for_what_can_not_be_taken_back(
        self, of_anna: Deployed, releases: Callable[..., Package]
    ) -> None:
        """To another account, which fails: nobody has the password for the way back, and that is said."""
        back = self._install(of_anna, self._fails_when_it_counts(releases), "-Account LocalService")
        assert (back["Outcome"], back["Version"]) == ("Failed", "1.0.0"), back
        assert "could not be taken back: Task" in back["Error"]["Advice"]
        (told,) = [step["Detail"] for step in back["Steps"] if (step["Name"], step["Outcome"]) == ("Task", "Failed")]
        assert "without the password; it runs version 1.0.0 as LocalService" in told
        assert "1.0.0/app/ddns" in of_anna.task()
        assert "S-1-5-19" in of_anna.task()
        assert not (of_anna.programs / "1.1.0").exists()
        again = self._install(of_anna, releases(), "-NoStart", "rose")
        assert again["Outcome"] == "Updated", again
        assert "S-1-5-21-1-2-3-1106" in of_anna.task()
