"""Build the launcher with zig, on any system, for every architecture of Windows."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from windows import cache, zig
from windows.resources import version as resource

SOURCE = Path(__file__).with_name("launcher.c")
#: No helper functions of a runtime library: nothing is linked that could hold them.
COMPILE = (
    "-std=c17",
    "-Os",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-fno-builtin",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)
LINK = ("-nostdlib", "-s", "-Wl,--subsystem,console", "-Wl,-e,start")
_PE_OFFSET, _TIMESTAMP = 0x3C, 8


def launcher(architecture: str, version: str) -> Path:
    """`ddns.exe` for an architecture (amd64, x86, arm64), from the cache or built in a second.

    The first time zig builds its resource compiler (half a minute). Raises BuildError.
    """
    parts = (
        architecture,
        resource.script(version, resource.LAUNCHER),
        zig.version(),
        *(path.read_bytes().hex() for path in (SOURCE, Path(__file__), resource.ICON, resource.MANIFEST)),
    )
    made = cache.once(
        f"launcher-{architecture}", "\0".join(parts), lambda folder: _build(folder, architecture, version)
    )
    return made / "ddns.exe"


def _build(folder: Path, architecture: str, version: str) -> None:
    exe = folder / "ddns.exe"
    target = ("-target", zig.TARGETS[architecture])
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        script, resources, code = work / "ddns.rc", work / "ddns.res", work / "launcher.obj"
        script.write_text(resource.script(version, resource.LAUNCHER), "utf-8")
        zig.run("rc", "/:auto-includes", "none", "/c65001", f"/fo{resources}", "--", script, cwd=resource.HERE)
        zig.run("cc", *target, *COMPILE, "-c", SOURCE, "-o", code)
        zig.run("cc", *target, *LINK, code, resources, "-lkernel32", "-o", exe)
    _without_time(exe)


def _without_time(exe: Path) -> None:
    """Take the time of the build out, so that the same source gives the same bytes."""
    content = bytearray(exe.read_bytes())
    (header,) = struct.unpack_from("<I", content, _PE_OFFSET)
    struct.pack_into("<I", content, header + _TIMESTAMP, 0)
    exe.write_bytes(content)
