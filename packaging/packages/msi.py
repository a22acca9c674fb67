"""The MSI: made by wixl of a generated source, completed by msibuild."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

from packages import sums, tables, tools, wxs
from packages.errors import PackageError
from packages.facts import Build, Facts

_WIXL = {"amd64": "x64", "x86": "x86", "arm64": "x64"}  # wixl knows no arm64; tables.py names it afterwards


def make(known: Facts, build: Build, staged: Path, icon: Path, target: Path) -> Path:
    """Write the MSI of what lies in `staged` (the zip's layout) to `target`. Raises PackageError."""
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch, "ddns.wxs")
        written.write_bytes(wxs.source(known, build, staged))
        Path(scratch, wxs.PAYLOAD).symlink_to(staged.absolute())
        Path(scratch, wxs.ICON).write_bytes(icon.read_bytes())
        made = Path(scratch, "ddns.msi")
        done = tools.wixl().run(
            "--arch", _WIXL[build.architecture], "--output", str(made), str(written), cwd=Path(scratch)
        )
        if done.returncode or not made.exists():
            raise PackageError(f"wixl made no MSI: {done.stdout.strip()}")
        tables.complete(made, known, build, _package_code(staged))
        _place(made, target)
    return target


def _place(made: Path, target: Path) -> None:
    """Across file systems too, and never half of it. Raises PackageError."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        shutil.copyfile(made, unfinished)
        os.replace(unfinished, target)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise PackageError(f"{target} could not be written: {error.strerror}") from error


def _package_code(staged: Path) -> str:
    """Two packages with this code must be the same: it follows from every byte that they install."""
    hashes = {path: sums.digest(staged / path) for path in sums.files_of(staged)}
    return "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, sums.render(hashes))).upper() + "}"
