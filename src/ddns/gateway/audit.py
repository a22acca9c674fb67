"""The audit log: one JSON line a decision, each with the SHA-256 of the line before it.

A line that is changed, taken out or put in breaks the chain from there on. (Lines cut off at the end do not show in
the file alone: copy it elsewhere as it grows.) A line is on the disk before the decision is told. Several processes may
append: `ddns gateway revoke` does, while the gateway serves.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ddns.errors import StateUnwritable, foreign
from ddns.ports import Clock

if sys.platform != "win32":
    import fcntl

FIRST = "0" * 64
_TAIL = 1 << 16
_LOG = logging.getLogger("ddns.gateway")
#: Decisions about who may come in; they are logged as they happen, too, for an operator who watches.
_WATCHED = frozenset({"refused", "enrolled"})


class AuditError(ValueError):
    """The chain is broken; the message names the line."""


def digest(line: bytes) -> str:
    """The hash of a line, without its line break."""
    return hashlib.sha256(line).hexdigest()


class Audit:
    """Appends to one file; safe to share between threads. Raises StateUnwritable."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._last, self._size = FIRST, -1
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        with self._alone():
            self._catch_up()

    def write(self, decision: str, **fields: object) -> None:
        """Append one line; texts in it are made one line of printable characters, empty fields are left out."""
        entry: dict[str, object] = {name: _safe(value) for name, value in fields.items() if value not in (None, "")}
        with self._alone():
            self._catch_up()
            self._append(decision, entry)
        if decision in _WATCHED:
            _LOG.info("%s: %s", decision, ", ".join(f"{name} {value}" for name, value in entry.items()))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            with self._lock, _locked(self._fd):
                yield
        except OSError as error:
            raise self._unwritable(error) from error

    def _catch_up(self) -> None:
        """Take over what another process wrote, and what a power cut left."""
        if os.fstat(self._fd).st_size == self._size:
            return
        self._last, torn = _tail(self._fd)
        self._size = os.fstat(self._fd).st_size
        if torn:
            self._append("repaired", {"reason": "the last line was cut short", "torn": digest(torn)})

    def _append(self, decision: str, entry: dict[str, object]) -> None:
        head = {"at": round(self._clock.now(), 3), "decision": decision}
        line = json.dumps({**head, **entry, "prev": self._last}).encode()
        _write_all(self._fd, line + b"\n")
        os.fsync(self._fd)
        self._last, self._size = digest(line), os.fstat(self._fd).st_size

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _unwritable(self, error: OSError) -> StateUnwritable:
        return StateUnwritable(f"the audit log {self._path} can't be written: {error.strerror}")


@contextmanager
def _locked(fd: int) -> Iterator[None]:
    if sys.platform == "win32":
        yield  # one process at a time: the gateway is a server for Linux, on Windows it is for trying out
    else:
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)


def _write_all(fd: int, data: bytes) -> None:
    start = os.fstat(fd).st_size
    while data:
        try:
            data = data[os.write(fd, data) :]
        except OSError:
            os.ftruncate(fd, start)  # half a line, as a full disk leaves it, must not stand before the next one
            raise


def _safe(value: object) -> object:
    if isinstance(value, str):
        return foreign(value)
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    return value if isinstance(value, int | float) else foreign(str(value))


def _tail(fd: int) -> tuple[str, bytes]:
    """The hash of the last whole line; and what followed it, cut off from the file."""
    size = os.fstat(fd).st_size
    os.lseek(fd, max(0, size - _TAIL), os.SEEK_SET)
    data = _read_all(fd)
    whole, line_break, torn = data.rpartition(b"\n")
    if torn:
        os.ftruncate(fd, size - len(torn))
    return (digest(whole.rpartition(b"\n")[2]) if line_break else FIRST), torn


def _read_all(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, _TAIL):
        parts.append(part)
    return b"".join(parts)


def verify(path: Path) -> int:
    """The number of lines of an unbroken chain. Raises AuditError, naming the first line that does not fit."""
    last = FIRST
    number = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = raw.removesuffix(b"\n")
            try:
                prev = json.loads(line)["prev"]
            except (ValueError, KeyError, TypeError, RecursionError):
                raise AuditError(f"line {number} is not a line of an audit log") from None
            if prev != last:
                raise AuditError(f"line {number} does not follow the line before it")
            last = digest(line)
    return number


def recent(path: Path, limit: int) -> list[dict[str, object]]:
    """The last lines, the oldest first. What is not a JSON object is shown as the text of a decision ``unreadable``."""
    with path.open("rb") as file:
        return [_parsed(line) for line in deque(file, maxlen=limit)]


def _parsed(line: bytes) -> dict[str, object]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    return entry if isinstance(entry, dict) else {"decision": "unreadable", "detail": foreign(line.decode("latin-1"))}
