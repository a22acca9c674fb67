"""Is a package what its publisher made? The same questions that PowerShell asks on Windows, asked on Linux."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from packages import archive, sums, tools
from packages.errors import PackageError
from packages.sums import Seal

_SUBJECT = re.compile(r"Signer #0:\s+Subject: (.*)")
_NAME = re.compile(r"/CN=([^/\n]+)")


def signed_by(path: Path, signer: str, authorities: Path | None = None) -> None:
    """Raises PackageError unless `path` carries a good signature by `signer` (the certificate's CN).

    The certificate must lead to one in `authorities` (PEM), else to one that this system trusts.
    """
    trusted = ("-CAfile", str(authorities)) if authorities else ()
    said = tools.osslsigncode().run("verify", *trusted, "-in", str(path))
    text = said.stdout
    if "MISMATCH" in text:
        raise PackageError(f"{path.name} was changed after it was signed")
    if "No signature found" in text or "Signer" not in text:
        raise PackageError(f"{path.name} is not signed; {signer} was expected to have signed it")
    subject = _SUBJECT.search(text)
    names = _NAME.findall(subject.group(1)) if subject else []
    if signer not in names:
        raise PackageError(f"{path.name} is signed by {', '.join(names) or 'nobody that it names'}, not by {signer}")
    if said.returncode:
        problem = re.search(r"Error: (.*)|Verify error: ?(.*)", text)
        reason = next((group for group in problem.groups() if group), "") if problem else ""
        raise PackageError(f"{path.name}: the signature by {signer} is not trusted{f' ({reason})' if reason else ''}")


def folder(place: Path, signer: str | None, authorities: Path | None = None) -> Seal:
    """Seal, list and files of a folder; with `signer`, the seal's signature first. Raises PackageError."""
    if not (place / sums.SEAL).is_file():
        raise PackageError(f"{place.name or place} has no {sums.SEAL}: it is not a package of ours")
    if signer:
        signed_by(place / sums.SEAL, signer, authorities)
    return sums.check(place)


def package(path: Path, signer: str | None, authorities: Path | None = None) -> str:
    """A zip, an MSI, or the folder of a release: one line on what it is. Raises PackageError."""
    if not path.exists():
        raise PackageError(f"{path}: there is no such file")
    if path.is_dir():
        seal = folder(path, signer, authorities)
        return f"{path}: release {seal.version}, complete and unchanged"
    if path.suffix == ".msi":
        if not signer:
            raise PackageError(f"{path.name}: an MSI can be verified by its signature only")
        signed_by(path, signer, authorities)
        return f"{path.name}: signed by {signer}"
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch, "package")
        archive.unpack(path, place)
        seal = folder(place, signer, authorities)
    testing = ", for testing" if seal.for_testing else ""
    return f"{path.name}: {seal.product} {seal.version} for {seal.architecture}{testing}, complete and unchanged"
