"""Folders that have their rights from the first moment on, by identifier (names differ between languages)."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import os
import winreg

from ddns.errors import StateUnwritable
from ddns.host.windows import known, trusted

#: SDDL: nothing is inherited; SYSTEM and administrators may do everything, here and below.
_PROTECTED = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#: Every user may read: this folder alone, or what is in it as well.
_LOOK, _READ = "(A;;0x1200a9;;;BU)", "(A;OICI;0x1200a9;;;BU)"


def private_folder(path: str, *, public: bool = False) -> None:
    """Make a folder that its owner, SYSTEM and administrators may enter (`public`: users may read).

    A folder of the machine belongs to the administrators, also when one of them made it. Raises StateUnwritable, also
    for a machine's folder that somebody else made first.
    """
    base = known.program_data(winreg) + "\\DDNS"
    readers = _READ if public else ""
    try:
        if path == base or path.startswith(base + "\\"):
            _make(base, _LOOK, machine=True)
            _make(path, readers, machine=True)
        elif not os.path.isdir(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _make(path, readers, machine=False)
    except OSError as error:
        raise StateUnwritable(f"{path}: {error.strerror}") from error


def _make(path: str, readers: str, *, machine: bool) -> None:
    from ddns.host.windows import account  # noqa: PLC0415 - ctypes, which `ddns status` needn't pay

    if not os.path.isdir(path):
        administrators = machine and account.administrative()
        rights = "O:BA" + _PROTECTED if administrators else f"{_PROTECTED}(A;OICI;FA;;;{account.user()})"
        try:  # noqa: SIM105 - contextlib costs the cheap path
            account.make_folder(path, rights + readers)
        except FileExistsError:
            pass
    wrong = trusted.refusal((path,), account.owner) if machine else ""
    if wrong:
        raise StateUnwritable(wrong, advice=trusted.ADVICE)
