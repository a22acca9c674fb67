"""Who may change a file: its owner and mode, and those of every folder above it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator

assert sys.platform != "win32"


def refusal(path: str) -> str:
    """Why the file at `path` may be another's work, "" when only root and this account can change it.

    Of links on the way, each counts: who may turn one could have had it lead elsewhere a moment ago.
    """
    for link in _links(os.path.abspath(path)):
        # The link itself is nobody's but its owner's; where it lies, another could be put in its place.
        why = _wrong(os.path.realpath(os.path.dirname(link)))
        if why:
            return why
        owner = os.lstat(link).st_uid
        if owner not in (0, os.geteuid()):
            return f"{link} belongs to user {owner}"
    return _wrong(os.path.realpath(path))


def _links(path: str) -> Iterator[str]:
    """The symbolic links through which `path` leads, as far as there is something at its end."""
    waiting = [path] if os.path.exists(path) else []
    while waiting:
        whole = waiting.pop()
        parts = whole.split("/")
        for end in range(2, len(parts) + 1):
            here = "/".join(parts[:end])
            if os.path.islink(here):
                yield here
                waiting.append(os.path.join(os.path.dirname(here), os.readlink(here), *parts[end:]))
                break


def _wrong(path: str) -> str:
    """Why something at a path without links may be another's work."""
    trusted, here = {0, os.geteuid()}, path
    while True:
        try:
            found = os.stat(here, follow_symlinks=False)
        except OSError as error:
            return f"{here}: {error.strerror}"
        if found.st_uid not in trusted:
            return f"{here} belongs to user {found.st_uid}"
        # In a folder with the sticky bit nobody renames what is another's.
        guarded = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX and here != os.path.dirname(path)
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not guarded:
            return f"{here} can be changed by others (mode {stat.S_IMODE(found.st_mode):04o})"
        if here == os.path.dirname(here):
            return ""
        here = os.path.dirname(here)
