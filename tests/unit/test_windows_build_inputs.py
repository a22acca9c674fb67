"""What the build of ddns.exe takes in: pinned packages, a Windows Python. What is not as pinned ends it."""

from __future__ import annotations

import hashlib
import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from windows import given, layout, registry, resolve, suite, zig
from windows.errors import BuildError
from windows.target import NAME, VERSION


def wheel(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "sample-1.0-py3-none-any.whl"
    metadata = b"Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sample/__init__.py", b"")
        archive.writestr("sample-1.0.dist-info/METADATA", metadata)
        archive.writestr(
            "sample-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("sample-1.0.dist-info/RECORD", b"")
        for member, content in files.items():
            archive.writestr(member, content)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for all there is."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def pin(path: Path, digest: str) -> Path:
    path.write_text(f"sample==1.0 \\\n    --hash=sha256:{digest}\n")
    return path


def test_a_pinned_wheel_is_fetched(tmp_path: Path, index: Path) -> None:
    digest = suite.sha256(wheel(index))
    (tmp_path / "out").mkdir()
    found = registry.fetch_wheels(pin(tmp_path / "pins.txt", digest), tmp_path / "out", VERSION)
    assert [suite.sha256(path) for path in found] == [digest]


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, index: Path) -> None:
    wheel(index)
    (tmp_path / "out").mkdir()
    with pytest.raises(BuildError, match="is not what is pinned") as caught:
        registry.fetch_wheels(pin(tmp_path / "pins.txt", "0" * 64), tmp_path / "out", VERSION)
    assert "Find out why before anything else" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_version_that_is_not_served_is_named(tmp_path: Path, index: Path) -> None:
    index.mkdir()
    (tmp_path / "out").mkdir()
    with pytest.raises(BuildError, match=r"pins\.txt: .*sample==1\.0"):
        registry.fetch_wheels(pin(tmp_path / "pins.txt", "0" * 64), tmp_path / "out", VERSION)


def test_a_wheel_is_unpacked_where_it_is_installed(tmp_path: Path) -> None:
    files = {
        "sample-1.0.data/": b"",  # some list their folders
        "sample-1.0.data/platlib/": b"",
        "sample-1.0.data/purelib/own.pth": b"x",
        "sample-1.0.data/platlib/sub/own.pyd": b"y",
        "sample-1.0.data/scripts/tool.py": b"z",
    }
    registry.unpack_wheel(wheel(tmp_path / "index", **files), tmp_path / "site")
    found = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert {"sample/__init__.py", "own.pth", "sub/own.pyd"} <= found
    assert not any("tool.py" in name for name in found)


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "sample/../../outside.py"])
def test_a_wheel_reaches_not_outside(tmp_path: Path, name: str) -> None:
    path = wheel(tmp_path / "index", **{name: b""})
    with pytest.raises(BuildError, match="outside"):
        registry.unpack_wheel(path, tmp_path / "site")
    assert not (tmp_path / "outside.py").exists()


DEB = "libpython3.13-dev_3.13.5-2_amd64.deb"


def test_debian_pins_are_read() -> None:
    digest = "0" * 64
    assert suite.pins(f"# remark\n{digest}  {DEB}\n\n") == {DEB: digest}


@pytest.mark.parametrize("line", ["x", f"{'0' * 63}  {DEB}", f"{'0' * 64} {DEB}", f"{'0' * 64}  other.txt"])
def test_a_bad_line_of_the_debian_pins_is_named(line: str) -> None:
    with pytest.raises(BuildError, match="line 2 ") as caught:
        suite.pins(f"# remark\n{line}\n")
    assert line in str(caught.value)


def test_a_debian_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / DEB).write_bytes(b"something else")
    with pytest.raises(BuildError, match="is not what is pinned") as caught:
        suite.checked(tmp_path, DEB, "0" * 64)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    digest = suite.sha256(tmp_path / DEB)
    assert suite.checked(tmp_path, DEB, digest) == tmp_path / DEB


def test_a_debian_package_that_is_served_no_more_is_named(tmp_path: Path) -> None:
    newer = "libpython3.13-dev_3.13.5-3_amd64.deb"
    (tmp_path / newer).touch()
    with pytest.raises(BuildError, match="does not serve") as caught:
        suite.checked(tmp_path, DEB, "0" * 64)
    assert newer in str(caught.value)
    assert "make lock" in str(caught.value)
    assert "--windows-python" in str(caught.value)


def test_only_debians_own_sources_are_asked_for_another_suite() -> None:
    stanzas = """Types: deb
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://other.test/debian
Suites: nodistro
Components: main

Types: deb
URIs: http://mirror.test/debian
Suites: bookworm-backports
Components: main
"""
    kept = suite.own_entries(stanzas, "bookworm", ".sources")
    assert kept.count("Types:") == 2
    assert "nodistro" not in kept
    assert "backports" not in kept
    lines = (
        "deb http://mirror.test/debian bookworm main\ndeb http://other.test tool-bookworm main\n# deb x bookworm y\n"
    )
    assert suite.own_entries(lines, "bookworm", ".list") == "deb http://mirror.test/debian bookworm main\n"


def test_what_windows_alone_asks_for_is_missing_from_pips_answer() -> None:
    known = {
        "tool": {
            "metadata": {"requires_dist": ["colour>1; platform_system == 'Windows'", "old; python_version<'3.12'"]}
        },
        "old": {"metadata": {}},
        "stray": {"metadata": {}},
    }
    needed, missing = resolve.closure(resolve.asked_by(["tool", "pty; sys_platform != 'win32'"]), known)
    assert sorted(needed) == ["tool"]
    assert [str(one) for one in missing] == ["colour>1"]


def test_a_lock_has_hashes_and_no_address() -> None:
    entry = {
        "metadata": {"version": "1.0"},
        "download_info": {"url": "https://where.test/x", "archive_info": {"hashes": {"sha256": "ab"}}},
    }
    assert resolve.lines({"sample": entry}) == "sample==1.0 \\\n    --hash=sha256:ab\n"


def dll(machine: int = 0x8664) -> bytes:
    """The beginning of a DLL, as far as its machine."""
    return b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<H", machine)


def python_folder(root: Path, *, without: tuple[str, ...] = (), machine: int = 0x8664) -> Path:
    for name in given._NEEDED:
        if name not in without:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(dll(machine) if name == f"{NAME}.dll" else b"")
    return root


def test_a_named_python_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="there is no such folder or file") as caught:
        given.take(tmp_path / "nowhere", tmp_path)
    assert str(tmp_path / "nowhere") in str(caught.value)


def test_a_folder_without_python(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BuildError, match=rf"it holds no {NAME}\.dll; the build needs CPython 3\.13"):
        given.root_of(tmp_path / "empty")


def test_another_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "python312.dll").touch()
    with pytest.raises(BuildError, match=r"only python312\.dll"):
        given.root_of(tmp_path)


@pytest.mark.parametrize("place", ["", "tools", "python-3.13", "python-3.13/tools"])
def test_the_layouts_of_python_org_and_nuget_are_found(tmp_path: Path, place: str) -> None:
    python_folder(tmp_path / place)
    assert given.root_of(tmp_path) == tmp_path / place


def test_the_embeddable_package_is_told_from_a_complete_one(tmp_path: Path) -> None:
    python_folder(tmp_path / "py", without=("include/Python.h", "include/pyconfig.h", f"libs/{NAME}.lib"))
    (tmp_path / "py" / f"{NAME}._pth").touch()
    (tmp_path / "out").mkdir()
    with pytest.raises(BuildError, match="embeddable package") as caught:
        given.take(tmp_path / "py", tmp_path / "out")
    assert "include/Python.h" in str(caught.value)
    assert "NuGet" in str(caught.value)


def test_a_python_for_another_machine_is_refused(tmp_path: Path) -> None:
    python_folder(tmp_path / "py", machine=0xAA64)
    (tmp_path / "out").mkdir()
    with pytest.raises(BuildError, match=r"not for 64-bit x86 .*0xaa64"):
        given.take(tmp_path / "py", tmp_path / "out")


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "python.nupkg"
    archive.write_bytes(b"PK\3\4 and then nothing")
    (tmp_path / "out").mkdir()
    with pytest.raises(BuildError, match=r"python\.nupkg: it is no archive"):
        given.take(archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_is_named_in_what_is_wrong_with_it(tmp_path: Path) -> None:
    python_folder(tmp_path / "py" / "tools", without=("DLLs/_ssl.pyd",))
    archive = shutil.make_archive(str(tmp_path / "python"), "zip", tmp_path / "py")
    (tmp_path / "out").mkdir()
    with pytest.raises(BuildError, match=r"python\.zip/tools: DLLs/_ssl\.pyd missing"):
        given.take(Path(archive), tmp_path / "out")


_TABLE = """
typedef unsigned long long word;
struct _Py_DebugOffsets { char cookie[8]; word version; struct { word size, flag; } state; };
"""
_HEADERS = {
    "Python.h": "#include <stddef.h>\n",
    "patchlevel.h": '#define PY_VERSION "3.13.5+"\n',
    "internal/pycore_interp.h": "",
    "internal/pycore_runtime_init.h": """#define INIT(runtime, debug_cookie) { \\
        .debug_offsets = { \\
            .cookie = debug_cookie, \\
            .version = 0x030d05f0, \\
            .state = { \\
                .size = sizeof(struct state), \\
                .flag = offsetof(struct state, flag), \\
            }, \\
        }, \\
    }
""",
}
_STATE = (
    'struct state {{ {} }};\ntypedef struct _Py_DebugOffsets _Py_DebugOffsets;\n#define _Py_Debug_Cookie "xdebugpy"\n'
)


def headers(folder: Path, fields: str) -> Path:
    for name, text in _HEADERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "internal" / "pycore_runtime.h").write_text(_TABLE + _STATE.format(fields))
    return folder


@pytest.fixture(scope="module")
def a_dll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DLL that tells of a structure of 16 bytes with a flag at 8, as 3.13.11."""
    folder = tmp_path_factory.mktemp("dll")
    source = folder / "table.c"
    table = '{"xdebugpy", 0x030d0bf0, {16, 8}}'
    source.write_text(f"{_TABLE}__declspec(dllexport) const struct _Py_DebugOffsets _PyRuntime = {table};\n")
    target = folder / f"{NAME}.dll"
    zig.compile_c(source, target, "-shared")
    return target


def test_headers_of_the_dlls_structures_pass(tmp_path: Path, a_dll: Path) -> None:
    include = headers(tmp_path / "include", "long long a; int flag;")
    assert layout.check(include, a_dll, tmp_path) == 4
    assert layout.read(a_dll)[1] == "3.13.11"
    assert layout.patch_level(include) == "3.13.5+"


def test_headers_of_other_structures_end_the_build(tmp_path: Path, a_dll: Path) -> None:
    include = headers(tmp_path / "include", "long long a, b; int flag;")
    with pytest.raises(BuildError, match="describe different structures") as caught:
        layout.check(include, a_dll, tmp_path)
    for part in ("3.13.5+", "3.13.11", "words [2, 3]", "--windows-python"):
        assert part in str(caught.value)


def test_headers_without_a_table_end_the_build(tmp_path: Path, a_dll: Path) -> None:
    include = headers(tmp_path / "include", "int flag;")
    (include / "internal" / "pycore_runtime_init.h").write_text("")
    with pytest.raises(BuildError, match="no table of structures"):
        layout.check(include, a_dll, tmp_path)


def test_a_dll_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.dll"
    path.write_bytes(b"no DLL")
    with pytest.raises(BuildError, match="not a DLL that can be read"):
        layout.read(path)


def test_the_checked_in_pins_are_whole() -> None:
    pinned = suite.pins(registry.lock("windows-debian").read_text())
    assert {name.split("_")[0] for name in pinned} == {
        f"libpython{VERSION}-{part}" for part in ("minimal", "stdlib", "dev")
    }
    for name in ("windows", "windows-python", "windows-nuitka"):
        lines = registry.lock(name).read_text().splitlines()
        assert len([line for line in lines if "==" in line]) == len(
            [line for line in lines if "--hash=sha256:" in line]
        )
