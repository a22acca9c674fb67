"""Rights as the access list of a file or folder has them: what it gives to everybody, or to whole groups of users."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pywintypes
import win32security
from win32security import DACL_SECURITY_INFORMATION, SE_FILE_OBJECT

from ddns.host.windows.rights import BROAD, may

if TYPE_CHECKING:
    from _win32typing import PyACL

#: ACCESS_ALLOWED_ACE_TYPE, and the flag of an entry that is for what lies below only.
_ALLOWED, _INHERIT_ONLY = 0, 0x8


def others(path: str) -> Iterator[tuple[str, bool, bool]]:
    """Who else, whether they may read, whether they may write. Raises OSError."""
    try:
        descriptor = win32security.GetNamedSecurityInfo(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION)
    except pywintypes.error as error:
        raise OSError(error.winerror, error.strerror, path) from error
    acl: PyACL | None = descriptor.GetSecurityDescriptorDacl()
    if acl is None:
        yield "everybody", True, True
        return
    for number in range(acl.GetAceCount()):
        (kind, flags), mask, sid = acl.GetAce(number)
        who = BROAD.get(win32security.ConvertSidToStringSid(sid))
        if who and kind == _ALLOWED and not flags & _INHERIT_ONLY:
            yield who, *may(mask)


def lacking(path: str) -> str:
    """See `host.permits`."""
    os.stat(path)
    try:
        if os.path.isdir(path):
            with os.scandir(path):
                return ""
        with open(path, "rb"):
            return ""
    except PermissionError:
        return "read"
