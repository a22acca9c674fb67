"""Whom TLS trusts: the operating system's authorities, or one file's. Never nobody.

Contexts are made here and not by `ssl.create_default_context`, which would honour SSLKEYLOGFILE and read every
certificate of the system at once (25 ms); a hashed folder is read as certificates are needed.
"""

from __future__ import annotations

import os
import ssl
import sys

from ddns.errors import SettingsError
from ddns.net import ways

if sys.platform == "win32":
    import truststore

_HASHED_FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")


def context(ca_file: str = "", cert_file: str = "", key_file: str = "") -> ssl.SSLContext:
    """A client context that verifies certificate and host name.

    `ca_file`: the only authority to trust; "": the system's, and those that `ways` names beside. `cert_file` and
    `key_file`: our own certificate. Raises SettingsError when a file, or that of SSL_CERT_FILE, can't be used.
    """
    if not ca_file and sys.platform == "win32":
        made: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves this to a system file
    if ca_file:
        _load(made, "ca_file", ca_file)
    elif sys.platform != "win32":
        _trust_system(made)
    beside = ways.current().beside
    if beside and not ca_file:
        _load(made, "tls.ca_file", beside)
    if cert_file:
        _identify(made, cert_file, key_file)
    return made


def _identify(made: ssl.SSLContext, cert_file: str, key_file: str) -> None:
    """Our own certificate. A key that wants a passphrase is refused; OpenSSL would ask the terminal for one."""

    def no_passphrase() -> str:
        raise SettingsError(f"key_file {key_file or cert_file}: it wants a passphrase", advice="Store the key without.")

    try:
        made.load_cert_chain(cert_file, key_file or None, no_passphrase)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"cert_file {cert_file}: it can't be used: {error}") from error


def _trust_system(made: ssl.SSLContext) -> None:
    folder = os.environ.get("SSL_CERT_DIR") or next(filter(_is_hashed, _HASHED_FOLDERS), "")
    file = os.environ.get("SSL_CERT_FILE", "")
    if folder or file:
        _load(made, "SSL_CERT_FILE", file, folder)
    else:
        made.set_default_verify_paths()


def _load(made: ssl.SSLContext, key: str, file: str, folder: str = "") -> None:
    try:
        made.load_verify_locations(cafile=file or None, capath=folder or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{key} {file}: it can't be used: {error}") from error


def _is_hashed(folder: str) -> bool:
    """Whether OpenSSL can look a certificate up there by its subject's hash (names such as ``0123abcd.0``)."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith(".0") for entry in entries)
    except OSError:
        return False
