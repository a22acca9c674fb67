"""What the operating system gives: places, the lock of one instance, files that are never half there."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

from ddns import host
from ddns.errors import BusyError, StateUnwritable
from ddns.host import Places, route


def paths(made: Places) -> tuple[str, ...]:
    return (made.config_file, made.secrets, made.state_file, made.log_file, made.status_file, made.whose)


@pytest.mark.parametrize(
    ("data", "user", "environ", "expected"),
    [
        pytest.param(
            "/srv/d",
            0,
            {},
            (
                "/srv/d/ddns.toml",
                "/srv/d/secrets",
                "/srv/d/state/state.db",
                "/srv/d/logs/ddns.jsonl",
                "/srv/d/public/status.json",
                "data folder",
            ),
            id="data",
        ),
        pytest.param(
            None,
            0,
            {"XDG_CONFIG_HOME": "/x"},
            (
                "/etc/ddns/ddns.toml",
                "/var/lib/ddns/secrets",
                "/var/lib/ddns/state/state.db",
                "/var/lib/ddns/logs/ddns.jsonl",
                "/var/lib/ddns/public/status.json",
                "machine",
            ),
            id="root",
        ),
        pytest.param(
            None,
            1000,
            {},
            (
                "/home/u/.config/ddns/ddns.toml",
                "/home/u/.config/ddns/secrets",
                "/home/u/.local/state/ddns/state.db",
                "/home/u/.local/state/ddns/logs/ddns.jsonl",
                "/home/u/.local/state/ddns/public/status.json",
                "user",
            ),
            id="user",
        ),
        pytest.param(
            None,
            1000,
            {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"},
            (
                "/c/ddns/ddns.toml",
                "/c/ddns/secrets",
                "/s/ddns/state.db",
                "/s/ddns/logs/ddns.jsonl",
                "/s/ddns/public/status.json",
                "user",
            ),
            id="user with XDG",
        ),
        pytest.param(
            None,
            1000,
            {"XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""},
            (
                "/home/u/.config/ddns/ddns.toml",
                "/home/u/.config/ddns/secrets",
                "/home/u/.local/state/ddns/state.db",
                "/home/u/.local/state/ddns/logs/ddns.jsonl",
                "/home/u/.local/state/ddns/public/status.json",
                "user",
            ),
            id="user with empty XDG",
        ),
    ],
)
def test_places(
    monkeypatch: pytest.MonkeyPatch, data: str | None, user: int, environ: dict[str, str], expected: tuple[str, ...]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("HOME", "/home/u")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert paths(host.places(data)) == expected


def test_a_relative_data_folder_is_where_we_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert host.places("d").config_file == f"{tmp_path}/d/ddns.toml"


def test_readers_look_at_the_machine_and_then_at_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/u")
    assert [made.whose for made in host.readable_places()] == ["machine", "user"]
    assert [made.status_file for made in host.readable_places("/d")] == ["/d/public/status.json"]


def test_the_policy_lies_where_only_an_administrator_writes() -> None:
    assert host.policy_file() == "/etc/ddns/policy.toml"


# -- folders and lock


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_folders_are_private_unless_they_are_public(tmp_path: Path) -> None:
    host.private_folder(str(tmp_path / "a" / "state"))
    host.private_folder(str(tmp_path / "public"), public=True)
    host.private_folder(str(tmp_path / "public"))
    assert (mode(tmp_path / "a" / "state"), mode(tmp_path / "public")) == (0o700, 0o755)


@pytest.mark.parametrize("make", [host.private_folder, host.InstanceLock], ids=["folder", "lock"])
def test_a_folder_that_can_t_be_made(tmp_path: Path, make: object) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnwritable) as caught:
        make(str(tmp_path / "file" / "state"))  # type: ignore[operator]  # both take a path
    assert caught.value.message == f"{tmp_path}/file/state: Not a directory"


def test_a_lock_that_can_t_be_opened(tmp_path: Path) -> None:
    (tmp_path / "instance.lock").mkdir()
    with pytest.raises(StateUnwritable, match=r"instance\.lock: Is a directory$"):
        host.InstanceLock(str(tmp_path))


def test_one_instance(tmp_path: Path) -> None:
    first = host.InstanceLock(str(tmp_path))
    with pytest.raises(BusyError) as caught:
        host.InstanceLock(str(tmp_path))
    assert caught.value.message == f"another run holds {tmp_path}/instance.lock"
    first.release()
    host.InstanceLock(str(tmp_path)).release()
    assert mode(tmp_path / "instance.lock") == 0o600


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        host.InstanceLock(str(tmp_path))
        os._exit(0)
    os.waitpid(child, 0)
    host.InstanceLock(str(tmp_path)).release()


# -- files


def test_replace_makes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    for content in (b"one", b"", b"two" * 100_000):
        host.replace(str(path), content)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["status.json"]
    assert mode(path) == 0o644


def test_a_private_file_is_private_at_once(tmp_path: Path) -> None:
    host.replace(str(tmp_path / "secret"), b"x", mode=0o600)
    assert mode(tmp_path / "secret") == 0o600


def test_no_reader_ever_sees_half_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "status.json")
    contents = {bytes((letter,)) * 200_000 for letter in b"abc"}
    host.replace(path, b"a" * 200_000)
    over, seen = threading.Event(), set()

    def read() -> None:
        while not over.is_set():
            with open(path, "rb") as file:
                seen.add(file.read())

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(20):
            for content in contents:
                host.replace(path, content)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert seen
    assert seen <= contents


def test_a_link_in_the_draft_s_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "status.json.new").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        host.replace(str(tmp_path / "status.json"), b"x")
    assert (tmp_path / "victim").read_text() == "kept"


def test_what_can_t_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "status.json"
    path.write_text("old")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        host.replace(str(path), b"new")
    assert path.read_text() == "old"


def test_append(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    assert [host.append(path, b"one\n"), host.append(path, b"two\n")] == [4, 8]
    assert Path(path).read_bytes() == b"one\ntwo\n"
    assert mode(path) & 0o007 == 0


# -- the machine


def test_the_local_address_without_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_ANYWHERE", {4: (socket.AF_INET, "not an address")})
    assert route.source_address(4) == ""


def test_the_local_address_of_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_ANYWHERE", {4: (socket.AF_INET, "127.0.0.1")})
    assert route.source_address(4) == "127.0.0.1"


@pytest.mark.parametrize(("slept", "bias"), [(0.0, 0), (0.3, 0), (3600.2, 3600)])
def test_a_resume_is_seen(monkeypatch: pytest.MonkeyPatch, slept: float, bias: int) -> None:
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 100 + slept, time.CLOCK_MONOTONIC: 100.0}.get)
    assert host.sleep_bias() == bias


def test_the_bias_stays_the_same_between_runs() -> None:
    assert host.sleep_bias() == host.sleep_bias()


def test_what_is_public_is_so_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        host.private_folder(str(tmp_path / "var" / "public"), public=True)
        host.replace(str(tmp_path / "var" / "public" / "status.json"), b"{}")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var", *(tmp_path / "var").rglob("*"))]
    folder = 0o755 if os.geteuid() == 0 else 0o700
    assert modes == [folder, folder, 0o644]
