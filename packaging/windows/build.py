"""`make exe`: ddns.exe for Windows, with its launcher, into build/windows-amd64, which docs/design/exe.md describes.

Everything is kept in the cache by its content, outside the clone: what did not change is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from windows import cache, native, options, report, sources, suite, zig
from windows.app import Plan, app
from windows.errors import BuildError
from windows.interpreter import interpreter
from windows.launcher import build as launcher
from windows.progress import Progress
from windows.toolchain import toolchain

_HERE = Path(__file__).resolve().parent
ARCHITECTURE = "amd64"
TREE = sources.ROOT / "build" / f"windows-{ARCHITECTURE}"


def tree(named: Path | None, progress: Progress) -> Path:
    """The finished tree in the cache, built if it is not there. Nobody may change it. Raises BuildError."""
    progress.begin("compose", "Windows Python, packages, Nuitka")
    lists = options.load()
    snapshot = sources.Snapshot.take(lists.sources_left_out)
    plan = Plan(lists, sources.version(), snapshot, toolchain(interpreter(named)))
    made = app(plan, progress)
    progress.begin("pack", "launcher, report")
    starters = {machine: launcher.launcher(machine, plan.version) for machine in zig.TARGETS}
    key = "\n".join((made.name, *(suite.sha256(path) for path in (*starters.values(), _HERE / "report.py"))))
    return cache.once("windows-tree", key, lambda folder: _make_tree(folder, made, starters, plan, progress))


def _make_tree(folder: Path, made: Path, starters: dict[str, Path], plan: Plan, progress: Progress) -> None:
    shutil.copytree(made / "app", folder / "app")
    (folder / "bin").mkdir()
    shutil.copy(starters[ARCHITECTURE], folder / "bin" / "ddns.exe")
    python = plan.interpreter
    built = json.loads((made / "app.json").read_text())
    told = {
        **report.head(plan.version, ARCHITECTURE, for_testing=python.for_testing),
        "python": {"version": python.version, "library": python.library, "composed": python.composed},
        "tools": {"zig": zig.version(), "nuitka": _nuitka_version()},
        "packages": report.pins(),
        "launchers": {machine: suite.sha256(path) for machine, path in starters.items()},
        **built,
        "sha256": report.hashes(folder),
        "times": report.packed(built["times"], progress.so_far()),
    }
    report.write(folder, told)


def _nuitka_version() -> str:
    return (_HERE.parent / "locks" / "windows-nuitka.txt").read_text("utf-8").split("==")[1].split()[0]


def publish(made: Path, target: Path = TREE) -> None:
    """Copy the finished tree to where people look for it; what was there goes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copytree(made, fresh, ignore=shutil.ignore_patterns(cache.COMPLETE))
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """The command line. 0, or 1 with a message."""
    parser = argparse.ArgumentParser(prog="make exe ARGS=...", description="Build ddns.exe for 64-bit Windows.")
    parser.add_argument(
        "--windows-python",
        type=Path,
        metavar="FOLDER|ARCHIVE",
        help="a complete CPython 3.13 for Windows (NuGet's package, or python.org's folder); without it one is "
        "composed of registry packages, and the program says that it is for testing",
    )
    parser.add_argument(
        "--native", action="store_true", help="on Windows: with the running CPython and Visual Studio's compiler"
    )
    chosen = parser.parse_args(arguments)
    try:
        with Progress() as progress:
            made = native.tree(progress) if chosen.native else tree(chosen.windows_python, progress)
            if not chosen.native:
                publish(made)
    except (BuildError, OSError) as error:
        print(f"exe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("exe: stopped; nothing is left running", file=sys.stderr)
        return 130
    _say(made)
    return 0


def _say(made: Path) -> None:
    told = json.loads((made / report.FILE).read_text("utf-8"))
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    edition = "for testing: its Python is composed" if told["for_testing"] else "complete Python"
    signed = sum("signed_by" in one for one in told["binaries"])
    place = made if made.is_relative_to(sources.ROOT) else TREE
    print(f"{place}: ddns {told['version']} for {told['architecture']}, {edition}")
    print(f"  {size / 1e6:.1f} MB, {len(told['modules'])} modules, {len(told['binaries'])} libraries:")
    print(f"  {signed} signed by their publisher and verified, the others pinned by their wheel's hash (build.json)")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: Wine's programs end with us
    sys.exit(main(sys.argv[1:]))
