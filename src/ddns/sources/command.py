"""A program of the administrator's that prints the address. Whether its settings may be believed, `runtime` checks."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import subprocess
import sys
import threading

import msgspec

from ddns.address import Address, Family
from ddns.errors import SourceError, foreign
from ddns.ports import Deadline, Net

#: Bytes that it may print.
LIMIT = 4096
#: The variables that it sees; all others, among them secrets of `env:` references, stay here.
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "PATHEXT", "COMSPEC")


class CommandSource(msgspec.Struct, frozen=True):
    """Runs `command` (a list of arguments, no shell) and reads one address from its standard output.

    It is not authenticated: how it knows, nobody can tell. The family is in its environment: ``DDNS_FAMILY`` is 4 or 6.
    """

    name: str
    operator: str
    command: tuple[str, ...]
    families: frozenset[Family]
    suffices: bool = False
    authenticated: bool = False

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:  # noqa: ARG002 - the port's signature
        """The address that it prints, within the time. Raises SourceError."""
        environ = {name: os.environ[name] for name in _PASSED if name in os.environ}
        try:
            process = _started(self.command, environ | {"DDNS_FAMILY": str(family.value)})
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SourceError(f"{self.name}: {self.command[0]} can't be run: {foreign(why)}") from error
        try:
            text = self._read(process, deadline)
        finally:
            _end(process)
        try:
            return ipaddress.ip_address(text.decode("ascii").strip())
        except ValueError as error:
            said = foreign(text[:80].decode("utf-8", "replace"), 40)
            raise SourceError(f'{self.name}: the output is not one address: "{said}"') from error

    def _read(self, process: subprocess.Popen[bytes], deadline: Deadline) -> bytes:
        """What it printed until it ended with 0."""
        printed: list[bytes] = []
        stream = process.stdout
        assert stream is not None
        # A pipe has no time limit of its own on Windows.
        reader = threading.Thread(target=lambda: printed.append(stream.read(LIMIT + 1)), daemon=True)
        reader.start()
        reader.join(deadline.left())
        if printed and len(printed[0]) > LIMIT:
            raise SourceError(f"{self.name}: printed more than {LIMIT} bytes")
        try:
            code = process.wait(deadline.left()) if printed else None
        except subprocess.TimeoutExpired:
            code = None
        if code is None:
            raise SourceError(f"{self.name}: did not end in time")
        if code:
            raise SourceError(f"{self.name}: ended with code {code}")
        return printed[0]


def _started(command: tuple[str, ...], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Started without a window, without input, in a group of its own."""
    quiet = subprocess.DEVNULL
    if sys.platform == "win32":
        flags, group = subprocess.CREATE_NO_WINDOW, False
    else:
        flags, group = 0, True
    return subprocess.Popen(
        command,
        stdin=quiet,
        stdout=subprocess.PIPE,
        stderr=quiet,
        env=environ,
        creationflags=flags,
        start_new_session=group,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of it, and close its output."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
