"""The Windows CPython of a build, in the cache: composed, or a copy of the one that was named."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from windows import cache, compose, given, layout, suite, zig
from windows.target import NAME

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Interpreter:
    """A folder in python.org's layout. `version` is its DLL's, `library` that of its headers and library."""

    folder: Path
    version: str
    library: str
    composed: bool

    @property
    def for_testing(self) -> bool:
        """Whether it is not one release throughout."""
        return self.composed or self.version != self.library


def interpreter(named: Path | None) -> Interpreter:
    """The one `named` by --windows-python, else the composed one, made if it is not there. Raises BuildError."""
    if named is None:
        folder = cache.once("windows-python", _key_of_parts(), compose.compose)
    else:
        folder = cache.once("windows-python", _key_of_files(named), lambda place: given.take(named, place))
    return look_at(folder)


def look_at(folder: Path) -> Interpreter:
    """What a folder in python.org's layout holds. Raises BuildError."""
    _, version = layout.read(folder / f"{NAME}.dll")
    library = layout.patch_level(folder / "include")
    return Interpreter(folder, version, library, composed=(folder / compose.MARK).exists())


def _key_of_parts() -> str:
    code = (*(_HERE / name for name in ("compose.py", "layout.py", "pyconfig.h")), *compose.locks())
    return "\n".join((zig.version(), *(suite.sha256(path) for path in code)))


def _key_of_files(named: Path) -> str:
    """Every file's name and content: a folder may change while it keeps its name."""
    if not named.is_dir():
        digest = suite.sha256(named) if named.is_file() else ""
        return f"archive\n{digest}\n{suite.sha256(_HERE / 'given.py')}"
    total = hashlib.sha256()
    root = given.root_of(named)
    for path in sorted(root.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(root)}\0{suite.sha256(path)}\n".encode())
    return f"folder\n{total.hexdigest()}\n{suite.sha256(_HERE / 'given.py')}"
