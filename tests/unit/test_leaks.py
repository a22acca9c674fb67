"""The search for a secret finds what is planted, in each form and place."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from ground import leaks

SECRET = "canary+4f1d9b=c2/77"
WAIT = "import sys; sys.stdin.read()"


@pytest.mark.parametrize(
    "data",
    [
        b"x" + SECRET.encode() + b"x",
        ("x" + SECRET).encode("utf-16-le"),
        *(base64.b64encode(b"x" * more + SECRET.encode() + b"yz") for more in range(3)),
        base64.b64encode(("Authorization: " + SECRET).encode("utf-16-le")),
        b'{"token":"canary\\u002b4f1d9b=c2/77"}',
    ],
)
def test_each_form(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(data)
    (tmp_path / "other").write_bytes(b"canary4f1d9b")
    assert leaks.files(tmp_path, SECRET) == {"deep/file"}


@pytest.mark.parametrize("place", ["cmdline", "environ"])
def test_what_a_process_was_told(place: str) -> None:
    more = [SECRET] if place == "cmdline" else []
    environ = {"TOKEN": SECRET} if place == "environ" else {}
    with leaks.Processes(SECRET) as watch:
        told = subprocess.Popen([sys.executable, "-c", WAIT, *more], env=environ, stdin=subprocess.PIPE)
        while not watch.told:
            assert told.poll() is None
        told.communicate()
    assert {one.split()[0] for one in watch.told} == {place}
