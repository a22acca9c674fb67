"""The command line as a whole: every end has its exit code, every command its help."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from ddns import __main__ as entry
from ddns import errors, wording
from ddns import runtime as runtime_package
from ddns.cli import exits, pages
from ddns.cli.main import COMMANDS, INTERRUPTED, main
from ddns.cli.main import ddns as root
from ddns.errors import DdnsError, Exit
from ddns.runtime import RunRequest
from ddns.unread import UNREAD
from unit.terminal import ROOT, ddns, environment, put, record, status


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by what is typed."""
    waiting: list[tuple[str, click.Command]] = [("ddns", root)]
    while waiting:
        path, command = waiting.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None, name
                waiting.append((f"{path} {name}", below))
        else:
            yield path, command


ALL = dict(commands())


def test_version() -> None:
    done = ddns("--version")
    assert (done.code, done.out) == (0, "ddns 0.1.0\n")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command(flag: str) -> None:
    done = ddns(flag)

    listed = re.findall(r"^  ([\w-]+)  ", done.out.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == list(COMMANDS)
    assert done.code == 0
    assert not [line for line in done.out.splitlines()[1:] if line.endswith("...")]  # no summary is cut


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_command_has_help_with_examples_that_work(path: str) -> None:
    words = path.split()[1:]
    done = ddns(*words, "-h")

    assert done.code == 0
    assert done.out.startswith(f"Usage: {path} ")
    assert f"    {path.replace('gateway enroll', 'enroll')}" in done.out.partition("Examples:\n")[2]


#: What touches no file of ours: a schema, a shell's script, and what the service manager is asked.
WITHOUT_FILES = {
    "ddns config schema",
    "ddns providers",
    "ddns completion",
    "ddns service start",
    "ddns service stop",
    "ddns service status",
}


@pytest.mark.parametrize("path", sorted(set(ALL) - {"ddns demo"}))
def test_data_is_an_option_of_every_command_that_touches_files(path: str) -> None:
    options = {name for param in ALL[path].params for name in param.opts}
    assert "--data" in options or path in WITHOUT_FILES


#: What acts and tells only how that went. Every other command is read by programs too.
WRITERS = {
    "ddns run",
    "ddns demo",
    "ddns config init",
    "ddns completion",
    "ddns gateway serve",
    "ddns gateway freeze",
    "ddns gateway thaw",
}


def test_the_named_writers_are_commands() -> None:
    assert set(ALL) >= WRITERS


@pytest.mark.parametrize("path", sorted(set(ALL) - WRITERS))
def test_every_reading_command_has_json(path: str) -> None:
    options = {name for param in ALL[path].params for name in param.opts}
    assert "--json" in options


def test_enroll_is_one_command_under_two_names() -> None:
    assert ALL["ddns enroll"] is ALL["ddns gateway enroll"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stats"], 'ddns: No such command "stats". Did you mean "status"?'),
        (["xyzzy"], 'ddns: No such command "xyzzy".'),
        (["\x1b[2J"], r'ddns: No such command "\x1b[2J".'),
        (["--wrong"], "--wrong"),
        (["run", "--wrong"], "Try: ddns run --help"),
        (["run", "--data", ""], "ddns: Invalid value for '--data': a folder's name is needed"),
        (["run", "--data"], "--data"),
        (["run", "extra"], "extra"),
        (["history", "--limit", "0"], "--limit"),
        (["pause", "soon"], "ddns: Invalid value for UNTIL: expected a duration (2h), a time (18:00) or a date"),
        (["secret", "set"], "ID"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_2(arguments: list[str], said: str) -> None:
    done = ddns(*arguments)

    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert all(line.isprintable() for line in done.err.splitlines())


@pytest.mark.parametrize(
    "group", [[], ["config"], ["secret"], ["gateway"]], ids=lambda words: " ".join(words) or "ddns"
)
def test_without_a_command_the_help_is_shown_once(group: list[str]) -> None:
    done = ddns(*group)
    assert (done.code, done.out) == (2, "")
    assert done.err == ddns(*group, "--help").out


def _raises(error: BaseException) -> Callable[[RunRequest], int]:
    def run(_request: RunRequest) -> int:
        raise error

    return run


def leaves(kind: type[DdnsError] = DdnsError) -> Iterator[type[DdnsError]]:
    """Every class of the tree."""
    yield kind
    for below in kind.__subclasses__():
        yield from leaves(below)


KINDS = (errors.SettingsError, errors.BusyError, errors.StateUnwritable, errors.BadCredentials, errors.Transport)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_an_error_becomes_message_advice_and_exit_code(kind: type[DdnsError], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_package, "run", _raises(kind("the \x1b[31mthing\nis wrong", advice="Do \x07 this.")))

    done = ddns("run")

    assert done.code == int(kind.exit)
    assert done.err == "ddns: the \\x1b[31mthing\nis wrong\nDo \\x07 this.\n"


def test_every_problem_of_the_settings_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors.SettingsError("ddns.toml has 2 problems", ("ddns.toml:1: one", "ddns.toml:2: two"))
    monkeypatch.setattr(runtime_package, "run", _raises(error))

    done = ddns("run")

    assert done.err.splitlines() == [
        "ddns: ddns.toml has 2 problems",
        "  ddns.toml:1: one",
        "  ddns.toml:2: two",
        "Correct the settings, then check them with: ddns config validate",
    ]
    assert done.code == 10


def test_a_part_that_this_edition_lacks_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "demo", "ddns.cli.not_here:demo")

    assert "demo" not in ddns("--help").out
    assert ddns("demo").code == 2


def test_a_part_that_is_broken_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "demo", "ddns.not_here.at_all:demo")
    with pytest.raises(ModuleNotFoundError):
        main(["demo"])


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_package, "run", _raises(KeyboardInterrupt()))
    assert ddns("run").code == INTERRUPTED


def test_a_bug_is_no_exit_code_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_package, "run", _raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["run"])


def test_a_reader_that_went_away_is_no_noise(tmp_path: Path) -> None:
    many = [record(f"host{number}.example.com") for number in range(2000)]
    put(tmp_path, status(*many))
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "ddns", "status", "--data", str(tmp_path)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            stdout=nobody,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            timeout=60,
        )

    assert (done.returncode, done.stderr) == (UNREAD, b"")


class Full(io.TextIOWrapper):
    """A full disk behind standard output."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def write(self, text: str) -> int:
        if text:
            raise OSError(28, "No space left on device")
        return 0


SAYING = sorted(
    [
        *("--version", "--help", "providers", "sources", "completion bash", "status", "status --json", "history"),
        *("history --json", "config show", "config validate", "config schema", "config init --force", "secret list"),
        *("plan --help", "pause", "pause --json", "resume", "support-bundle -o {folder}/{number}.zip"),
    ]
)


@pytest.mark.parametrize("line", SAYING)
def test_a_full_disk_behind_the_output_is_told(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, status(record()))
    (tmp_path / "ddns.toml").write_text("schema = 1\n")
    monkeypatch.setattr(sys, "stdout", Full())
    arguments = line.format(folder=tmp_path, number=SAYING.index(line)).split()
    if arguments[0] not in {"--version", "--help", "completion", "providers"} and line not in {
        "config schema",
        "plan --help",
    }:
        arguments += ["--data", str(tmp_path)]

    assert main(arguments) == UNREAD

    said = capsys.readouterr().err
    assert said.startswith("ddns: the output can't be written: No space left on device\nWhat the command did is done;")
    assert (tmp_path / "state" / "state.db").exists() == (arguments[0] in {"pause", "resume"}), "it was done"


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("line", ["--version", "status --json --data {}", "status --data {}", "run --data {}"])
def test_the_program_says_so_too(line: str, unbuffered: str, tmp_path: Path) -> None:
    put(tmp_path, status(record(), age=0))
    (tmp_path / "ddns.toml").write_text("schema = 1\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ddns", *line.format(tmp_path).split()],
            env=environment() | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            timeout=60,
        )
    said = done.stderr.decode()
    assert "ddns: the output can't be written: No space left on device\n" in said
    assert "Traceback" not in said
    assert done.returncode == (0 if line.startswith("run") else UNREAD), "a run ends with its own code"


def test_a_message_that_is_lost_ends_nothing_otherwise(tmp_path: Path) -> None:
    for line, code in (("status", Exit.DEGRADED), ("no-such-command", Exit.USAGE), ("run", Exit.SETTINGS)):
        with open("/dev/full", "wb") as full:
            arguments = [line] if line == "no-such-command" else [line, "--data", str(tmp_path)]
            done = subprocess.run(
                [sys.executable, "-m", "ddns", *arguments], env=environment(), stderr=full, cwd=ROOT, timeout=60
            )
        assert done.returncode == code


def test_another_file_that_fails_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_package, "run", _raises(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        main(["run"])


def _records_requests(monkeypatch: pytest.MonkeyPatch, code: int) -> list[RunRequest]:
    asked: list[RunRequest] = []

    def run(request: RunRequest) -> int:
        asked.append(request)
        return code

    monkeypatch.setattr(runtime_package, "run", run)
    return asked


@pytest.mark.parametrize("arguments", [["run"], ["run", "--data", "somewhere"]], ids=" ".join)
def test_both_routes_of_run_ask_for_the_same(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _records_requests(monkeypatch, 14)
    monkeypatch.setattr(sys, "argv", ["ddns", *arguments])
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # and back again
    ends: list[int] = []
    monkeypatch.setattr(os, "_exit", ends.append)

    assert entry.scheduled(arguments)[0]
    entry.main()
    ends.append(main(arguments))

    assert asked[0] == asked[1]
    assert ends == [14, 14]


@pytest.mark.parametrize(
    ("flags", "request_"),
    [
        ([], RunRequest()),
        (["--now"], RunRequest(now=True)),
        (["--full", "--prove", "--data", "x"], RunRequest("x", full=True, prove=True)),
        (["--trial"], RunRequest(trial=True)),
    ],
    ids=str,
)
def test_flags_of_run(flags: list[str], request_: RunRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _records_requests(monkeypatch, 0)

    assert ddns("run", *flags).code == 0
    assert asked == [request_]


def test_help_of_the_root_imports_no_adapter() -> None:
    program = (
        "import sys; from ddns.cli.main import main; main(['--help']);print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True,
        cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert not imported & {"rich", "httpx", "msgspec", "dns", "uvicorn", "starlette"}


# -- exit codes


@pytest.mark.parametrize("kind", sorted(set(leaves()), key=str), ids=str)
def test_every_error_ends_with_a_documented_code(kind: type[DdnsError]) -> None:
    assert kind.exit in exits.MEANINGS


def test_every_exit_code_is_told() -> None:
    assert set(exits.MEANINGS) == set(Exit)
    assert exits.meaning(10).wrong == "the settings are wrong"
    assert exits.meaning(77) is exits.meaning(1)


# -- reference pages


@pytest.mark.parametrize(
    ("name", "text"), [("commands.md", pages.commands_page), ("exit-codes.md", exits.page)], ids=lambda v: str(v)[:12]
)
def test_reference_pages_are_current(name: str, text: Callable[[], str]) -> None:
    """When this fails: ``python -m ddns.cli.pages docs/reference``."""
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == text()


def test_pages_are_written(tmp_path: Path) -> None:
    pages.write(str(tmp_path / "new"))
    assert {file.name for file in (tmp_path / "new").iterdir()} == {
        "commands.md",
        "endpoints.md",
        "events.md",
        "exit-codes.md",
    }


def test_pictures_are_current(monkeypatch: pytest.MonkeyPatch, at_now: None) -> None:
    """When this fails: ``PYTHONPATH=src python packaging/pictures.py``."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    import pictures

    for name in pictures.PICTURES:
        saved = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
        assert saved == pictures.picture(name), name
        assert len(saved) < 60_000
        assert "http" not in saved.replace("http://www.w3.org", "").replace("https://www.textualize.io", "")


def test_what_advice_repeats_is_what_commands_take() -> None:
    for option, pattern in (("--data", wording._OWN), ("--config", wording._OPERATORS)):
        takes = {path.removeprefix("ddns ") for path, command in ALL.items() if option in _options(command)}
        if option == "--data":
            takes = {path for path in takes if not path.startswith("gateway ")}
        assert {
            path.removeprefix("ddns ") for path in ALL if re.fullmatch(pattern, path.removeprefix("ddns "))
        } == takes


def _options(command: click.Command) -> set[str]:
    return {option for param in command.params for option in param.opts}
