"""Linux: where the places lie, instance lock, atomic files, resume detection."""

from __future__ import annotations

import sys

assert sys.platform != "win32"

import fcntl
import os
import time

from ddns.errors import BusyError, StateUnwritable
from ddns.host.places import Places


def places(data: str | None = None) -> Places:
    """The places of `--data DIR`, of the machine (root), or of the user."""
    if data is not None:
        return Places.below(os.path.abspath(data), "data folder")
    return _machine() if os.geteuid() == 0 else _user()


def readable_places(data: str | None = None) -> list[Places]:
    """Where a reader of status.json looks, in this order: `--data DIR` alone, else the machine's, then the user's."""
    return [places(data)] if data is not None else [_machine(), _user()]


def _machine() -> Places:
    var = "/var/lib/ddns"
    return Places("/etc/ddns", var + "/secrets", var + "/state", var + "/logs", var + "/public", "machine")


def _user() -> Places:
    home = os.path.expanduser("~")
    config = (os.environ.get("XDG_CONFIG_HOME") or home + "/.config") + "/ddns"
    state = (os.environ.get("XDG_STATE_HOME") or home + "/.local/state") + "/ddns"
    return Places(config, config + "/secrets", state, state + "/logs", state + "/public", "user")


def policy_file() -> str:
    """Where an administrator's policy lies; it wins over the settings file."""
    return "/etc/ddns/policy.toml"


def private_folder(path: str, *, public: bool = False) -> None:
    """Make a folder that only its owner may enter (`public`: others may read). Raises StateUnwritable.

    For the machine's own folders root's umask does not count: what is public must be reached by every user.
    """
    before = os.umask(0o022) if os.geteuid() == 0 else None
    try:
        os.makedirs(path, mode=0o755 if public else 0o700, exist_ok=True)
    except OSError as error:
        raise StateUnwritable(f"{path}: {error.strerror}") from error
    finally:
        if before is not None:
            os.umask(before)


class InstanceLock:
    """One run at a time on a machine, by a lock on a file inside the protected state folder.

    The kernel drops it with the process, so a kill leaves nothing behind.
    """

    def __init__(self, folder: str) -> None:
        private_folder(folder)
        path = folder + "/instance.lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateUnwritable(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise BusyError(f"another run holds {path}") from None

    def release(self) -> None:
        """Give the lock up before the process ends."""
        os.close(self._file)


def replace(path: str, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file in one step, in its own folder. Raises OSError; the old content stays then."""
    draft = path + ".new"
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        os.fchmod(file, mode)  # whatever the umask, and whatever a draft that a kill left behind has
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        if mode & 0o077 == 0:  # what only the owner may read is also what must survive a power cut
            os.fsync(file)
    finally:
        os.close(file)
    os.replace(draft, path)


def append(path: str, data: bytes) -> int:
    """Append in one write and return the file's new length. Raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        os.write(file, data)
        return os.fstat(file).st_size
    finally:
        os.close(file)


def sleep_bias() -> int:
    """Whole seconds that this machine has slept since boot: a new value means that it was resumed."""
    slept = time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return round(slept)
