"""Whence the binary files of wheels came: by the hash of each, the wheel and its hash."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from windows import suite


@dataclass(frozen=True)
class Origin:
    """A wheel, as its file is called, and its SHA-256 (the one in the lock)."""

    wheel: str
    sha256: str


class Origins:
    """SHA-256 of a DLL or pyd -> the wheel that carries it."""

    def __init__(self, known: Mapping[str, Origin]) -> None:
        self._known = dict(known)

    @classmethod
    def of(cls, wheels: Iterable[Path]) -> Self:
        """Of the binary files of these wheels."""
        known = {}
        for wheel in wheels:
            origin = Origin(wheel.name, suite.sha256(wheel))
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if name.lower().endswith((".dll", ".pyd", ".exe")):
                        known[hashlib.sha256(archive.read(name)).hexdigest()] = origin
        return cls(known)

    @classmethod
    def load(cls, file: Path) -> Self:
        """As `save` wrote it."""
        return cls({digest: Origin(**told) for digest, told in json.loads(file.read_text()).items()})

    def save(self, file: Path) -> None:
        """Write it down."""
        file.write_text(json.dumps({digest: asdict(origin) for digest, origin in self._known.items()}, indent=1))

    def find(self, digest: str) -> Origin | None:
        """The wheel of the file with this SHA-256."""
        return self._known.get(digest)
