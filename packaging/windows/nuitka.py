"""Runs Nuitka, under Wine with the native zig, or natively on Windows, and tells what it is at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from packages import debian
from windows import cache, zig
from windows.bridge import Bridge
from windows.errors import BuildError, Lacking
from windows.progress import Progress
from windows.toolchain import Toolchain
from windows.wine import NoWine, Wine, fresh, template, windows_path

#: As much of Nuitka's last words as an error shows.
_LINES = 25
_CCACHE_SIZE = "2G"
_JOBS = str(os.cpu_count() or 2)


@dataclass
class Watcher:
    """Turns what the compiler is called with, and what Nuitka says, into stages."""

    progress: Progress
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    _compiled: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, arguments: list[str]) -> None:
        """The compiler is called: for an object file, or for the program itself."""
        if "-c" in arguments:
            with self._lock:
                self._compiled += 1
                self.progress.detail(f"C, {self._compiled} files")
        elif any(argument.startswith("@") for argument in arguments):
            self.progress.begin("link", f"{self._compiled} object files")

    def line(self, text: str) -> None:
        """A line of Nuitka's."""
        self.last.append(text)
        if "Running C compilation" in text:
            self.progress.begin("compile", "C")
        elif found := re.match(r"Nuitka(?:-\w+)?: (?!Nuitka-Options)(.{1,100})", text):
            self.progress.detail(found[1].strip().rstrip("."))


@contextmanager
def prefix() -> Iterator[Wine]:
    """The prefix that builds have to themselves, in the cache; its programs end with the block. Raises BuildError."""
    try:
        source = template()
        folder = cache.root() / f"{source.parent.name}-build"
        machine = Wine(folder) if (folder / "system.reg").exists() else fresh(folder)
    except NoWine as missing:
        raise Lacking(f"Wine runs the Windows parts of the build: {missing}") from missing
    with machine:
        yield machine


def under_wine(
    machine: Wine,
    tools: Toolchain,
    work: Path,
    arguments: tuple[str, ...],
    environ: Mapping[str, str],
    watcher: Watcher,
) -> None:
    """Run Nuitka with `arguments` in the folder `work`. Raises BuildError with its last words."""
    _install(tools, work)
    try:
        ccache = debian.program("ccache", "ccache")
    except debian.NoProgram as missing:
        raise Lacking(f"ccache keeps what was compiled before: {missing}") from missing
    settings = {
        **ccache.env,
        "CCACHE_DIR": str(cache.root() / "ccache"),
        "CCACHE_MAXSIZE": _CCACHE_SIZE,
        "CCACHE_COMPILERCHECK": f"string:zig {zig.version()}",
    }
    with Bridge(zig.path(), (str(ccache.path),), settings, watcher.call) as bridge:
        own = {
            "ZIG_BRIDGE": bridge.address,
            "WINEPATH": f"{windows_path(work / 'bridge')};{windows_path(work / 'python')}",
            "NUITKA_CACHE_DIR": windows_path(work / "nuitka"),
            "PYTHONPATH": windows_path(work / "src"),
            **environ,
        }
        process = machine.start(work / "python" / "python.exe", "-m", "nuitka", *arguments, cwd=work, environ=own)
        code = _follow(process, watcher)
    if code:
        said = "\n".join(watcher.last)
        raise BuildError(f"Nuitka ended with {code}; its last words:\n{said}")


def natively(arguments: tuple[str, ...], environ: Mapping[str, str], work: Path, watcher: Watcher) -> None:
    """Run the Nuitka of the running Python (on Windows). Raises BuildError."""
    process = subprocess.Popen(
        (sys.executable, "-m", "nuitka", *arguments),
        cwd=work,
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if code := _follow(process, watcher):
        said = "\n".join(watcher.last)
        raise BuildError(f"Nuitka ended with {code}; its last words:\n{said}")


def jobs() -> str:
    """The option that has as many compilers at once as there are processors."""
    return f"--jobs={_JOBS}"


def _install(tools: Toolchain, work: Path) -> None:
    """Put the toolchain into `work`, always in the same place: its paths are part of what ccache compares."""
    mark = work / "toolchain"
    if mark.exists() and mark.read_text() == tools.folder.name:
        return
    mark.unlink(missing_ok=True)
    for name in ("python", "bridge"):
        if (work / name).is_symlink():
            (work / name).unlink()
        shutil.rmtree(work / name, ignore_errors=True)
        shutil.copytree(tools.folder / name, work / name, copy_function=cache.share)
    # Which DLL needs which: Nuitka remembers the paths of the toolchain before.
    shutil.rmtree(work / "nuitka" / "library_dependencies", ignore_errors=True)
    mark.write_text(tools.folder.name)


def _follow(process: subprocess.Popen[bytes], watcher: Watcher) -> int:
    """Pass on every line until the end; the exit code."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.close()  # whatever it would ask, the answer is no
    with process:
        readers = [
            threading.Thread(target=_read, args=(stream, watcher)) for stream in (process.stdout, process.stderr)
        ]
        try:
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            return process.wait()
        except BaseException:
            process.kill()
            raise


def _read(stream: IO[bytes], watcher: Watcher) -> None:
    for line in stream:
        watcher.line(line.decode("utf-8", errors="replace").rstrip())
