"""What Nuitka runs with under Wine: the Windows Python with packages and Nuitka, and zig.exe, the bridge."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from windows import cache, registry, suite, zig
from windows.errors import BuildError
from windows.interpreter import Interpreter
from windows.target import NAME, VERSION
from windows.wheels import Origins

_HERE = Path(__file__).resolve().parent
#: `platform.uname()` asks WMI through it, and that ends the process in Wine 8. Without it platform asks elsewhere.
_NOT_UNDER_WINE = ("_wmi.pyd",)
_ORIGINS = "origins.json"


@dataclass(frozen=True)
class Toolchain:
    """Folders: `python` (python.exe, site-packages) and `bridge` (zig.exe). `origins`: whence each DLL came."""

    folder: Path
    interpreter: Interpreter

    @property
    def python(self) -> Path:
        """The Windows Python, with Nuitka."""
        return self.folder / "python"

    @property
    def bridge(self) -> Path:
        """The folder of the zig.exe that goes on Wine's PATH."""
        return self.folder / "bridge"

    @property
    def origins(self) -> Origins:
        """DLL or pyd by its hash -> the wheel it came in."""
        return Origins.load(self.folder / _ORIGINS)


def locks() -> tuple[Path, ...]:
    """What pins the packages of the target, and Nuitka."""
    return registry.lock("windows"), registry.lock("windows-nuitka")


def toolchain(interpreter: Interpreter) -> Toolchain:
    """The one for this Python, from the cache, or made (half a minute). Raises BuildError."""
    code = tuple(_HERE / name for name in ("toolchain.py", "registry.py", "wheels.py", "python.c", "bridge.c"))
    key = (interpreter.folder.name, zig.version(), *(suite.sha256(path) for path in (*code, *locks())))
    folder = cache.once("windows-toolchain", "\n".join(key), lambda place: _make(place, interpreter))
    return Toolchain(folder, interpreter)


def _make(folder: Path, interpreter: Interpreter) -> None:
    python, bridge = folder / "python", folder / "bridge"
    ignored = shutil.ignore_patterns(cache.COMPLETE, *_NOT_UNDER_WINE)
    shutil.copytree(interpreter.folder, python, ignore=ignored)
    packages = python / "Lib" / "site-packages"
    packages.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        for place in ("wheels", "nuitka"):
            (work / place).mkdir()
        target, nuitka = locks()
        wheels = registry.fetch_wheels(target, work / "wheels", VERSION)
        for wheel in wheels:
            registry.unpack_wheel(wheel, packages)
        Origins.of(wheels).save(folder / _ORIGINS)
        (source,) = registry.fetch_source(nuitka, work / "nuitka")
        registry.unpack_source(source, "nuitka", packages)
    if not (packages / "nuitka" / "__main__.py").exists():
        raise BuildError(f"{source.name} holds no package nuitka")
    bridge.mkdir()
    _programs(python, bridge)


def _programs(python: Path, bridge: Path) -> None:
    common = ("-municode",)
    linked = (f"-I{python / 'include'}", f"-L{python / 'libs'}", f"-l{NAME}")
    zig.compile_c(_HERE / "python.c", python / "python.exe", *common, *linked)
    zig.compile_c(_HERE / "bridge.c", bridge / "zig.exe", *common, "-lws2_32")
