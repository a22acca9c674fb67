"""Programs of Debian packages for tests, as packing takes them: installed, or unpacked into the cache."""

from __future__ import annotations

from ground import NotHere
from packages import debian
from packages.debian import Program

__all__ = ["Program", "program"]


def program(name: str, *packages: str) -> Program:
    """The program `name`: installed, or unpacked with its `packages`. Raises NotHere."""
    try:
        return debian.program(name, *packages)
    except debian.NoProgram as missing:
        raise NotHere(str(missing)) from missing
