"""A Windows CPython that somebody names: a folder or an archive, laid out as python.org's or as the NuGet package.

| layout | where python.exe, the DLL, `DLLs`, `Lib`, `include` and `libs` lie |
|---|---|
| python.org's installer or its install manager | at the top |
| NuGet's package `python` | in `tools` |

The archive may have one folder around it. python.org's "embeddable package" has no headers and will not do.
"""

from __future__ import annotations

import shutil
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

from windows import layout
from windows.compose import MARK
from windows.errors import BuildError
from windows.target import NAME, VERSION

_NEEDED = (
    f"{NAME}.dll",
    "vcruntime140.dll",
    "Lib/os.py",
    "DLLs/_ssl.pyd",
    "include/Python.h",
    "include/pyconfig.h",
    f"libs/{NAME}.lib",
)
_TAKEN = ("DLLs", "Lib", "include", "libs")
_WAYS = "Take NuGet's package python (a .nupkg is an archive), or the folder of an installation by python.org."
_AMD64 = 0x8664


def root_of(folder: Path) -> Path:
    """The folder of python.exe, at `folder` or below. Raises BuildError."""
    inside = [one for one in sorted(folder.iterdir()) if one.is_dir()] if folder.is_dir() else []
    for place in (folder, folder / "tools", *inside, *(one / "tools" for one in inside)):
        if (place / f"{NAME}.dll").is_file():
            return place
    others = sorted({one.name for one in folder.rglob("python3?*.dll")})
    held = f"only {', '.join(others)}" if others else f"no {NAME}.dll"
    raise BuildError(f"--windows-python {folder}: it holds {held}; the build needs CPython {VERSION}", _WAYS)


def take(named: Path, folder: Path) -> None:
    """Copy what the build needs of the Python `named` (a folder or an archive) into `folder`. Raises BuildError."""
    if named.is_dir():
        _copy(root_of(named), folder)
        return
    if not named.exists():
        raise BuildError(f"--windows-python {named}: there is no such folder or file", _WAYS)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        _unpack(named, work)
        try:
            _copy(root_of(work), folder)
        except BuildError as error:
            raise BuildError(str(error.args[0]).replace(str(work), str(named)), error.advice) from error


def _unpack(archive: Path, work: Path) -> None:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(work)  # noqa: S202 - zipfile keeps every member inside
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(work, filter="data")
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise BuildError(
            f"--windows-python {archive}: it is no archive that can be unpacked: {error}", _WAYS
        ) from error


def _copy(root: Path, folder: Path) -> None:
    missing = [name for name in _NEEDED if not (root / name).is_file()]
    if missing:
        hint = ": it looks like the embeddable package" if (root / f"{NAME}._pth").exists() else ""
        raise BuildError(f"--windows-python {root}: {', '.join(missing)} missing{hint}", _WAYS)
    _check_machine(root / f"{NAME}.dll")
    for name in _TAKEN:
        ignored = shutil.ignore_patterns("__pycache__", "site-packages", "test", "idlelib", "tkinter", "turtledemo")
        shutil.copytree(root / name, folder / name, ignore=ignored)
    for file in (*root.glob("*.dll"), *root.glob("LICENSE*"), *root.glob(MARK)):
        shutil.copy(file, folder / (file.name if file.suffix == ".txt" else file.name.lower()))
    with tempfile.TemporaryDirectory() as name:
        layout.check(folder / "include", folder / f"{NAME}.dll", Path(name))


def _check_machine(dll: Path) -> None:
    content = dll.read_bytes()[:4096]
    try:
        (header,) = struct.unpack_from("<I", content, 0x3C)
        signature, machine = struct.unpack_from("<4sH", content, header)
    except struct.error:
        signature, machine = b"", 0
    if signature != b"PE\0\0":
        raise BuildError(f"{dll} is no Windows DLL", _WAYS)
    if machine != _AMD64:
        raise BuildError(f"{dll} is not for 64-bit x86 (its machine is {machine:#06x})", "Take the amd64 one.")
