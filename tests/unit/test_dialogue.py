"""`ddns config init` in a real terminal asks, stores the secret and writes; anywhere else it never asks."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ground import canary
from unit.terminal import ROOT, at_a_terminal, ddns, environment

CANARY = canary.secret("canary-51c7f0")
NAME, TYPES, KIND = "Full name to keep", "Address types", "Where is the name kept?"


def live(folder: Path) -> list[str]:
    """The lines of the settings that are no comment."""
    return [line for line in (folder / "ddns.toml").read_text().splitlines() if line and line[0] != "#"]


def test_a_name_a_kind_and_a_secret(tmp_path: Path) -> None:
    code, drawn = at_a_terminal(
        *("config", "init", "--data", str(tmp_path / "data")),
        answers=[
            (NAME, "home"),
            (NAME, "home.example.com"),
            (TYPES, "both"),
            (KIND, "cloudflar"),
            (KIND, "cloudflare"),
            ("token (it is not shown", CANARY),
        ],
    )
    assert code == 0, drawn
    assert 'Error: "home" is not a full name' in drawn
    assert 'Error: unknown kind of provider "cloudflar"' in drawn
    folder = tmp_path / "data"
    assert live(folder)[:6] == [
        "schema = 1",
        "[[record]]",
        'name = "home.example.com"',
        'provider = "main"',
        'types = ["A", "AAAA"]',
        "[provider.main]",
    ]
    assert 'token = "file:main-token"' in live(folder)
    assert (folder / "secrets" / "main-token").read_text() == f"{CANARY}\n"
    assert stat.S_IMODE((folder / "secrets" / "main-token").stat().st_mode) == 0o600
    assert ddns("config", "validate", "--data", folder).err == ""
    assert CANARY not in drawn
    assert CANARY not in (folder / "ddns.toml").read_text()
    assert f"ddns plan --data {folder}" in drawn


def test_keys_that_a_kind_needs_are_asked_for_and_a_secret_may_come_later(tmp_path: Path) -> None:
    code, drawn = at_a_terminal(
        *("config", "init", "--data", str(tmp_path)),
        answers=[
            (NAME, "home.example.com"),
            (TYPES, ""),
            (KIND, "digitalocean"),
            ("token (it is not shown", ""),
        ],
    )
    assert code == 0, drawn
    assert 'types = ["A"]' in live(tmp_path)
    assert f"  ddns secret set main-token --data {tmp_path}\n" in drawn
    assert not (tmp_path / "secrets").exists()


def test_the_fleet_s_gateway(tmp_path: Path) -> None:
    code, drawn = at_a_terminal(
        *("config", "init", "--data", str(tmp_path)),
        answers=[
            (NAME, "pc7.dyn.example.com"),
            (TYPES, "A"),
            (KIND, "gateway"),
            ("URL of the gateway", "https://gw.example.com"),
        ],
    )
    assert code == 0, drawn
    assert 'url = "https://gw.example.com"' in live(tmp_path)
    assert f"  ddns enroll https://gw.example.com --data {tmp_path}\n" in drawn


def test_an_empty_name_writes_an_example(tmp_path: Path) -> None:
    code, _ = at_a_terminal("config", "init", "--data", str(tmp_path), answers=[(NAME, "")])
    assert code == 0
    assert live(tmp_path)[0] == "schema = 1"
    assert not any(line.startswith("name") for line in live(tmp_path))


@pytest.mark.parametrize(
    "answers",
    [
        [(NAME, "\x03")],
        [(NAME, "\x04")],
        [(NAME, "a.example.com"), (TYPES, "A"), (KIND, "cloudflare"), ("token (it is not shown", "\x03")],
    ],
    ids=["at once", "end of file", "at the secret"],
)
def test_whoever_leaves_leaves_nothing_behind(tmp_path: Path, answers: list[tuple[str, str]]) -> None:
    code, drawn = at_a_terminal("config", "init", "--data", str(tmp_path / "data"), answers=answers)
    assert code == 130, drawn
    assert not (tmp_path / "data").exists()


def test_a_secret_that_is_there_is_replaced_only_when_that_is_wanted(tmp_path: Path) -> None:
    ddns("secret", "set", "main-token", "--data", tmp_path, stdin="old")
    asked = [(NAME, "a.example.com"), (TYPES, "A"), (KIND, "cloudflare"), ("token (it is not shown", CANARY)]
    code, drawn = at_a_terminal("config", "init", "--data", str(tmp_path), answers=[*asked, ("Replace it?", "n")])
    assert code == 0, drawn
    assert (tmp_path / "secrets" / "main-token").read_text() == "old\n"
    code, _ = at_a_terminal("config", "init", "--force", "--data", str(tmp_path), answers=[*asked, ("it?", "y")])
    assert code == 0
    assert (tmp_path / "secrets" / "main-token").read_text() == f"{CANARY}\n"


def test_options_are_answers_in_a_terminal_too(tmp_path: Path) -> None:
    code, drawn = at_a_terminal(
        *("config", "init", "--name", "a.example.com", "--provider", "cloudflare", "--data", str(tmp_path))
    )
    assert (code, drawn) == (0, f"wrote {tmp_path}/ddns.toml\n")


def test_an_existing_file_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("# mine\n")
    code, drawn = at_a_terminal("config", "init", "--data", str(tmp_path))
    assert code == 2
    assert NAME not in drawn
    assert (tmp_path / "ddns.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("arguments", [[], ["--name", "a.example.com"]], ids=["nothing", "half"])
def test_where_nobody_can_answer_it_never_waits(tmp_path: Path, arguments: list[str]) -> None:
    """Standard input stays open and silent, as it does under a scheduler."""
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            (sys.executable, "-m", "ddns", "config", "init", *arguments, "--data", str(tmp_path / "data")),
            env=environment(),
            stdin=reader,
            capture_output=True,
            timeout=30,
            cwd=ROOT,
            check=False,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert done.returncode == (2 if arguments else 0)
