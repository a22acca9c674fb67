"""The service under Windows' own service manager, and parts of `ddns.host` that only Windows has."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from e2e import world as worlds
from e2e.machine import SOURCE, Ended, Machine, ended
from e2e.site import until
from e2e.windows_kind import WindowsProgram, from_source
from e2e.world import FIRST, SECOND, World
from ground.bind import Bind
from ground.echo import Echo, Fault
from ground.tls import Authority
from ground.whoami import Whoami
from windows import wine
from windows.wine import windows_path

ASK = Path(__file__).with_name("ask_host.py")
#: Where services get their environment from.
ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


@pytest.fixture(scope="session")
def source_program(
    machine_template: Path, windows_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WindowsProgram]:
    """Python from source on a Windows machine, whose services find the source as well."""
    with wine.fresh(tmp_path_factory.mktemp("source") / "machine") as machine:
        program = from_source(machine, windows_python)
        for name in ("PYTHONPATH", "PYTHONPYCACHEPREFIX"):
            machine.quietly("wine", "reg", "add", ENVIRONMENT, "/v", name, "/d", program.environ[name], "/f")
        machine.stop()  # the service manager reads that at its start
        machine.run("cmd", "/c", "exit")
        yield program


@pytest.fixture(params=["source", "exe"])
def program(request: pytest.FixtureRequest) -> WindowsProgram:
    """Both forms of the program."""
    name = "source_program" if request.param == "source" else "windows_program"
    found: WindowsProgram = request.getfixturevalue(name)
    return found


def ask(program: WindowsProgram, *what: str) -> Any:
    """What `ask_host` prints."""
    python = program.command[1]
    done = program.wine.run(python, windows_path(ASK), *what, environ={"PYTHONPATH": windows_path(SOURCE)})
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_loopback_and_an_adapter_are_listed(source_program: WindowsProgram) -> None:
    found = {address: (up, stable) for address, up, stable in ask(source_program, "adapters")}
    assert found["127.0.0.1"] == (True, False)
    assert len(found) > 1


def test_the_scheduled_task_is_asked_for(source_program: WindowsProgram) -> None:
    """Wine has no Task Scheduler to ask: its own program prints none."""
    assert ask(source_program, "schedule") == [True, "C:\\x.exe", 1, 600.0, None, None]


def test_rights_are_tried_and_nothing_is_changed(source_program: WindowsProgram) -> None:
    assert ask(source_program, "lacking") == ["", "", True, ["x"]]


def test_the_flags_of_addresses(source_program: WindowsProgram) -> None:
    """Of lists in memory: Wine knows no temporary, tentative or deprecated address."""
    names = ("up", "temporary", "tentative", "deprecated")
    told = {
        (adapter, address): ({name for name, there in zip(names, flags, strict=True) if there}, preferred)
        for adapter, address, *flags, preferred in ask(source_program, "flags")
    }
    first, second = "Ethernet 0", "Ethernet 1"
    assert told == {
        (first, "8.8.8.8"): ({"up"}, 7200),
        (first, "2600::1"): ({"up"}, None),
        (first, "2600::2"): ({"up", "temporary"}, 7200),
        (first, "2600::3"): ({"up"}, 7200),
        (first, "2600::4"): ({"up", "deprecated"}, 7200),
        (first, "2600::5"): ({"up", "deprecated"}, 0),
        (first, "2600::6"): ({"up", "tentative"}, 7200),
        (first, "2600::7"): ({"up", "tentative"}, 7200),
        (first, "2600::8"): ({"up", "tentative"}, 7200),
        (second, "2600::9"): (set(), None),
    }


def test_the_router_is_an_address_or_none(source_program: WindowsProgram) -> None:
    """Its MAC address is asked by SendARP, which Wine does not have."""
    told = ask(source_program, "router")
    assert told == "" or not IPv4Address(told).is_unspecified


def test_whose_settings_may_name_a_command(source_program: WindowsProgram) -> None:
    """Lists in memory: Wine keeps none of a file's."""
    users, other = "S-1-5-32-545", "S-1-5-80-1-2-3-4-5"
    assert ask(source_program, "owners") == [
        "",
        "",
        f"its owner is {other}",
        "its owner is S-1-5-19",
        f"{users} may change it",
        f"{other} may change it",
        f"{other} may change it",
        "",
        "everybody may change it",
    ]
    assert ask(source_program, "own_file") == ["", True]


def test_rights_to_a_folder_further_up_that_let_somebody_exchange_what_is_below(source_program: WindowsProgram) -> None:
    r"""Making files and folders, as everybody may in C:\ProgramData and C:\, is not; nor is DELETE of a drive."""
    both, folder = [True, True], [True, False]
    assert ask(source_program, "above") == [[False, False], both, folder, both, both, both, folder]


@pytest.mark.parametrize(
    ("place", "told"),
    [("", ""), ("own.toml", "own.toml"), ("a/b", r"a\b"), ("a", "a"), ("link", "link"), ("a/link", r"a\link")],
)
def test_whose_settings_may_name_a_command_is_asked_of_every_folder_above_them(
    source_program: WindowsProgram, place: str, told: str
) -> None:
    """By the real calls: others' rights are what Wine makes of a file's or folder's mode, and its links are links."""
    machine = source_program.wine
    top = machine.path(r"C:\owned")
    (top / "a" / "b").mkdir(parents=True)
    file = top / "a" / "b" / "own.toml"
    file.write_text("schema = 1\n")
    try:
        asked = r"C:\owned\a\b\own.toml"
        if place.endswith("link"):
            (top / place).symlink_to(top / "a" / "b")
            asked = rf"C:\owned\{told}\own.toml"
        elif place:
            (file if place == "own.toml" else top / place).chmod(0o777)
        said = ask(source_program, "of_path", asked)
    finally:
        shutil.rmtree(top)
    everybody = "S-1-1-0"
    if place == "own.toml":
        assert said == rf"{asked}: {everybody} may change it"
    elif place.endswith("link"):
        assert said == rf"C:\owned\{told}: it is a link or a junction"
    else:
        assert said == (rf"C:\owned\{told}: {everybody} may change it" if place else "")


def test_the_profile_of_a_network_is_found_by_its_router(source_program: WindowsProgram) -> None:
    """In golden keys of the registry: Wine keeps no profiles of its own. Of several the one that was there last."""
    none = ["", ""]
    before, after = ask(source_program, "network_profiles")
    assert before == [none] * 7
    assert after == [["Home", "private"], ["corp.example.com", "domain"], ["Café", "public"], none, none, none, none]


def test_the_proxy_that_is_set_for_services_is_read(source_program: WindowsProgram) -> None:
    """Wine has none of an account's own to tell."""
    none, found = ["", "", ""], ["http=a:80;https=proxy:3128", "<local>;10.*", ""]
    assert ask(source_program, "system_proxy") == [none, found]


def test_a_command_tells_the_address(source_program: WindowsProgram) -> None:
    answer, missing, endless = ask(source_program, "commands")
    assert answer == "1.0.0.1"
    assert missing.startswith("own: C:\\nowhere.exe can't be run: ")
    assert endless == "own: did not end in time"


def test_windows_calls_us_and_a_wait_can_be_cancelled(source_program: WindowsProgram) -> None:
    assert ask(source_program, "changes") == [True, False, False, False]


def test_the_event_source_is_made_once_and_removed_only_by_who_made_it(source_program: WindowsProgram) -> None:
    message_file = r"%SystemRoot%\System32\EventCreate.exe"
    ours = {"EventMessageFile": message_file, "TypesSupported": 7, "CustomSource": 1, "RegisteredBy": "service"}
    assert ask(source_program, "event_source") == [ours, ours, None, {"EventMessageFile": message_file}]


def test_rights_to_a_folder_are_given_changed_and_taken(source_program: WindowsProgram) -> None:
    users, inherited = [0, 3, 1, "S-1-5-32-545"], [0, 0x13, 1, "S-1-5-80-1-2-3-4-5"]
    read, modify = ([0, 3, mask, "S-1-5-80-1-2-3-4-5"] for mask in (0x1200A9, 0x1301BF))
    assert ask(source_program, "rights") == [
        [users, inherited, read],
        [users, inherited, modify],
        [users, inherited, modify],
        [users, inherited],
    ]
    assert ask(source_program, "granting") == []


# -- the service


@pytest.fixture
def world(
    program: WindowsProgram,
    tmp_path: Path,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    """A Windows machine that has never run."""
    found = worlds.make(Machine(program.folder(tmp_path), program), bind, fresh_name(), ca, echo, whoami)
    found.write_settings()
    return found


def service(program: WindowsProgram, *arguments: str) -> Ended:
    """`ddns service ARGUMENTS`."""
    pipe = subprocess.PIPE
    whole = (*program.command, "service", *arguments)
    with subprocess.Popen(whole, env=program.environ, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        return ended(process)


def state(program: WindowsProgram) -> Any:
    """What `ddns service status --json` says."""
    return json.loads(service(program, "status", "--json").out)["data"]["state"]


def registered(program: WindowsProgram, key: str) -> bool:
    """Whether there is such a key."""
    return program.wine.run("reg", "query", rf"HKLM\SYSTEM\CurrentControlSet\Services\{key}").returncode == 0


@pytest.fixture
def installed(program: WindowsProgram, world: World) -> Iterator[World]:
    """The world, whose machine has the service."""
    done = service(program, "install", "--every", "30s", "--data", world.machine.data, "--json")
    assert done.exit == 0, done
    yield world
    service(program, "remove", "--data", world.machine.data)


def test_a_service_lives(program: WindowsProgram, installed: World) -> None:
    """Installed twice, started, at work, stopped and started again, removed: nothing of it is left."""
    data = installed.machine.data
    assert service(program, "install", "--every", "30s", "--data", data).exit == 0
    found = json.loads(service(program, "status", "--json").out)["data"]
    assert (found["state"], found["start"], found["exit"]) == ("stopped", "automatic", 0)
    assert found["account"] == r"NT AUTHORITY\LocalService"
    assert found["command"].startswith('"')
    assert " service run --every 30s --data " in found["command"]
    assert registered(program, r"EventLog\Application\DDNS")

    assert service(program, "start").out.startswith("DDNS: running, process ")
    until(lambda: installed.published() == (FIRST,))
    assert service(program, "start").exit == 0  # it runs, and is left alone
    assert service(program, "status").exit == 0

    assert service(program, "stop").out.startswith("DDNS: stopped; ")
    assert service(program, "stop").exit == 0
    installed.move(SECOND)
    assert service(program, "start").exit == 0
    until(lambda: installed.published() == (SECOND,))

    assert service(program, "remove", "--data", data).out == "DDNS: not installed\n"
    assert not registered(program, "DDNS")
    assert not registered(program, r"EventLog\Application\DDNS")
    assert service(program, "status").exit == 20
    until(lambda: installed.machine.ddns("run").exit == 0)  # state and secrets stay
    assert service(program, "remove").exit == 0


def test_a_stop_during_a_run_ends_both_at_once(program: WindowsProgram, installed: World) -> None:
    """The run waits for services that say nothing; it is cut off, and the next one finds nobody in its way."""
    unended = "SELECT count(*) FROM runs WHERE ended IS NULL"
    installed.alpha.fault = installed.beta.fault = Fault.SILENCE
    assert service(program, "start").exit == 0
    until(lambda: installed.machine.state.exists() and installed.sql(unended) == [(1,)])
    assert service(program, "stop").out.startswith("DDNS: stopped; ")
    assert installed.sql(unended) == [(1,)]
    installed.alpha.fault = installed.beta.fault = None
    assert installed.machine.ddns("run").exit == 0
    assert installed.published() == (FIRST,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("start", "ddns: the service can't be started: Service does not exist (1060)"),
        ("stop", "ddns: the service can't be stopped: Service does not exist (1060)"),
    ],
)
def test_what_can_not_be_is_told(program: WindowsProgram, words: str, said: str) -> None:
    done = service(program, words)
    assert done.exit == 2
    assert done.err.splitlines()[0] == said
    assert "ddns service" in done.err.splitlines()[1]
    assert state(program) == "not installed"
