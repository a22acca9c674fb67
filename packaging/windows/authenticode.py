"""Who signed the DLLs and pyds of a build, verified; for what nobody signs, the wheel by whose hash it is pinned.

osslsigncode verifies signature and time stamp. Its anchors are certificates that the signatures
themselves carry; here stand their SHA-256 fingerprints. It asks no network, so that revocation is not checked.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pefile

from packages import debian
from windows import suite
from windows.errors import BuildError, Lacking
from windows.wheels import Origins

#: Certificates that verification ends at; the names are for the reader.
ANCHORS = {
    "5367f20c7ade0e2bca790915056d086b720c33c1fa2a2661acf787e3292e1270": "Microsoft Identity Verification Root 2020",
    "56da8722afd94066ffe1e4595473a4854892b843a0827d53fb7d8f4aeed1e18b": "Microsoft Code Signing PCA 2011",
    "ebec1edd9e140d9c105cc62b15a915c5443ddc514a35e5773c09afb0274c7ba5": "Microsoft Time-Stamp PCA 2010",
    "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988": "DigiCert Trusted Root G4",
}
PUBLISHERS = (
    "Python Software Foundation",
    "Microsoft Corporation",
    "Microsoft Windows Software Compatibility Publisher",  # of some DLLs of the C runtime
)
_SECURITY = 4  # the directory of signatures
#: What OpenSSL puts behind a certificate that it trusts (X509_CERT_AUX): a list with anyExtendedKeyUsage in it.
_TRUSTED_FOR_ANYTHING = bytes.fromhex("30083006 0604551d2500")
_OFFLINE = ("-ignore-cdp", "-ignore-crl")  # newer versions fetch lists of revoked certificates otherwise


@dataclass(frozen=True)
class Verdict:
    """On one file: its publisher with a verified signature, or the wheel (and its hash) that it came in."""

    file: str
    sha256: str
    signed_by: str = ""
    wheel: str = ""
    wheel_sha256: str = ""


def verdicts(app: Path, origins: Origins) -> list[Verdict]:
    """On every DLL and pyd below `app`, sorted. Raises BuildError: one is neither signed nor of a pinned wheel."""
    verifier = Verifier()
    binaries = sorted(path for path in app.rglob("*") if path.suffix.lower() in {".dll", ".pyd"})
    with tempfile.TemporaryDirectory() as work:
        return [_verdict(path, app, origins, verifier, Path(work)) for path in binaries]


def _verdict(path: Path, app: Path, origins: Origins, verifier: Verifier, work: Path) -> Verdict:
    name, digest = path.relative_to(app).as_posix(), suite.sha256(path)
    signature = signature_of(path)
    if signature:
        publisher = verifier.verify(path, signature, work)
        if publisher not in PUBLISHERS:
            raise BuildError(f"{name} is signed by {publisher}, whom authenticode.py does not name")
        return Verdict(name, digest, signed_by=publisher)
    origin = origins.find(digest)
    if origin is None:
        raise BuildError(f"{name} (SHA-256 {digest}) is neither signed nor of a wheel that is pinned")
    return Verdict(name, digest, wheel=origin.wheel, wheel_sha256=origin.sha256)


def signature_of(path: Path) -> bytes:
    """The bytes of a file's signatures, empty when it has none. Raises BuildError: it is no PE file."""
    try:
        parsed = pefile.PE(str(path), fast_load=True)
    except (OSError, pefile.PEFormatError) as error:
        raise BuildError(f"{path} is no Windows program or library: {error}") from error
    with parsed:
        where = parsed.OPTIONAL_HEADER.DATA_DIRECTORY[_SECURITY]
        return bytes(parsed.__data__[where.VirtualAddress : where.VirtualAddress + where.Size])


def anchors_in(signature: bytes) -> Iterable[bytes]:
    """The certificates (DER) in a signature whose fingerprint is one of `ANCHORS`, wherever they stand in it."""
    for found in re.finditer(rb"(?=\x30\x82(..))", signature, re.DOTALL):
        at, size = found.start(), int.from_bytes(found[1]) + 4
        certificate = signature[at : at + size]
        if hashlib.sha256(certificate).hexdigest() in ANCHORS:
            yield certificate


class Verifier:
    """osslsigncode, installed or from its Debian package. Raises BuildError when it can't be had."""

    def __init__(self) -> None:
        try:
            self._program = debian.program("osslsigncode", "osslsigncode")
        except debian.NoProgram as missing:
            raise Lacking(f"signatures can't be verified: {missing}") from missing
        told = self._program.run("verify", "--help").stdout
        self._offline = tuple(option for option in _OFFLINE if option in told)

    def verify(self, path: Path, signature: bytes, work: Path) -> str:
        """The publisher in the verified signature. Raises BuildError."""
        anchors = work / "anchors.pem"
        anchors.write_text("".join(_trusted(certificate) for certificate in anchors_in(signature)))
        done = self._program.run(
            "verify", *self._offline, "-CAfile", str(anchors), "-TSA-CAfile", str(anchors), "-in", str(path)
        )
        if done.returncode or "Timestamp Server Signature verification: ok" not in done.stdout:
            raise BuildError(f"the signature of {path.name} can't be verified:\n{_complaint(done.stdout)}")
        return _publisher(done.stdout)


def _complaint(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if re.search(r"rror|failed|mismatch|MISMATCH", line)]
    return "\n".join(lines[:6]) or "osslsigncode gave no reason"


def _publisher(said: str) -> str:
    """The common name of the signer: the first subject that is told."""
    found = re.search(r"Subject: .*?/CN=([^/\n]+)", said)
    return found[1].strip() if found else ""


def _trusted(certificate: bytes) -> str:
    """PEM that makes a certificate an end of verification, though it is not self-signed: OpenSSL's own form of it."""
    text = base64.encodebytes(certificate + _TRUSTED_FOR_ANYTHING).decode()
    return f"-----BEGIN TRUSTED CERTIFICATE-----\n{text}-----END TRUSTED CERTIFICATE-----\n"
