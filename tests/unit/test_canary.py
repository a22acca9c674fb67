"""The search for secrets that tests let out finds what is planted, in each form and place, and nothing else."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import urllib.parse
import zipfile
from pathlib import Path

import pytest

from ground import canary
from unit.terminal import ROOT

SECRET = "planted+secret/4d7a"


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    """This module's own: the others are not to find it in this module's files."""
    monkeypatch.setattr(canary, "_secrets", {SECRET})


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
def test_base64_is_found_wherever_the_secret_stands(before: str) -> None:
    whole = base64.b64encode(f"{before}{SECRET} and more".encode())
    assert canary.found_in(b"Authorization: Basic " + whole)
    assert canary.found_in(base64.urlsafe_b64encode(f"{before}{SECRET}".encode()))


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"token": SECRET}),
        f"https://host.test/?t={urllib.parse.quote(SECRET, safe='')}",
        SECRET.encode().hex(),
    ],
)
def test_each_form_is_found(text: str) -> None:
    assert canary.found_in(f"a line with {text} in it".encode())


def test_what_windows_writes_and_what_is_packed_is_found() -> None:
    assert canary.found_in(f"x {SECRET}".encode("utf-16-le"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log", f"it is {SECRET}")
    assert SECRET.encode() not in packed.getvalue()
    assert canary.found_in(packed.getvalue())


@pytest.mark.parametrize("text", ["", "planted", SECRET[:-1], base64.b64encode(b"another secret").decode()])
def test_what_is_none_is_not_found(text: str) -> None:
    assert not canary.found_in(text.encode())


def test_where_tests_keep_secrets_is_not_searched_and_all_else_is(tmp_path: Path) -> None:
    for name in ("ddns.toml", "secrets/token", "secrets/deeper/token", "tls.key"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SECRET)
    assert list(canary.files(tmp_path)) == []
    for name in ("logs/ddns.jsonl", "public/status.json", "state/state.db", "bundle.zip", "secrets.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in canary.files(tmp_path)}
    assert found == {"logs/ddns.jsonl", "public/status.json", "state/state.db", "bundle.zip", "secrets.txt"}
    for path in canary.files(tmp_path):
        path.unlink()


SUITE = """
from ground import canary

SECRET = canary.secret("a-secret-of-the-suite")

def test_prints():
    print("the token is " + SECRET)

def test_writes(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "ddns.jsonl").write_text(SECRET)

def test_is_heard():
    canary.hear("ddns status", "fine", SECRET)

def test_works_elsewhere(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine")
    canary.watch(folder)
    (folder / "status.json").write_text(SECRET)

def test_keeps_it(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text(SECRET)
    canary.hear("ddns status", "fine")
    print("fine")
"""


def test_a_test_that_lets_a_secret_out_fails(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "ground.canary", "-p", "no:cacheprovider", "test_suite.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("tests", "src", "packaging"))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "4 failed, 1 passed" in done.stdout
    for where in ("Captured stdout call", "logs/ddns.jsonl", "ddns status", "status.json"):
        assert f"let out: {where}" in done.stdout or f"{where}\n" in done.stdout, where
    (tmp_path / "test_suite.py").unlink()
