"""What of the Windows parts decides without Windows: which folders, whose they are, their rights, files, secrets."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.errors import BadCredentials
from ddns.host import secrets
from ddns.host.places import Places
from ddns.host.secrets import Vault
from ddns.host.windows import files, known
from ddns.host.windows.rights import LOOK, READ, rights
from ddns.host.windows.trusted import OWNERS, refusal
from ddns.secret import SecretRef

# -- known folders, by a stand-in for `winreg`

PROFILES = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
SYSTEM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
FOLDERS = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"


class Key:
    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Winreg:
    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE = "HKCU", "HKLM"

    def __init__(self, **values: Any) -> None:
        self._values: dict[tuple[str, str], dict[str, Any]] = {
            ("HKLM", SYSTEM): {"SystemRoot": values.get("root")},
            ("HKLM", PROFILES): {"ProgramData": values.get("data")},
            ("HKCU", FOLDERS): {"Local AppData": values.get("local")},
        }

    def OpenKey(self, key: str, sub_key: str, /) -> Key:  # noqa: N802  # winreg's name
        return Key({name: value for name, value in self._values[key, sub_key].items() if value is not None})

    def QueryValueEx(self, key: Key, name: str, /) -> tuple[Any, int]:  # noqa: N802  # winreg's name
        if name not in key.values:
            raise FileNotFoundError(2, "not found")
        return key.values[name], 1


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ({"root": r"C:\Windows", "data": r"%SystemDrive%\ProgramData"}, r"C:\ProgramData"),
        ({"root": r"D:\Windows", "data": r"%SYSTEMDRIVE%\ProgramData"}, r"D:\ProgramData"),
        ({"root": r"C:\Windows", "data": "E:\\Data\\"}, r"E:\Data"),
        ({"root": r"C:\Windows", "data": r"%USERPROFILE%\Data"}, r"C:\ProgramData"),
        ({"root": r"C:\Windows", "data": "relative"}, r"C:\ProgramData"),
        ({"root": r"C:\Windows", "data": 7}, r"C:\ProgramData"),
        ({"root": r"D:\Windows"}, r"D:\ProgramData"),
        ({}, r"C:\ProgramData"),
    ],
)
def test_the_folder_of_all_users_data(monkeypatch: pytest.MonkeyPatch, registry: dict[str, Any], expected: str) -> None:
    for name in ("ProgramData", "SystemDrive"):
        monkeypatch.setenv(name, r"X:\evil")
    assert known.program_data(Winreg(**registry)) == expected


@pytest.mark.parametrize(
    ("environ", "local", "expected"),
    [
        ({"LOCALAPPDATA": r"C:\Users\u\AppData\Local"}, None, r"C:\Users\u\AppData\Local"),
        (
            {"LOCALAPPDATA": "", "USERPROFILE": r"C:\Users\u"},
            r"%USERPROFILE%\AppData\Local",
            r"C:\Users\u\AppData\Local",
        ),
        ({}, r"D:\Local", r"D:\Local"),
        ({"LOCALAPPDATA": "relative"}, None, ""),
        ({}, r"%USERPROFILE%\AppData\Local", ""),
        ({}, None, ""),
    ],
)
def test_the_folder_of_an_account_s_own_data(environ: dict[str, str], local: str | None, expected: str) -> None:
    assert known.local_app_data(Winreg(local=local), environ) == expected


@given(st.text(), st.text(), st.text())
def test_whatever_the_registry_says_a_folder_is_absolute_or_none(root: str, data: str, local: str) -> None:
    registry = Winreg(root=root, data=data, local=local)
    assert known.program_data(registry)[1:3] == ":\\"
    assert known.local_app_data(registry, {})[1:3] in (":\\", "")


# -- whose a folder is


class Files:
    """Folders with their owners; a link has none."""

    def __init__(self, **owners: str | OSError | None) -> None:
        self._owners = owners

    def attributes(self, path: str, /) -> int:
        if path not in self._owners:
            raise FileNotFoundError(2, "not found")
        return 0x410 if self._owners[path] is None else 0x10

    def owner(self, path: str, /) -> str:
        found = self._owners[path]
        if isinstance(found, OSError):
            raise found
        return str(found)


@pytest.mark.parametrize("owner", OWNERS)
def test_what_is_an_administrator_s_is_trusted(owner: str) -> None:
    assert refusal(("a", "missing"), Files(a=owner)) == ""


@pytest.mark.parametrize(
    ("owner", "problem"),
    [
        ("S-1-5-21-1-2-3-1000", "b is not an administrator's: its owner is S-1-5-21-1-2-3-1000"),
        ("S-1-5-32-545", "b is not an administrator's: its owner is S-1-5-32-545"),
        (None, "b leads elsewhere: it is a link or a junction"),
        (PermissionError(13, "Access denied"), "b: who owns it can't be read: Access denied"),
    ],
)
def test_what_others_made_is_not(owner: str | OSError | None, problem: str) -> None:
    assert refusal(("a", "b"), Files(a="S-1-5-18", b=owner)) == problem


def test_the_rights_of_folders() -> None:
    protected = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
    assert rights("S-1-5-19", administrators=False) == f"{protected}(A;OICI;FA;;;S-1-5-19)"
    assert rights("S-1-5-21-9", READ, administrators=True) == f"O:BA{protected}(A;OICI;0x1200a9;;;BU)"
    assert rights("S-1-5-21-9", LOOK, administrators=True) == f"O:BA{protected}(A;;0x1200a9;;;BU)"


# -- files


def test_a_file_that_is_held_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, pauses, replace = str(tmp_path / "status.json"), list[float](), os.replace

    def held(source: str, target: str) -> None:
        if len(pauses) < 9:
            raise PermissionError(13, "in use")
        replace(source, target)

    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(os, "replace", held)
    files.replace(path, b"new" * 100_000)
    assert Path(path).read_bytes() == b"new" * 100_000
    assert pauses == [files.PAUSE_SECONDS] * 9


def test_a_file_that_stays_held_keeps_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, pauses = tmp_path / "status.json", list[float]()
    path.write_text("old")

    def held(_source: str, _target: str) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError):
        files.replace(str(path), b"new")
    assert len(pauses) == files.TRIES - 1
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["status.json"])


def test_a_draft_that_was_left_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "status.json.new").symlink_to(tmp_path / "victim")
    files.replace(str(tmp_path / "status.json"), b"new", mode=0o600)
    assert (tmp_path / "victim").read_text() == "kept"
    assert (tmp_path / "status.json").read_text() == "new"
    assert [files.append(str(tmp_path / "log"), b"one\n"), files.append(str(tmp_path / "log"), b"two\n")] == [4, 8]


# -- secrets, by a stand-in for DPAPI


class Sealer:
    ENDING = ".sealed"

    def seal(self, text: bytes, folder: str) -> bytes:
        return b"sealed in " + folder.encode() + b":" + text[::-1]

    def unseal(self, blob: bytes, called: str) -> bytes:
        _, mark, text = blob.partition(b":")
        if not mark:
            raise BadCredentials(f"the secret {called} can't be opened here")
        return text[::-1]


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.setattr(secrets, "_SEALER", Sealer())
    return Vault(str(tmp_path / "secrets"))


def test_a_secret_that_the_system_seals(vault: Vault, tmp_path: Path) -> None:
    ref = vault.store("token", "hunter2")
    assert (ref, vault.reference("token")) == (SecretRef("dpapi:token"), ref)
    file = tmp_path / "secrets" / "token.sealed"
    assert vault.path(ref) == str(file)
    assert b"hunter2" not in file.read_bytes()
    assert vault.resolve(ref).reveal() == "hunter2"
    assert vault.mask("hunter2") == "***"
    before = vault.stored(ref)
    vault.store("token", "hunter3")
    assert None is not before != vault.stored(ref)
    file.write_bytes(b"damaged")
    with pytest.raises(BadCredentials, match=r"^the secret dpapi:token can't be opened here$"):
        vault.resolve(ref)


def test_files_are_secrets_there_as_well(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes("\ufeffhunter2\r\n".encode())
    assert vault.resolve(SecretRef(f"file:{tmp_path}/own")).reveal() == "hunter2"


# -- places


def test_places_within_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sep", "\\")
    made = Places.below(r"C:\ProgramData\DDNS", "machine", config="config")
    assert (made.config_file, made.state_file) == (
        r"C:\ProgramData\DDNS\config\ddns.toml",
        r"C:\ProgramData\DDNS\state\state.db",
    )
    assert made.option == ""
    drive = Places.below("D:\\", "data folder")
    assert (drive.config_file, drive.log_file, drive.option) == (r"D:\ddns.toml", r"D:\logs\ddns.jsonl", " --data D:\\")
    assert Places.below(r"D:\a b", "data folder").option == r' --data "D:\a b"'
