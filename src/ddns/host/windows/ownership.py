r"""Who may change a file: its owner and whom its list of rights lets write, and the same of every folder above it.

In a folder further up, new files do no harm (every user may make some in C:\ProgramData); who may delete or rename
what is there could put other folders in the place of these.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

assert sys.platform == "win32"

import pywintypes
import win32security
from win32security import DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION, SE_FILE_OBJECT

from ddns.host.windows.account import LOCAL_SERVICE, NETWORK_SERVICE, attributes, user
from ddns.host.windows.trusted import OWNERS

if TYPE_CHECKING:
    from _win32typing import PyACL

#: "Creator owner", which stands for whoever makes a file, and so has no rights to this one; "owner rights".
_STAND_INS = ("S-1-3-0", "S-1-3-4")
#: What lets somebody change a file, or what lies in a folder: write, append, delete, rights, owner, and generic ones.
_WRITE = 0x2 | 0x4 | 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
#: What lets somebody exchange what lies below a folder: delete a child, delete (rename), rights, owner, all.
EXCHANGE = 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000
#: No harm to a drive, which nobody can delete.
DELETE = 0x10000
_INHERIT_ONLY = 0x8
_ALLOWED = 0
#: The bit of a reparse tag that stands for another path (a name surrogate, winnt.h); a cloud's files lack it.
_LEADS_ELSEWHERE = 0x20000000


def refusal(path: str) -> str:
    """Why the file at `path` may be another's work, "" when only administrators and this account can change it.

    An account that services share is nobody's own. A link or a junction on the way is refused: who made it may turn it.
    """
    here, near = os.path.abspath(path), [_WRITE, _WRITE]  # the file, its folder
    while True:
        above = os.path.dirname(here)
        mask = near.pop() if near else EXCHANGE
        try:
            why = _wrong(here, mask if above != here else mask & ~DELETE)
        except OSError as error:
            why = f"who may change it can't be read: {error.strerror}"
        if why:
            return f"{here}: {why}"
        if above == here:
            return ""
        here = above


def _wrong(path: str, mask: int) -> str:
    if attributes(path) & stat.FILE_ATTRIBUTE_REPARSE_POINT:
        tag = os.lstat(path).st_reparse_tag
        if not tag or tag & _LEADS_ELSEWHERE:
            return "it is a link or a junction"
    wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION
    try:
        descriptor = win32security.GetNamedSecurityInfo(path, SE_FILE_OBJECT, wanted)
    except pywintypes.error as error:
        raise OSError(error.winerror, error.strerror, path) from error
    owner = win32security.ConvertSidToStringSid(descriptor.GetSecurityDescriptorOwner())
    return complaint(owner, descriptor.GetSecurityDescriptorDacl(), user(), mask)


def complaint(owner: str, rights: PyACL | None, us: str, forbidden: int = _WRITE) -> str:
    """Why something with this owner (a SID) and these rights may be another's work than ours or an administrator's.

    `forbidden`: the rights, of which others must have none.
    """
    trusted = {*OWNERS, *_STAND_INS, us} - {LOCAL_SERVICE, NETWORK_SERVICE}
    if owner not in trusted:
        return f"its owner is {owner}"
    if rights is None:
        return "everybody may change it"
    for number in range(rights.GetAceCount()):
        (kind, flags), mask, *_, sid = rights.GetAce(number)
        who = win32security.ConvertSidToStringSid(sid)
        if kind == _ALLOWED and mask & forbidden and not flags & _INHERIT_ONLY and who not in trusted:
            return f"{who} may change it"
    return ""
