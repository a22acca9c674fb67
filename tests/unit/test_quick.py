"""The fingerprint of the no-change run, and the settings that it reads by a plainer rule."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ddns import host
from ddns.host import route
from ddns.runtime import quick
from ddns.runtime.quick import fingerprint, own_probe

WATCHED = ("env:TOKEN", "file:{}/secret")


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing changes by itself."""
    for name in [name for name in os.environ if name.startswith("DDNS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOKEN", "one")
    monkeypatch.setattr(route, "source_address", lambda family: f"local {family}")
    monkeypatch.setattr(host, "sleep_bias", lambda: 7)
    monkeypatch.setattr(host, "policy_file", lambda: str(tmp_path / "policy.toml"))
    (tmp_path / "secret").write_text("one")


def mark(folder: Path, settings: bytes = b"schema = 1") -> str:
    return fingerprint(settings, tuple(item.format(folder) for item in WATCHED))


Meddle = Callable[[Path, pytest.MonkeyPatch], object]


@pytest.mark.parametrize(
    "meddle",
    [
        pytest.param(lambda folder, patch: (folder / "secret").write_text("two"), id="secret file"),
        pytest.param(lambda folder, patch: (folder / "secret").write_text(""), id="secret file empty"),
        pytest.param(lambda folder, patch: (folder / "secret").unlink(), id="secret file gone"),
        pytest.param(lambda folder, patch: patch.setenv("TOKEN", "two"), id="secret of the environment"),
        pytest.param(lambda folder, patch: patch.delenv("TOKEN"), id="secret of the environment gone"),
        pytest.param(lambda folder, patch: patch.setenv("DDNS_LOG_LEVEL", "DEBUG"), id="environment"),
        pytest.param(lambda folder, patch: (folder / "policy.toml").write_text("[log]\nlevel = 'WARN'"), id="policy"),
        pytest.param(lambda folder, patch: patch.setattr(quick, "__version__", "9.9.9"), id="program"),
        pytest.param(lambda folder, patch: patch.setattr(route, "source_address", lambda family: ""), id="network"),
        pytest.param(lambda folder, patch: patch.setattr(host, "sleep_bias", lambda: 8), id="resume"),
    ],
)
def test_what_changes_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meddle: Meddle) -> None:
    before = mark(tmp_path)
    assert mark(tmp_path) == before
    meddle(tmp_path, monkeypatch)
    assert mark(tmp_path) != before


def test_what_does_not_change_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = mark(tmp_path)
    monkeypatch.setenv("SOMETHING_ELSE", "x")
    assert mark(tmp_path) == before
    assert mark(tmp_path, b"schema = 1\n") != before
    assert "one" not in before


def test_what_lies_side_by_side_is_not_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDNS_A", "1")
    one = fingerprint(b"x", ())
    monkeypatch.delenv("DDNS_A")
    assert fingerprint(b"xDDNS_A=1", ()) != one


def test_the_environment_s_probe_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = b'[detect]\nprobe4 = "http://192.0.2.1/"\n'
    assert own_probe(settings, 4) == "http://192.0.2.1/"
    assert own_probe(settings, 6) == ""
    monkeypatch.setenv("DDNS_DETECT_PROBE4", "http://192.0.2.2/")
    assert own_probe(settings, 4) == "http://192.0.2.2/"


@pytest.mark.parametrize("watched", ["pipe", "/dev/zero"])
def test_what_a_forged_state_watches_holds_no_run_up(tmp_path: Path, watched: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    code = f"from ddns.runtime.quick import fingerprint; fingerprint(b'', ('file:{tmp_path / watched}',))"
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))  # noqa: E731 - for the child alone
    done = subprocess.run([sys.executable, "-c", code], timeout=10, check=False, env=environment, preexec_fn=limit)
    assert done.returncode == 0
