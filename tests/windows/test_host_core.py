"""The parts of the client that every run needs, on Windows: places, lock, files, secrets, policy, trust, streams.

From source. What Windows itself must show (rights that are enforced, other accounts) is on the acceptance list.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import ssl
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from e2e import world as worlds
from e2e.machine import Ended, Machine, ended
from e2e.windows_kind import WindowsProgram, from_source
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami
from windows import wine
from windows.wine import windows_path

ASK = Path(__file__).with_name("ask_core.py")
LIST = Path(__file__).parents[1] / "unit" / "cheap_path_modules_windows.txt"
BASE = r"C:\ProgramData\DDNS"
MACHINE = ["machine", rf"{BASE}\config", *(rf"{BASE}\{name}" for name in ("secrets", "state", "logs", "public"))]


@pytest.fixture(scope="session")
def core(
    machine_template: Path, windows_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WindowsProgram]:
    """Python from source on a Windows machine of these tests' own. They leave C:\\ProgramData\\DDNS as it was."""
    with wine.fresh(tmp_path_factory.mktemp("core") / "machine") as machine:
        machine.run("cmd", "/c", "exit")
        yield from_source(machine, windows_python)


@pytest.fixture
def programdata(core: WindowsProgram) -> Iterator[Path]:
    """The machine's folder, which is not there yet and gone after the test."""
    folder = core.wine.path(BASE)
    yield folder
    folder.unlink() if folder.is_symlink() else shutil.rmtree(folder, ignore_errors=True)


def start(core: WindowsProgram, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        (*core.command[:2], *arguments), env={**core.environ, **(environ or {})}, stdin=pipe, stdout=pipe, stderr=pipe
    )


def ask(core: WindowsProgram, *question: str, environ: Mapping[str, str] | None = None) -> Any:
    """What `ask_core` prints."""
    with start(core, windows_path(ASK), *question, environ=environ) as process:
        done = ended(process)
    assert done.exit == 0, done.err
    return json.loads(done.out.splitlines()[-1])


def ddns(core: WindowsProgram, *arguments: str, environ: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
    with start(core, "-m", "ddns", *arguments, environ=environ) as process:
        return ended(process, stdin)


# -- places


def test_the_machine_s_places_are_not_what_the_environment_says(core: WindowsProgram) -> None:
    usual, misled, machine, user, bare = ask(core, "places")
    assert usual == misled == machine == bare == MACHINE
    own = rf"C:\users\{os.environ.get('USER', 'root')}\AppData\Local\DDNS"
    assert user == ["user", own, *(rf"{own}\{name}" for name in ("secrets", "state", "logs", "public"))]


def test_an_account_without_rights_has_its_own_places(core: WindowsProgram) -> None:
    own, without_profile = ask(core, "ordinary")
    assert own[0] == "user"
    assert without_profile == [
        "StateUnwritable",
        "this account has no folder for its data: neither %LOCALAPPDATA% nor its registry names one",
        "Run ddns as an administrator, or name a folder with --data.",
    ]


def test_the_whole_program_in_the_machine_s_places(core: WindowsProgram, programdata: Path) -> None:
    assert ddns(core, "run").err.splitlines()[0] == rf"ddns: there are no settings at {BASE}\config\ddns.toml"
    assert not programdata.exists()
    assert ddns(core, "config", "init").out == f"wrote {BASE}\\config\\ddns.toml\n"
    for _ in range(2):
        done = ddns(core, "run")
        assert (done.exit, done.err) == (0, "")
    shown = ddns(core, "status", "--json")
    assert json.loads(shown.out)["data"]["run"]["exit"] == 0
    assert ddns(core, "secret", "set", "token", stdin="\ufeffgeheim\r\n").out == "dpapi:token\n"
    found = sorted(str(path.relative_to(programdata)) for path in programdata.rglob("*") if path.is_file())
    assert found == [
        "config/ddns.toml",
        "logs/ddns.jsonl",
        "public/status.json",
        "secrets/token.dpapi",
        "state/instance.lock",
        "state/state.db",
    ]


@pytest.mark.parametrize("part", ["", "config", "public"])
def test_a_machine_s_folder_that_leads_elsewhere_is_refused(
    core: WindowsProgram, programdata: Path, tmp_path: Path, part: str
) -> None:
    (programdata / part).parent.mkdir(exist_ok=True)
    (programdata / part).symlink_to(tmp_path, target_is_directory=True)
    place = rf"{BASE}\{part}".removesuffix("\\")
    kind, message, advice = ask(core, "machine")
    assert (kind, message) == ("StateUnwritable", f"{place} leads elsewhere: it is a link or a junction")
    assert advice == "Remove it, or make an administrator its owner, then deploy ddns again."
    assert ask(core, "folder", rf"{BASE}\{part or 'state'}") == [kind, message, advice]
    done = ddns(core, "run")
    assert (done.exit, done.err.splitlines()[0]) == (15, f"ddns: {message}")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root can give a folder another owner")
@pytest.mark.parametrize("part", ["", "config", "state", "config/ddns.toml"])
def test_a_machine_s_folder_that_a_user_made_is_refused(core: WindowsProgram, programdata: Path, part: str) -> None:
    (programdata / "config").mkdir(parents=True)
    (programdata / "state").mkdir()
    (programdata / "config" / "ddns.toml").write_text("schema = 1\n")
    os.chown(programdata / part, 65534, 65534)
    kind, message, _ = ask(core, "machine")
    place = rf"{BASE}\{part}".removesuffix("\\").replace("/", "\\")
    assert (kind, message) == ("StateUnwritable", f"{place} is not an administrator's: its owner is S-1-5-7")


def test_who_runs_it(core: WindowsProgram) -> None:
    user, administrative, service = ask(core, "who")
    assert user.startswith("S-1-5-21-")
    assert (administrative, service) == (True, False)


PATHS = {
    "spaces": "a folder & another",
    "letters": "Müller Søren Ωμέγα данные 数据",
    "long": "\\".join(f"a rather long name of a folder {number:02}" for number in range(9)),
}


@pytest.mark.parametrize("name", PATHS)
def test_paths(core: WindowsProgram, name: str) -> None:
    data = rf"C:\paths\{PATHS[name]}"
    assert (len(data) > 260) == (name == "long")
    assert ddns(core, "config", "init", "--data", data).exit == 0
    done = ddns(core, "run", "--data", data)
    assert (done.exit, done.err) == (0, "")
    assert PATHS[name] in done.out  # that no records are set, and in which file
    told = json.loads(ddns(core, "status", "--json", "--data", data).out)
    assert told["data"]["last_runs"]
    assert ddns(core, "secret", "set", "t", "--data", data, stdin="x").out == "dpapi:t\n"


# -- lock and files


def test_one_instance_and_a_killed_process_holds_no_lock(core: WindowsProgram) -> None:
    place = r"C:\lock\state"
    with start(core, windows_path(ASK), "lock", place) as first:
        assert first.stdout is not None
        assert first.stdout.readline().strip() == b"held"
        kind, message, _ = ask(core, "lock", place)
        assert (kind, message) == ("BusyError", rf"another run holds {place}\instance.lock")
        first.kill()
    assert ask(core, "lock", place) == "released"


def test_a_lock_that_can_t_be_opened(core: WindowsProgram) -> None:
    core.wine.path(r"C:\blocked").mkdir()
    core.wine.path(r"C:\blocked\state").write_text("")
    kind, message, _ = ask(core, "lock", r"C:\blocked\state")
    assert kind == "StateUnwritable"
    assert message.startswith("C:\\blocked\\state: ")
    assert ddns(core, "config", "init", "--data", r"C:\blocked").exit == 0
    assert ddns(core, "run", "--data", r"C:\blocked").exit == 15


def test_a_file_in_place_of_the_data_folder(core: WindowsProgram) -> None:
    core.wine.path(r"C:\taken").write_text("")
    for command, code, told in (
        (("secret", "set", "token"), 15, r"ddns: the secret can't be stored in C:\taken\secrets: "),
        (("config", "init"), 10, r"ddns: the settings' folder can't be made: C:\taken: "),
    ):
        done = ddns(core, *command, "--data", r"C:\taken", stdin="x")
        assert (done.exit, done.out) == (code, ""), done
        assert done.err.startswith(told), done
        assert done.err.splitlines()[1:] == [r"Give this account the right to write in C:\taken."], done
    assert core.wine.path(r"C:\taken").read_text() == ""


@pytest.mark.parametrize(("part", "command"), [("state", ("run",)), ("secrets", ("secret", "set", "token"))])
def test_a_folder_that_can_t_be_written(core: WindowsProgram, part: str, command: tuple[str, ...]) -> None:
    """Not even by root: part of the data folder leads into the kernel's own files. To Windows: access is denied."""
    folder = core.wine.path(rf"C:\unwritable {part}")
    folder.mkdir()
    (folder / "ddns.toml").write_text("")
    (folder / part).symlink_to("/sys/kernel", target_is_directory=True)
    done = ddns(core, *command, "--data", rf"C:\unwritable {part}", stdin="x")
    assert done.exit == 15, done
    first, advice = done.err.splitlines()[:2]
    assert rf"C:\unwritable {part}\{part}" in first, done
    assert "denied" in first.lower(), done
    assert "write" in advice, done


def test_a_file_that_a_reader_holds(core: WindowsProgram) -> None:
    assert ask(core, "replace") == ["new", "PermissionError", True, "new", "last", False, 10, "last line\n"]


def test_what_the_machine_tells(core: WindowsProgram) -> None:
    first, second, address = ask(core, "asleep")
    assert first == second
    assert address.count(".") == 3 or not address


def test_the_identity(core: WindowsProgram) -> None:
    own, again, other, by_name, identifier = ask(core, "identity")
    assert own == again
    assert len({own, other, by_name}) == 3
    assert {len(text) for text in (own, other, by_name)} == {64}
    assert identifier.replace("-", "") not in own


# -- secrets


def test_secrets_are_sealed(core: WindowsProgram) -> None:
    place = r"C:\sealed\secrets"
    ref, path, text, visible, changed, *rest = ask(core, "secrets", place)
    assert (ref, path, text) == ("dpapi:token", rf"{place}\token.dpapi", "höchst geheim")
    assert (visible, changed) == (False, True)
    *damaged, missing, keyring = rest
    for kind, message, advice in damaged:
        assert kind == "BadCredentials"
        assert message.startswith(
            "the secret dpapi:token can't be opened here: it was sealed on another machine or by another account, or"
        )
        assert advice == "Store a valid secret with `ddns secret set`, then: ddns run --now"
    assert len(damaged) == 5
    assert missing[1] == f"the secret dpapi:missing is not in {place}; store it with: ddns secret set missing"
    assert keyring[1:] == [
        "the secret keyring:x can't be opened: this installation has no keyring package",
        'Install it with: pip install "ddns-fleet[keyring]", or store the secret without --keyring.',
    ]


def test_a_user_s_own_secrets_are_sealed_for_that_account(core: WindowsProgram) -> None:
    """By what Windows is asked for: Wine seals with the account's name whatever is asked.

    So it opens on another Wine machine what was sealed on this one: that a blob of another machine, or of another
    account, is refused, is for a real Windows. Here a damaged one stands for them, which Windows answers alike.
    """
    user, machine = 0x1, 0x1 | 0x4  # CRYPTPROTECT_UI_FORBIDDEN, CRYPTPROTECT_LOCAL_MACHINE
    assert ask(core, "scopes", r"C:\own\secrets") == [
        [user, "höchst geheim"],
        [machine, "höchst geheim"],
        [machine, "höchst geheim"],
        [machine, "höchst geheim"],
    ]


# -- policy


def test_rights_of_others_are_read(core: WindowsProgram, tmp_path: Path) -> None:
    """Wine keeps of a list what a mode can hold and the umask lets through: that everybody may read."""
    private, _, wide, missing = ask(core, "permits", windows_path(tmp_path))
    assert private == []
    assert [found[:2] for found in wide] == [["everybody", True]]
    assert missing == ""


def test_secrets_are_listed_and_removed(core: WindowsProgram, tmp_path: Path) -> None:
    data = windows_path(tmp_path)
    assert ddns(core, "secret", "set", "cf", "--data", data, stdin="canary-on-windows").out == "dpapi:cf\n"
    listed = ddns(core, "secret", "list", "--json", "--data", data)
    (one,) = json.loads(listed.out)["data"]["secrets"]
    assert (one["reference"], one["there"], one["used_by"]) == ("dpapi:cf", True, [])
    assert one["place"].endswith("\\secrets\\cf.dpapi")
    assert "canary" not in listed.out
    assert ddns(core, "secret", "remove", "cf", "--data", data).out == "removed dpapi:cf\n"
    assert not (tmp_path / "secrets" / "cf.dpapi").exists()
    keyring = ddns(core, "secret", "set", "--keyring", "cf", "--data", data, stdin="canary-on-windows")
    assert keyring.exit == 15
    assert "this installation has no keyring package" in keyring.err


def test_a_doctor_before_there_are_settings(core: WindowsProgram, tmp_path: Path) -> None:
    ended = ddns(core, "doctor", "--json", "--data", windows_path(tmp_path / "none"))
    told = json.loads(ended.out)["data"]
    assert (ended.exit, told["verdict"], ended.err) == (20, "problem", "")
    assert not (tmp_path / "none").exists()


def test_a_bundle_of_a_machine_without_settings(core: WindowsProgram, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    ended = ddns(core, "support-bundle", "-o", windows_path(file), "--data", windows_path(tmp_path / "none"))
    assert (ended.exit, ended.err) == (0, "")
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert "Windows" in archive.read("ddns-support/versions.json").decode()


def test_the_policy_in_the_registry(core: WindowsProgram) -> None:
    nothing, empty, there, read, seen_by_32_bits, wrong, unreadable_bytes, unreadable = ask(core, "policies")
    assert (nothing, empty) == ("", {})
    assert there
    assert read == {
        "schema": 1,
        "log": {"keep": 3, "level": "DEBUG"},
        "detect": {"networks": [], "sources": ["ipify", "aws"]},
    }
    assert seen_by_32_bits == 2
    key, types = r"policy: HKLM\Software\Policies\DDNS\Log", "expected REG_SZ, REG_DWORD or REG_MULTI_SZ, found"
    advice = "Correct the policy, then check with: ddns config validate"
    assert wrong[0] == "the policy has 3 problems"
    assert sorted(wrong[1:-1]) == [
        rf"{key}\KEEP: {types} REG_QWORD",
        rf"{key}\Level: {types} REG_BINARY",
        rf"{key}\Odd: {types} type 74565",
    ]
    assert wrong[-1] == advice
    assert unreadable_bytes
    assert unreadable == ["the policy has 1 problem", rf"{key[:-4]}: can't be read: Access denied", advice]


def test_the_policy_wins_over_the_file(core: WindowsProgram) -> None:
    machine, key = Machine(core.wine.path(r"C:\policy"), core), r"HKLM\Software\Policies\DDNS\Log"
    machine.settings('[log]\nlevel = "WARN"\nkeep = 7\n')
    core.wine.run("reg", "add", key, "/v", "Level", "/d", "DEBUG", "/f")
    try:
        shown = json.loads(machine.ddns("config", "show", "--json").out)["data"]["values"]
        assert shown["log.level"] == {"value": "DEBUG", "layer": "policy", "where": "policy"}
        assert shown["log.keep"]["layer"] == "file"
        core.wine.run("reg", "add", key, "/v", "Keep", "/t", "REG_BINARY", "/d", "00", "/f")
        done = machine.ddns("run")
        assert done.exit == 10
        types = "expected REG_SZ, REG_DWORD or REG_MULTI_SZ, found REG_BINARY"
        assert done.err.splitlines()[0] == rf"ddns: policy: {key}\Keep: {types}"
    finally:
        core.wine.run("reg", "delete", r"HKLM\Software\Policies\DDNS", "/f")


# -- trust


@pytest.fixture
def page(ca: Authority, tmp_path: Path) -> Iterator[str]:
    """A page over TLS. Its server sends its authority, too: Wine 8 lets a chain pass whose end it doesn't see."""
    chain, key = ca.write_server_files(tmp_path, "localhost")
    chain.write_bytes(chain.read_bytes() + ca.file.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with Echo("203.0.113.7", context) as server:
        yield server.url.replace("127.0.0.1", "localhost")


def test_trust_is_windows_own(core: WindowsProgram, ca: Authority, page: str) -> None:
    file = windows_path(ca.file)
    kind, message, advice = ask(core, "fetch", page)
    assert kind == "Untrusted"
    assert message == (
        "localhost: its certificate is not trusted: Windows does not trust the authority at the end of its chain;"
        " a captive portal seems to answer, or a proxy that opens TLS"
    )
    assert "ca_file" in advice
    assert ask(core, "fetch", page, file) == ["203.0.113.7\n", False]
    ask(core, "trust", file)
    assert ask(core, "fetch", page) == ["203.0.113.7\n", False]
    elsewhere = page.replace("localhost", "127.0.0.1")
    assert ask(core, "fetch", elsewhere)[1] == "127.0.0.1: its certificate is not trusted: it is for another name"


# -- streams


def test_output_is_utf_8_whatever_the_code_page(core: WindowsProgram) -> None:
    assert ask(core, "console") == 1252  # in which Python would have written to a pipe
    machine = Machine(core.wine.path(r"C:\streams"), core)
    machine.settings("")
    assert machine.ddns("run").exit == 0
    assert "✗ No records are set." in machine.ddns("status").out


def test_streams_that_nobody_reads(core: WindowsProgram) -> None:
    command = " ".join((windows_path(Path(core.command[1])), "-m", "ddns", "--version"))
    for streams in ("> NUL", "> NUL 2> NUL < NUL", "< NUL"):
        done = core.wine.run("cmd", "/c", f"{command} {streams}", environ=core.environ)
        assert (done.returncode, done.stderr) == (0, b"")
        assert bool(done.stdout) == (streams == "< NUL")


# -- what others left


def test_what_newer_versions_wrote_is_left_alone(core: WindowsProgram) -> None:
    machine = Machine(core.wine.path(r"C:\newer"), core)
    machine.settings("")
    assert machine.ddns("run").exit == 0
    with sqlite3.connect(machine.state) as base:
        base.execute("UPDATE meta SET value = '2' WHERE key = 'min_writer'")
    base.close()
    content = machine.state.read_bytes()
    done = machine.ddns("run")
    assert done.exit == 15
    assert "was written by a newer version (format 2, this one writes 1)" in done.err
    assert machine.state.read_bytes() == content
    (machine.folder / "ddns.toml").write_text("schema = 2\n")
    done = machine.ddns("config", "validate")
    assert (done.exit, done.out) == (
        10,
        "ddns.toml:1: schema: expected 1, found 2; this version of ddns reads schema 1 only\n",
    )


def test_settings_that_can_only_be_read(core: WindowsProgram) -> None:
    machine = Machine(core.wine.path(r"C:\only read"), core)
    machine.settings("")
    core.wine.run("attrib", "+R", r"C:\only read\ddns.toml")
    done = machine.ddns("run")
    assert (done.exit, done.err) == (0, "")


# -- the cost of the run that changes nothing


def test_a_run_without_change_imports_what_is_listed_and_no_more(
    core: WindowsProgram,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> None:
    machine = Machine(core.wine.path(r"C:\cheap"), core)
    worlds.make(machine, bind, fresh_name(), ca, echo, whoami).write_settings()
    assert machine.ddns("run").exit == 0
    begin = "import sys; sys.argv[1:] = ['run', '--data', sys.argv[1]]; from ddns.__main__ import main; main()"
    paid = set(imported(core, begin, machine.data)) - set(imported(core, "pass"))
    assert machine.log()[-1]["message"] == "nothing changed"  # the run was of the kind that is measured
    if os.environ.get("REWRITE_CHEAP_PATH"):
        LIST.write_text("".join(f"{name}\n" for name in sorted(paid)))
    assert sorted(paid) == LIST.read_text().split()


def imported(core: WindowsProgram, code: str, *arguments: str) -> list[str]:
    """The modules that a Python process imports, without what its site-packages add at any start."""
    with start(core, "-S", "-X", "importtime", "-c", code, *arguments) as process:
        done = ended(process)
    assert done.exit == 0, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines[1:]]
