"""A fleet for tests: machines that are folders behind a real SSH server, and an administrator who asks them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ground import pwsh
from ground.sshd import Sshd

HERE = Path(__file__).resolve().parent
LOAD = HERE / "load.ps1"


class Fleet(Sshd):
    """Machines, reached as an administrator does it."""

    def __init__(
        self, folder: Path, names: Iterable[str], *, refused: Iterable[str] = (), dead: Iterable[str] = ()
    ) -> None:
        self.shell = pwsh.linux()
        super().__init__(folder, names, f"{self.shell.program} -sshs -NoLogo", refused=refused, dead=dead)
        self.home = folder / "admin"
        self.home.mkdir()

    def behave(self, name: str, how: str) -> None:
        """Make a machine misbehave; "" makes it well again."""
        file = self.machines[name].folder / "behaviour"
        if how:
            file.write_text(how)
        else:
            file.unlink(missing_ok=True)

    def calls(self, name: str) -> list[str]:
        """What the worker of a machine was called for, and forget it."""
        file = self.machines[name].folder / "calls"
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    def installed(self, name: str) -> dict[str, Any]:
        """What the stand-in worker installed on a machine; empty when nothing."""
        file = self.machines[name].folder / "installed.json"
        return dict(json.loads(file.read_text(encoding="utf-8-sig"))) if file.exists() else {}

    @property
    def connection(self) -> str:
        """The way to all of them, as PowerShell."""
        return (
            f"@{{ Transport = 'SSH'; UserName = '{self.user}'; KeyFilePath = '{self.key}';"
            " SshOption = @{ StrictHostKeyChecking = 'no'; UserKnownHostsFile = '/dev/null'; IdentitiesOnly = 'yes' } }"
        )

    def rows(self) -> str:
        """All machines as rows with name, address and port, as PowerShell."""
        return ", ".join(
            f"@{{ Name = '{m.name}'; Address = '127.0.0.1'; Port = {m.port} }}" for m in self.machines.values()
        )

    def script(self, text: str) -> str:
        """A script with the module loaded, and `$connection` and `$rows` at hand."""
        return (
            f". '{LOAD}'\n$PSDefaultParameterValues = @{{ 'Invoke-DdnsFleet:RetryDelaySeconds' = 0 }}\n"
            f"$connection = {self.connection}\n$rows = @({self.rows()})\n{text}"
        )

    def environ(self) -> Mapping[str, str]:
        """The administrator's environment: a home of its own."""
        return {"HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"), "COMPUTERNAME": "ADMIN"}

    def ask(self, text: str, *, timeout: float = 120) -> pwsh.Ended:
        """Run a script with the module loaded."""
        return self.shell.text(self.script(text), environ=self.environ(), timeout=timeout)

    def results(self, text: str, *, timeout: float = 120) -> dict[str, dict[str, Any]]:
        """What a pipeline of results emits, by machine; each machine may be in it once."""
        ended = self.ask(f"ConvertTo-Json -InputObject @({text}) -Depth 8", timeout=timeout)
        rows = ended.json()
        assert isinstance(rows, list)
        found = {row["ComputerName"]: row for row in rows}
        assert len(found) == len(rows), [row["ComputerName"] for row in rows]
        return found

    def package(self, version: str = "1.0.0", size: int = 2_500_000) -> tuple[Path, str]:
        """A release zip, as far as the stand-in looks at it, and its hash."""
        path = self._folder / f"ddns-{version}-windows-amd64.zip"
        if not path.exists():
            path.write_bytes(version.encode() + b"." * size)
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    def release(self, version: str = "1.0.0", *, worker: str = "") -> tuple[Path, str]:
        """A release zip with the module in it, as `Deploy-DDNS.ps1` takes it, and its hash.

        `worker` is what stands for Get-DdnsWorker.ps1: the stand-in, when nothing is said.
        """
        path = self._folder / "releases" / f"ddns-{version}-windows-amd64.zip"
        path.parent.mkdir(exist_ok=True)
        if path.exists():
            return path, hashlib.sha256(path.read_bytes()).hexdigest()
        stand_in = f"function Get-DdnsWorker {{ @'\n{(HERE / 'doubles' / 'Worker.ps1').read_text()}\n'@ }}\n"
        with zipfile.ZipFile(path, "w") as zipped:
            for file in sorted((pwsh.PS / "Ddns").rglob("*")):
                if file.is_file() and file.name != "Get-DdnsWorker.ps1":
                    zipped.write(file, f"ps/Ddns/{file.relative_to(pwsh.PS / 'Ddns')}")
            zipped.writestr("ps/Ddns/Private/Get-DdnsWorker.ps1", worker or stand_in)
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    def list_of(self, names: Iterable[str] = ()) -> Path:
        """A CSV file of machines, as somebody exports it."""
        path = self._folder / "machines.csv"
        chosen = [self.machines[name] for name in names] or list(self.machines.values())
        path.write_text(
            "ComputerName,Address,Port,Room\n" + "".join(f"{m.name},127.0.0.1,{m.port},4\n" for m in chosen)
        )
        return path

    @property
    def way(self) -> str:
        """The way to all machines, as parameters of a command that are splatted: `@way`."""
        return f"$way = {self.connection.removesuffix('}')}; ErrorAction = 'SilentlyContinue' }}"

    def module(self, version: str = "1.0.0") -> str:
        """PowerShell that imports the module of a release, with the stand-in for the worker."""
        folder = self._folder / f"module-{version}"
        if not folder.exists():
            with zipfile.ZipFile(self.release(version)[0]) as zipped:
                zipped.extractall(folder)
        return f"Import-Module '{folder / 'ps' / 'Ddns' / 'Ddns.psd1'}'"

    def call(
        self, script: str, *, before: str = "", timeout: float = 120, **environ: str
    ) -> tuple[int, dict[str, dict[str, Any]], str]:
        """Run a script of `ps/` or a command, as in `machines | script parameters`, after `before`.

        Its exit code, its rows by machine, and what it said besides.
        """
        text = (
            f"{self.way}\nfunction Get-AuthenticodeSignature {{ }}\n{before}\n$rows = @({script})\n"
            "$code = $LASTEXITCODE\n"
            "ConvertTo-Json -InputObject $rows -Depth 8\nexit $code"
        )
        ended = self.shell.text(text, environ={**self.environ(), **environ}, timeout=timeout)
        rows = ended.json()
        assert isinstance(rows, list)
        found = {row["ComputerName"]: row for row in rows}
        assert len(found) == len(rows), [row["ComputerName"] for row in rows]
        return ended.exit, found, ended.err

    def file(self, groups: str, rings: str = "", *, version: str = "1.0.0", more: str = "") -> Path:
        """A fleet file whose `groups` and `rings` are as given; `@{NAME}` in them stands for a machine's row."""
        package, digest = self.package(version)
        for machine in self.machines.values():
            row = f"@{{ Name = '{machine.name}'; Address = '127.0.0.1'; Port = {machine.port} }}"
            groups = groups.replace(f"@{{{machine.name}}}", row)
        path = self._folder / "fleet.psd1"
        path.write_text(
            "@{\n"
            "Schema = 1; Name = 'test'\n"
            f"Package = @{{ Path = '{package.name}'; Sha256 = '{digest}' }}\n"
            f"Connection = {self.connection}\n"
            "Defaults = @{ Task = @{ IntervalMinutes = 10 }; Settings = @{ Names = '{computer}.{group}.example.test';"
            " Provider = 'main' } }\n"
            f"Groups = @{{ {groups} }}\n" + (f"Rings = @( {rings} )\n" if rings else "") + more + "\n}\n"
        )
        return path

    def sync(self, path: Path, arguments: str = "", *, timeout: float = 120) -> dict[str, dict[str, Any]]:
        """What Sync-DdnsFleet emits, by machine."""
        return self.results(self.sync_command(path, arguments), timeout=timeout)

    def sync_command(self, path: Path, arguments: str = "") -> str:
        """The command line of `sync`."""
        given = "" if "-TimeoutSeconds" in arguments else "-TimeoutSeconds 60"
        quiet = "-ErrorAction SilentlyContinue -WarningAction SilentlyContinue"
        return f"Sync-DdnsFleet -Path '{path}' {given} {arguments} {quiet}"
