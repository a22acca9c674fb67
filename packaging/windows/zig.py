"""The C compiler: zig, a package of the Python registry, native here and for every Windows there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from windows import cache
from windows.errors import BuildError

#: Our word for a machine -> zig's.
TARGETS = {"amd64": "x86_64-windows-gnu", "x86": "x86-windows-gnu", "arm64": "aarch64-windows-gnu"}
#: In every call that links: zig has a C runtime for each level, and builds it for a minute.
SAME = ("-O2", "-s")


def path() -> Path:
    """The program, in the cache: zig builds its C runtime anew (a minute) for each place that it is found in.

    Raises BuildError: the package is not installed.
    """
    package = importlib.util.find_spec("ziglang")  # looked for, not imported: it has no types
    if package is None or package.origin is None:
        raise BuildError("the package ziglang is not installed", "Run it by: make exe")
    source = Path(package.origin).parent
    home = cache.once("ziglang", version(), lambda folder: _share(source, folder / "zig"))
    return home / "zig" / ("zig.exe" if os.name == "nt" else "zig")


def _share(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=cache.share)


def version() -> str:
    """Of the package."""
    return metadata.version("ziglang")


def environ() -> dict[str, str]:
    """An environment in which zig keeps what it builds for itself (C runtime, import libraries) in our cache."""
    folder = cache.root() / "zig"
    return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder / "local")}


def run(*arguments: str | Path, cwd: Path | None = None) -> None:
    """One call of zig. Raises BuildError with what it said."""
    done = subprocess.run(
        (str(path()), *map(str, arguments)),
        cwd=cwd,
        env=environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise BuildError(f"zig {arguments[0]} ended with {done.returncode}:\n{done.stdout.strip()}")


def compile_c(source: Path, target: Path, *options: str | Path, machine: str = "amd64") -> None:
    """A Windows program or DLL of one C file. Raises BuildError."""
    run("cc", "-target", TARGETS[machine], *SAME, source, *options, "-o", target)
