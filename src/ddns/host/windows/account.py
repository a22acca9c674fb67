"""Who runs this program, who owns a folder, and a folder that has its rights from the first moment on.

By ctypes: the run that changes nothing asks, too, and pywin32 would cost it twice as much.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import ctypes
from ctypes import byref, c_int, c_uint32, c_void_p, c_wchar_p

_ADVAPI = ctypes.WinDLL("advapi32", use_last_error=True)
_KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
_FILE_OBJECT, _OWNER = 1, 1
_TOKEN_QUERY, _TOKEN_USER = 8, 1
_NO_ATTRIBUTES = 0xFFFFFFFF
ADMINISTRATORS, SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE = "S-1-5-32-544", "S-1-5-18", "S-1-5-19", "S-1-5-20"

_ADVAPI.GetNamedSecurityInfoW.argtypes = (c_wchar_p, c_int, c_uint32, *(c_void_p,) * 5)
_ADVAPI.ConvertSidToStringSidW.argtypes = (c_void_p, c_void_p)
_ADVAPI.ConvertStringSidToSidW.argtypes = (c_wchar_p, c_void_p)
_ADVAPI.CheckTokenMembership.argtypes = (c_void_p, c_void_p, c_void_p)
_ADVAPI.OpenProcessToken.argtypes = (c_void_p, c_uint32, c_void_p)
_ADVAPI.GetTokenInformation.argtypes = (c_void_p, c_int, c_void_p, c_uint32, c_void_p)
_ADVAPI.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = (c_wchar_p, c_uint32, c_void_p, c_void_p)
_KERNEL.CreateDirectoryW.argtypes = (c_wchar_p, c_void_p)
_KERNEL.GetFileAttributesW.argtypes = (c_wchar_p,)
_KERNEL.GetFileAttributesW.restype = c_uint32
_KERNEL.LocalFree.argtypes = (c_void_p,)
_KERNEL.LocalFree.restype = c_void_p
_KERNEL.CloseHandle.argtypes = (c_void_p,)
_KERNEL.GetCurrentProcess.restype = c_void_p


class _SecurityAttributes(ctypes.Structure):
    _fields_ = (("length", c_uint32), ("descriptor", c_void_p), ("inherit", c_int))


def _failed() -> OSError:
    return ctypes.WinError(ctypes.get_last_error())


def _text(sid: c_void_p) -> str:
    text = c_wchar_p()
    if not _ADVAPI.ConvertSidToStringSidW(sid, byref(text)):
        raise _failed()
    try:
        return text.value or ""
    finally:
        _KERNEL.LocalFree(text)


def attributes(path: str) -> int:
    """The attributes of a file or folder, of a link itself. Raises OSError."""
    found: int = _KERNEL.GetFileAttributesW(path)
    if found == _NO_ATTRIBUTES:
        raise _failed()
    return found


def owner(path: str) -> str:
    """The SID of the owner of a file or folder, what a link leads to. Raises OSError."""
    sid, descriptor = c_void_p(), c_void_p()
    code = _ADVAPI.GetNamedSecurityInfoW(path, _FILE_OBJECT, _OWNER, byref(sid), None, None, None, byref(descriptor))
    if code:
        raise ctypes.WinError(code)
    try:
        return _text(sid)
    finally:
        _KERNEL.LocalFree(descriptor)


def user() -> str:
    """The SID of the account that runs this process. Raises OSError."""
    token, needed = c_void_p(), c_uint32()
    if not _ADVAPI.OpenProcessToken(_KERNEL.GetCurrentProcess(), _TOKEN_QUERY, byref(token)):
        raise _failed()
    try:
        told = (c_void_p * 32)()  # TOKEN_USER: a pointer to the SID, its attributes, the SID
        if not _ADVAPI.GetTokenInformation(token, _TOKEN_USER, told, ctypes.sizeof(told), byref(needed)):
            raise _failed()
        return _text(c_void_p(told[0]))
    finally:
        _KERNEL.CloseHandle(token)


def administrative() -> bool:
    """Whether this process has an administrator's rights, not only an account that could ask for them, or is SYSTEM."""
    sid, member = c_void_p(), c_int()
    if not _ADVAPI.ConvertStringSidToSidW(ADMINISTRATORS, byref(sid)):
        raise _failed()
    try:
        if not _ADVAPI.CheckTokenMembership(None, sid, byref(member)):
            raise _failed()
    finally:
        _KERNEL.LocalFree(sid)
    return bool(member.value)


def service() -> bool:
    """Whether the account is one of Windows' own for services."""
    return user() in (SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE)


def make_folder(path: str, rights: str) -> None:
    """Make a folder with `rights` (SDDL) in one step. Raises OSError, FileExistsError among them."""
    descriptor = c_void_p()
    convert = _ADVAPI.ConvertStringSecurityDescriptorToSecurityDescriptorW
    if not convert(rights, 1, byref(descriptor), None):
        raise _failed()
    try:
        attributes = _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), descriptor, 0)
        if not _KERNEL.CreateDirectoryW(path, byref(attributes)):
            raise _failed()
    finally:
        _KERNEL.LocalFree(descriptor)
