"""Rights of one identifier to a folder and all that is in it, beside those that are there."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

assert sys.platform == "win32"

import pywintypes
import win32security
from win32security import DACL_SECURITY_INFORMATION, SE_FILE_OBJECT

if TYPE_CHECKING:
    from _win32typing import PyACL

#: Read and enter; that and write, make, remove. Not: change rights or owner.
READ, MODIFY = 0x1200A9, 0x1301BF
_HERE_AND_BELOW = win32security.OBJECT_INHERIT_ACE | win32security.CONTAINER_INHERIT_ACE
_INHERITED = 0x10
#: ERROR_INVALID_ACL.
_INVALID_ACL = 1336


def grant(folder: str, sid: str, mask: int) -> None:
    """Give `sid` exactly these rights to the folder, which must be there. Raises pywintypes.error."""
    acl = _acl(folder)
    edit(acl, sid, mask)
    win32security.SetNamedSecurityInfo(folder, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, None, None, acl, None)


def revoke(folder: str, sid: str) -> None:
    """Take its rights from `sid`; a folder that is not there has none. Raises pywintypes.error."""
    if os.path.isdir(folder):
        grant(folder, sid, 0)


def _acl(folder: str) -> PyACL:
    descriptor = win32security.GetNamedSecurityInfo(folder, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION)
    found: PyACL | None = descriptor.GetSecurityDescriptorDacl()
    if found is None:  # everybody may do everything there: a list with one entry would shut everybody else out
        raise pywintypes.error(_INVALID_ACL, "GetSecurityDescriptorDacl", f"{folder} has no list of rights")
    return found


def edit(acl: PyACL, sid: str, mask: int) -> None:
    """Let the list give `sid` exactly these rights; what it inherits stays."""
    trustee = win32security.ConvertStringSidToSid(sid)
    for number in reversed(range(acl.GetAceCount())):
        (_, flags), _, found = acl.GetAce(number)
        if found == trustee and not flags & _INHERITED:
            acl.DeleteAce(number)
    if mask:
        acl.AddAccessAllowedAceEx(win32security.ACL_REVISION_DS, _HERE_AND_BELOW, mask, trustee)
