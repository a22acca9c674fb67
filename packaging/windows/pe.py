"""Reads what Windows reads of an exe or DLL: header words, imported libraries, version, icon, manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pefile

ICON, ICON_GROUP, VERSION, MANIFEST = 3, 14, 16, 24
SUFFIXES = {".exe", ".dll", ".pyd"}
_RELOCATIONS_STRIPPED = 0x0001
_SIGN = "IMAGE_DLLCHARACTERISTICS_"
_DIRECTORIES = ("IMPORT", "DELAY_IMPORT", "RESOURCE")


@dataclass(frozen=True)
class Binary:
    """One file. `imports` are lower case; `resources` are (kind, content); `signs` as pefile calls them, shortened."""

    machine: int
    subsystem: int
    signs: frozenset[str]
    movable: bool
    imports: frozenset[str]
    version: dict[str, str]
    resources: tuple[tuple[int, bytes], ...]

    def of(self, kind: int) -> list[bytes]:
        """The resources of a kind, in their order."""
        return [content for one, content in self.resources if one == kind]


def binaries(folder: Path) -> Iterator[Path]:
    """Every exe, DLL and Python extension below a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)


def read(path: Path) -> Binary:
    """Raises pefile.PEFormatError for what is none."""
    with pefile.PE(str(path), fast_load=True) as parsed:
        wanted = [pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"] for name in _DIRECTORIES]
        parsed.parse_data_directories(wanted)
        header = parsed.OPTIONAL_HEADER
        return Binary(
            machine=parsed.FILE_HEADER.Machine,
            subsystem=header.Subsystem,
            signs=frozenset(
                name.removeprefix(_SIGN)
                for name, word in pefile.dll_characteristics
                if header.DllCharacteristics & word and name.startswith(_SIGN)
            ),
            movable=not parsed.FILE_HEADER.Characteristics & _RELOCATIONS_STRIPPED,
            imports=frozenset(_imports(parsed)),
            version=_version(parsed),
            resources=tuple(_resources(parsed)),
        )


def _imports(parsed: Any) -> Iterator[str]:
    for kind in ("DIRECTORY_ENTRY_IMPORT", "DIRECTORY_ENTRY_DELAY_IMPORT"):
        for library in getattr(parsed, kind, ()):
            yield library.dll.decode("ascii").lower()


def _version(parsed: Any) -> dict[str, str]:
    return {
        name.decode(): text.decode()
        for information in getattr(parsed, "FileInfo", ())
        for part in information
        for table in getattr(part, "StringTable", ())
        for name, text in table.entries.items()
    }


def _resources(parsed: Any) -> Iterator[tuple[int, bytes]]:
    if hasattr(parsed, "DIRECTORY_ENTRY_RESOURCE"):
        for kind in parsed.DIRECTORY_ENTRY_RESOURCE.entries:
            for one in kind.directory.entries:
                for language in one.directory.entries:
                    place = language.data.struct
                    yield kind.id, bytes(parsed.get_data(place.OffsetToData, place.Size))
