"""Whether the headers of a CPython describe the structures of its DLL.

CPython 3.13 and later tell the sizes and offsets of their structures at the start of `_PyRuntime` (for debuggers). With
the wrong headers a program compiles and breaks later, so that any difference ends the build.
"""

from __future__ import annotations

import re
from pathlib import Path

import pefile

from windows import zig
from windows.errors import BuildError

_SOURCE = """#include <Python.h>
#define Py_BUILD_CORE
#undef _PyGC_FINALIZED
#include <internal/pycore_runtime.h>
#include <internal/pycore_interp.h>
#define debug_cookie _Py_Debug_Cookie
__declspec(dllexport) const _Py_DebugOffsets layout = {%s};
"""
#: The table begins with a cookie of 8 bytes; its next word is the version.
_VERSION_WORD = 1
_WORD = 8


def check(include: Path, dll: Path, work: Path) -> int:
    """Compare; how many sizes and offsets agree. `work` is for our files. Raises BuildError."""
    theirs_all, version = read(dll)
    initial = include / "internal" / "pycore_runtime_init.h"
    found = re.search(r"\.debug_offsets = \{(.*?)\n {8}\}, *\\\n", _text(initial), re.DOTALL)
    if not found:
        raise BuildError(f"{initial} has no table of structures: these are no headers of CPython 3.13 or later")
    source = work / "layout.c"
    source.write_text(_SOURCE % found[1].replace("\\\n", "\n").rstrip("\\ "))
    ours_file = source.with_suffix(".dll")
    zig.compile_c(source, ours_file, "-shared", f"-I{include}", f"-I{include / 'internal'}")
    count = found[1].count("=") - found[1].count("{")
    ours = exported(ours_file, b"layout", count * _WORD)
    theirs = theirs_all[: count * _WORD]
    wrong = [word for word in range(count) if word != _VERSION_WORD and _word(ours, word) != _word(theirs, word)]
    if wrong:
        raise BuildError(
            f"headers ({patch_level(include)}) and {dll.name} ({version}) describe different structures: "
            f"words {wrong} of _Py_DebugOffsets",
            "Take headers and DLL of the same release: --windows-python FOLDER",
        )
    return count


def _word(table: bytes, number: int) -> bytes:
    return table[_WORD * number : _WORD * (number + 1)]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise BuildError(f"{path} can't be read: {error.strerror}") from error


def read(dll: Path) -> tuple[bytes, str]:
    """The table of a DLL (and what follows it), and the version in it, e.g. "3.13.11". Raises BuildError."""
    table = exported(dll, b"_PyRuntime", 2048)
    if table[:8] != b"xdebugpy":
        raise BuildError(f"{dll.name} tells no table of its structures: it is older than CPython 3.13")
    micro, minor, major = table[9], table[10], table[11]
    return table, f"{major}.{minor}.{micro}"


def exported(dll: Path, name: bytes, size: int) -> bytes:
    """The first `size` bytes of what a DLL exports as `name`. Raises BuildError."""
    try:
        parsed = pefile.PE(str(dll), fast_load=True)
        parsed.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_EXPORT"]])
        symbols = parsed.DIRECTORY_ENTRY_EXPORT.symbols
    except (OSError, AttributeError, pefile.PEFormatError) as error:
        raise BuildError(f"{dll} is not a DLL that can be read: {error}") from error
    for symbol in symbols:
        if symbol.name == name:
            return bytes(parsed.get_data(symbol.address, size))
    raise BuildError(f"{dll.name} exports no {name.decode()}")


def patch_level(include: Path) -> str:
    """The version of which a folder of headers is, e.g. "3.13.5". Raises BuildError."""
    found = re.search(r'#define PY_VERSION\s+"([^"]+)"', _text(include / "patchlevel.h"))
    if not found:
        raise BuildError(f"{include / 'patchlevel.h'} tells no version")
    return found[1]
