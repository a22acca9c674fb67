"""Whom TLS trusts: the operating system's authorities, or one file's. Never nobody.

Contexts are made here and not by `ssl.create_default_context`, which would honour SSLKEYLOGFILE and read every
certificate of the system at once (25 ms); a hashed folder is read as certificates are needed.
"""

from __future__ import annotations

import os
import ssl
import sys

from ddns.errors import SettingsError

if sys.platform == "win32":
    import truststore

_HASHED_FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")


def context(ca_file: str = "") -> ssl.SSLContext:
    """A client context that verifies certificate and host name. `ca_file` "": the system's trust.

    Raises SettingsError when the file, or that of SSL_CERT_FILE, can't be read or holds no certificate.
    """
    if not ca_file and sys.platform == "win32":
        system = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        system.minimum_version = ssl.TLSVersion.TLSv1_2
        return system
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves this to a system file
    if ca_file:
        _load(made, "ca_file", ca_file)
    else:
        _trust_system(made)
    return made


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
