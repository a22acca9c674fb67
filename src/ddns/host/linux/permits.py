"""Rights as the mode of a file or folder has them."""

from __future__ import annotations

import sys

assert sys.platform != "win32"

import grp
import os
import pwd
import stat
from collections.abc import Iterator


def others(path: str) -> Iterator[tuple[str, bool, bool]]:
    """Who else, whether they may read, whether they may write. Raises OSError."""
    found = os.stat(path)
    if found.st_uid not in (0, os.geteuid()):
        yield f"the account {_account(found.st_uid)}, whose it is", True, True
    mode = found.st_mode
    for who, reads, writes in (
        (f"the group {_group(found.st_gid)}", stat.S_IRGRP, stat.S_IWGRP),
        ("every user", stat.S_IROTH, stat.S_IWOTH),
    ):
        if mode & (reads | writes) and not (reads == stat.S_IRGRP and _alone(found.st_gid, found.st_uid)):
            yield who, bool(mode & reads), bool(mode & writes)


def lacking(path: str) -> str:
    """See `host.permits`."""
    os.stat(path)
    if not os.access(path, os.R_OK):
        return "read"
    return "" if os.access(path, os.W_OK) else "write"


def _alone(group: int, owner: int) -> bool:
    """Whether a group is of its owner alone (or of root), as many systems make one for each account."""
    try:
        account, members = pwd.getpwuid(owner), grp.getgrgid(group).gr_mem
    except KeyError:
        return False
    return account.pw_gid == group and set(members) <= {account.pw_name}


def _account(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
