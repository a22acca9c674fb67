"""Small Windows programs for tests, compiled once, and one that starts others exactly as told."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

from windows import cache, zig
from windows.wine import Wine, windows_path

HERE = Path(__file__).resolve().parent
#: Options of child.c.
CHILD = ("-municode", "-Wl,--subsystem,windows")
_END = b"\x1e"


def compiled(name: str, *options: str) -> Path:
    """NAME.c of this folder as an exe for amd64."""
    source = HERE / f"{name}.c"
    key = "\0".join((zig.version(), source.read_text(), *options))

    def make(folder: Path) -> None:
        zig.compile_c(source, folder / f"{name}.exe", "-std=c17", "-O1", "-s", *options)

    return cache.once(f"test-{name}", key, make) / f"{name}.exe"


def hexed(text: str) -> str:
    """UTF-16 units in hex, four digits each; lone surrogates pass."""
    return text.encode("utf-16-be", "surrogatepass").hex()


def unhexed(line: bytes) -> str:
    """What `hexed` was given."""
    return bytes.fromhex(line.decode()).decode("utf-16-be", "surrogatepass")


class Driver:
    """driver.c, running; a context manager."""

    def __init__(self, machine: Wine) -> None:
        self._process = machine.start(compiled("driver"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        for stream in (self._process.stdout, self._process.stderr):
            assert stream
            stream.close()

    def tell(self, word: str, program: Path | str, command: str = "") -> tuple[bytes, str]:
        """Carry out one order; what the program printed on standard output, and the result."""
        assert self._process.stdin
        assert self._process.stdout
        path = windows_path(program) if isinstance(program, Path) else program
        self._process.stdin.write(f"{word} {hexed(path)} {hexed(command)}\n".encode())
        self._process.stdin.flush()
        said = b""
        for line in self._process.stdout:
            before, mark, result = line.partition(_END)
            said += before
            if mark:
                return said, result.decode().strip()
        raise AssertionError(f"the driver ended; before that: {said!r}")
