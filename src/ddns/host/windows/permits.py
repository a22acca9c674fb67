"""Rights as the access list of a file or folder has them: what it gives to everybody, or to whole groups of users."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import ctypes
import os
from collections.abc import Iterator
from ctypes import c_uint32, c_void_p, c_wchar_p
from typing import TYPE_CHECKING

import pywintypes
import win32security
from win32security import DACL_SECURITY_INFORMATION, SE_FILE_OBJECT

from ddns.host.windows.rights import BROAD, may

if TYPE_CHECKING:
    from _win32typing import PyACL

#: Rights to a file and to a folder, which have the same numbers: FILE_READ_DATA, FILE_WRITE_DATA (winnt.h).
_READ_DATA = _LIST_FOLDER = 0x1
_WRITE = _ADD_FILE = 0x2
#: FILE_SHARE_READ, _WRITE and _DELETE; OPEN_EXISTING; FILE_FLAG_BACKUP_SEMANTICS, which opening a folder asks for.
_SHARED, _EXISTING, _FOLDERS_TOO = 0x7, 3, 0x02000000
_INVALID = c_void_p(-1).value
#: ERROR_ACCESS_DENIED.
_DENIED = 5
#: ACCESS_ALLOWED_ACE_TYPE, and the flag of an entry that is for what lies below only.
_ALLOWED, _INHERIT_ONLY = 0, 0x8

_KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
_KERNEL.CreateFileW.argtypes = (c_wchar_p, c_uint32, c_uint32, c_void_p, c_uint32, c_uint32, c_void_p)
_KERNEL.CreateFileW.restype = c_void_p
_KERNEL.CloseHandle.argtypes = (c_void_p,)


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
    folder = os.path.isdir(path)
    os.stat(path)
    for word, right in (("read", _LIST_FOLDER if folder else _READ_DATA), ("write", _ADD_FILE if folder else _WRITE)):
        if not _granted(path, right):
            return word
    return ""


def _granted(path: str, right: int) -> bool:
    """Whether Windows opens it for that, which changes nothing. Raises OSError for anything but a lack of rights."""
    handle = _KERNEL.CreateFileW(path, right, _SHARED, None, _EXISTING, _FOLDERS_TOO, None)
    if handle not in (None, _INVALID):
        _KERNEL.CloseHandle(handle)
        return True
    number = ctypes.get_last_error()
    if number != _DENIED:
        raise OSError(None, ctypes.FormatError(number).strip(), path, number)
    return False
