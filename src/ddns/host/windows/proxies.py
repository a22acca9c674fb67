"""This account's Internet options, and the proxy that is set for services (winhttp.h: `netsh winhttp show proxy`)."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import ctypes
from ctypes import byref, c_int, c_uint32, c_void_p

#: WINHTTP_ACCESS_TYPE_NAMED_PROXY.
_NAMED = 3


class _Default(ctypes.Structure):
    """WINHTTP_PROXY_INFO."""

    _fields_ = (("access", c_uint32), ("servers", c_void_p), ("exceptions", c_void_p))


class _Current(ctypes.Structure):
    """WINHTTP_CURRENT_USER_IE_PROXY_CONFIG."""

    _fields_ = (("detect", c_int), ("script", c_void_p), ("servers", c_void_p), ("exceptions", c_void_p))


def read() -> tuple[str, str, str]:
    """As `host.proxies` says. What is set for services is asked where the account itself names no proxy."""
    http = ctypes.WinDLL("winhttp")
    own, default, script = _Current(), _Default(), ""
    if http.WinHttpGetIEProxyConfigForCurrentUser(byref(own)):
        script = _taken(own.script)
        servers, exceptions = _taken(own.servers), _taken(own.exceptions)
        if servers:
            return servers, exceptions, script
    if http.WinHttpGetDefaultProxyConfiguration(byref(default)):
        servers, exceptions = _taken(default.servers), _taken(default.exceptions)
        if servers and default.access == _NAMED:
            return servers, exceptions, script
    return "", "", script


def _taken(text: int | None) -> str:
    """A text that is ours to free."""
    if not text:
        return ""
    try:
        return ctypes.wstring_at(text)
    finally:
        free = ctypes.WinDLL("kernel32").GlobalFree
        free.argtypes, free.restype = (c_void_p,), c_void_p
        free(text)
