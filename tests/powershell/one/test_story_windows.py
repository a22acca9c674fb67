"""The life of one Windows machine, under Wine: the program and the scripts as released, and a real DNS server.

The task scheduler is a double that starts the real program.
"""

from __future__ import annotations

import json
from pathlib import Path

from e2e.world import FIRST, SECOND, World
from powershell.one.machine import Row, Windows, steps
from powershell.one.on_windows import release, typed


def test_the_life_of_a_windows_machine(windows: Windows, program: Path, windows_world: World, tmp_path: Path) -> None:
    shell = windows.served.shell
    zipped = release(tmp_path / "releases", program, "0.1.0")
    asked: Row = {
        "Package": shell.path(zipped.path),
        "Sha256": zipped.sha256,
        "ConfigPath": shell.path(tmp_path / "draft" / "ddns.toml"),
    }
    before = {path for path in windows.root.rglob("*") if "DDNS" in str(path)}
    made = windows.call("Install-Ddns", {"Secret": {"tsig": windows_world.bind.key.secret}}, **asked)
    assert made["Outcome"] == "Installed", json.dumps(made, indent=1)
    assert windows_world.published() == (FIRST,)

    row, drift = windows.calls({"command": "Get-DdnsTask"}, {"command": "Test-DdnsTask"})
    assert row["output"][0]["Health"] == "OK", row
    assert row["output"][0]["Address"] == FIRST
    assert drift["output"] == []

    again = windows.call("Install-Ddns", **asked)
    assert again["Outcome"] == "Unchanged", json.dumps(again, indent=1)

    windows_world.move(SECOND)
    assert windows.call("Start-DdnsTask", Wait=True)["Address"] == SECOND
    assert windows_world.published() == (SECOND,)

    other = release(tmp_path / "releases", program, "0.2.0", {"LICENSE.txt": b"other"})
    upgraded = windows.call("Install-Ddns", Package=shell.path(other.path), Sha256=other.sha256)
    assert (upgraded["Outcome"], upgraded["Version"]) == ("Updated", "0.2.0"), json.dumps(upgraded, indent=1)
    assert r"0.2.0\app\ddns.exe" in windows.task()

    broken = release(tmp_path / "releases", program, "0.3.0", {"app/ddns.exe": b"MZ this is no program"})
    back = windows.call("Install-Ddns", Package=shell.path(broken.path), Sha256=broken.sha256)
    assert (back["Outcome"], back["Version"]) == ("RolledBack", "0.2.0"), json.dumps(back, indent=1)
    assert steps(back)["Trial"] == "Failed"
    assert r"0.2.0\app\ddns.exe" in windows.task()

    gone = windows.call("Uninstall-Ddns", RemoveData=True, Confirm=False)
    assert gone["Outcome"] == "Removed", json.dumps(gone, indent=1)
    left = {path for path in windows.root.rglob("*") if "DDNS" in str(path)} - before
    assert {path.name for path in left} <= {"DDNS"}, left
    keys = (
        r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\DDNS",
        r"HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\DDNS",
    )
    there, path = windows.calls(
        script="@(Test-Path -LiteralPath " + ", ".join(f"'{key}'" for key in keys) + ") -contains $true;"
        " [Environment]::GetEnvironmentVariable('Path', 'Machine')"
    )
    assert there is False
    assert "DDNS" not in path


def test_the_scripts_stand_alone_on_a_share(windows: Windows, share: Path, windows_world: World) -> None:
    at = windows.served.shell.path(share)
    key = windows_world.bind.key.secret
    asked = f"-ConfigPath '{windows.served.shell.path(share.parent / 'draft' / 'ddns.toml')}'"

    nobody = typed(windows, f"& '{at}\\Deploy-DDNS.ps1' {asked}; exit $LASTEXITCODE")
    assert nobody.exit == 2
    assert "vouches for the package" in " ".join(nobody.err.split())
    other = typed(windows, f"& '{at}\\Deploy-DDNS.ps1' {asked} -Sha256 {'0' * 64}; exit $LASTEXITCODE")
    assert other.exit == 2
    assert "vouched for" in other.err
    assert not list(windows.root.glob("Program Files/DDNS*"))

    deploy = f"""
$secure = New-Object -TypeName System.Security.SecureString
foreach ($character in '{key}'.ToCharArray()) {{ $secure.AppendChar($character) }}
& '{at}\\Deploy-DDNS.ps1' {asked} -Sha256 {(share / "hash").read_text()} -Secret @{{ tsig = $secure }}
exit $LASTEXITCODE
"""
    made = typed(windows, deploy)
    assert made.exit == 0, made
    assert "Outcome : Installed" in " ".join(made.out.split()), made.out
    assert windows_world.published() == (FIRST,)
    assert [path.name for path in windows.root.glob("Program Files/DDNS*")] == ["DDNS"]

    asked_here = typed(windows, f"& '{at}\\Get-DDNS.ps1'; exit $LASTEXITCODE")
    assert asked_here.exit == 0, asked_here
    assert FIRST in asked_here.out
    installed = r"C:\Program Files\DDNS\0.1.0\ps"
    gone = typed(windows, f"& '{installed}\\Uninstall-DDNS.ps1' -RemoveData -Confirm:$false; exit $LASTEXITCODE")
    assert gone.exit == 0, gone
    assert not (windows.root / "Program Files" / "DDNS").exists()
    assert not (windows.root / "ProgramData" / "DDNS").exists()


def test_start_modes_leave_nothing_of_each_other(windows: Windows, program: Path, tmp_path: Path) -> None:
    shell = windows.served.shell
    zipped = release(tmp_path / "releases", program, "0.1.0")
    settings = tmp_path / "asked.toml"
    settings.write_text(
        'schema = 1\n[[record]]\nname = "a.example.test"\nprovider = "main"\n'
        '[provider.main]\nkind = "cloudflare"\ntoken = "dpapi:main-token"\n'
        '[detect]\nsources = [{ url = "http://127.0.0.1:9/", operator = "a" }]\ntimeout = "1s"\n'
    )
    asked: Row = {"Package": shell.path(zipped.path), "Sha256": zipped.sha256, "ConfigPath": shell.path(settings)}
    task = windows.call("Install-Ddns", {"Secret": "token"}, **asked, NoStart=True)
    assert (task["Outcome"], task["Mode"]) == ("Installed", "Task"), json.dumps(task, indent=1)

    logon = windows.call("Install-Ddns", Mode="LogonTask", NoStart=True)
    assert logon["Outcome"] == "Updated", json.dumps(logon, indent=1)
    assert "<LogonTrigger>" in windows.task()
    assert "<TimeTrigger>" not in windows.task()

    service = windows.call("Install-Ddns", Mode="Service", NoStart=True)
    assert (service["Outcome"], service["Mode"]) == ("Updated", "Service"), json.dumps(service, indent=1)
    assert windows.task() == ""
    row, again = windows.calls(
        {"command": "Get-DdnsTask"}, {"command": "Install-Ddns", "parameters": {"NoStart": True}}
    )
    assert row["output"][0]["Mode"] == "Service"
    assert again["output"][0]["Outcome"] == "Unchanged", again

    back = windows.call("Install-Ddns", Mode="Task", NoStart=True)
    assert (back["Outcome"], back["Mode"]) == ("Updated", "Task"), json.dumps(back, indent=1)
    script = "$null -ne (Get-Service -Name DDNS -ErrorAction SilentlyContinue)"
    assert windows.calls(script=script) == [False]

    beside = windows.call("Install-Ddns", **asked, Mode="RunKey")
    assert beside["Error"]["Code"] == "Unsupported"
    assert windows.call("Uninstall-Ddns", RemoveData=True, Confirm=False)["Outcome"] == "Removed"

    user = windows.call("Install-Ddns", {"Secret": "token"}, **asked, Mode="RunKey", NoStart=True)
    assert (user["Outcome"], user["Mode"]) == ("Installed", "RunKey"), json.dumps(user, indent=1)
    assert not (windows.root / "Program Files" / "DDNS").exists()
    assert not (windows.root / "ProgramData" / "DDNS").exists()
    run = r"(Get-ItemProperty -LiteralPath 'HKCU:\Software\Microsoft\Windows\CurrentVersion\Run').DDNS"
    (command,) = windows.calls(script=run)
    assert r"\Programs\DDNS\0.1.0\app\ddns.exe" in command
    assert "watch --every 10m --data" in command
    (row,) = windows.calls({"command": "Get-DdnsTask"})
    assert row["output"][0]["Mode"] == "RunKey", row
    assert windows.call("Uninstall-Ddns", RemoveData=True, Confirm=False)["Outcome"] == "Removed"
    assert windows.calls(script=f"[string]({run})") == [""]
    assert not list(windows.root.rglob("AppData/Local/**/DDNS"))


RESIDENT = "@(Get-Process -Name ddns -ErrorAction Ignore | ForEach-Object { $_.Path })"


def test_a_service_and_a_run_key_begin_at_once(
    windows: Windows, program: Path, windows_world: World, tmp_path: Path
) -> None:
    """What stays resident runs when the deployment ends, and is gone when another mode has taken its place."""
    shell = windows.served.shell
    zipped = release(tmp_path / "releases", program, "0.1.0")
    settings = shell.path(tmp_path / "draft" / "ddns.toml")
    asked: Row = {"Package": shell.path(zipped.path), "Sha256": zipped.sha256, "ConfigPath": settings}
    secret = {"Secret": {"tsig": windows_world.bind.key.secret}}

    service = windows.call("Install-Ddns", secret, **asked, Mode="Service")
    assert (service["Outcome"], service["Mode"]) == ("Installed", "Service"), json.dumps(service, indent=1)
    assert windows_world.published() == (FIRST,)
    state, path = windows.calls(script=f"[string](Get-Service -Name DDNS).Status; {RESIDENT}")
    assert (state, path) == ("Running", r"C:\Program Files\DDNS\0.1.0\app\ddns.exe")

    windows_world.move(SECOND)
    task = windows.call("Install-Ddns", Mode="Task")
    assert (task["Outcome"], task["Mode"]) == ("Updated", "Task"), json.dumps(task, indent=1)
    assert windows_world.published() == (SECOND,)
    assert windows.calls(script=f"(Get-Service -Name DDNS -ErrorAction Ignore).Count; {RESIDENT}.Count") == [0, 0]
    assert windows.call("Uninstall-Ddns", RemoveData=True, Confirm=False)["Outcome"] == "Removed"

    windows_world.move(FIRST)
    user = windows.call("Install-Ddns", secret, **asked, Mode="RunKey")
    assert (user["Outcome"], user["Mode"]) == ("Installed", "RunKey"), json.dumps(user, indent=1)
    assert windows_world.published() == (FIRST,)
    (path,) = windows.calls(script=RESIDENT)
    assert path.endswith(r"\Programs\DDNS\0.1.0\app\ddns.exe")
    assert windows.call("Uninstall-Ddns", RemoveData=True, Confirm=False)["Outcome"] == "Removed"
    assert windows.calls(script=f"{RESIDENT}.Count") == [0]
