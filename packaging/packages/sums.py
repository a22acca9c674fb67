"""The hash list of a folder, and its seal: the small file whose signature vouches for the list."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from packages.errors import PackageError

LIST = "SHA256SUMS"
SEAL = "SHA256SUMS.psd1"
_LINE = re.compile(r"([0-9a-f]{64}) \*(.+)")
_VALUE = re.compile(r"^ {4}(\w+) *= (?:'([^'\r\n]*)'|\$(true|false)|([0-9]+))\r?$", re.MULTILINE)
#: PowerShell unpacks below %ProgramFiles%: a name must mean the same there as here.
_SAFE = re.compile(r"[A-Za-z0-9_+@=,. ()-]*[A-Za-z0-9_+@=,()-]")


def files_of(folder: Path) -> list[str]:
    """The files below `folder`, as `a/b`, sorted. Raises PackageError at a link or a name that Windows can't have."""
    found = []
    for above, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(above, name)
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise PackageError(f"{relative} is a link, which a package can't hold")
            if not _SAFE.fullmatch(name):
                raise PackageError(f"{relative} is not a name that Windows, and this list, can have")
        found += [Path(above, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def render(hashes: dict[str, str]) -> str:
    """The list as `sha256sum --check` reads it."""
    return "".join(f"{hashes[path]} *{path}\n" for path in sorted(hashes))


def parse(text: str) -> dict[str, str]:
    """Path to hash. Raises PackageError at a line that is none, a path twice, or one that leads out of the folder."""
    hashes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        matched = _LINE.fullmatch(line)
        if not matched:
            raise PackageError(f"{LIST} line {number}: not a hash and a path")
        value, path = matched.groups()
        if not all(_SAFE.fullmatch(part) for part in path.split("/")):
            raise PackageError(f"{LIST} line {number}: {path!r} is not a path within the package")
        if path in hashes:
            raise PackageError(f"{LIST} line {number}: {path} is there twice")
        hashes[path] = value
    return hashes


@dataclass(frozen=True)
class Seal:
    """What the signed file says."""

    product: str
    version: str
    architecture: str
    for_testing: bool
    list_sha256: str

    def render(self) -> str:
        """A PowerShell data file; ASCII and CRLF, so that every code page reads, and every signer hashes, the same."""
        lines = [
            "@{",
            "    Schema       = 1",
            f"    Product      = '{self.product}'",
            f"    Version      = '{self.version}'",
            f"    Architecture = '{self.architecture}'",
            f"    ForTesting   = ${str(self.for_testing).lower()}",
            f"    List         = '{LIST}'",
            f"    ListSha256   = '{self.list_sha256}'",
            "}",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Seal:
        """Read a seal, signed or not. Raises PackageError: it is not exactly what `render` writes."""
        told = {name: value or flag or number for name, value, flag, number in _VALUE.findall(text)}
        try:
            seal = cls(
                told["Product"],
                told["Version"],
                told["Architecture"],
                told["ForTesting"] == "true",
                told["ListSha256"],
            )
        except KeyError as error:
            raise PackageError(f"{SEAL}: {error.args[0]} is missing") from error
        if text.partition("# SIG # Begin")[0].rstrip("\r\n") != seal.render().rstrip("\r\n"):
            raise PackageError(f"{SEAL} holds more than a seal")
        return seal


def write(folder: Path, product: str, version: str, architecture: str, *, for_testing: bool) -> None:
    """Write list and seal of what lies in `folder`; those of before are replaced."""
    for name in (LIST, SEAL):
        (folder / name).unlink(missing_ok=True)
    text = render({path: digest(folder / path) for path in files_of(folder)})
    (folder / LIST).write_bytes(text.encode())
    seal = Seal(product, version, architecture, for_testing, hashlib.sha256(text.encode()).hexdigest())
    (folder / SEAL).write_bytes(seal.render().encode("ascii"))


def check(folder: Path) -> Seal:
    """The seal, when list and files are what it says; its signature is another matter. Raises PackageError."""
    try:
        text = (folder / LIST).read_bytes()
        seal = Seal.parse((folder / SEAL).read_bytes().decode("ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"{folder.name}: list or seal can't be read: {error}") from error
    if hashlib.sha256(text).hexdigest() != seal.list_sha256:
        raise PackageError(f"{LIST} is not the one that {SEAL} names: list or seal was changed")
    wanted = parse(text.decode("ascii", "replace"))
    present = {path for path in files_of(folder) if path not in {LIST, SEAL}}
    for path in sorted(wanted.keys() - present):
        raise PackageError(f"{path} is missing, though {LIST} names it")
    for path in sorted(present - wanted.keys()):
        raise PackageError(f"{path} is not in {LIST}: it does not belong to the package")
    for path in sorted(present):
        if digest(folder / path) != wanted[path]:
            raise PackageError(f"{path} was changed: its SHA-256 is not the one in {LIST}")
    return seal
