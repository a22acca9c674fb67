"""Who may change a file: its owner, and whom its list of rights, and that of its folder, lets write."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

assert sys.platform == "win32"

import pywintypes
import win32security
from win32security import DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION, SE_FILE_OBJECT

from ddns.host.windows.account import LOCAL_SERVICE, NETWORK_SERVICE, user
from ddns.host.windows.trusted import OWNERS

if TYPE_CHECKING:
    from _win32typing import PyACL

#: "Creator owner", which stands for whoever makes a file, and so has no rights to this one; "owner rights".
_STAND_INS = ("S-1-3-0", "S-1-3-4")
#: What lets somebody change a file, or what lies in a folder: write, append, delete, rights, owner, and generic ones.
_WRITE = 0x2 | 0x4 | 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
_INHERIT_ONLY = 0x8
_ALLOWED = 0


def refusal(path: str) -> str:
    """Why the file at `path` may be another's work, "" when only administrators and this account can change it.

    An account that services share is nobody's own.
    """
    for here in (path, os.path.dirname(path)):
        try:
            why = _wrong(here)
        except pywintypes.error as error:
            why = f"who may change it can't be read: {error.strerror}"
        if why:
            return f"{here}: {why}"
    return ""


def _wrong(path: str) -> str:
    wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION
    descriptor = win32security.GetNamedSecurityInfo(path, SE_FILE_OBJECT, wanted)
    owner = win32security.ConvertSidToStringSid(descriptor.GetSecurityDescriptorOwner())
    return complaint(owner, descriptor.GetSecurityDescriptorDacl(), user())


def complaint(owner: str, rights: PyACL | None, us: str) -> str:
    """Why something with this owner (a SID) and these rights may be another's work than ours or an administrator's."""
    trusted = {*OWNERS, *_STAND_INS, us} - {LOCAL_SERVICE, NETWORK_SERVICE}
    if owner not in trusted:
        return f"its owner is {owner}"
    if rights is None:
        return "everybody may change it"
    for number in range(rights.GetAceCount()):
        (kind, flags), mask, *_, sid = rights.GetAce(number)
        who = win32security.ConvertSidToStringSid(sid)
        if kind == _ALLOWED and mask & _WRITE and not flags & _INHERIT_ONLY and who not in trusted:
            return f"{who} may change it"
    return ""
