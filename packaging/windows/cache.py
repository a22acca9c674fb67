"""The cache: a folder of things that can be fetched or built again, each made once, also by several processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

#: Written last; a folder without it was cut short and is made anew.
COMPLETE = ".complete"


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
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / COMPLETE).touch()
    return folder
