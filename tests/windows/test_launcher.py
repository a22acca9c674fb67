"""The console launcher under Wine, with a small C program in the place of the client."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ddns import __version__
from ddns.cli import exits
from ground.programs import CHILD, Driver, compiled
from ground.programs import unhexed as text_of
from windows import cache
from windows.launcher.build import SOURCE, launcher
from windows.wine import Wine

BAD_CURRENT, NO_PROGRAM, BAD_PROGRAM = 30, 31, 32
REPAIR = "Run Deploy-DDNS.ps1 again, or repair the installation in Programs and Features."
#: With spaces, and with letters of which no code page has all.
FOLDER = "C:\\Program Files\\Фирма ünï 会社\\DDNS"


class Installation:
    """An installation as architecture section 4 has it, with child.c for the client."""

    def __init__(self, machine: Wine, folder: str) -> None:
        self.machine = machine
        self.folder = folder
        self.root = machine.path(folder)
        self.exe = f"{folder}\\bin\\ddns.exe"
        (self.root / "bin").mkdir(parents=True)
        shutil.copy(launcher("amd64", __version__), self.root / "bin" / "ddns.exe")

    @property
    def current(self) -> Path:
        """The file that names the version."""
        return self.root / "bin" / "current"

    def app(self, version: str) -> Path:
        """The program of a version, whose folder is made."""
        path = self.root / version / "app" / "ddns.exe"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, version: str) -> None:
        """Install a version."""
        shutil.copy(compiled("child", *CHILD), self.app(version))

    def switch(self, version: str) -> None:
        """Make it the current one, as an upgrade does."""
        new = self.current.with_name("current.new")
        new.write_text(f"{version}\n")
        new.replace(self.current)

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run the launcher."""
        return self.machine.run(self.exe, *arguments, stdin=stdin)

    def refusal(self) -> tuple[int, list[str]]:
        """Run it where it can't start anything: its exit code and what it says."""
        done = self.run("exit", "0")
        assert done.stdout == b""
        return done.returncode, done.stderr.decode("utf-8").split("\r\n")


@pytest.fixture(scope="module")
def installation(wine_machine: Wine) -> Iterator[Installation]:
    """One with version 1.2.3, which is the current one."""
    made = Installation(wine_machine, FOLDER)
    made.put("1.2.3")
    made.current.write_text("1.2.3\n")
    yield made
    shutil.rmtree(made.root.parent)


@pytest.fixture
def bare(wine_machine: Wine) -> Iterator[Installation]:
    """One with the launcher alone."""
    made = Installation(wine_machine, "C:\\DDNS")
    yield made
    shutil.rmtree(made.root)


@pytest.fixture(scope="module")
def driver(wine_machine: Wine) -> Iterator[Driver]:
    """Starts the launcher with exactly the command line that is wanted."""
    with Driver(wine_machine) as running:
        yield running


def tail(installation: Installation, driver: Driver, command: str) -> str:
    """What the program gets behind its own quoted path."""
    said, result = driver.tell("run", installation.exe, command)
    assert result == "0"
    given_line = text_of(said.strip())
    head = f'"{installation.folder}\\1.2.3\\app\\ddns.exe"'
    assert given_line.startswith(head)
    return given_line.removeprefix(head)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ddns", ""),
        ("ddns status", " status"),
        ("ddns   two  blanks ", "   two  blanks "),
        ("ddns\ttab", "\ttab"),
        ('"C:\\Program Files\\DDNS\\bin\\ddns.exe" status --json', " status --json"),
        ('"C:\\a b\\ddns.exe"x y', " y"),
        ('C:\\"a b"\\ddns.exe y', " y"),
        ('"never closed status', ""),
        (" no-name", " no-name"),
        ('ddns "a b" c"d e"f', ' "a b" c"d e"f'),
        ('ddns "" \'\' "\\"" \\\\"x\\\\" """', ' "" \'\' "\\"" \\\\"x\\\\" """'),
        ("ddns %PATH% ^& | > < * ? $x `y`", " %PATH% ^& | > < * ? $x `y`"),
        ("ddns naïve Пример 例え 😀 \u200f e\u0301", " naïve Пример 例え 😀 \u200f e\u0301"),
        ("ddns \ud83d alone", " \ud83d alone"),
        ("ddns line\r\nbreak \x01", " line\r\nbreak \x01"),
    ],
)
def test_arguments_pass_unchanged(installation: Installation, driver: Driver, command: str, expected: str) -> None:
    assert tail(installation, driver, command) == expected


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_characters="\0"), max_size=200))
@example(text="x" * 30000)
def test_any_text_passes_unchanged(installation: Installation, driver: Driver, text: str) -> None:
    assert tail(installation, driver, f"ddns show {text}") == f" show {text}"


def test_a_command_line_that_gets_too_long_is_refused(installation: Installation, driver: Driver) -> None:
    _, result = driver.tell("run", installation.exe, "d " + "x" * 32750)
    assert result == "2"


@pytest.mark.parametrize("code", [0, 1, 2, 10, 15, 20, 130, 141, 255, 256, 30, 32, 65536, 2**31, 2**32 - 1])
def test_the_exit_code_is_the_programs(installation: Installation, driver: Driver, code: int) -> None:
    assert driver.tell("run", installation.exe, f"ddns exit {code}") == (b"", str(code))


def test_standard_streams_are_the_programs(installation: Installation) -> None:
    every_byte = bytes(range(256)) * 40
    done = installation.run("echo", stdin=every_byte)
    assert (done.returncode, done.stdout, done.stderr) == (3, every_byte, b"ready\r\ndone\r\n")


def test_the_launcher_waits_for_the_end_of_its_input(installation: Installation) -> None:
    with installation.machine.start(installation.exe, "echo") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(30) == 3


def test_the_program_dies_with_the_launcher(installation: Installation, driver: Driver) -> None:
    said, result = driver.tell("kill", installation.exe, "ddns wait")
    assert (said, result) == (b"ready\r\n", "gone")


def test_control_c_is_for_the_program_whose_code_the_launcher_hands_on(installation: Installation) -> None:
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
    machine = installation.machine
    with subprocess.Popen(
        ("setsid", "--ctty", "--wait", "wine", installation.exe, "wait"),
        env=machine.environ({"TERM": "xterm"}),
        stdin=its,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        seen = b""
        while "ready" not in re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", seen.decode()):
            seen += os.read(mine, 4096)
        os.write(mine, b"\x03")
        assert process.wait(30) == 100
    os.close(mine)


@pytest.mark.parametrize("written", [b"1.2.3", b"1.2.3\n", b"1.2.3\r\n"])
def test_current_is_a_version_with_or_without_a_line_end(installation: Installation, written: bytes) -> None:
    installation.current.write_bytes(written)
    assert installation.run("exit", "7").returncode == 7


NOT_A_VERSION = [
    b"",
    b"\n",
    b"1.2",
    b"1.2.3.4",
    b"1.2.3\n\n",
    b"1.2.3\r",
    b"1.2.3 ",
    b" 1.2.3",
    b"v1.2.3",
    b"1.2.3-beta",
    b"1..3",
    b"1.2.",
    b"..\\1.2.3",
    b"..\\..\\evil",
    b"../1.2.3",
    b"1.2.3\\..\\..\\evil",
    b"1.2.3/x",
    b"C:\\evil",
    b"\\\\host\\share",
    b"msi",
    b".",
    b"..",
    b"1.2.3\0",
    b"1.2.3\n4.5.6\n",
    b"123456.2.3",
    b"1.2.3" + b"0" * 100_000,
    b"\xef\xbb\xbf1.2.3",
    b"\xff\xfe" + "1.2.3".encode("utf-16-le"),
    "1.2.３".encode(),
]


@pytest.mark.parametrize("written", NOT_A_VERSION)
def test_current_is_nothing_but_a_version(bare: Installation, written: bytes) -> None:
    bare.put("1.2.3")
    bare.put("msi")
    bare.put("evil")
    bare.current.write_bytes(written)
    assert bare.refusal() == (
        BAD_CURRENT,
        [
            f"ddns: this file must hold a version such as 1.2.3 and nothing else: {bare.folder}\\bin\\current",
            "Run Deploy-DDNS.ps1 again; it writes the file anew.",
            "",
        ],
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.one_of(st.binary(max_size=24), st.from_regex(rb"\A[0-9]{0,6}([.\\/][0-9]{0,6}){0,4}\r?\n?\Z")))
def test_only_a_version_is_looked_for(bare: Installation, driver: Driver, written: bytes) -> None:
    bare.current.write_bytes(written)
    version = re.fullmatch(rb"[0-9]{1,5}(\.[0-9]{1,5}){2}(\r?\n)?", written)
    _, result = driver.tell("run", bare.exe, "ddns exit 0")
    assert result == str(NO_PROGRAM if version else BAD_CURRENT)


def test_current_that_stays_in_anothers_hands_is_named(installation: Installation) -> None:
    with Driver(installation.machine) as holder:
        assert holder.tell("hold", f"{installation.folder}\\bin\\current")[1] == "held"
        code, said = installation.refusal()
    assert (code, said[0]) == (
        BAD_CURRENT,
        f"ddns: can't read {installation.folder}\\bin\\current (Windows error 32)",
    )
    assert installation.run("exit", "0").returncode == 0


def test_a_folder_in_the_place_of_current_is_named(bare: Installation) -> None:
    bare.current.mkdir()
    code, said = bare.refusal()
    assert (code, said[0]) == (BAD_CURRENT, f"ddns: can't read {bare.folder}\\bin\\current (Windows error 5)")


def test_without_current_the_program_of_the_msi_starts(bare: Installation, driver: Driver) -> None:
    bare.put("msi")
    said, result = driver.tell("run", bare.exe, "ddns where")
    assert (text_of(said.strip()), result) == (f"{bare.folder}\\msi\\app\\ddns.exe", "0")


def test_current_comes_before_the_msi(bare: Installation, driver: Driver) -> None:
    bare.put("msi")
    bare.put("1.2.3")
    bare.switch("1.2.3")
    said, result = driver.tell("run", bare.exe, "ddns where")
    assert (text_of(said.strip()), result) == (f"{bare.folder}\\1.2.3\\app\\ddns.exe", "0")


@pytest.mark.parametrize("version", ["1.2.3", None])
def test_a_missing_program_is_named(bare: Installation, version: str | None) -> None:
    if version:
        bare.switch(version)
    path = f"{bare.folder}\\{version or 'msi'}\\app\\ddns.exe"
    assert bare.refusal() == (NO_PROGRAM, [f"ddns: the program is not there: {path}", REPAIR, ""])


@pytest.mark.parametrize("content", [b"", b"MZ", b"no program at all " * 100])
def test_a_file_that_is_no_program_is_named(bare: Installation, content: bytes) -> None:
    bare.switch("1.2.3")
    bare.app("1.2.3").write_bytes(content)
    path = f"{bare.folder}\\1.2.3\\app\\ddns.exe"
    assert bare.refusal() == (BAD_PROGRAM, [f"ddns: Windows does not start {path} (Windows error 193)", REPAIR, ""])


def test_a_program_that_was_cut_short_is_named(bare: Installation) -> None:
    bare.switch("1.2.3")
    whole = compiled("child", *CHILD).read_bytes()
    bare.app("1.2.3").write_bytes(whole[: len(whole) // 2])
    code, said = bare.refusal()
    assert code == BAD_PROGRAM
    assert f"{bare.folder}\\1.2.3\\app\\ddns.exe" in said[0]
    assert said[1] == REPAIR


@pytest.mark.parametrize("library", [None, b"no library"])
def test_a_missing_or_damaged_library_is_told(bare: Installation, library: bytes | None) -> None:
    bare.switch("1.2.3")
    whole = compiled("child", *CHILD).read_bytes()
    assert whole.count(b"KERNEL32.dll") == 1
    bare.app("1.2.3").write_bytes(whole.replace(b"KERNEL32.dll", b"KERNEL99.dll"))
    if library is not None:
        bare.app("1.2.3").with_name("KERNEL99.dll").write_bytes(library)
    path = f"{bare.folder}\\1.2.3\\app\\ddns.exe"
    # Windows says C000007B of the damaged one; Wine looks on, and says that there is none.
    said = f"ddns: it does not start, for a file of it is missing or damaged: {path} (Windows status 0xC0000135)"
    assert bare.refusal() == (BAD_PROGRAM, [said, REPAIR, ""])


@pytest.mark.parametrize("status", [0xC0000135, 0xC000007B, 0xC0000138, 0xC0000139, 0xC0000142])
def test_what_the_loader_ends_a_program_with_becomes_advice(installation: Installation, status: int) -> None:
    done = installation.run("exit", str(status))
    assert done.returncode == BAD_PROGRAM
    assert f"ddns.exe (Windows status 0x{status:X})\r\n{REPAIR}\r\n" in done.stderr.decode()


def test_a_run_in_progress_keeps_its_version_and_the_next_has_the_new_one(bare: Installation, driver: Driver) -> None:
    bare.put("1.2.3")
    bare.put("1.2.4")
    bare.switch("1.2.3")
    with bare.machine.start(bare.exe, "echo") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert process.stderr.readline() == b"ready\r\n"
        # The order of an upgrade: the running launcher is moved aside, a new one takes its name, the version changes.
        moved = bare.machine.run("cmd.exe", "/c", "ren", bare.exe, "ddns-old.exe")
        assert moved.returncode == 0, moved.stderr
        shutil.copy(launcher("amd64", __version__), bare.root / "bin" / "ddns.exe")
        bare.switch("1.2.4")
        said, _ = driver.tell("run", bare.exe, "ddns where")
        assert text_of(said.strip()) == f"{bare.folder}\\1.2.4\\app\\ddns.exe"
        process.stdin.write(b"still here")
        process.stdin.close()
        assert process.stdout.read() == b"still here"
        assert process.wait(30) == 3


def test_a_launcher_that_lies_nowhere_says_so(wine_machine: Wine) -> None:
    lost = wine_machine.path("C:\\ddns.exe")
    shutil.copy(launcher("amd64", __version__), lost)
    try:
        done = wine_machine.run("C:\\ddns.exe", "status")
    finally:
        lost.unlink()
    assert done.returncode == NO_PROGRAM
    assert done.stderr.startswith(b"ddns: the launcher does not lie in the folder bin of an installation\r\n")


def test_its_codes_are_on_the_page() -> None:
    assert set(exits.LAUNCHER) == {BAD_CURRENT, NO_PROGRAM, BAD_PROGRAM}
    assert not set(exits.LAUNCHER) & set(exits.MEANINGS)


def test_the_launcher_stays_small() -> None:
    assert len(SOURCE.read_text().splitlines()) <= 200


def test_the_launcher_is_built_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = launcher("arm64", __version__).read_bytes()

    kept = cache.once

    def anew(name: str, key: str, make: Callable[[Path], None]) -> Path:
        if not name.startswith("launcher"):
            return kept(name, key, make)  # the compiler stays where it is
        make(tmp_path)
        return tmp_path

    monkeypatch.setattr("windows.launcher.build.cache.once", anew)
    assert launcher("arm64", __version__).read_bytes() == first
