"""One machine that runs ddns from source: its data folder, its settings, and `ddns` as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True)
class Ended:
    """A process that ended."""

    exit: int
    out: str
    err: str


class Machine:
    """`folder` is the data folder; `program` the command that starts ddns (Python from source by default)."""

    def __init__(self, folder: Path, program: tuple[str, ...] = (sys.executable, "-m", "ddns")) -> None:
        self.folder = folder
        self.program = program
        self.environ: dict[str, str] = {"PYTHONPATH": str(SOURCE), "COLUMNS": "100", "NO_COLOR": "1"}
        folder.mkdir(parents=True, exist_ok=True)

    def settings(self, text: str) -> None:
        """Write ddns.toml."""
        (self.folder / "ddns.toml").write_text("schema = 1\n" + text, encoding="utf-8")

    def secret(self, name: str, text: str) -> str:
        """Write a secret; returns its reference."""
        path = self.folder / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(0o600)
        return f"file:{name}"

    def ddns(self, *arguments: str, environ: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
        """Run `ddns ARGUMENTS --data DIR` and wait for its end."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DDNS_")}
        done = subprocess.run(
            (*self.program, *arguments, "--data", str(self.folder)),
            env=kept | self.environ | dict(environ or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def status(self) -> dict[str, Any]:
        """status.json."""
        data: dict[str, Any] = json.loads((self.folder / "public" / "status.json").read_bytes())
        return data

    def log(self) -> list[dict[str, Any]]:
        """The lines of the JSON log."""
        text = (self.folder / "logs" / "ddns.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]
