"""The cache: a folder of things that can be fetched or built again, each made once, also by several processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":  # a native build of the exe
    import msvcrt
else:
    import fcntl

#: Written last; a folder without it was cut short and is made anew.
COMPLETE = ".complete"
#: Days after which what nobody asked for is removed, when another of its name is made.
UNUSED = 14


def root() -> Path:
    """`DDNS_CACHE`, else ddns-fleet in the user's cache folder, as packaging/setup/venv.py has it."""
    own = os.environ.get("DDNS_CACHE")
    if own:
        return Path(own).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "ddns-fleet"


def once(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder `name-<hash of key>`, filled by `make` when it is not there. What `make` raises is passed on."""
    folder = root() / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if (folder / COMPLETE).exists():
        with suppress(OSError):  # a cache that may only be read
            (folder / COMPLETE).touch()  # it is in use: see `_prune`
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.with_name(f"{folder.name}.lock")):
        if not (folder / COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / COMPLETE).touch()
            _prune(name)
    return folder


def _prune(name: str) -> None:
    """Remove the folders of this name that were not asked for in `UNUSED` days, complete or not."""
    oldest = time.time() - UNUSED * 86400
    for folder in root().glob(f"{name}-{'[0-9a-f]' * 16}"):
        mark = folder / COMPLETE
        with suppress(OSError):
            if (mark if mark.exists() else folder).stat().st_mtime < oldest:
                mark.unlink(missing_ok=True)  # first: what is half removed is made anew
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(name: Path) -> Iterator[None]:
    """Hold the file `name` against other processes: whoever comes second waits for the first."""
    with open(name, "w") as guard:
        if sys.platform == "win32":
            locked = False
            while not locked:
                with suppress(OSError):  # it tries for ten seconds
                    msvcrt.locking(guard.fileno(), msvcrt.LK_LOCK, 1)
                    locked = True
        else:
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def share(source: str, target: str) -> str:
    """Give a file a second name, or where that can't be, copy it. For files that nobody writes to; for `copytree`."""
    try:
        os.link(source, target)
        return target
    except OSError:  # another file system
        return str(shutil.copy2(source, target))
