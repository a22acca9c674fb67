"""What goes wrong on a Windows machine, under Wine: an MSI, a program in use, kills, others at work, folders of users.

The programs in the releases are stand-ins (`ground.standin`) that know their version and little else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ground import NotHere, not_run, pwsh, standin
from packages import facts, msi
from powershell.one.machine import Once, Package, Row, Windows, steps
from powershell.one.on_windows import release, typed
from windows.errors import BuildError
from windows.resources.version import ICON

SETTINGS = 'schema = 1\n\n[provider.main]\nkind = "cloudflare"\ntoken = "dpapi:main-token"\n'
BIN = r"C:\Program Files\DDNS\bin"


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Package]:
    """Releases of stand-ins."""

    def made(version: str) -> Package:
        try:
            tree = standin.tree(tmp_path / "trees" / version, version)
        except BuildError as missing:
            not_run(NotHere(str(missing)))
        return release(tmp_path / "releases", tree, version)

    return made


class Asked:
    """Deployments of one machine, as parameters and as script text."""

    def __init__(self, windows: Windows, folder: Path) -> None:
        self.windows = windows
        file = folder / "asked.toml"
        file.write_text(SETTINGS)
        self._settings = windows.served.shell.path(file)

    def __call__(self, package: Package, **more: object) -> Row:
        """The parameters."""
        path = self.windows.served.shell.path(package.path)
        return {"Package": path, "Sha256": package.sha256, "ConfigPath": self._settings, "NoStart": True, **more}

    def text(self, package: Package, more: str = "") -> str:
        """The command, whose result is an object."""
        asked = self(package)
        return (
            f"(Install-Ddns -Package '{asked['Package']}' -Sha256 {asked['Sha256']} -ConfigPath '{asked['ConfigPath']}'"
            f" -NoStart {more} -ErrorAction SilentlyContinue -WarningAction SilentlyContinue)"
        )


@pytest.fixture
def asked(windows: Windows, tmp_path: Path) -> Asked:
    return Asked(windows, tmp_path)


def version_on(windows: Windows) -> str:
    """What the launcher on PATH starts."""
    machine = windows.served.shell.machine
    assert machine is not None
    return machine.run(f"{BIN}\\ddns.exe", "--version").stdout.decode().strip()


def test_an_msi_is_taken_over_only_when_that_was_said(
    windows: Windows, asked: Asked, make: Callable[[str], Package], tmp_path: Path
) -> None:
    machine = windows.served.shell.machine
    assert machine is not None
    package = make("0.2.0")
    tree = standin.tree(tmp_path / "trees" / "0.1.0", "0.1.0")
    msi.make(facts.facts(), standin.build("0.1.0"), tree, ICON, tmp_path / "ddns.msi")
    assert machine.run("msiexec", "/i", windows.served.shell.path(tmp_path / "ddns.msi"), "/qn").returncode == 0
    assert version_on(windows) == "ddns 0.1.0"
    kept = windows.root / "ProgramData" / "DDNS" / "state" / "kept.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("what was published")
    old = windows.root / "Program Files" / "DDNS" / "msi"
    assert old.exists()

    refused, row, adopted = windows.calls(
        {"command": "Install-Ddns", "parameters": asked(package)},
        {"command": "Get-DdnsTask"},
        {"command": "Install-Ddns", "parameters": asked(package, AdoptMsi=True)},
    )
    (result,) = refused["output"]
    assert (result["Outcome"], result["Error"]["Code"], result["Changed"]) == ("Failed", "MsiInstalled", False)
    assert "-AdoptMsi" in result["Error"]["Advice"]
    assert row["output"][0]["Version"] == "0.1.0", row

    (result,) = adopted["output"]
    assert result["Error"] is None, json.dumps(result, indent=1)
    assert (result["Version"], steps(result)["Msi"]) == ("0.2.0", "Done")
    assert version_on(windows) == "ddns 0.2.0"
    assert not old.exists()
    assert kept.read_text() == "what was published"
    marks = windows.calls(
        script=r"Test-Path -LiteralPath 'HKLM:\SOFTWARE\DDNS\Msi'; "
        "@([Environment]::GetEnvironmentVariable('Path', 'Machine').Split(';') |"
        f" Where-Object {{ $_.TrimEnd('\\') -eq '{BIN}' }}).Count; "
        r"Test-Path -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\DDNS'"
    )
    assert marks == [False, 1, True]


#: Steps of an upgrade after which something is different from what it was.
KILLS = ("Folders", "Package", "Snapshot", "Trial", "Task", "Launcher", "Current", "System", "Prune", "Record")


class Places(Windows):
    """The machine whose deployment ends after a step, as if killed."""

    after = ""

    @property
    def places(self) -> Row:  # type: ignore[override]  # see Windows
        return {"Binaries": r"C:\Program Files\DDNS", "Data": r"C:\ProgramData\DDNS", "EndAfter": self.after}


@pytest.mark.parametrize("kills", [KILLS[:5], KILLS[5:]], ids=["begin", "end"])
def test_killed_between_any_two_steps_of_an_upgrade(
    windows: Windows, asked: Asked, make: Callable[[str], Package], kills: tuple[str, ...]
) -> None:
    """The next deployment of the same version puts it right, each time; the one after is killed at the next step."""
    assert isinstance(windows.served, Once)
    mortal = Places(windows.root, windows.served)
    made = windows.call("Install-Ddns", {"Secret": "token"}, **asked(make("0.1.0")))
    assert made["Outcome"] == "Installed", json.dumps(made, indent=1)
    (windows.root / "ProgramData" / "DDNS" / "state" / "state.db").write_bytes(b"state")
    before = make("0.1.0")
    for number, step in enumerate(kills, 2):
        package = make(f"0.{number}.0")
        mortal.after = step
        text = f"$repaired = {asked.text(before)}\n[IO.File]::WriteAllText('C:\\repaired', $repaired.Error.Code)\n"
        killed = mortal.raw(script=_unmarked(text) + asked.text(package))
        assert killed.exit != 0, (step, killed)
        assert (windows.root / "repaired").read_text() == "", step
        before = package
    (mended, again) = windows.calls(
        *({"command": "Install-Ddns", "parameters": asked(before)} for _ in range(2)),
    )
    (result,) = mended["output"]
    assert result["Error"] is None, json.dumps(result, indent=1)
    assert again["output"][0]["Outcome"] == "Unchanged", again
    version = f"0.{len(kills) + 1}.0"
    assert rf"{version}\app\ddns.exe" in windows.task()
    assert version_on(windows) == f"ddns {version}"
    programs = windows.root / "Program Files" / "DDNS"
    left = {path.name for path in programs.iterdir()}
    previous = f"0.{len(kills)}.0"
    whole = {version, previous, "bin", "deploy.lock", "deployment.json", "snapshots", "staging", "task.xml"}
    assert left == whole
    assert not list((programs / "staging").iterdir())
    assert {path.name for path in (programs / "bin").iterdir()} == {"ddns.exe", "current"}
    assert not (windows.tasks / "Tasks" / "DDNS" / "Trial.xml").exists()


def _unmarked(text: str) -> str:
    """With the places of the machine itself, so that nothing ends it."""
    return f"& $module {{ $script:DdnsPlaces = $null }}\n{text}& $module {{ $script:DdnsPlaces = $args[0] }} $places\n"


def test_a_program_in_use_is_no_hindrance(windows: Windows, asked: Asked, make: Callable[[str], Package]) -> None:
    """A run goes on through two upgrades, with the program and the launcher that it began with."""
    made = windows.call("Install-Ddns", {"Secret": "token"}, **asked(make("0.1.0")))
    assert made["Outcome"] == "Installed", json.dumps(made, indent=1)
    second, third = make("0.2.0"), make("0.3.0")
    old = r"C:\Program Files\DDNS\0.1.0\app\ddns.exe"
    answer = windows.calls(
        script=f"""
$start = New-Object -TypeName System.Diagnostics.ProcessStartInfo -ArgumentList '{BIN}\\ddns.exe', 'run'
$start.UseShellExecute = $false
$start.RedirectStandardInput = $true
$start.RedirectStandardOutput = $true
$running = [System.Diagnostics.Process]::Start($start)
$running.StandardOutput.ReadLine()
{asked.text(second)}
$held = [System.IO.File]::Open('{old}', 'Open', 'Read', 'Read')
{asked.text(third)}
$running.HasExited
[System.IO.File]::Exists('{old}')
$running.StandardInput.Close()
$running.StandardOutput.ReadToEnd().Trim()
$running.WaitForExit()
$held.Dispose()
{asked.text(third)}
[System.IO.File]::Exists('{old}')
"""
    )
    begun, upgraded, again, over, there, ended, last, left = answer
    assert begun == "running 0.1.0"
    assert upgraded["Outcome"] == "Updated", upgraded
    assert again["Outcome"] == "Updated", again
    assert any("still in use" in step["Detail"] for step in again["Steps"]), again["Steps"]
    assert (over, there) == (False, True)
    assert ended == "ended 0.1.0"
    assert last["Error"] is None, last
    assert left is False
    assert version_on(windows) == "ddns 0.3.0"


def test_what_must_not_be_touched_is_not(windows: Windows, asked: Asked, make: Callable[[str], Package]) -> None:
    """A data folder that a user made, an account that is not there, another deployment, the wrong package."""
    package, newer = make("0.1.0"), make("0.2.0")
    other = make("0.3.0")
    answers = windows.calls(
        script=f"""
$data = 'C:\\ProgramData\\DDNS'
[void][System.IO.Directory]::CreateDirectory($data)
$acl = Get-Acl -LiteralPath $data
$acl.SetOwner([System.Security.Principal.SecurityIdentifier]'S-1-5-21-1-2-3-1001')
Set-Acl -LiteralPath $data -AclObject $acl
{asked.text(package)}
[System.IO.Directory]::Delete($data)
{asked.text(package, "-Account 'CORP-nobody'")}
$env:PROCESSOR_ARCHITEW6432 = 'x86'
{asked.text(package)}
$env:PROCESSOR_ARCHITEW6432 = ''
[System.IO.Directory]::Exists($data)
[System.IO.Directory]::Exists('C:\\Program Files\\DDNS')
{asked.text(newer)}
$held = [System.IO.File]::Open('C:\\Program Files\\DDNS\\deploy.lock', 'Open', 'ReadWrite', 'None')
{asked.text(other)}
$held.Dispose()
{asked.text(package)}
"""
    )
    owned, nobody, wrong, data, programs, made, busy, older = answers
    assert owned["Error"]["Code"] == "UnsafeFolder", owned
    assert "S-1-5-21-1-2-3-1001" in owned["Error"]["Message"]
    assert nobody["Error"]["Code"] == "AccountUnknown", nobody
    assert wrong["Error"]["Code"] == "PackageArchitecture", wrong
    assert (data, programs) == (False, False)
    assert made["Outcome"] == "Installed", json.dumps(made, indent=1)
    assert busy["Error"]["Code"] == "Busy", busy
    assert older["Error"]["Code"] == "Downgrade", older
    assert r"0.2.0\app\ddns.exe" in windows.task()


def test_a_policy_that_wants_signatures_stops_the_script_before_it_begins(
    windows: Windows, make: Callable[[str], Package]
) -> None:
    package = make("0.1.0")
    script = package.path.with_name("Deploy-DDNS.ps1")
    script.write_bytes((pwsh.PS / "Deploy-DDNS.ps1").read_bytes())
    ended = typed(windows, "exit 0")
    assert ended.exit == 0
    shell = windows.served.shell
    command = shell.command("-ExecutionPolicy", "AllSigned", "-File", shell.path(script), "-Sha256", package.sha256)
    ended = shell._run(command, None, "", 120)
    assert ended.exit != 0
    assert ended.err.startswith("SecurityError"), ended
    assert "cannot be loaded" in ended.err
    assert not (windows.root / "Program Files" / "DDNS").exists()
