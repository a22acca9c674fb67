"""The app: what Nuitka makes of the program, with our manifest in it and every library's origin verified."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from windows import alignment, authenticode, cache, complete, manifest, nuitka, options, report, suite
from windows.errors import BuildError
from windows.interpreter import Interpreter
from windows.options import Options
from windows.progress import Progress
from windows.resources import version as resource
from windows.sources import Snapshot, edition
from windows.toolchain import Toolchain
from windows.usage import Usage
from windows.wine import windows_path

_HERE = Path(__file__).resolve().parent
#: Modules whose text decides what comes out of the compiler.
_CODE = ("alignment.py", "app.py", "manifest.py", "nuitka.py", "options.py", "sources.py")


@dataclass(frozen=True)
class Plan:
    """What a build is made of."""

    options: Options
    version: str
    sources: Snapshot
    tools: Toolchain

    @property
    def interpreter(self) -> Interpreter:
        """The Windows Python."""
        return self.tools.interpreter

    def key(self) -> str:
        """Of everything that the app is made of."""
        files = (*(_HERE / name for name in _CODE), options.FILE, resource.ICON, resource.MANIFEST)
        parts = (
            self.sources.digest(),
            edition(self.interpreter.for_testing),
            self.tools.folder.name,
            *resource.nuitka(self.version),
            *(suite.sha256(path) for path in files),
        )
        return "\n".join(parts)


def app(plan: Plan, progress: Progress) -> Path:
    """The folder with `app`, Nuitka's report.xml, and app.json, from the cache or built. Raises BuildError."""
    return cache.once("windows-app", plan.key(), lambda folder: _make(folder, plan, progress))


@contextmanager
def _workshop() -> Iterator[Path]:
    """The one folder that Nuitka works in: what it remembers names the paths. One build at a time."""
    folder = cache.root() / "windows-work"
    folder.mkdir(parents=True, exist_ok=True)
    with cache.alone(folder / ".lock"):
        yield folder


def _make(folder: Path, plan: Plan, progress: Progress) -> None:
    with _workshop() as work:
        plan.sources.stage(work / "src" / "ddns", for_testing=plan.interpreter.for_testing)
        for old in ("ddns.dist", "ddns.build"):
            shutil.rmtree(work / "out" / old, ignore_errors=True)
        (work / "out").mkdir(exist_ok=True)
        xml = work / "out" / "report.xml"
        progress.begin("compile", "Python")
        command = plan.options.command_line(
            "wine", plan.version, windows_path(resource.ICON), windows_path(work / "out"), windows_path(xml)
        )
        arguments = (*command, nuitka.jobs(), windows_path(work / "src" / "ddns"))
        with nuitka.prefix() as machine, Usage(machine.prefix) as usage:
            progress.cpu = usage.seconds
            nuitka.under_wine(machine, plan.tools, work, arguments, {}, nuitka.Watcher(progress))
        progress.begin("pack", "manifest, signatures")
        app = work / "out" / "ddns.dist"
        if not (app / "ddns.exe").is_file():
            raise BuildError(f"Nuitka made no {app / 'ddns.exe'}")
        manifest.put(app / "ddns.exe", resource.MANIFEST.read_bytes())
        alignment.align(app / "ddns.exe")
        complete.check(app, plan.tools.python)
        verdicts = authenticode.verdicts(app, plan.tools.origins)
        told = report.app_part(app, xml, verdicts)
        told["times"] = report.times(progress.spent)
        shutil.copytree(app, folder / "app")
        shutil.copy(xml, folder / "report.xml")
        (folder / "app.json").write_text(json.dumps(told))
