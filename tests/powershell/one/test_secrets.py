"""How a secret comes to a machine, and that it is nowhere but in its place, on Linux and under Wine."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ddns.gateway import operators
from e2e.conftest import Gateway
from e2e.world import FIRST, SECOND, World
from ground import leaks, pwsh
from ground.bind import Bind
from powershell.one.machine import MODULE, Deployed, Served, Windows, package, script
from powershell.one.on_windows import typed

VAULT = pwsh.ROOT / "tests" / "powershell" / "doubles" / "vault"
CANARY = "canary+4f1d9b=c2/77"
SETTINGS = 'schema = 1\n\n[provider.main]\nkind = "cloudflare"\ntoken = "file:main-token"\n'
#: Stands for the client where only the way of the secret counts.
KEEPS = b"""#!/bin/sh
case $1 in
secret) mkdir -p "$5/secrets"; cat > "$5/secrets/$3" ;;
esac
exit 0
"""


@pytest.fixture
def machine(tmp_path: Path, served: Served) -> Deployed:
    return Deployed(tmp_path / "machine", served)


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """The parameters of a deployment that lack the secret."""
    (tmp_path / "asked.toml").write_text(SETTINGS)
    zipped = package(tmp_path / "releases", program=KEEPS)
    return f"-Package '{zipped.path}' -Sha256 {zipped.sha256} -ConfigPath '{tmp_path}/asked.toml' -NoStart"


def stored(machine: Deployed) -> str:
    """What the machine keeps as its only secret."""
    (path,) = (machine.data / "secrets").iterdir()
    return path.read_text()


def test_typed_at_the_prompt(tmp_path: Path, machine: Deployed, asked: str, shell: pwsh.Shell) -> None:
    """PowerShell's own prompt, on a terminal. What is typed does not appear there."""
    file = tmp_path / "typed.ps1"
    places = json.dumps(machine.places)
    file.write_text(
        f"Import-Module '{pwsh.tasks_double() / 'ScheduledTasks.psd1'}' -DisableNameChecking\n"
        f"$module = Import-Module '{MODULE}' -PassThru -DisableNameChecking\n"
        f"$places = @{{}}\n('{places}' | ConvertFrom-Json).PSObject.Properties |"
        " ForEach-Object { $places[$_.Name] = $_.Value }\n"
        "& $module { $script:DdnsPlaces = $args[0] } $places\n"
        f"Install-Ddns {asked} -Secret (Read-Host -AsSecureString -Prompt Token)\n"
    )
    master, terminal = pty.openpty()
    with subprocess.Popen(
        (str(shell.program), "-NoProfile", "-File", str(file)),
        env=shell.environment({"DDNS_FAKE_TASKS": str(machine.tasks)}),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        os.write(master, f"{CANARY}\n".encode())
        screen = b"".join(iter(lambda: _read(master), b"")).decode()
    os.close(master)
    assert process.returncode == 0, screen
    assert "Token: " in screen
    assert "Installed" in screen
    assert stored(machine) == f"{CANARY}\n"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other side is closed
        return b""


SECURE = """
$secure = New-Object -TypeName System.Security.SecureString
foreach ($character in '{canary}'.ToCharArray()) {{ $secure.AppendChar($character) }}
"""


@pytest.mark.parametrize(
    "given",
    [
        "-Secret $secure",
        "-Secret ([pscredential]::new('anybody', $secure))",
        "-Secret @{ 'main-token' = $secure }",
        "-Secret @{ 'main-token' = [pscredential]::new('anybody', $secure) }",
        "-SecretName ddns -Vault Company",
        "-SecretName ddns",
    ],
)
def test_given_to_the_command(tmp_path: Path, machine: Deployed, asked: str, given: str) -> None:
    (tmp_path / "vault").write_text(f"other=no\nddns={CANARY}\n")
    path = f"$env:PSModulePath = '{VAULT}' + [IO.Path]::PathSeparator + $env:PSModulePath"
    answer = machine.calls(
        script=f"{path}\n{SECURE.format(canary=CANARY)}\nInstall-Ddns {asked} {given}",
        environ={"VAULT": str(tmp_path / "vault")},
    )
    assert answer[0]["Outcome"] == "Installed", answer
    assert stored(machine) == f"{CANARY}\n"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("-Secret '{canary}'", "never plain text"),
        ("-Secret @{{ 'main-token' = '{canary}' }}", "never plain text"),
        ("-SecretName none -Vault Company", "The secret none was not found"),
        ("-SecretName ddns -Vault Other", "Vault Other does not exist"),
        ("-SecretName ddns -NoVault", "install Microsoft.PowerShell.SecretManagement"),
    ],
)
def test_what_is_no_secret_is_refused_before_anything_is_done(
    tmp_path: Path, machine: Deployed, asked: str, given: str, words: str
) -> None:
    (tmp_path / "vault").write_text(f"ddns={CANARY}\n")
    path = f"$env:PSModulePath = '{VAULT}'" if "-NoVault" not in given else "$env:PSModulePath = '/nowhere'"
    asked_for = given.replace(" -NoVault", "").format(canary=CANARY)
    restore = "$env:PSModulePath = $was; Remove-Module -Name Microsoft.PowerShell.SecretManagement -ErrorAction Ignore"
    (said,) = machine.calls(
        script=f"$was = $env:PSModulePath; {path}\n"
        f"try {{ Install-Ddns {asked} {asked_for}; 'nothing' }} catch {{ \"$_\" }} finally {{ {restore} }}",
        environ={"VAULT": str(tmp_path / "vault")},
    )
    assert words in said
    assert CANARY not in said
    assert machine.tree() == set()


#: What an administrator does who has every log on: once well, once with settings that are refused, once in plain text.
WITH_EVERY_LOG = r"""
$ErrorActionPreference = 'Continue'
$VerbosePreference = 'Continue'
$DebugPreference = 'Continue'
Start-Transcript -Path '{logs}{sep}transcript.txt' | Out-Null
{deploy} *> '{logs}{sep}streams.txt'
"code $LASTEXITCODE"
{change}
& {{ {plain} }} *>> '{logs}{sep}streams.txt'
$Error | Format-List -Property * -Force | Out-File '{logs}{sep}errors.txt'
$Error | Export-Clixml -Path '{logs}{sep}errors.xml' -Depth 3
Get-History | Format-List -Property * | Out-File '{logs}{sep}history.txt'
Get-Variable | Out-String | Out-File '{logs}{sep}variables.txt'
Stop-Transcript | Out-Null
"""
CHANGE = r"""
Set-DdnsConfig -Path '{wrong}' -Secret $secure -Verbose *>> '{logs}{sep}streams.txt'
Set-DdnsConfig -Secret ([pscredential]::new('anybody', $secure)) -Verbose *>> '{logs}{sep}streams.txt'
"""


def test_nowhere_but_in_its_place_on_linux(
    tmp_path: Path, machine: Deployed, served: Served, plain_world: World
) -> None:
    secret = plain_world.bind.key.secret
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "wrong.toml").write_text("schema = 1\nnonsense = 2\n")
    (tmp_path / "vault").write_text(f"ddns={secret}\n")
    zipped = package(tmp_path / "releases", program=script())
    given = f"-Package '{zipped.path}' -Sha256 {zipped.sha256} -ConfigPath '{tmp_path}/draft/ddns.toml'"
    served.stop()
    with leaks.Processes(secret) as processes:
        said = machine.calls(
            script=f"$env:PSModulePath = '{VAULT}' + [IO.Path]::PathSeparator + $env:PSModulePath\n"
            + WITH_EVERY_LOG.format(
                logs=logs,
                sep="/",
                deploy=f"Install-Ddns {given} -SecretName ddns -Vault Company -Verbose",
                change="$secure = Get-Secret -Name ddns\n"
                + CHANGE.format(wrong=tmp_path / "wrong.toml", logs=logs, sep="/"),
                plain='try { Set-DdnsConfig -Secret (Get-Secret -Name ddns -AsPlainText) } catch { "refused: $_" }',
            ),
            environ={"VAULT": str(tmp_path / "vault")},
        )
    assert said
    assert plain_world.published() == (FIRST,)
    streams = (logs / "streams.txt").read_text()
    assert "Installed" in streams, streams
    assert "unknown key" in streams, "the change that was refused is in the log"
    assert "never plain text" in streams
    assert any(" secret set tsig " in line for line in processes.seen), "the client was seen as it was given the secret"
    assert processes.told == set()
    (tmp_path / "vault").unlink()
    shutil.rmtree(tmp_path / "draft" / "secrets")
    kept = "machine/ProgramData/DDNS/secrets/tsig"
    named = {path for path in leaks.files(tmp_path, secret) if not path.startswith("named")}
    assert named == {kept}
    assert (tmp_path / kept).stat().st_mode & 0o077 == 0


def test_nowhere_under_windows(tmp_path: Path, windows: Windows, share: Path, windows_world: World) -> None:
    """Sealed by DPAPI, it is not even in its place."""
    shell = windows.served.shell
    secret = windows_world.bind.key.secret
    logs = windows.root / "logs"
    logs.mkdir()
    vault = tmp_path / "vault"
    vault.write_text(f"ddns={secret}\n")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("schema = 1\nnonsense = 2\n")
    shutil.rmtree(tmp_path / "draft" / "secrets")
    zipped = (share / "hash").read_text()
    settings = shell.path(tmp_path / "draft" / "ddns.toml")
    deploy = f"& '{shell.path(share)}\\Deploy-DDNS.ps1' -ConfigPath '{settings}' -Sha256 {zipped}"
    text = f"$env:PSModulePath = '{shell.path(VAULT)};' + $env:PSModulePath\n" + WITH_EVERY_LOG.format(
        logs="C:\\logs",
        sep="\\",
        deploy=f"{deploy} -SecretName ddns -Vault Company -Verbose",
        change="$secure = Get-Secret -Name ddns\nImport-Module 'C:\\Program Files\\DDNS\\0.1.0\\ps\\Ddns'\n"
        + CHANGE.format(wrong=shell.path(wrong), logs="C:\\logs", sep="\\"),
        plain=f"{deploy} -Secret (Get-Secret -Name ddns -AsPlainText)",
    )
    with leaks.Processes(secret) as processes:
        ended = typed(windows, text, VAULT=shell.path(vault))
    streams = (logs / "streams.txt").read_text("utf-8-sig")
    assert "Installed" in streams, (ended, streams)
    assert windows_world.published() == (FIRST,)
    assert "unknown key" in streams
    assert "never plain text" in streams
    assert any("secret set tsig" in line for line in processes.seen), "it was seen as it was given the secret"
    assert processes.told == set()
    assert not leaks.holds((ended.out + ended.err).encode(), secret)
    assert (windows.root / "ProgramData" / "DDNS" / "secrets" / "tsig.dpapi").exists()
    assert shell.machine is not None
    shell.machine.stop()  # its registry is written then
    assert leaks.files(windows.root.parent, secret) == set()
    assert leaks.files(tmp_path, secret) - {"vault"} == set()
    (windows.root / "planted.txt").write_text(f"x {secret}", "utf-16")
    assert leaks.files(windows.root.parent, secret) == {"drive_c/planted.txt"}
    (windows.root / "planted.txt").unlink()
    vault.unlink()


def test_with_a_gateway_there_is_no_token(
    tmp_path: Path, windows: Windows, share: Path, windows_world: World, gateway: Gateway, bind: Bind
) -> None:
    """An enrolment code, once; the host's own key, sealed; the record by the gateway."""
    shell = windows.served.shell
    parts = gateway.running.parts
    code = operators.mint_code(parts.ledger, parts.audit, parts.clock, gateway.hosts, "pc8")
    base = tmp_path / "base.toml"
    ca = shell.path(windows_world.ca.file)
    base.write_text("schema = 1\n\n" + windows_world.detection(ca.replace("\\", "/")))
    (tmp_path / "code").write_text(code)
    text = f"""
$code = New-Object -TypeName System.Security.SecureString
$typed = [IO.File]::ReadAllText('{shell.path(tmp_path / "code")}')
foreach ($character in $typed.ToCharArray()) {{ $code.AppendChar($character) }}
& '{shell.path(share)}\\Deploy-DDNS.ps1' -Gateway {gateway.running.url} -EnrolmentCode $code -GatewayCa '{ca}' `
    -ConfigPath '{shell.path(base)}' -Sha256 {(share / "hash").read_text()}
exit $LASTEXITCODE
"""
    with leaks.Processes(code) as processes:
        made = typed(windows, text)
    assert made.exit == 0, made
    assert re.search("Enrolment +Done", made.out), made.out
    answer = bind.query("pc8.example.test")
    assert answer is not None
    assert answer.values == (FIRST,)
    assert any(f"enroll {gateway.running.url}" in line for line in processes.seen)
    assert processes.told == set()
    again = typed(windows, text)
    assert again.exit == 0, again
    assert "Unchanged" in again.out
    windows_world.move(SECOND)
    assert windows.call("Start-DdnsTask", Wait=True)["Address"] == SECOND
    assert shell.machine is not None
    shell.machine.stop()
    for secret in (code, bind.key.secret):
        assert leaks.files(windows.root.parent, secret) == set()
