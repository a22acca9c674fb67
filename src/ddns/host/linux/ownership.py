"""Who may change a file: its owner and mode, and those of every folder above it."""

from __future__ import annotations

import os
import stat
import sys

assert sys.platform != "win32"


def refusal(path: str) -> str:
    """Why the file at `path` may be another's work, "" when only root and this account can change it."""
    trusted = {0, os.geteuid()}
    path = os.path.realpath(path)
    here = path
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
