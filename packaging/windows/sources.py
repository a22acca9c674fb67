"""The program's source as ddns.exe has it: src/ddns without what it leaves out, and with a word on its edition."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from windows.errors import BuildError

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ddns"
#: The module that says which edition this is; in the source its NOTE is empty.
EDITION = "edition.py"
FOR_TESTING = " (for testing: its Python is composed of parts)"


def version(package: Path = PACKAGE) -> str:
    """The program's version, of its `__init__`. Raises BuildError."""
    found = re.search(r'^__version__ = "([^"]+)"', (package / "__init__.py").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise BuildError(f"{package / '__init__.py'} tells no version")
    return found[1]


def files(left_out: tuple[str, ...], package: Path = PACKAGE) -> list[Path]:
    """Every file of the edition, relative to the package, sorted. Raises BuildError: a part left out does not exist."""
    for part in left_out:
        if not (package / part).exists():
            raise BuildError(f"options.toml leaves out src/ddns/{part}, which does not exist")
    found = []
    for path in sorted(package.rglob("*")):
        relative = path.relative_to(package)
        skipped = "__pycache__" in relative.parts or any(relative.is_relative_to(part) for part in left_out)
        if path.is_file() and not skipped:
            found.append(relative)
    return found


def edition(for_testing: bool) -> str:  # noqa: FBT001 - the one thing that there is to say
    """The text of the edition's module."""
    note = FOR_TESTING if for_testing else ""
    return f'"""Which edition of the program this is."""\n\nNOTE = "{note}"\n'


@dataclass(frozen=True)
class Snapshot:
    """The edition's files as they were at one time: a build may wait for another while somebody goes on writing."""

    contents: Mapping[Path, bytes]

    @classmethod
    def take(cls, left_out: tuple[str, ...], package: Path = PACKAGE) -> Self:
        """Read them. Raises BuildError: a part left out does not exist."""
        return cls({relative: (package / relative).read_bytes() for relative in files(left_out, package)})

    def digest(self) -> str:
        """A hash of names and contents."""
        total = hashlib.sha256()
        for relative, content in self.contents.items():
            total.update(f"{relative}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return total.hexdigest()

    def stage(self, folder: Path, *, for_testing: bool) -> None:
        """Make `folder` the edition. What is there already and the same keeps its time; what is not of it goes."""
        wanted = {**self.contents, Path(EDITION): edition(for_testing).encode()}
        for path in sorted(folder.rglob("*"), reverse=True) if folder.exists() else []:
            if path.is_file() and path.relative_to(folder) not in wanted:
                path.unlink()
            elif path.is_dir() and (path.name == "__pycache__" or not any(path.iterdir())):
                shutil.rmtree(path)
        for relative, content in wanted.items():
            target = folder / relative
            if not target.exists() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
