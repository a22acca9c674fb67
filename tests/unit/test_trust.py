"""Whom TLS trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from ddns.errors import SettingsError
from ddns.net import trust
from ddns.net.trust import context
from ground.tls import Authority


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("own", [True, False])
def test_certificate_and_name_are_always_checked(ca: Authority, own: bool) -> None:
    made = context(str(ca.file) if own else "")
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not made.keylog_filename
    assert made.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_ca_file_is_trusted_and_nobody_else(ca: Authority) -> None:
    made = context(str(ca.file))
    assert len(made.get_ca_certs()) == 1


def test_ssl_cert_file(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    assert len(context().get_ca_certs()) == 1


@pytest.mark.parametrize("content", [None, b"garbage"], ids=["missing", "garbage"])
def test_a_wrong_ssl_cert_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    file = tmp_path / "certs.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(SettingsError, match=rf"^SSL_CERT_FILE {file}: it can't be used: "):
        context()


def test_a_hashed_folder_is_read_as_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0123abcd.0").write_text("")
    monkeypatch.setattr(trust, "_HASHED_FOLDERS", (str(tmp_path / "none"), str(tmp_path)))
    assert context().get_ca_certs() == []


def test_a_system_without_one_is_left_to_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_HASHED_FOLDERS", (str(tmp_path),))
    assert context().verify_mode is ssl.CERT_REQUIRED
