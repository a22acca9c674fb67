"""A command line as a person types it: whole output, standard error, exit code; and made-up status files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ddns.cli import paste
from ddns.cli.main import main
from ddns.times import utc
from ground import canary

ROOT = Path(__file__).parents[2]
HOUR = 3600.0
#: 2026-11-22 18:00 UTC.
NOW = 1_795_370_400.0


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output without the blanks that pad columns."""
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def json(self, command: str) -> Any:
        """The data of a JSON answer; checks what is around it."""
        answer = json.loads(self.out)
        assert list(answer) == ["schema", "command", "data"]
        assert (answer["schema"], answer["command"]) == (1, command)
        return answer["data"]


class _Out(io.TextIOWrapper):
    """A standard stream in memory, with the encoding of a terminal."""

    def __init__(self, encoding: str) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def text(self) -> str:
        return self.bytes.getvalue().decode(self.encoding)


def ddns(*arguments: object, stdin: str = "", width: int = 80, encoding: str = "utf-8", pasted: bool = False) -> Done:
    """Type ``ddns ...`` in a terminal of that many columns.

    Without `pasted`, commands in the answer do not repeat the folder that was typed.
    """
    out, err = _Out(encoding), _Out(encoding)
    with (
        _replaced("stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")),
        _replaced("stdout", out),
        _replaced("stderr", err),
        mock.patch.dict("os.environ", {"COLUMNS": str(width)}),
        contextlib.nullcontext() if pasted else mock.patch.object(paste, "given"),
    ):
        code = main([str(argument) for argument in arguments])
    typed = [str(argument) for argument in arguments]
    if typed[:2] == ["secret", "set"]:
        canary.secret(stdin)
    canary.hear(f"ddns {' '.join(typed)}", out.text(), err.text())
    return Done(code, out.text(), err.text())


def environment() -> dict[str, str]:
    """For programs whose imports are looked at: no coverage, which imports more, and the sources."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_", "DDNS_"))}
    return ours | {"PYTHONPATH": str(ROOT / "src")}


def at_a_terminal(*arguments: str, answers: Sequence[tuple[str, str]] = (), **environ: str) -> tuple[int, str]:
    """How a command ends in a real terminal, and all that was drawn there.

    `answers`: what is typed once a text has been drawn, in this order; what has no end of line gets one.
    """
    leader, follower = pty.openpty()
    # Whoever leads a session and opens a terminal has it as its own, where getpass and Ctrl-C find it.
    process = subprocess.Popen(
        ("sh", "-c", 'exec "$@" <>"$0" >&0 2>&0', os.ttyname(follower), sys.executable, "-m", "ddns", *arguments),
        env=environment() | {"TERM": "xterm", "COLUMNS": "100"} | environ,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,
    )
    opened = select.select([leader], [], [], 30)[0]  # it draws, or has ended: either way it has opened the terminal
    assert opened
    os.close(follower)
    try:
        drawn = _typed(leader, list(answers))
    finally:
        os.close(leader)
        try:
            code = process.wait(30)
        finally:
            process.kill()
    text = drawn.decode().replace("\r\n", "\n")
    canary.hear("the terminal", text)
    return code, text


def _typed(leader: int, answers: list[tuple[str, str]]) -> bytes:
    drawn, seen, ends, text = b"", 0, time.monotonic() + 60, ""
    while True:
        if answers and (place := drawn.find(answers[0][0].encode(), seen)) >= 0:
            seen = place + len(answers[0][0].encode())
            _, text = answers.pop(0)
            os.write(leader, (text if text.endswith(("\n", "\x03", "\x04")) else text + "\n").encode())
        assert time.monotonic() < ends, f"it waits for more than was typed: {drawn.decode()}"
        if not select.select([leader], [], [], 1)[0]:
            if text == "\x03":  # Python overlooks one that comes just before it begins to read: a person types it again
                os.write(leader, b"\x03")
            continue
        try:
            part = os.read(leader, 65536)
        except OSError:  # nobody holds the other side any more
            part = b""
        if not part:
            assert not answers, f"it never asked for {answers[0][0]!r}: {drawn.decode()}"
            return drawn
        drawn += part


@contextlib.contextmanager
def _replaced(name: str, stream: io.TextIOWrapper) -> Iterator[None]:
    before = getattr(sys, name)
    setattr(sys, name, stream)
    try:
        yield
    finally:
        setattr(sys, name, before)


def record(name: str = "home.example.com", **more: Any) -> dict[str, Any]:
    """A record of status.json that is well."""
    return {
        "name": name,
        "type": "A",
        "provider": "main",
        "address": "203.0.113.7",
        "since": utc(NOW - 8 * 24 * HOUR),
        "outcome": "unchanged",
        "proven_at": utc(NOW - 2 * HOUR),
        "proven_by": "api",
        "next_at": utc(NOW + 4 * HOUR),
        "error": None,
    } | more


def status(*records: dict[str, Any], codes: tuple[int, ...] = (0,) * 10, age: float = 120, **more: Any) -> Any:
    """A status.json as the last of these runs left it."""
    ends = [NOW - age - 600 * (len(codes) - 1 - number) for number in range(len(codes))]
    runs = [
        {"started": utc(end - 2), "ended": utc(end), "exit": code, "full": False, "changed": 0}
        for end, code in zip(ends, codes, strict=True)
    ]
    last = {"id": "ab12", "started": utc(NOW - age - 2), "ended": utc(NOW - age), "exit": codes[-1], "full": False}
    return {
        "schema": 1,
        "version": "0.1.0",
        "written_at": utc(NOW - age),
        "run": last,
        "last_runs": runs,
        "health": {"runs": len(codes), "fine": codes.count(0)},
        "host": "web01",
        "records": list(records),
        "blocks": [],
        "paused_until": None,
        "changes_last_hour": 0,
        "notes": [],
    } | more


def put(folder: Path, content: object) -> Path:
    """Write a status.json (text as it is) into a data folder."""
    file = folder / "public" / "status.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder
