"""`ddns secret`: what is stored, where, what names it, and that it goes only when nothing does. The keyring, too."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from ddns.errors import BadCredentials
from ddns.host.secrets import Vault
from ddns.secret import SecretRef
from unit.terminal import ddns

CANARY = "canary-7b1e90"
SETTINGS = """schema = 1
[[record]]
name = "home.example.com"
provider = "main"

[provider.main]
kind = "cloudflare"
token = "{token}"
"""


class InMemory(KeyringBackend):
    """A keyring of the test's own; `locked`: nobody may look into it."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the package's
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("No such password!")


@pytest.fixture
def chain() -> Iterator[InMemory]:
    """The keyring of this process is the test's."""
    before, made = keyring.get_keyring(), InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def settings(folder: Path, token: str) -> None:
    (folder / "ddns.toml").write_text(SETTINGS.format(token=token))


def listed(folder: Path) -> dict[str, dict[str, Any]]:
    told = ddns("secret", "list", "--json", "--data", folder).json("secret list")
    return {one["reference"]: one for one in told["secrets"]}


def test_nothing_is_stored(tmp_path: Path) -> None:
    done = ddns("secret", "list", "--data", tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.text.startswith("No secret is stored")
    assert list(tmp_path.iterdir()) == []


def test_the_list_tells_names_places_and_uses_and_never_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(tmp_path, "file:cf")
    for name in ("cf", "spare"):
        ddns("secret", "set", name, "--data", tmp_path, stdin=f"{CANARY}-{name}")
    (tmp_path / "secrets" / "cf.new").write_text("what a kill left behind")
    (tmp_path / "gateway.toml").write_text('master_key = "env:MASTER"\n[provider.dns]\nkey = "file:tsig"\n')
    monkeypatch.setenv("MASTER", CANARY)

    done = ddns("secret", "list", "--data", tmp_path, width=200)

    folder = tmp_path / "secrets"
    assert [line.split() for line in done.lines] == [
        ["reference", "stored", "in", "used", "by"],
        ["●", "env:MASTER", "environment", "master_key", "(gateway.toml)"],
        ["●", "file:cf", f"{folder}/cf", "provider.main.token"],
        ["○", "file:spare", f"{folder}/spare", "not", "used"],
        ["✗", "file:tsig", "not", "there:", f"{folder}/tsig", "provider.dns.key", "(gateway.toml)"],
    ]
    told = listed(tmp_path)
    assert told["file:cf"] == {
        "reference": "file:cf",
        "place": f"{folder}/cf",
        "there": True,
        "problem": "",
        "used_by": ["provider.main.token"],
    }
    assert CANARY not in done.out + done.err + str(told)


def test_a_list_beside_settings_that_are_wrong_says_so(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("schema = 9\n")
    ddns("secret", "set", "cf", "--data", tmp_path, stdin=CANARY)
    done = ddns("secret", "list", "--data", tmp_path)
    assert done.code == 0
    assert "file:cf" in done.out
    assert done.err.startswith("which of them are used can't be told: ")


def test_a_folder_that_can_not_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file")
    done = ddns("secret", "list", "--data", tmp_path)
    assert done.code == 15
    assert done.err.startswith(f"ddns: {tmp_path}/secrets can't be looked at: Not a directory\n")


def test_what_is_in_use_stays_unless_forced(tmp_path: Path) -> None:
    settings(tmp_path, "file:cf")
    ddns("secret", "set", "cf", "--data", tmp_path, stdin=CANARY)

    refused = ddns("secret", "remove", "cf", "--data", tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "ddns: the secret file:cf is in use: provider.main.token\n"
        "Change the settings first, or remove it all the same with --force.\n"
    )
    assert (tmp_path / "secrets" / "cf").read_text() == f"{CANARY}\n"

    done = ddns("secret", "remove", "--force", "cf", "--data", tmp_path)
    assert (done.code, done.out) == (0, "removed file:cf\n")
    assert not (tmp_path / "secrets" / "cf").exists()


def test_what_is_not_used_goes(tmp_path: Path) -> None:
    ddns("secret", "set", "cf", "--data", tmp_path, stdin=CANARY)
    done = ddns("secret", "remove", "cf", "--json", "--data", tmp_path)
    assert done.json("secret remove") == {"reference": "file:cf"}
    assert listed(tmp_path) == {}

    again = ddns("secret", "remove", "cf", "--data", tmp_path)
    assert again.code == 2
    assert again.err.startswith(f"ddns: there is no secret file:cf in {tmp_path}/secrets\n")


def test_where_use_can_not_be_told_nothing_goes(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("not = toml = at all\n")
    ddns("secret", "set", "cf", "--data", tmp_path, stdin=CANARY)
    done = ddns("secret", "remove", "cf", "--data", tmp_path)
    assert done.code == 2
    assert done.err.startswith("ddns: whether file:cf is in use can't be told: gateway.toml can't be read")
    assert (tmp_path / "secrets" / "cf").exists()
    assert ddns("secret", "remove", "--force", "cf", "--data", tmp_path).code == 0


@pytest.mark.parametrize("name", ["../ddns.toml", "/etc/passwd", ".", "a/b"])
def test_nothing_outside_of_the_folder_is_removed(tmp_path: Path, name: str) -> None:
    settings(tmp_path, "env:T")
    assert ddns("secret", "remove", "--force", "--data", tmp_path, "--", name).code == 2
    assert (tmp_path / "ddns.toml").exists()


def test_a_replaced_secret_keeps_its_rights(tmp_path: Path) -> None:
    ddns("secret", "set", "cf", "--data", tmp_path, stdin="old")
    os.chmod(tmp_path / "secrets" / "cf", 0o644)
    ddns("secret", "set", "cf", "--data", tmp_path, stdin=CANARY)
    assert stat.S_IMODE((tmp_path / "secrets" / "cf").stat().st_mode) == 0o600


# -- the keyring


def test_a_secret_in_the_keyring(tmp_path: Path, chain: InMemory) -> None:
    settings(tmp_path, "keyring:cf")
    done = ddns("secret", "set", "--keyring", "cf", "--data", tmp_path, stdin=CANARY)
    assert (done.code, done.out) == (0, "keyring:cf\n")
    assert chain.entries == {("ddns", "cf"): CANARY}
    assert not (tmp_path / "secrets").exists()

    vault, ref = Vault(str(tmp_path / "secrets")), SecretRef("keyring:cf")
    assert vault.resolve(ref).reveal() == CANARY
    assert vault.mask(f"it is {CANARY}") == "it is ***"
    assert vault.stored(ref) is None, "no short way: what is stored can't be watched"
    assert listed(tmp_path)["keyring:cf"]["there"] is True

    assert ddns("secret", "remove", "--keyring", "cf", "--data", tmp_path).code == 2
    assert ddns("secret", "remove", "--keyring", "--force", "cf", "--data", tmp_path).out == "removed keyring:cf\n"
    assert chain.entries == {}
    assert listed(tmp_path)["keyring:cf"]["there"] is False


def test_a_secret_that_is_not_in_the_keyring(tmp_path: Path, chain: InMemory) -> None:
    with pytest.raises(BadCredentials) as caught:
        Vault(str(tmp_path), " --data ./x").resolve(SecretRef("keyring:cf"))
    assert caught.value.message == (
        "the secret keyring:cf is not in the keyring of this account;"
        " store it with: ddns secret set --keyring cf --data ./x"
    )
    done = ddns("secret", "remove", "--keyring", "cf", "--data", tmp_path)
    assert done.code == 2
    assert done.err.startswith("ddns: there is no secret keyring:cf in the keyring of this account\n")


def test_a_keyring_that_keeps_nothing(tmp_path: Path, chain: InMemory) -> None:
    keyring.set_keyring(null.Keyring())  # type: ignore[no-untyped-call]  # the package's
    with pytest.raises(BadCredentials, match="is not in the keyring"):
        Vault(str(tmp_path)).resolve(SecretRef("keyring:cf"))


def test_a_keyring_that_is_locked(tmp_path: Path, chain: InMemory) -> None:
    chain.locked = True
    with pytest.raises(BadCredentials) as caught:
        Vault(str(tmp_path)).resolve(SecretRef("keyring:cf"))
    assert caught.value.message == "the secret keyring:cf can't be opened: Failed to unlock the collection!"
    settings(tmp_path, "keyring:cf")
    assert listed(tmp_path)["keyring:cf"]["problem"] == caught.value.message
    assert ddns("secret", "remove", "--keyring", "--force", "cf", "--data", tmp_path).code == 15


def test_a_machine_without_a_keyring(tmp_path: Path, chain: InMemory) -> None:
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]  # the package's
    done = ddns("secret", "set", "--keyring", "cf", "--data", tmp_path, stdin=CANARY)
    assert done.code == 15
    assert done.err == (
        "ddns: the secret keyring:cf can't be stored: No recommended backend was available\n"
        "See that the account that runs ddns has a keyring and that it is unlocked, or store the secret in a file.\n"
    )


def test_an_installation_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    done = ddns("secret", "set", "--keyring", "cf", "--data", tmp_path, stdin=CANARY)
    assert done.code == 15
    assert done.err == (
        "ddns: the secret keyring:cf can't be stored: this installation has no keyring package\n"
        'Install it with: pip install "ddns-fleet[keyring]", or store the secret without --keyring.\n'
    )
    with pytest.raises(BadCredentials, match="this installation has no keyring package"):
        Vault(str(tmp_path)).resolve(SecretRef("keyring:cf"))
