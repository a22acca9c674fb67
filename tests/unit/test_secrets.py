"""Secrets by reference: found at the moment of use, masked ever after."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.errors import BadCredentials
from ddns.host.secrets import Vault
from ddns.secret import SecretRef

STORE = "Store a valid secret with `ddns secret set`, then: ddns run --now"
READ = "Check that the file is there and that the account that runs ddns may read it."


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(str(tmp_path / "secrets"), " --data ./x")


def test_a_secret_of_the_environment(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", " hunter2\n")
    assert vault.resolve(SecretRef("env:TOKEN")).reveal() == "hunter2"


def test_a_stored_secret(vault: Vault, tmp_path: Path) -> None:
    ref = vault.store("token", "hunter2")
    assert str(ref) == "file:token"
    assert vault.resolve(ref).reveal() == "hunter2"
    assert vault.path(ref) == f"{tmp_path}/secrets/token"
    assert stat.S_IMODE(os.stat(vault.path(ref)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "secrets").st_mode) == 0o700


def test_a_secret_elsewhere(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "own").write_text("hunter2\r\n")
    ref = SecretRef(f"file:{tmp_path}/own")
    assert vault.resolve(ref).reveal() == "hunter2"
    assert vault.path(ref) == f"{tmp_path}/own"


@pytest.mark.parametrize(
    ("ref", "message", "advice"),
    [
        (
            "env:MISSING",
            "the secret env:MISSING is not there: the environment variable is not set",
            "Set the variable for the account that runs ddns, then: ddns run --now",
        ),
        ("env:EMPTY", "the secret env:EMPTY is empty", "Put the secret where the settings say, then: ddns run --now"),
        ("file:folder/below", "the secret file:folder/below is not in SECRETS/folder", STORE),
        (
            "file:missing",
            "the secret file:missing is not in SECRETS; store it with: ddns secret set missing --data ./x",
            STORE,
        ),
        ("file:folder", "the secret file:folder can't be read: Is a directory", READ),
        ("file:empty", "the secret file:empty is empty", "Put the secret where the settings say, then: ddns run --now"),
        (
            "file:binary",
            "the secret file:binary is not text in UTF-8",
            "Store a valid secret with `ddns secret set`, then: ddns run --now",
        ),
        (
            "dpapi:x",
            "the secret dpapi:x can't be opened: this system has no dpapi store",
            "Use file:PATH or env:NAME on this system.",
        ),
    ],
)
def test_what_is_no_secret(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ref: str, message: str, advice: str
) -> None:
    monkeypatch.delenv("MISSING", raising=False)
    monkeypatch.setenv("EMPTY", " \n")
    (tmp_path / "secrets" / "folder").mkdir(parents=True)
    (tmp_path / "secrets" / "empty").write_text("\n")
    (tmp_path / "secrets" / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(BadCredentials) as caught:
        vault.resolve(SecretRef(ref))
    told = caught.value.message.replace(f"{tmp_path}/secrets", "SECRETS")
    assert (told, caught.value.advice) == (message, advice)
    assert ref.partition(":")[2] not in advice.split()  # status.json shows it to everybody


def test_a_file_that_only_another_account_may_read(vault: Vault) -> None:
    """Root ignores modes, so a child gives its rights up first."""
    ref = vault.store("token", "hunter2")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            else:
                os.chmod(vault.path(ref), 0)
            vault.resolve(ref)
            os.write(writer, b"it was read")
        except BadCredentials as error:
            os.write(writer, error.message.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"the secret file:token can't be read: Permission denied"
    os.waitpid(child, 0)


def test_what_is_stored_changes_with_the_secret_and_does_not_hold_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = set()
    for text in ("hunter2", "hunter3"):
        vault.store("token", text)
        monkeypatch.setenv("TOKEN", text)
        for ref in ("file:token", "env:TOKEN"):
            stored = vault.stored(SecretRef(ref))
            assert stored is not None
            assert text.encode() not in stored
            digests.add(stored)
    assert len(digests) == 4
    assert vault.stored(SecretRef("file:missing")) == b""
    assert vault.stored(SecretRef("keyring:x")) is None


# -- the mask


def masked(vault: Vault, monkeypatch: pytest.MonkeyPatch, line: str, *texts: str) -> str:
    for number, text in enumerate(texts):
        monkeypatch.setenv(f"S{number}", text)
        vault.resolve(SecretRef(f"env:S{number}"))
    return vault.mask(line)


def test_only_what_was_resolved_is_masked(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    assert masked(vault, monkeypatch, "a hunter2 b") == "a hunter2 b"
    assert masked(vault, monkeypatch, "a hunter2 b hunter2", "hunter2") == "a *** b ***"


def test_a_secret_within_another_leaves_no_rest(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    assert masked(vault, monkeypatch, "hunter2-long hunter2", "hunter2", "hunter2-long") == "*** ***"


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0*"), min_size=8).map(str.strip).filter(bool))
def test_a_secret_in_json_is_masked(text: str) -> None:
    vault = Vault("/nowhere")
    vault._texts.add(text)
    line = vault.mask(json.dumps({"message": f"the server says: {text}."}))
    assert json.loads(line)["message"].replace("the server says: ", "") == "***."
