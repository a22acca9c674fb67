"""Runs the native zig for the zig.exe (bridge.c) that Nuitka starts under Wine, which can't run the Windows one itself.

Listens on loopback, on a port of its own, and answers only who knows the key in ZIG_BRIDGE.
"""

from __future__ import annotations

import hmac
import re
import secrets
import socketserver
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from windows import zig

#: ccache does not look into the files that #embed names: it would give the data of an older build.
_NEVER_CACHED = "__constants_data"
_LONGEST = 1 << 22


def native_text(text: str) -> str:
    """Paths in response files and #embed lines: relative, with backslashes; a quote stays escaped."""
    return re.sub(r'\\+(?=[^"])', "/", text)


def native_argument(argument: str, folder: Path) -> str:
    """One argument as the native compiler needs it. Response files and #embed lines are rewritten on the way."""
    if argument.startswith("-D"):
        return argument
    if argument.startswith("-l"):
        return argument.lower()  # -lUser32: the case of file names matters here
    if argument.startswith("@"):
        return _native_response(folder / argument[1:].replace("\\", "/"))
    if argument.startswith("-"):
        return argument
    path = argument.replace("\\", "/")
    if _NEVER_CACHED in path and path.endswith(".c"):
        _rewrite_embed(folder / path)
    return path


def _native_response(source: Path) -> str:
    target = source.with_name(f"{source.name}.native")
    target.write_text(native_text(source.read_text("utf-8")), "utf-8")
    return f"@{target}"


def _rewrite_embed(source: Path) -> None:
    text = source.read_text("utf-8")
    source.write_text(re.sub(r'(?m)^#embed ".*"', lambda found: found[0].replace("\\", "/"), text), "utf-8")


class _Call(socketserver.StreamRequestHandler):
    """One call of zig.exe."""

    server: _Server

    def handle(self) -> None:
        """Read, run, answer. Whoever does not know the key, or breaks off, gets nothing."""
        bridge = self.server.bridge
        try:
            if not hmac.compare_digest(self._text().encode(), bridge.key.encode()):
                return
            count = self._number()
            folder = Path(self._text())
            arguments = [native_argument(self._text(), folder) for _ in range(count - 1)]
        except (EOFError, struct.error, UnicodeDecodeError):
            return
        done = bridge.call(arguments, folder)
        for stream in (done.stdout, done.stderr):
            self.wfile.write(struct.pack(">I", len(stream)) + stream)
        self.wfile.write(struct.pack(">I", done.returncode & 0xFF))

    def _number(self) -> int:
        number: int = struct.unpack(">I", self.rfile.read(4))[0]
        return number

    def _text(self) -> str:
        size = self._number()
        text = self.rfile.read(size) if size <= _LONGEST else b""
        if len(text) != size:
            raise EOFError
        return text.decode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        super().__init__(("127.0.0.1", 0), _Call)


class Bridge:
    """A context manager. `cache`: a compiler cache to put in front, with its environment. `seen` hears of each call."""

    def __init__(
        self,
        compiler: Path,
        cache: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
        seen: Callable[[list[str]], None] = lambda _: None,
    ) -> None:
        self._compiler = str(compiler)
        self._cache = cache
        self._environ = {**zig.environ(), **(environ or {})}
        self._seen = seen
        self.key = secrets.token_urlsafe(16)
        self._server = _Server(self)

    @property
    def address(self) -> str:
        """The value of ZIG_BRIDGE."""
        return f"{self._server.server_address[1]}:{self.key}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="bridge", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def call(self, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
        """Run the compiler with these arguments, for 64-bit Windows."""
        self._seen(arguments)
        if arguments and arguments[0] in {"cc", "c++"}:
            same = () if "-c" in arguments else zig.SAME
            arguments = [arguments[0], "-target", zig.TARGETS["amd64"], *same, *arguments[1:]]
        cache = () if any(_NEVER_CACHED in argument for argument in arguments) else self._cache
        return subprocess.run(
            (*cache, self._compiler, *arguments),
            cwd=folder,
            env=self._environ,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
