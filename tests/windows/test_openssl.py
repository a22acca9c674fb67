"""OpenSSL's configuration names libraries that it loads: the exe reads none, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from windows.wine import Wine

#: Where libcrypto-3.dll of CPython looks.
COMPILED_IN = "C:\\Program Files\\Common Files\\SSL\\openssl.cnf"
ELSEWHERE = "C:\\planted.cnf"
#: Names a provider whose library is not there, so that whoever reads this has no ciphers.
PLANTED = r"""config_diagnostics = 1
openssl_conf = all
[all]
providers = providers
[providers]
planted = planted
[planted]
module = C:\\planted.dll
activate = 1
"""
SETTINGS = """schema = 1
[[record]]
name = "home.example.test"
provider = "p"
types = ["A"]
[provider.p]
kind = "desec"
token = "env:TOKEN"
[detect]
sources = [
    { url = "https://127.0.0.1:1/ip", operator = "one" },
    { url = "https://127.0.0.1:2/ip", operator = "two" },
]
"""


@pytest.fixture
def machine(fresh_machine: Callable[[], Wine]) -> Wine:
    """One with settings that ask over TLS where nobody listens."""
    made = fresh_machine()
    folder = made.path("C:\\data")
    folder.mkdir()
    (folder / "ddns.toml").write_text(SETTINGS)
    return made


@pytest.mark.parametrize(("place", "variable"), [(COMPILED_IN, ""), (ELSEWHERE, ELSEWHERE)])
def test_a_planted_configuration_is_not_read(tree: Path, machine: Wine, place: str, variable: str) -> None:
    planted = machine.path(place)
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(PLANTED)
    environ = {"TOKEN": "t"} | ({"OPENSSL_CONF": variable} if variable else {})
    done = machine.run(tree / "app" / "ddns.exe", "detect", "--data", "C:\\data", environ=environ)
    assert done.returncode == 11, done.stderr
    assert done.stdout.count(b"can't connect") == 2
