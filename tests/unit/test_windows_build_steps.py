"""The build's own steps: options, sources, keys, the bridge to the compiler, signatures, manifest, progress."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ddns.cli import main as cli
from windows import authenticode, bridge, build, complete, manifest, native, nuitka, options, report, sources, zig
from windows.app import Plan
from windows.errors import BuildError
from windows.interpreter import Interpreter
from windows.progress import Progress, Spent
from windows.toolchain import Toolchain
from windows.wheels import Origin, Origins


def test_both_routes_have_the_same_options_but_for_the_compiler() -> None:
    lists = options.load()
    wine, native = (lists.command_line(route, "1.2.3", "i.ico", "out", "r.xml") for route in options.ROUTES)
    assert set(wine) - set(native) == set(lists.routes["wine"])
    assert set(native) - set(wine) == set(lists.routes["native"])
    for option in ("--mode=standalone", "--windows-console-mode=attach", "--include-package=ddns", "--report=r.xml"):
        assert option in wine
    assert any(one.startswith("--file-version=1.2.3") for one in wine)


def test_a_native_build_is_windows_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--native"]) == 1
    assert "a native build runs on Windows" in capsys.readouterr().err
    with pytest.raises(BuildError, match="this machine is riscv64"):
        native.architecture("riscv64")
    arguments = native.command(options.load(), "1.2.3", tmp_path, tmp_path / "src" / "ddns")
    assert arguments[-1] == str(tmp_path / "src" / "ddns")
    assert "--msvc=latest" in arguments


def test_an_unusable_windows_python_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--windows-python", str(tmp_path / "nowhere")]) == 1
    said = capsys.readouterr().err
    assert f"exe: --windows-python {tmp_path / 'nowhere'}: there is no such folder or file" in said
    assert "NuGet" in said


def test_forbidden_modules_are_not_followed() -> None:
    lists = options.load()
    (left,) = [one for one in lists.command_line("wine", "1.2.3", "i", "o", "r") if one.startswith("--nofollow-import")]
    names = left.partition("=")[2].split(",")
    assert {"pygments", "anyio", "trio", "unittest", "tkinter", "pydoc", "doctest", "httpx._main"} <= set(names)
    assert "rich.jupyter" not in names  # rich imports it always


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("options = [", "can't be read"),
        ("other = []", "unknown keys: other"),
        ("sources_left_out = 1", "must be a list of texts"),
        ("[wine]\noptions = [1]", r"wine\.options must be a list of texts"),
    ],
)
def test_options_that_can_not_be_taken(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "options.toml").write_text(text)
    with pytest.raises(BuildError, match=said):
        options.load(tmp_path / "options.toml")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small program."""
    root = tmp_path / "package"
    for name in ("__init__.py", "edition.py", "cli/run.py", "cli/demo.py", "gateway/app.py", "__pycache__/x.pyc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    (root / "__init__.py").write_text('__version__ = "1.2.3"\n')
    return root


LEFT_OUT = ("gateway", "cli/demo.py")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_edition_has_what_is_not_left_out(package: Path, tmp_path: Path) -> None:
    target = tmp_path / "staged"
    sources.Snapshot.take(LEFT_OUT, package).stage(target, for_testing=True)
    assert names(target) == ["__init__.py", "cli/run.py", "edition.py"]
    assert "for testing" in (target / "edition.py").read_text()
    sources.Snapshot.take(LEFT_OUT, package).stage(target, for_testing=False)
    assert "for testing" not in (target / "edition.py").read_text()


def test_staging_again_touches_only_what_changed(package: Path, tmp_path: Path) -> None:
    target = tmp_path / "staged"
    sources.Snapshot.take(LEFT_OUT, package).stage(target, for_testing=True)
    os.utime(target / "__init__.py", (1, 1))
    (target / "cli" / "gone.py").write_text("")
    (target / "old" / "__pycache__").mkdir(parents=True)
    (target / "old" / "__pycache__" / "y.pyc").write_text("")
    (package / "cli" / "run.py").write_text("# changed\n")
    sources.Snapshot.take(LEFT_OUT, package).stage(target, for_testing=True)
    assert names(target) == ["__init__.py", "cli/run.py", "edition.py"]
    assert not (target / "old").exists()
    assert (target / "cli" / "run.py").read_text() == "# changed\n"
    assert (target / "__init__.py").stat().st_mtime == 1


def test_a_part_left_out_must_exist(package: Path) -> None:
    with pytest.raises(BuildError, match="src/ddns/nothing, which does not exist"):
        sources.files(("nothing",), package)


def test_the_digest_is_that_of_what_gets_in(package: Path) -> None:
    before = sources.Snapshot.take(LEFT_OUT, package).digest()
    (package / "gateway" / "app.py").write_text("# changed\n")
    (package / "__pycache__" / "z.pyc").write_text("")
    assert sources.Snapshot.take(LEFT_OUT, package).digest() == before
    (package / "cli" / "run.py").rename(package / "cli" / "runs.py")
    assert sources.Snapshot.take(LEFT_OUT, package).digest() != before


def test_the_version_is_the_packages(package: Path) -> None:
    assert sources.version(package) == "1.2.3"
    (package / "__init__.py").write_text("")
    with pytest.raises(BuildError, match="tells no version"):
        sources.version(package)


def test_the_source_is_no_edition_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ddns {sources.version()}\n"


SOURCES = sources.Snapshot({Path("a.py"): b"1"})


def plan(**changed: object) -> Plan:
    told = {"folder": Path("toolchain-1"), "version": "3.13.11", "library": "3.13.5+", "composed": True} | changed
    python = Interpreter(Path("py"), str(told["version"]), str(told["library"]), composed=bool(told["composed"]))
    return Plan(options.load(), "1.2.3", SOURCES, Toolchain(Path(str(told["folder"])), python))


def test_the_key_changes_with_what_the_app_is_made_of() -> None:
    base = plan()
    complete = plan(library="3.13.11", composed=False)
    others = [
        plan(folder="toolchain-2"),
        complete,
        replace(base, version="1.2.4"),
        replace(base, sources=sources.Snapshot({Path("a.py"): b"2"})),
        replace(base, tools=replace(base.tools, folder=Path("other"))),
    ]
    assert base.key() == plan().key()
    assert len({base.key(), *(one.key() for one in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("version", "library", "composed", "for_testing"),
    [("3.13.11", "3.13.11", False, False), ("3.13.11", "3.13.5+", False, True), ("3.13.11", "3.13.11", True, True)],
)
def test_only_one_release_throughout_is_not_for_testing(
    version: str, library: str, composed: bool, for_testing: bool
) -> None:
    assert Interpreter(Path("py"), version, library, composed).for_testing is for_testing


@pytest.mark.parametrize(
    ("argument", "native"),
    [
        ("-luser32", "-luser32"),
        ("-lUser32", "-luser32"),
        ('-DNAME="C:\\x"', '-DNAME="C:\\x"'),
        ("-I/with/path", "-I/with/path"),
        ("static_src\\helpers.c", "static_src/helpers.c"),
        ("/w/module.o", "/w/module.o"),
    ],
)
def test_arguments_become_the_native_compilers(tmp_path: Path, argument: str, native: str) -> None:
    assert bridge.native_argument(argument, tmp_path) == native


def test_a_response_file_is_rewritten_beside_itself(tmp_path: Path) -> None:
    text = '"static_src\\\\helpers.o"\n"-DNAME=\\"x\\""\n'
    (tmp_path / "@link.txt").write_text(text)
    assert bridge.native_argument("@@link.txt", tmp_path) == f"@{tmp_path / '@link.txt.native'}"
    assert (tmp_path / "@link.txt.native").read_text() == '"static_src/helpers.o"\n"-DNAME=\\"x\\""\n'
    assert (tmp_path / "@link.txt").read_text() == text


def test_the_embedded_file_is_found(tmp_path: Path) -> None:
    source = tmp_path / "__constants_data_x.c"
    source.write_text('char a[] = "\\\\n";\n#embed "blobs\\\\x.bin"\n')
    bridge.native_argument("__constants_data_x.c", tmp_path)
    assert source.read_text() == 'char a[] = "\\\\n";\n#embed "blobs//x.bin"\n'.replace("//", "/" * 2)


def ask(address: str, key: str, folder: str, *arguments: str) -> bytes:
    """What zig.exe does."""
    texts = [one.encode() for one in (folder, *arguments)]
    message = struct.pack(">I", len(key)) + key.encode() + struct.pack(">I", len(texts))
    message += b"".join(struct.pack(">I", len(one)) + one for one in texts)
    with socket.create_connection(("127.0.0.1", int(address.partition(":")[0])), timeout=30) as link:
        link.sendall(message)
        link.shutdown(socket.SHUT_WR)
        answer = b""
        while part := link.recv(4096):
            answer += part
    return answer


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A compiler that tells its folder and arguments, and fails."""
    path = tmp_path / "compiler"
    path.write_text(f"#!{sys.executable}\nimport os, sys\nprint(os.getcwd(), *sys.argv[1:])\nsys.exit(7)\n")
    path.chmod(0o755)
    return path


def test_a_call_over_the_bridge(tmp_path: Path, tool: Path) -> None:
    seen: list[list[str]] = []
    with bridge.Bridge(tool, seen=seen.append) as running:
        answer = ask(running.address, running.key, str(tmp_path), "cc", "-c", "a\\b.c")
    out = f"{tmp_path} cc -target x86_64-windows-gnu -c a/b.c\n".encode()
    assert answer == struct.pack(">I", len(out)) + out + struct.pack(">II", 0, 7)
    assert seen == [["cc", "-c", "a/b.c"]]


def test_every_link_has_the_same_c_runtime(tmp_path: Path, tool: Path) -> None:
    with bridge.Bridge(tool) as running:
        linked = ask(running.address, running.key, str(tmp_path), "cc", "-o", "a.exe", "a.o")
    assert b"cc -target x86_64-windows-gnu -O2 -s -o a.exe a.o" in linked


def test_the_cache_is_in_front_but_not_of_embedded_data(tmp_path: Path, tool: Path) -> None:
    (tmp_path / "__constants_data.c").write_text("")
    with bridge.Bridge(tool, ("/bin/echo", "cached")) as running:
        first = ask(running.address, running.key, str(tmp_path), "cc", "a.c")
        second = ask(running.address, running.key, str(tmp_path), "cc", "__constants_data.c")
    assert b"cached" in first
    assert b"cached" not in second


def test_who_does_not_know_the_key_gets_nothing(tmp_path: Path, tool: Path) -> None:
    seen: list[list[str]] = []
    with bridge.Bridge(tool, seen=seen.append) as running:
        assert ask(running.address, "other", str(tmp_path), "cc") == b""
        assert ask(running.address, running.key[:-1], str(tmp_path), "cc") == b""
    assert seen == []


def test_the_stages_follow_the_compiler() -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        watcher = nuitka.Watcher(progress)
        progress.begin("compile", "Python")
        watcher.line("Nuitka: Running C compilation via Scons.")
        watcher.call(["cc", "-c", "a.c"])
        watcher.call(["cc", "@link.native"])
        progress.begin("pack", "manifest")
    assert [one.stage for one in progress.spent] == ["compile", "compile", "link", "pack"]
    assert "exe: link     1 object files" in out.getvalue()


def test_a_stage_that_failed_is_not_done() -> None:
    out = io.StringIO()
    progress = Progress(out)
    with contextlib.suppress(BuildError), progress:
        progress.begin("link", "2 object files")
        raise BuildError("no")
    assert out.getvalue().splitlines()[-1].startswith("exe: link     stopped after")


def test_times_of_a_stage_that_came_twice_are_added() -> None:
    spent = [Spent("compile", 1.0, 2.0), Spent("link", 1.0, 1.0), Spent("compile", 3.0, 4.0)]
    assert report.times(spent) == [
        {"stage": "compile", "seconds": 4.0, "cpu": 6.0},
        {"stage": "link", "seconds": 1.0, "cpu": 1.0},
    ]


def test_the_packing_of_an_app_that_was_built_before_is_in_its_times() -> None:
    app = [{"stage": "compile", "seconds": 4.0, "cpu": 6.0}]
    cpu = iter([0.0, 1.0, 1.0, 3.5])
    progress = Progress(io.StringIO(), cpu=lambda: next(cpu))
    assert progress.so_far() == []
    progress.begin("compose", "from the cache")
    progress.begin("pack", "launcher, report")
    *over, running = progress.so_far()
    assert ([one.stage for one in over], running.stage, running.cpu) == (["compose"], "pack", 2.5)
    assert report.packed(app, [*over, running]) == [*app, {"stage": "pack", "seconds": 0.0, "cpu": 2.5}]


def test_modules_are_read_from_nuitkas_report(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(
        '<r><module name="b" kind="UncompiledPythonModule"/><module name="a" kind="CompiledPythonPackage"/>'
        '<module name="c" kind="PythonExtensionModule"/></r>'
    )
    assert report.modules(tmp_path / "report.xml") == [
        {"name": "a", "kind": "compiled"},
        {"name": "b", "kind": "bytecode"},
        {"name": "c", "kind": "extension"},
    ]
    (tmp_path / "report.xml").write_text("<r>")
    with pytest.raises(BuildError, match="can't be read"):
        report.modules(tmp_path / "report.xml")


def test_origins_come_back_as_they_were_saved(tmp_path: Path) -> None:
    origins = Origins({"ab": Origin("sample-1.0.whl", "cd")})
    origins.save(tmp_path / "origins.json")
    read = Origins.load(tmp_path / "origins.json")
    assert read.find("ab") == Origin("sample-1.0.whl", "cd")
    assert read.find("cd") is None
    assert json.loads((tmp_path / "origins.json").read_text())


def test_an_anchor_is_found_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = b"\x30\x82\x01\x00" + bytes(256)
    import hashlib

    monkeypatch.setattr(authenticode, "ANCHORS", {hashlib.sha256(certificate).hexdigest(): "ours"})
    other = b"\x30\x82\x00\x10" + bytes(16)
    assert list(authenticode.anchors_in(b"\x30\x82" + other + b"\x30" + certificate + b"tail")) == [certificate]


def test_what_is_no_windows_file_has_no_signature(tmp_path: Path) -> None:
    (tmp_path / "x.dll").write_bytes(b"MZ and nothing")
    with pytest.raises(BuildError, match="is no Windows program or library"):
        authenticode.signature_of(tmp_path / "x.dll")


def test_a_manifest_needs_an_exe(tmp_path: Path) -> None:
    (tmp_path / "x.exe").write_bytes(b"MZ and nothing")
    with pytest.raises(BuildError, match=r"x\.exe is no Windows program"):
        manifest.put(tmp_path / "x.exe", b"<assembly/>")


_IMPORT_ALL = """
import importlib, json, sys
left_out, modules = json.load(sys.stdin)
class Gone:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in left_out):
            raise ImportError(f"left out: {name}", name=name)
for name in [name for name in sys.modules if any(name == one or name.startswith(one + ".") for one in left_out)]:
    del sys.modules[name]
sys.meta_path.insert(0, Gone())
for name in modules:
    importlib.import_module(name)
"""


def test_the_edition_imports_without_what_is_left_out() -> None:
    lists = options.load()
    files = [path for path in sources.files(lists.sources_left_out) if path.suffix == ".py"]
    modules = [".".join(("ddns", *path.with_suffix("").parts)).removesuffix(".__init__") for path in files]
    here = [name for name in modules if ".windows" not in name]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL],
        input=json.dumps([[*lists.forbidden, *lists.unneeded], here]),
        env=os.environ | {"PYTHONPATH": str(sources.ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(here) > 80


def test_a_dll_that_was_left_out_ends_the_build(tmp_path: Path) -> None:
    app, python = tmp_path / "app", tmp_path / "python"
    (app / "sub").mkdir(parents=True)
    (python / "DLLs").mkdir(parents=True)
    (tmp_path / "a.c").write_text("__declspec(dllexport) int a(void) { return 1; }\n")
    (tmp_path / "b.c").write_text("int a(void); __declspec(dllexport) int b(void) { return a(); }\n")
    needed = python / "DLLs" / "a.dll"
    zig.compile_c(tmp_path / "a.c", needed, "-shared", f"-Wl,--out-implib,{tmp_path / 'a.lib'}")
    zig.compile_c(tmp_path / "b.c", app / "sub" / "b.pyd", "-shared", tmp_path / "a.lib")
    assert "a.dll" in complete.imports(app / "sub" / "b.pyd")
    with pytest.raises(BuildError, match=r"sub/b\.pyd needs a\.dll, which Nuitka left out"):
        complete.check(app, python)
    needed.rename(app / "A.dll")
    complete.check(app, python)
    (python / "DLLs" / "a.dll").touch()
    complete.check(app, python)
