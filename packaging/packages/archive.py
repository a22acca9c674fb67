"""The zip: the same bytes for the same content, and unpacked only where its entries stay below the target."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from packages import sums
from packages.errors import PackageError

#: The earliest that the format can say.
_TIME = (1980, 1, 1, 0, 0, 0)
#: Both together are far above a release and far below what fills a disk.
_MOST_FILES, _MOST_BYTES = 5000, 512 * 1024 * 1024


def pack(folder: Path, target: Path) -> Path:
    """Write `target` with all files of `folder`. Raises PackageError; no half of a zip is left then."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sums.files_of(folder):
                entry = zipfile.ZipInfo(path, _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(entry, (folder / path).read_bytes())
        os.replace(unfinished, target)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise PackageError(f"{target} could not be written: {error.strerror}") from error
    return target


def unpack(package: Path, folder: Path) -> None:
    """Put the files into `folder`, which must not exist. Raises PackageError, and nothing is left in it then."""
    try:
        with zipfile.ZipFile(package) as archive:
            entries = archive.infolist()
            _acceptable(package.name, entries)
            folder.mkdir(parents=True)
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise PackageError(f"{package.name} is damaged: {error}") from error
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise PackageError(f"{package} could not be unpacked to {folder}: {error.strerror}") from error


def _acceptable(name: str, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise PackageError(f"{name} holds more than any release: it is not unpacked")
    seen = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        parts = entry.filename.rstrip("/").split("/")
        if path.is_absolute() or ":" in entry.filename or "\\" in entry.filename or {"", ".", ".."} & set(parts):
            raise PackageError(f"{name}: the entry {entry.filename!r} leads out of the folder")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise PackageError(f"{name}: the entry {entry.filename!r} is a link")
        if entry.filename.lower() in seen:
            raise PackageError(f"{name}: the entry {entry.filename!r} is there twice")
        seen.add(entry.filename.lower())
