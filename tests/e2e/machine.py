"""One machine that runs ddns: its data folder, its settings, and `ddns` as a process.

Which kind of machine that is, is its `Program`: Python from source, or one of those in `e2e.windows_kind`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ground import canary

SOURCE = Path(__file__).resolve().parents[2] / "src"
#: What makes the output the same everywhere.
PLAIN = {"COLUMNS": "100", "NO_COLOR": "1"}


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without the settings of whoever runs the tests: DDNS_ variables are in the fingerprint."""
    return {name: value for name, value in environ.items() if not name.startswith("DDNS_")}


@dataclass(frozen=True)
class Ended:
    """A process that ended."""

    exit: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """What starts ddns on machines of one kind. `command` comes before its arguments, `environ` is all it gets."""

    command: tuple[str, ...]
    environ: Mapping[str, str]

    def folder(self, place: Path) -> Path:
        """Where a new data folder is to be: in `place`, which is the test's own, unless the machine says otherwise."""
        return place / "data"

    def named(self, path: Path) -> str:
        """A file or folder as this kind of machine calls it, with slashes, so that it may stand in settings."""
        return str(path)

    def keep(self, machine: Machine, name: str, text: str) -> str:
        """Have the machine keep a secret; returns the reference to it."""
        path = machine.folder / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o600)
        return f"file:{name}"


def from_source() -> Program:
    """Python from source, as here and now."""
    return Program((sys.executable, "-m", "ddns"), clean(os.environ) | PLAIN | {"PYTHONPATH": str(SOURCE)})


@dataclass
class Machine:
    """`folder` is the data folder, made if need be."""

    folder: Path
    program: Program = field(default_factory=from_source)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        canary.watch(self.folder)

    @property
    def data(self) -> str:
        """The data folder as the program is told it."""
        return self.program.named(self.folder)

    @property
    def state(self) -> Path:
        """The state."""
        return self.folder / "state" / "state.db"

    def settings(self, text: str) -> None:
        """Write ddns.toml."""
        (self.folder / "ddns.toml").write_text("schema = 1\n" + text, encoding="utf-8")

    def secret(self, name: str, text: str) -> str:
        """Keep a secret; returns its reference."""
        return self.program.keep(self, name, canary.secret(text))

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None, command: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Start `ddns ARGUMENTS --data DIR`, with pipes. `command` is another way to start the program."""
        pipe = subprocess.PIPE
        whole = (*(command or self.program.command), *arguments, "--data", self.data)
        return subprocess.Popen(
            whole, env={**self.program.environ, **(environ or {})}, stdin=pipe, stdout=pipe, stderr=pipe
        )

    def ddns(self, *arguments: str, environ: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
        """Run `ddns ARGUMENTS --data DIR` and wait for its end."""
        with self.start(*arguments, environ=environ) as process:
            return ended(process, stdin)

    def status(self) -> dict[str, Any]:
        """status.json."""
        data: dict[str, Any] = json.loads((self.folder / "public" / "status.json").read_bytes())
        return data

    def log(self) -> list[dict[str, Any]]:
        """The lines of the JSON log."""
        text = (self.folder / "logs" / "ddns.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


def ended(process: subprocess.Popen[bytes], stdin: str = "") -> Ended:
    """Wait for the end; lines end as on Linux. What does not end is killed."""
    try:
        out, err = process.communicate(stdin.encode(), 120)
    finally:
        process.kill()
    told = [(text or b"").decode().replace("\r\n", "\n") for text in (out, err)]
    canary.hear("what the program printed", *told)
    return Ended(process.returncode, *told)
