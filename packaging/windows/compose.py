"""A Windows CPython, composed of registry packages. For testing: its library is of another patch level than its DLL.

DLL, extension modules, OpenSSL and SQLite are the files of python.org's release, signed by the Python Software
Foundation, which the wheel of panda3d carries. The library (pure Python) and the headers are those of Debian 13, with
its security fixes. pyconfig.h is our own, the import library is made from the DLL's exports, and `layout` proves that
headers and DLL belong together.
"""

from __future__ import annotations

import fnmatch
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import pefile

from windows import layout, registry, suite, zig
from windows.errors import BuildError
from windows.target import NAME, SUITE, VERSION

HERE = Path(__file__).resolve().parent
#: Marks a composed folder, so that nobody takes it for a complete Python.
MARK = "COMPOSED.txt"

_BESIDE_EXE = {f"{NAME}.dll", "vcruntime140.dll", "vcruntime140_1.dll"}
_DLLS_LEFT_OUT = (
    "api-ms-*",
    "tcl*",
    "tk*",
    "zlib1.dll",
    "_tkinter*",
    "_test*",
    "_ctypes_test*",
    "*.cp*t-win_amd64.pyd",  # free-threaded
)
_LIBRARY_LEFT_OUT = (
    *("site-packages", "dist-packages", "lib-dynload", "config-3.*", "__pycache__", "*.so", "_sysconfigdata_*"),
    *("sitecustomize.py", "EXTERNALLY-MANAGED", "test", "idlelib", "tkinter", "turtledemo"),
)


def locks() -> tuple[Path, ...]:
    """The files that pin what it is composed of."""
    return registry.lock("windows-python"), registry.lock("windows-debian")


def compose(folder: Path) -> None:
    """Fill `folder` in the layout of python.org. Raises BuildError."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        wheels, debian = locks()
        (work / "wheels").mkdir()
        for wheel in registry.fetch_wheels(wheels, work / "wheels", VERSION):
            _unpack_dlls(wheel, folder)
        tree = work / "tree"
        (work / "debs").mkdir()
        for package in suite.fetch(SUITE, suite.pins(debian.read_text("utf-8")), work / "debs"):
            suite.unpack(package, tree)
        ignored = shutil.ignore_patterns(*_LIBRARY_LEFT_OUT)
        shutil.copytree(tree / "usr" / "lib" / f"python{VERSION}", folder / "Lib", ignore=ignored)
        shutil.copytree(tree / "usr" / "include" / f"python{VERSION}", folder / "include")
        shutil.copy(HERE / "pyconfig.h", folder / "include" / "pyconfig.h")
        layout.check(folder / "include", folder / f"{NAME}.dll", work)
        (folder / "libs").mkdir()
        _import_library(folder / f"{NAME}.dll", folder / "libs", work)
    (folder / MARK).write_text("Composed of parts of different patch levels: for testing only.\n")


def _unpack_dlls(wheel: Path, folder: Path) -> None:
    (folder / "DLLs").mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            path = PurePosixPath(entry)
            name = path.name.lower()
            if path.parent.name != "deploy_libs" or any(fnmatch.fnmatch(name, left) for left in _DLLS_LEFT_OUT):
                continue
            if name.endswith((".dll", ".pyd")):
                # Wine finds names in any case; whoever looks from Linux finds them in one.
                target = folder / name if name in _BESIDE_EXE else folder / "DLLs" / name
                target.write_bytes(archive.read(entry))
    if not (folder / f"{NAME}.dll").exists():
        raise BuildError(f"{wheel.name} carries no {NAME}.dll")


def _import_library(dll: Path, folder: Path, work: Path) -> None:
    definitions = work / f"{NAME}.def"
    definitions.write_text(f"LIBRARY {dll.name}\nEXPORTS\n{_exports(pefile.PE(str(dll)))}")
    library = folder / f"{NAME}.lib"
    zig.run("dlltool", "-m", "i386:x86-64", "-d", definitions, "-D", dll.name, "-l", library)


def _exports(dll: pefile.PE) -> str:
    """Variables are marked: code that lacks dllimport then fails to link instead of reading a call stub."""
    lines = []
    for symbol in dll.DIRECTORY_ENTRY_EXPORT.symbols:
        if symbol.name:
            is_code = dll.get_section_by_rva(symbol.address).Name.startswith(b".text")
            lines.append(f"  {symbol.name.decode()}{'' if is_code else ' DATA'}\n")
    return "".join(lines)
