r"""What only Windows has: both programs' exit codes, shells, odd paths and accounts. The rest is in tests/e2e.

Wine's findstr prints nothing, so that `find` stands for it. Output into files is for packaging/acceptance.ps1, because
under Wine 8 standard streams must be pipes.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ddns.errors import Exit
from ddns.state import schema
from e2e import world as worlds
from e2e.machine import Ended, Machine, ended
from e2e.site import until
from e2e.windows_kind import DATA, WindowsProgram
from e2e.world import FIRST, SECOND, World
from ground import NotHere, not_run, pwsh
from ground.bind import Bind
from ground.echo import Echo, Fault
from ground.programs import compiled
from ground.tls import Authority
from ground.whoami import Whoami

#: Beyond every code page but UTF-8 together: Greek, Japanese, an umlaut; and blanks.
FOREIGN = "Ελένη 日本 Müller"
#: How long a run waits for sources that are silent, where a test acts meanwhile.
LONG = "60s"


@pytest.fixture
def world(
    windows_program: WindowsProgram,
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    """A Windows machine that has never run."""
    machine = Machine(windows_program.folder(tmp_path), windows_program)
    found = worlds.make(machine, bind, fresh_name(), ca, echo, whoami)
    found.write_settings(more='[proof]\nsettle = "1ms"')
    return found


# -- exit codes


def _fine(world: World) -> Ended:
    return world.machine.ddns("run")


def _cut_off(world: World) -> Ended:
    """Somebody ends its task. The code that Windows has then is told to Windows programs only, so that cmd tells it."""
    program = world.machine.program
    assert isinstance(program, WindowsProgram)
    world.alpha.fault = world.beta.fault = Fault.SILENCE
    ender, name = compiled("ender", "-municode"), Path(program.command[1]).name
    lines = (f"set DDNS_DETECT_TIMEOUT={LONG}", program.line(world.machine, "run"), "exit %errorlevel%")
    with program.start_batch(*lines) as run:
        until(lambda: world.alpha.hits > 0)
        assert program.wine.run(ender, name, "1").returncode == 0
        return ended(run)


def _usage(world: World) -> Ended:
    return world.machine.ddns("run", "--quickly")


def _settings(world: World) -> Ended:
    world.machine.settings("[[record]]\n")
    return world.machine.ddns("run")


def _address(world: World) -> Ended:
    world.move("")
    return world.machine.ddns("run")


def _refused(world: World) -> Ended:
    world.machine.ddns("secret", "set", "tsig", stdin=world.bind.stranger.secret)
    return world.machine.ddns("run")


def _unreachable(world: World) -> Ended:
    world.bind.stop()  # the fixture starts it again
    return world.machine.ddns("run")


def _busy(world: World) -> Ended:
    world.alpha.fault = world.beta.fault = Fault.SILENCE
    with world.machine.start("run", environ={"DDNS_DETECT_TIMEOUT": LONG}) as other:
        until(lambda: world.alpha.hits > 0)
        found = world.machine.ddns("run")
        other.kill()
        other.communicate()
    return found


def _state(world: World) -> Ended:
    assert world.machine.ddns("run").exit == 0
    with contextlib.closing(sqlite3.connect(world.machine.state)) as base, base:
        base.execute("UPDATE meta SET value = ? WHERE key = 'min_writer'", (str(schema.WRITER + 1),))
    return world.machine.ddns("run")


def _degraded(world: World) -> Ended:
    return world.machine.ddns("status")


CODES: dict[int, Callable[[World], Ended]] = {
    0: _fine,
    1: _cut_off,
    2: _usage,
    10: _settings,
    11: _address,
    12: _refused,
    13: _unreachable,
    14: _busy,
    15: _state,
    20: _degraded,
}


def test_every_exit_code_has_its_case() -> None:
    assert set(CODES) == set(Exit)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("by", ["launcher", "program"])
def test_exit_code(world: World, windows_program: WindowsProgram, by: str, code: int) -> None:
    if by == "program":
        world.machine.program = replace(windows_program, command=windows_program.task)
    told = CODES[code](world)
    assert told.exit == code, told
    assert "Traceback" not in told.out + told.err
    assert bool(told.err or told.out) is (code != 1)


# -- shells


def test_in_cmd(world: World, windows_program: WindowsProgram) -> None:
    """A batch file waits, sees the code, filters the output, and captures it."""
    told = windows_program.batch(
        windows_program.line(world.machine, "status", "--json"),
        "echo code %errorlevel%",
        windows_program.line(world.machine, "run"),
        "echo code %errorlevel%",
        windows_program.line(world.machine, "status") + ' | find "all is well"',
        "echo found %errorlevel%",
        windows_program.line(world.machine, "status") + ' | find "something else"',
        "echo found %errorlevel%",
    )
    lines = told.out.splitlines()
    assert [line for line in lines if line.startswith(("code", "found"))] == ["code 20", "code 0", "found 0", "found 1"]
    assert sum("all is well" in line for line in lines) == 1
    assert json.loads(told.out.partition("code 20")[0])["command"] == "status"
    assert world.published() == (FIRST,)


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pwsh.Shell]:
    """PowerShell for Windows. No registry has it: where it is missing, and only then, these parts are left out."""
    try:
        found = pwsh.windows(tmp_path_factory.mktemp("pwsh") / "machine")
    except NotHere as missing:
        not_run(missing)
    yield found
    assert found.machine is not None
    found.machine.stop()


def test_in_powershell(world: World, windows_program: WindowsProgram, shell: pwsh.Shell) -> None:
    """It waits, captures JSON as objects, and sees the code. Another machine of this user: the program lies on Z."""
    assert world.machine.ddns("run").exit == 0
    executable, *first = windows_program.command[1:]
    call = " ".join([f"& '{shell.path(Path(executable))}'", *first, "status --data"])
    told = shell.text(
        f"$found = {call} '{shell.path(world.machine.folder)}' --json | ConvertFrom-Json; "
        f"'{{0}} {{1}} {{2}}' -f $LASTEXITCODE, $found.command, $found.data.records[0].address; "
        f"$none = {call} 'C:\\nowhere' --json 2>$null | ConvertFrom-Json; "
        f"'{{0}} {{1}}' -f $LASTEXITCODE, $none.command; "
        f"{call} '{shell.path(world.machine.folder)}' | Select-String 'all is well' | ForEach-Object {{ 'seen' }}",
        environ={name: windows_program.environ[name] for name in windows_program.environ if "PYTHON" in name},
    )
    assert told.out.splitlines() == [f"0 status {FIRST}", "20 status", "seen"], told


# -- paths, accounts, surroundings


def test_a_profile_with_blanks_and_letters_beyond_the_code_page(world: World, windows_program: WindowsProgram) -> None:
    wine = windows_program.wine
    told = wine.run("reg", "query", r"HKLM\System\CurrentControlSet\Control\Nls\CodePage", "/v", "ACP").stdout
    assert b"1252" in told, "the machine's ANSI code page is one of the old ones"
    world.machine.folder = wine.drive_c / "users" / FOREIGN / "AppData" / "Local" / "DDNS"
    world.machine.folder.mkdir(parents=True)
    world.write_settings(more='[proof]\nsettle = "1ms"')
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (FIRST,)
    assert world.machine.ddns("run").out[:15] == "nothing changed"
    missing = Machine(world.machine.folder / "Ω", windows_program).ddns("run")
    assert (missing.exit, f"{FOREIGN}\\AppData\\Local\\DDNS\\Ω" in missing.err) == (10, True), missing
    world.machine.settings(f'# {FOREIGN}\n"{FOREIGN}" = 1\n')
    wrong = world.machine.ddns("run")
    assert (wrong.exit, FOREIGN in wrong.err) == (10, True), wrong


@pytest.mark.parametrize("language", ["el_GR.UTF-8", "ja_JP.UTF-8"])
def test_an_account_with_another_code_page(world: World, language: str) -> None:
    """Under Wine the language of the environment is that of the account; file names are ASCII then."""
    greek = {"LC_ALL": language}
    assert world.machine.ddns("run", environ=greek).exit == 0
    told = world.machine.ddns("status", "--json", environ=greek)
    assert json.loads(told.out)["data"]["records"][0]["address"] == FIRST
    drawn = world.machine.ddns("status", environ=greek)
    assert (drawn.exit, "● all is well" in drawn.out) == (0, True), drawn
    world.machine.settings(f'"{FOREIGN}" = 1\n')
    wrong = world.machine.ddns("run", environ=greek)
    assert (wrong.exit, FOREIGN in wrong.err) == (10, True), wrong


def test_settings_that_are_read_only(world: World) -> None:
    """The task's account may only read them."""
    file = world.machine.folder / "ddns.toml"
    file.chmod(0o444)  # to Windows that is the attribute "read-only"
    before = file.read_bytes()
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (FIRST,)
    assert file.read_bytes() == before


def test_a_secret_that_another_machine_sealed(world: World) -> None:
    """A damaged one stands for it, which Windows answers alike; Wine opens what another Wine sealed."""
    (file,) = (world.machine.folder / "secrets").glob("tsig*")
    sealed = file.read_bytes()
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    told = world.machine.ddns("run")
    assert told.exit == 12, told
    said = "the secret dpapi:tsig can't be opened here: it was sealed on another machine or by another account"
    assert said in told.out + told.err, told
    assert "ddns secret set" in told.out + told.err, told
    assert world.published() == ()


def test_an_account_without_a_profile(world: World, windows_program: WindowsProgram) -> None:
    names = ("USERPROFILE", "LOCALAPPDATA", "APPDATA", "HOMEPATH", "HOMEDRIVE", "HOME", "TEMP", "TMP", "USERNAME")
    told = windows_program.batch(
        *(f"set {name}=" for name in names),
        windows_program.line(world.machine, "run"),
        "echo code %errorlevel%",
        windows_program.line(world.machine, "status") + ' | find "all is well"',
        "echo found %errorlevel%",
    )
    assert told.out.splitlines()[-3] == "code 0", told
    assert told.out.splitlines()[-1] == "found 0", told
    assert world.published() == (FIRST,)


def test_no_console_and_no_streams(world: World, windows_program: WindowsProgram) -> None:
    """As the task scheduler starts it: nothing to write to. What it has to say is in the log and in status.json."""
    for address in (FIRST, SECOND):
        world.move(address)
        done = subprocess.run(
            (*windows_program.task, "run", "--data", world.machine.data),
            env=windows_program.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        assert (done.returncode, world.published()) == (0, (address,))
    assert world.machine.status()["run"]["exit"] == 0
    assert [line["message"] for line in world.machine.log()].count("run ended") == 2


def test_the_data_folder_is_named_by_a_long_path(world: World, windows_program: WindowsProgram) -> None:
    """Longer than 260 characters, which Windows limits a path to that is not marked as long."""
    deep = windows_program.wine.drive_c / DATA / "deep"
    world.machine.folder = deep.joinpath(*["a folder with forty characters in its name"] * 6) / world.name
    world.machine.folder.mkdir(parents=True)
    assert len(world.machine.data) > 260
    world.write_settings(more='[proof]\nsettle = "1ms"')
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (FIRST,)
    assert world.machine.ddns("run").out[:15] == "nothing changed"
