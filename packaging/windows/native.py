"""The native route: the same options and the same tree, with the running CPython and compiler of a Windows machine.

For releases, and for the architectures that have no other way: x86 and arm64. Signatures of libraries are not verified
here (packages are signed and verified after): Windows does that itself, by Get-AuthenticodeSignature.
"""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from windows import alignment, manifest, nuitka, options, report, sources, suite, zig
from windows.errors import BuildError, Lacking
from windows.launcher import build as launcher
from windows.progress import Progress
from windows.resources import version as resource

ARCHITECTURES = {"AMD64": "amd64", "ARM64": "arm64", "x86": "x86"}


def architecture(machine: str) -> str:
    """Ours for what `platform.machine()` says. Raises Lacking."""
    try:
        return ARCHITECTURES[machine]
    except KeyError as error:
        raise Lacking(f"a native build runs on Windows; this machine is {machine}", "Leave --native out.") from error


def command(lists: options.Options, version: str, work: Path, packages: Path) -> tuple[str, ...]:
    """Nuitka's arguments."""
    line = lists.command_line(
        "native", version, str(resource.ICON), str(work / "out"), str(work / "out" / "report.xml")
    )
    return (*line, nuitka.jobs(), str(packages))


def tree(progress: Progress) -> Path:
    """build/windows-ARCHITECTURE, built anew. Raises BuildError."""
    if os.name != "nt":
        raise Lacking("a native build runs on Windows; this is another system", "Leave --native out.")
    lists, version, machine = options.load(), sources.version(), architecture(platform.machine())
    target = sources.ROOT / "build" / f"windows-{machine}"
    work = target.with_name(f"native-{machine}")
    progress.begin("compose", f"the running CPython {platform.python_version()}")
    sources.Snapshot.take(lists.sources_left_out).stage(work / "src" / "ddns", for_testing=False)
    shutil.rmtree(work / "out", ignore_errors=True)
    (work / "out").mkdir(parents=True)
    progress.begin("compile", "Python")
    arguments = command(lists, version, work, work / "src" / "ddns")
    nuitka.natively(arguments, {"PYTHONPATH": str(work / "src")}, work, nuitka.Watcher(progress))
    progress.begin("pack", "manifest, launcher, report")
    return _pack(work / "out", target, version, machine, progress)


def _pack(out: Path, target: Path, version: str, machine: str, progress: Progress) -> Path:
    built = out / "ddns.dist"
    if not (built / "ddns.exe").is_file():
        raise BuildError(f"Nuitka made no {built / 'ddns.exe'}")
    manifest.put(built / "ddns.exe", resource.MANIFEST.read_bytes())
    alignment.align(built / "ddns.exe")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(built, target / "app")
    starters = {one: launcher.launcher(one, version) for one in zig.TARGETS}
    (target / "bin").mkdir()
    shutil.copy(starters[machine], target / "bin" / "ddns.exe")
    tools = {"zig": zig.version(), "nuitka": metadata.version("nuitka"), "compiler": platform.python_compiler()}
    told = {
        **report.head(version, machine, for_testing=False),
        "python": {"version": platform.python_version(), "library": platform.python_version(), "composed": False},
        "tools": tools,
        "packages": report.pins(),
        "launchers": {one: suite.sha256(path) for one, path in starters.items()},
        **report.app_part(target / "app", out / "report.xml", report.unverified(target / "app")),
        "times": report.times(progress.so_far()),
        "sha256": report.hashes(target),
    }
    report.write(target, told)
    return target
