"""The policy layer: a file, or a registry key (by a stand-in for `winreg`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import pytest

from ddns.config import policy, policy_bytes
from ddns.errors import SettingsError

SZ, EXPAND_SZ, BINARY, DWORD, MULTI_SZ = 1, 2, 3, 4, 7


class Key:
    def __init__(self, tree: dict[str, Any]) -> None:
        self.values = [(name, data[1], data[0]) for name, data in tree.items() if isinstance(data, tuple)]
        self.keys = {name: data for name, data in tree.items() if isinstance(data, dict)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Winreg:
    def OpenKey(self, key: Key, sub_key: str, /) -> Key:  # noqa: N802  # winreg's name
        if sub_key not in key.keys:
            raise FileNotFoundError(2, "not found")
        return Key(key.keys[sub_key])

    def QueryInfoKey(self, key: Key, /) -> tuple[int, int, int]:  # noqa: N802  # winreg's name
        return len(key.keys), len(key.values), 0

    def EnumKey(self, key: Key, index: int, /) -> str:  # noqa: N802  # winreg's name
        return list(key.keys)[index]

    def EnumValue(self, key: Key, index: int, /) -> tuple[str, Any, int]:  # noqa: N802  # winreg's name
        return key.values[index]


def registry(tree: dict[str, Any]) -> policy_bytes.Tree | None:
    return policy_bytes.registry_tree(Winreg(), Key({"DDNS": tree}), "DDNS")


POLICY = {
    "": (SZ, "the unnamed value"),
    "Detect": {"Timeout": (SZ, "5s"), "Sources": (MULTI_SZ, ["ipify", "aws"])},
    "Log": {"Keep": (DWORD, 3)},
    "Provider": {"Main": {"Zone": (SZ, "example.com")}},
    "Record": {
        "10": {"Name": (SZ, "b.example.com"), "Provider": (SZ, "Main")},
        "2": {"Name": (SZ, "a.example.com"), "Provider": (SZ, "Main"), "Proxied": (DWORD, 1)},
    },
}


def test_a_registry_key_in_the_shape_of_the_file() -> None:
    assert policy.from_registry(registry(POLICY)) == {
        "detect": {"timeout": "5s", "sources": ["ipify", "aws"]},
        "log": {"keep": 3},
        "provider": {"Main": {"zone": "example.com"}},
        "record": [
            {"name": "a.example.com", "provider": "Main", "proxied": 1},
            {"name": "b.example.com", "provider": "Main"},
        ],
    }


def test_no_registry_key_is_no_policy() -> None:
    assert policy_bytes.registry_tree(Winreg(), Key({}), "DDNS") is None
    assert policy.from_registry(None) == {}
    assert policy_bytes.serialised(None) == b""


def test_values_of_other_types_are_all_named() -> None:
    with pytest.raises(SettingsError) as caught:
        policy.from_registry(
            registry({"Log": {"Level": (BINARY, b"x")}, "Detect": {"Timeout\x1b": (EXPAND_SZ, "%T%")}})
        )
    assert caught.value.message == "the policy has 2 problems"
    assert caught.value.problems == (
        r"policy: HKLM\Software\Policies\DDNS\Log\Level: expected REG_SZ, REG_DWORD or REG_MULTI_SZ, found REG_BINARY",
        (
            r"policy: HKLM\Software\Policies\DDNS\Detect\Timeout\u001b: "
            "expected REG_SZ, REG_DWORD or REG_MULTI_SZ, found REG_EXPAND_SZ"
        ),
    )


def test_the_raw_form_changes_with_the_content_only() -> None:
    raw = policy_bytes.serialised(registry(POLICY))
    assert raw == policy_bytes.serialised(registry(dict(reversed(POLICY.items()))))
    assert raw != policy_bytes.serialised(registry({**POLICY, "Log": {"Keep": (DWORD, 4)}}))
    assert raw != policy_bytes.serialised(registry({**POLICY, "Log": {"Keep": (SZ, "3")}}))
    assert policy_bytes.serialised(registry({"Log": {}})) != policy_bytes.serialised(registry({}))


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    assert (policy.read(str(file)), policy_bytes.policy_bytes(str(file))) == ({}, b"")
    file.write_bytes(b'[log]\nlevel = "WARN"\n')
    assert policy.read(str(file)) == {"log": {"level": "WARN"}}
    assert policy_bytes.policy_bytes(str(file)) == b'[log]\nlevel = "WARN"\n'


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("log: level")
    with pytest.raises(SettingsError) as caught:
        policy.read(str(file))
    assert caught.value.problems == ("policy.toml:1: not TOML: expected '=' after a key in a key/value pair",)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        policy.read(str(tmp_path))
    assert caught.value.problems == (f"{tmp_path}: can't be read: Is a directory",)
    assert policy_bytes.policy_bytes(str(tmp_path)) == policy_bytes.UNREADABLE
