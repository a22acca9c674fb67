"""A machine that the PowerShell commands deploy to, and release zips to deploy.

On Linux the machine is a folder (program, data, and the store of the double of the task scheduler), and the program in
the zip is a script that starts Python from source, so that the whole story runs without Windows.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.machine import SOURCE
from ground import pwsh

CALL = Path(__file__).with_name("call.ps1")
MODULE = pwsh.PS / "Ddns" / "Ddns.psd1"
Row = dict[str, Any]


class Served:
    """A PowerShell that stays and answers one request after the other: to start one takes longer than most calls."""

    def __init__(self, shell: pwsh.Shell, folder: Path) -> None:
        self.shell = shell
        self._pipe = folder / "requests"
        self._process: subprocess.Popen[str] | None = None
        os.mkfifo(self._pipe)

    def ask(self, request: Path) -> pwsh.Ended:
        """Have a request answered; `out` is what it printed. One that kills PowerShell ends with another code."""
        process = self._process or self._start()
        self._requests.write(f"{request}\n")
        self._requests.flush()
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            if line == "answered\n":
                return pwsh.Ended(0, "".join(said), "")
            if line.startswith("failed "):
                return pwsh.Ended(1, "".join(said), line)
            said.append(line)
        self.stop()
        return pwsh.Ended(process.returncode or 1, "".join(said), "it ended")

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            self._requests.close()
            process.kill()
            process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.shell.command("-File", str(CALL), "-Requests", str(self._pipe)),
            env=self.shell.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._process = process
        self._requests = open(self._pipe, "w", encoding="utf-8")  # noqa: SIM115  # closed with the process
        return process


@dataclass(frozen=True)
class Package:
    """A release zip and its hash."""

    path: Path
    sha256: str

    @property
    def asked(self) -> Row:
        """The parameters that name it."""
        return {"Package": str(self.path), "Sha256": self.sha256}


def script(*, environ: Mapping[str, str] | None = None, first: str = "") -> bytes:
    """The client as a script that starts Python from source; `first` runs before."""
    names = {"PYTHONPATH": str(SOURCE)} | dict(environ or {})
    setting = " ".join(f"{name}={shlex.quote(value)}" for name, value in names.items())
    return f'#!/bin/sh\n{first}\nexec env {setting} {shlex.quote(sys.executable)} -m ddns "$@"\n'.encode()


def package(
    folder: Path,
    version: str = "1.0.0",
    program: bytes = b"",
    *,
    files: Mapping[str, bytes] | None = None,
    list_of: Mapping[str, bytes] | None = None,
    release: Mapping[str, object] | None = None,
) -> Package:
    """A release zip. `files` adds files, `list_of` gives the hash list other contents than the zip has."""
    facts = {"product": "ddns-fleet", "version": version, "architecture": "any"} | dict(release or {})
    inside: dict[str, bytes] = {
        "app/ddns": program or script(),
        "bin/ddns": b"#!/bin/sh\n# launcher of " + version.encode() + b"\n",
        "release.json": json.dumps(facts).encode(),
    } | dict(files or {})
    named = {name: data for name, data in inside.items() if not name.startswith("../")} | dict(list_of or {})
    lines = [f"{hashlib.sha256(data).hexdigest()} *{name}\n" for name, data in sorted(named.items())]
    inside["SHA256SUMS"] = "".join(lines).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ddns-{version}-windows-amd64-{len(os.listdir(folder))}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in inside.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (0o100755 if name in {"app/ddns", "bin/ddns"} else 0o100644) << 16
            zipped.writestr(entry, data)
    return Package(path, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass
class Deployed:
    """A machine; `root` is its folder. `more` is added to its places."""

    root: Path
    served: Served | Once
    more: dict[str, object] = field(default_factory=dict)

    @property
    def programs(self) -> Path:
        return self.root / "Program Files" / "DDNS"

    @property
    def data(self) -> Path:
        return self.root / "ProgramData" / "DDNS"

    @property
    def tasks(self) -> Path:
        return self.root / "tasks"

    @property
    def places(self) -> Row:
        """What the worker is told in the place of this computer's own folders."""
        return {
            "Binaries": str(self.programs),
            "Data": str(self.data),
            "InOne": True,
            "MachineId": "machine-of-the-test",
        } | self.more

    def calls(self, *calls: Row, environ: Mapping[str, str] | None = None, script: str = "") -> Any:
        """Run commands, or a script; what they return."""
        ended = self.raw(*calls, environ=environ, script=script)
        assert ended.exit == 0, ended
        return json.loads((self.root / "answer.json").read_text(encoding="utf-8"))

    def raw(self, *calls: Row, environ: Mapping[str, str] | None = None, script: str = "") -> pwsh.Ended:
        """The same; what was printed, and how it ended."""
        self.root.mkdir(parents=True, exist_ok=True)
        shell = self.served.shell
        spec = {
            "module": shell.path(MODULE),
            "double": shell.path(pwsh.tasks_double() / "ScheduledTasks.psd1"),
            "places": self.places,
            "environ": {"DDNS_FAKE_TASKS": shell.path(self.tasks)} | dict(environ or {}),
            "answer": shell.path(self.root / "answer.json"),
            "calls": list(calls),
            "script": script,
        }
        file = self.root / "request.json"
        file.write_text(json.dumps(spec))
        return self.served.ask(file)

    def call(
        self, command: str, secure: Row | None = None, environ: Mapping[str, str] | None = None, **parameters: Any
    ) -> Row:
        """One command; its one result, with `errors` (the ids of the errors that it wrote)."""
        (answer,) = self.calls({"command": command, "parameters": parameters, "secure": secure}, environ=environ)
        assert not answer["thrown"], answer["thrown"]
        (result,) = answer["output"]
        return {**result, "errors": answer["errors"]}

    def install(self, package: Package | None = None, **parameters: Any) -> Row:
        """Install-Ddns."""
        asked = package.asked if package else {}
        return self.call("Install-Ddns", **asked, **parameters)

    def task(self) -> str:
        """The definition of the task as the task scheduler keeps it; "" without one."""
        path = self.tasks / "Tasks" / "DDNS" / "Update.xml"
        return path.read_text(encoding="utf-16") if path.exists() else ""

    def tree(self) -> set[str]:
        """Every file of program and data, and every task."""
        folders = (self.programs, self.data, self.tasks / "Tasks")
        return {str(path.relative_to(self.root)) for folder in folders for path in folder.rglob("*")}


def steps(result: Row) -> dict[str, str]:
    """Name -> outcome."""
    return {step["Name"]: step["Outcome"] for step in result["Steps"]}


class Once:
    """A new PowerShell for each request: under Wine one that stays ends by itself sooner or later."""

    def __init__(self, shell: pwsh.Shell) -> None:
        self.shell = shell

    def ask(self, request: Path) -> pwsh.Ended:
        """As `Served.ask`."""
        # A large first generation: that runtime ends with an internal error when it frees compiled script code.
        environ = {"DOTNET_GCgen0size": "80000000"}
        return self.shell.file(CALL, self.shell.path(request), environ=environ, timeout=300)

    def stop(self) -> None:
        """Nothing is left."""


class Windows(Deployed):
    """A machine under Wine, with the places that Windows has. `root` is its drive C."""

    @property
    def places(self) -> None:  # type: ignore[override]  # the worker finds Windows' own places
        return None
