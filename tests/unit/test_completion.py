"""Completion by the shells themselves: bash, fish and PowerShell are asked what they would offer; zsh reads its script.

Each finds `ddns` on PATH, as a person's shell does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ddns.cli.main import COMMANDS
from ddns.cli.main import ddns as root
from ddns.cli.pages import _contexts
from ground import NotHere, debian, not_run, pwsh
from unit.terminal import ROOT, ddns, environment, put, record, status
from windows import cache


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH whose first folder has `ddns`, under both of its names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("ddns", "ddns.exe"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/src exec {sys.executable} -m ddns "$@"\n')
        program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a status and secrets."""
    folder = tmp_path / "my data"
    put(folder, status(record(), record("nas.example.org"), record("*.example.org")))
    for name in ("cf-token", "tsig"):
        ddns("secret", "set", name, "--data", folder, stdin="s3cret")
    return folder


def script(shell: str) -> str:
    done = ddns("completion", shell)
    assert (done.code, done.err) == (0, "")
    return done.out


def shell(command: list[str], path: str, **more: str) -> str:
    environ = environment() | {"PATH": path} | more
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def bash(path: str, tmp_path: Path, *words: str, name: str = "ddns") -> list[str]:
    """What bash offers in the place of the last word."""
    (tmp_path / "script").write_text(script("bash"))
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in (name, *words))
    ask = f"""
source {tmp_path}/script
complete -p {name} >/dev/null || exit 9
compopt() {{ OFFERED="$*"; }}
COMP_WORDS=({quoted}); COMP_CWORD={len(words)}
_ddns_completion {name}
printf '%s\\n' "${{COMPREPLY[@]}}" $OFFERED
"""
    return shell(["bash", "--norc", "-c", ask], path).split()


def test_bash_completes_commands_and_options(path: str, tmp_path: Path) -> None:
    assert bash(path, tmp_path, "st") == ["status"]
    assert bash(path, tmp_path, "st", name="ddns.exe") == ["status"]
    assert {"init", "validate", "show"} <= set(bash(path, tmp_path, "config", ""))
    assert bash(path, tmp_path, "run", "--f") == ["--full"]
    assert bash(path, tmp_path, "completion", "p") == ["powershell"]
    assert bash(path, tmp_path, "config", "init", "--provider", "rfc") == ["rfc2136"]
    assert bash(path, tmp_path, "status", "--data", "x") == ["-o", "dirnames"]


def test_bash_completes_names_of_records_and_of_secrets(path: str, tmp_path: Path, data: Path) -> None:
    folder = str(data).replace(" ", "\\ ")  # as the line holds it
    assert bash(path, tmp_path, "history", "--data", folder, "--name", "") == [
        "*.example.org",
        "home.example.com",
        "nas.example.org",
    ]
    assert bash(path, tmp_path, "secret", "remove", "--data", folder, "t") == ["tsig"]


def test_where_there_is_nothing_nothing_is_offered_and_nothing_is_made(path: str, tmp_path: Path) -> None:
    assert bash(path, tmp_path, "history", "--data", f"{tmp_path}/none", "--name", "") == []
    assert bash(path, tmp_path, "secret", "remove", "--data", f"{tmp_path}/none", "") == []
    assert not (tmp_path / "none").exists()


def test_fish_completes(path: str, tmp_path: Path, data: Path) -> None:
    try:
        fish = debian.program("fish", "fish")
    except NotHere as missing:
        not_run(missing)
    (tmp_path / "script").write_text(script("fish"))
    home = tmp_path / "home"
    home.mkdir()

    def offered(line: str) -> list[str]:
        ask = f'source {tmp_path}/script; complete -C "{line}"'
        out = shell([str(fish.path), "--no-config", "-c", ask], path, HOME=str(home), TERM="dumb", **fish.env)
        return [found.partition("\t")[0] for found in out.splitlines()]

    assert offered("ddns st") == ["status"]
    assert offered("ddns run --f") == ["--full"]
    assert offered(f"ddns secret remove --data '{data}' c") == ["cf-token"]


def test_zsh_reads_its_script(path: str, tmp_path: Path) -> None:
    try:
        zsh = debian.program("zsh", "zsh")
    except NotHere as missing:
        not_run(missing)
    (tmp_path / "script").write_text(script("zsh"))
    # compdef and compadd are of its line editor; what would be offered is told instead.
    modules = list(zsh.path.parents[1].glob("usr/lib/*/zsh/*/zsh")) if cache.root() in zsh.path.parents else []
    ask = f"""
module_path=({" ".join(str(folder.parent) for folder in modules)} $module_path)
compdef() {{ print -r -- "for $2" }}
compadd() {{ print -rl -- $completions }}
_describe() {{ print -rl -- $completions_with_descriptions }}
source {tmp_path}/script
words=(ddns st) CURRENT=2
_ddns_completion
"""
    lines = shell([str(zsh.path), "-f", "-c", ask], path, **zsh.env).splitlines()
    assert lines[0] == "for ddns"
    assert [line.partition(":")[0] for line in lines[1:]] == ["status"]


def test_powershell_completes(path: str, tmp_path: Path, data: Path) -> None:
    try:
        powershell = pwsh.linux()
    except NotHere as missing:
        not_run(missing)
    (tmp_path / "script.ps1").write_text(script("powershell"))
    lines = [
        "ddns st",
        "ddns.exe st",
        "ddns run --f",
        "ddns completion ",
        f"ddns history --data '{data}' --name ",
        f"ddns secret remove --data '{data}' t",
        "ddns secret remove --data C:\\none ",
    ]
    asked = json.dumps(lines).replace("'", "''")
    ask = f"""
$ErrorActionPreference = 'Stop'
. {tmp_path}/script.ps1
$offered = foreach ($line in ('{asked}' | ConvertFrom-Json)) {{
    $found = (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches
    , @($found | Where-Object ResultType -EQ 'ParameterValue' | ForEach-Object CompletionText)
}}
ConvertTo-Json -Depth 3 $offered
if ($env:COMP_WORDS -or $env:_DDNS_COMPLETE) {{ throw 'variables are left' }}
"""
    ended = powershell.text(ask, environ={"PATH": path})
    assert (ended.exit, ended.err) == (0, "")
    assert ended.json() == [
        ["status"],
        ["status"],
        ["--full"],
        ["bash", "zsh", "fish", "powershell"],
        ["'*.example.org'", "home.example.com", "nas.example.org"],
        ["tsig"],
        [],
    ]


def test_a_shell_that_is_not_known(tmp_path: Path) -> None:
    done = ddns("completion", "tcsh")
    assert done.code == 2
    assert "'tcsh' is not one of" in done.err


def contexts(command: click.Command, context: click.Context) -> list[click.Context]:
    """The context of a command and of everything below it, groups included."""
    found = [context]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                found += contexts(below, click.Context(below, parent=context, info_name=name))
    return found


ALL = contexts(root, click.Context(root, info_name="ddns", **root.context_settings))


@pytest.mark.parametrize("context", ALL, ids=lambda context: context.command_path)
def test_help_shows_an_example_of_every_command(context: click.Context) -> None:
    shown = context.command.get_help(context)
    _before, heading, examples = shown.partition("Examples:\n")
    assert heading, shown
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    path = context.command_path.replace("gateway enroll", "enroll")  # one command under two names
    assert any(path in line for line in lines), lines
    assert (context.command.help or "").strip()


def test_the_walk_sees_groups_and_what_is_below_them() -> None:
    paths = {context.command_path for context in ALL}
    assert {"ddns", "ddns gateway", "ddns gateway hosts", "ddns config init", "ddns secret list"} <= paths
    assert {f"ddns {name}" for name in COMMANDS} <= paths
    assert len(paths) > len(list(_contexts()))


@pytest.mark.skipif(shutil.which("bash") is None, reason="not run, because there is no bash")
def test_the_script_asks_nothing_of_the_machine_that_prints_it(tmp_path: Path) -> None:
    """On Windows there is no bash to look at."""
    out = shell([sys.executable, "-m", "ddns", "completion", "bash"], path=str(tmp_path))
    assert out == script("bash")
