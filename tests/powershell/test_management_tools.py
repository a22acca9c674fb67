"""Group Policy and Intune: the start-up script, the preference task, and the Win32 package."""

from __future__ import annotations

import hashlib
import os
import re
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from ground import NotHere, not_run, pwsh

GPO, INTUNE = pwsh.PS / "gpo", pwsh.PS / "intune"
HASH = "ab" * 32
#: Stands for Deploy-DDNS.ps1: notes its arguments, and does what a deployment leaves behind.
DEPLOY = """
[CmdletBinding(SupportsShouldProcess)]
param($Package, $Sha256, $Version, $Publisher, $ConfigPath, $Interval, $WaitSeconds, $Gateway)
$said = @($PSBoundParameters.Keys | Sort-Object | ForEach-Object { "$_=$($PSBoundParameters[$_])" })
[IO.File]::AppendAllText("$env:CALLS", ($said -join '|') + "`n")
if ($env:DEPLOY_FAILS) {
    [pscustomobject]@{ Outcome = 'Failed'; Version = ''; Error = [pscustomobject]@{ Code = $env:DEPLOY_FAILS } }
    Write-Error "it did not work: $env:DEPLOY_FAILS" -ErrorAction Continue
    exit 1
}
$folder = "$env:ProgramW6432/DDNS"
$null = New-Item -ItemType Directory -Force -Path "$folder/bin", "$folder/$Version/app"
[IO.File]::WriteAllText("$folder/bin/current", $Version)
[IO.File]::WriteAllText("$folder/$Version/app/ddns.exe", '')
[pscustomobject]@{ Outcome = 'Installed'; Version = $Version; Error = $null }
exit 0
"""


@dataclass
class Desk:
    """A machine that a script runs on, as far as it looks at one."""

    shell: pwsh.Shell
    folder: Path
    script: Path

    @property
    def programs(self) -> Path:
        return self.folder / "DDNS"

    def run(self, *arguments: str, **environ: str) -> pwsh.Ended:
        known = {
            "ProgramW6432": str(self.folder),
            "PROCESSOR_ARCHITECTURE": "AMD64",
            "CALLS": str(self.folder / "calls"),
        }
        return self.shell.file(self.script, *arguments, environ=known | environ)

    def calls(self) -> list[dict[str, str]]:
        """The deployments that were begun."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [dict(part.split("=", 1) for part in line.split("|")) for line in lines]


@pytest.fixture
def gpo(shell: pwsh.Shell, tmp_path: Path) -> Desk:
    (tmp_path / "Deploy-DDNS.ps1").write_text(DEPLOY)
    script = tmp_path / "Start-DDNS.ps1"
    script.write_bytes((GPO / "Start-DDNS.ps1").read_bytes())
    return Desk(shell, tmp_path, script)


PINS = ("-Share", "/share", "-Version", "1.4.0", "-Sha256", f"amd64={HASH}", "-Publisher", "CN=Example")


def test_the_start_up_script_deploys_what_is_pinned(gpo: Desk) -> None:
    ended = gpo.run(*PINS)
    assert (ended.exit, ended.err) == (0, "")
    (call,) = gpo.calls()
    assert call["Package"] == "/share/ddns-1.4.0-windows-amd64.zip"
    assert (call["Sha256"], call["Publisher"], call["Version"]) == (HASH, "CN=Example", "1.4.0")
    assert "ended with 0: Installed 1.4.0" in (gpo.programs / "gpo.log").read_text()


def test_a_machine_of_a_gateway_keeps_what_enrolment_wrote(gpo: Desk) -> None:
    assert gpo.run(*PINS, "-Gateway", "https://gw.example.com", "-ConfigPath", "/share/base.toml").exit == 0
    (call,) = gpo.calls()
    assert (call["Gateway"], call["ConfigPath"]) == ("https://gw.example.com", "/share/base.toml")
    assert gpo.run(*PINS, "-Gateway", "https://other.example.com", "-ConfigPath", "/share/base.toml").exit == 0
    assert len(gpo.calls()) == 2, "another gateway is something new"


def test_its_log_has_the_same_times_in_every_culture(gpo: Desk) -> None:
    before = "$c = [cultureinfo]::InvariantCulture.Clone(); $c.DateTimeFormat.TimeSeparator = '.'"
    environ = {"ProgramW6432": str(gpo.folder), "PROCESSOR_ARCHITECTURE": "AMD64", "CALLS": str(gpo.folder / "calls")}
    pins = " ".join(part if part.startswith("-") else f"'{part}'" for part in PINS)
    gpo.shell.text(f"{before}; [cultureinfo]::CurrentCulture = $c; & '{gpo.script}' {pins}", environ=environ)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ended with 0", (gpo.programs / "gpo.log").read_text())


def test_it_asks_nothing_when_nothing_has_changed(gpo: Desk) -> None:
    gpo.run(*PINS)
    assert gpo.run(*PINS).exit == 0
    assert len(gpo.calls()) == 1


@pytest.mark.parametrize("what", ["pin", "program", "current", "age"])
def test_it_looks_again_when_something_has(gpo: Desk, what: str) -> None:
    gpo.run(*PINS)
    pins: tuple[str, ...] = PINS
    if what == "pin":
        pins = tuple(part.replace(HASH, "cd" * 32) for part in PINS)
    elif what == "program":
        (gpo.programs / "1.4.0" / "app" / "ddns.exe").unlink()
    elif what == "current":
        (gpo.programs / "bin" / "current").write_text("..\\evil")
    else:
        old = time.time() - 25 * 3600
        os.utime(gpo.programs / "gpo.mark", (old, old))
    assert gpo.run(*pins).exit == 0
    assert len(gpo.calls()) == 2


def test_a_failure_is_told_and_tried_again(gpo: Desk) -> None:
    gpo.programs.mkdir()
    ended = gpo.run(*PINS, DEPLOY_FAILS="PackageHash")
    assert ended.exit == 1
    assert "it did not work" in ended.err
    assert "ended with 1" in (gpo.programs / "gpo.log").read_text()
    assert gpo.run(*PINS).exit == 0
    assert len(gpo.calls()) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amd64=": "arm64="}, "No SHA-256 is pinned for amd64"),
        ({HASH: "12ab"}, "Sha256"),
        ({"1.4.0": "..\\1"}, "Version"),
    ],
)
def test_wrong_pins_are_refused(gpo: Desk, change: dict[str, str], words: str) -> None:
    ((old, new),) = change.items()
    ended = gpo.run(*(part.replace(old, new) for part in PINS))
    assert ended.exit != 0
    assert words in ended.err
    assert gpo.calls() == []


def test_the_preference_task_is_updated_not_replaced() -> None:
    root = ET.parse(GPO / "ScheduledTasks.xml").getroot()
    (properties,) = root.iter("Properties")
    assert properties.attrib["action"] == "U"
    assert root.find(".//Exec/Command") is not None
    arguments = root.findtext(".//Exec/Arguments") or ""
    text = (GPO / "Start-DDNS.ps1").read_text()
    known = set(re.findall(r"^    \[[^\n]*\] \$(\w+)", text, re.MULTILINE))
    assert set(re.findall(r" -([A-Z]\w+)", arguments)) - {"NoProfile", "NonInteractive", "File"} <= known
    assert properties.attrib["name"] != "Update"
    assert root.findtext(".//RandomDelay") == "PT4H"


@pytest.fixture
def zip_file(tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "ddns-1.4.0-windows-amd64.zip"
    path.write_bytes(b"a release")
    return path, hashlib.sha256(b"a release").hexdigest()


@pytest.fixture
def package(shell: pwsh.Shell, tmp_path: Path, zip_file: tuple[Path, str]) -> Desk:
    """The source folder of the Intune app, with the stand-in for the deployment in it."""
    ended = shell.file(
        INTUNE / "New-DdnsIntunePackage.ps1",
        *("-Zip", str(zip_file[0]), "-Sha256", zip_file[1], "-Destination", str(tmp_path / "app")),
        *("-Publisher", "CN=O'Hara", "-Interval", "5m"),
    )
    assert ended.exit == 0, ended
    assert "IntuneWinAppUtil.exe" in ended.out
    (tmp_path / "app" / "Deploy-DDNS.ps1").write_text(DEPLOY)
    return Desk(shell, tmp_path, tmp_path / "app" / "Install-DDNS.ps1")


def test_the_intune_package_installs_what_it_pins(package: Desk, zip_file: tuple[Path, str]) -> None:
    names = {path.name for path in (package.folder / "app").iterdir()}
    assert names == {"Deploy-DDNS.ps1", "Uninstall-DDNS.ps1", "Install-DDNS.ps1", "Package.psd1", zip_file[0].name}
    assert package.run().exit == 0
    (call,) = package.calls()
    assert (call["Publisher"], call["Sha256"], call["Interval"]) == ("CN=O'Hara", zip_file[1], "5m")
    assert Path(call["Package"]).read_bytes() == b"a release"


@pytest.mark.parametrize(("code", "ends"), [("Busy", 1618), ("PackageHash", 1)])
def test_return_codes(package: Desk, code: str, ends: int) -> None:
    assert package.run(DEPLOY_FAILS=code).exit == ends % 256  # what a Unix keeps of it


def test_detection(package: Desk) -> None:
    """Exit code 0 with output: installed; anything else: not."""
    try:
        double = pwsh.tasks_double()
    except NotHere as missing:
        not_run(missing)
    detect = Desk(package.shell, package.folder, package.folder / "app.Detect-DDNS.ps1")
    environ = {
        "DDNS_FAKE_TASKS": str(package.folder / "tasks"),
        "PSModulePath": str(double.parent),
    }
    register = Path(package.folder / "register.ps1")
    register.write_text(
        "param($Source)\n"
        '$xml = \'<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><RegistrationInfo>'
        "<Source>' + $Source + '</Source></RegistrationInfo><Triggers /><Principals><Principal id=\"Author\">"
        '<UserId>S-1-5-19</UserId></Principal></Principals><Settings /><Actions Context="Author"><Exec>'
        "<Command>C:\\x.exe</Command></Exec></Actions></Task>'\n"
        "$null = Register-ScheduledTask -TaskPath '\\DDNS\\' -TaskName Update -Xml $xml -Force -ErrorAction Stop\n"
    )
    assert (detect.run(**environ).exit, detect.run(**environ).out) == (1, "")
    assert package.run().exit == 0
    assert detect.run(**environ).exit == 1, "the task is not there yet"
    for source, installed in (("somebody", False), ("ddns;1;sha256=ab", True)):
        assert package.shell.file(register, "-Source", source, environ=environ).exit == 0
        ended = detect.run(**environ)
        assert (ended.exit == 0 and ended.out == "ddns 1.4.0\n") == installed
    (package.programs / "bin" / "current").write_text("1.3.9")
    assert detect.run(**environ).exit == 1


def test_a_zip_that_was_not_meant_makes_no_package(
    shell: pwsh.Shell, tmp_path: Path, zip_file: tuple[Path, str]
) -> None:
    ended = shell.file(
        INTUNE / "New-DdnsIntunePackage.ps1",
        *("-Zip", str(zip_file[0]), "-Sha256", HASH, "-Destination", str(tmp_path / "app")),
    )
    assert ended.exit != 0
    assert "not the file that was meant" in ended.err
    assert not (tmp_path / "app").exists()
