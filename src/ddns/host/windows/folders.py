"""Folders that have their rights from the first moment on."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import os
import winreg

from ddns.errors import StateUnwritable
from ddns.host.windows import known, trusted
from ddns.host.windows.rights import LOOK, READ, rights


def private_folder(path: str, *, public: bool = False) -> None:
    """Make a folder that its owner, SYSTEM and administrators may enter (`public`: users may read).

    A folder of the machine belongs to the administrators, also when one of them made it. Raises StateUnwritable, also
    for a machine's folder that somebody else made first.
    """
    base = known.program_data(winreg) + "\\DDNS"
    users = READ if public else ""
    try:
        if path == base or path.startswith(base + "\\"):
            _make(base, LOOK, machine=True)
            _make(path, users, machine=True)
        elif not os.path.isdir(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _make(path, users, machine=False)
    except OSError as error:
        raise StateUnwritable(f"{path}: {error.strerror}") from error


def _make(path: str, users: str, *, machine: bool) -> None:
    from ddns.host.windows import account  # noqa: PLC0415 - ctypes, which `ddns status` needn't pay

    if not os.path.isdir(path):
        wanted = rights(account.user(), users, administrators=machine and account.administrative())
        try:
            account.make_folder(path, wanted)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
    wrong = trusted.refusal((path,), account) if machine else ""
    if wrong:
        raise StateUnwritable(wrong, advice=trusted.ADVICE)
