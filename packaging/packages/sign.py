"""Authenticode signatures by osslsigncode: exes, libraries that nobody signed, PowerShell files, seals, the MSI.

Who signs comes from the environment, and nothing secret goes on a command line:

- DDNS_SIGN_PKCS12 (a file), or DDNS_SIGN_PKCS11_MODULE with DDNS_SIGN_PKCS11_CERT and DDNS_SIGN_KEY (URIs), or
  DDNS_SIGN_CERTS with DDNS_SIGN_KEY (PEM files);
- DDNS_SIGN_PASSWORD_FILE: the file of the key's password or PIN; its owner alone may read it;
- DDNS_SIGN_TIMESTAMP: URL of an RFC 3161 time stamp server. Without a time stamp a signature ends with the certificate;
- DDNS_SIGN_CA: PEM file that the signature is verified with afterwards; else the system's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packages import tools
from packages.errors import PackageError
from packages.facts import Facts
from packages.verify import signed_by
from windows import authenticode
from windows.errors import BuildError

SCRIPTS = frozenset({".ps1", ".psm1", ".psd1", ".ps1xml"})
_BINARIES = frozenset({".exe", ".dll", ".pyd"})
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Signer:
    """The options of osslsigncode that choose certificate, key and time stamp; and what to verify with."""

    options: tuple[str, ...]
    authorities: Path | None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Signer | None:
        """From the variables above; None when none of them is set. Raises PackageError: they do not go together."""
        if not any(name.startswith("DDNS_SIGN_") for name in environ):
            return None
        options = _key(environ)
        password = environ.get("DDNS_SIGN_PASSWORD_FILE")
        if password:
            if os.stat(password).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise PackageError(f"{password} holds a password and others may read it: chmod 600")
            options += ("-readpass", password)
        if "DDNS_SIGN_TIMESTAMP" in environ:
            options += ("-ts", environ["DDNS_SIGN_TIMESTAMP"])
        authorities = environ.get("DDNS_SIGN_CA")
        return cls(options, Path(authorities) if authorities else None)


def _key(environ: Mapping[str, str]) -> tuple[str, ...]:
    def named(*names: str) -> list[str]:
        missing = [name for name in names if not environ.get(name)]
        if missing:
            raise PackageError(f"signing: {', '.join(missing)} is not set")
        return [environ[name] for name in names]

    if "DDNS_SIGN_PKCS12" in environ:
        return ("-pkcs12", *named("DDNS_SIGN_PKCS12"))
    if "DDNS_SIGN_PKCS11_MODULE" in environ:
        module, certificate, key = named("DDNS_SIGN_PKCS11_MODULE", "DDNS_SIGN_PKCS11_CERT", "DDNS_SIGN_KEY")
        return ("-pkcs11module", module, "-pkcs11cert", certificate, "-key", key)
    certificates, key = named("DDNS_SIGN_CERTS", "DDNS_SIGN_KEY")
    return ("-certs", certificates, "-key", key)


def sign(paths: Iterable[Path], known: Facts, signer: Signer) -> None:
    """Sign each file in place and verify what came out. Raises PackageError."""
    for path in paths:
        if path.suffix in SCRIPTS:
            _readable_by_51(path)
        made = path.with_name(f".signed.{path.name}")
        done = tools.osslsigncode().run(
            "sign", *signer.options, "-h", "sha256", "-n", known.name, "-i", known.url["home"],
            "-in", str(path), "-out", str(made),
        )  # fmt: skip
        if done.returncode or not made.exists():
            made.unlink(missing_ok=True)
            raise PackageError(f"{path.name} could not be signed: {_reason(done.stdout)}")
        made.chmod(stat.S_IMODE(path.stat().st_mode))
        os.replace(made, path)
        signed_by(path, known.signer, signer.authorities)


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return "; ".join(lines[:3]) or "osslsigncode gave no reason"


def _readable_by_51(path: Path) -> None:
    """Windows PowerShell 5.1 reads a file without a mark in the machine's code page, and hashes what it read."""
    content = path.read_bytes()
    if not content.isascii() and not content.startswith(_BOM):
        raise PackageError(f"{path.name} has characters beyond ASCII and no byte order mark: its signature would fail")


def unsigned(folder: Path) -> list[Path]:
    """The files that we are to sign: scripts, and binaries that their publisher did not sign. Raises PackageError."""
    found = []
    for path in sorted(folder.rglob("*")):
        ours = path.suffix.lower() in _BINARIES and not _has_signature(path)
        if ours or path.suffix in SCRIPTS:
            found.append(path)
    return found


def _has_signature(path: Path) -> bool:
    try:
        return bool(authenticode.signature_of(path))
    except BuildError as error:
        raise PackageError(str(error)) from error
