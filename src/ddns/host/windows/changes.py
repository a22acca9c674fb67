"""Changes of addresses and routes, by callbacks of the IP helper (netioapi.h). They come in threads of the system's."""

from __future__ import annotations

import ctypes
import sys
import threading
from ctypes import byref, c_int, c_ubyte, c_ushort, c_void_p
from typing import Self

assert sys.platform == "win32"

_CALLBACK = ctypes.WINFUNCTYPE(None, c_void_p, c_void_p, c_int)
#: MIB_NOTIFICATION_TYPE: the first call, which tells only that calls will come.
_INITIAL = 3
_BOTH_FAMILIES = 0
#: Both take (family, callback, its argument, whether to call at once, where the handle goes).
_ASKED = ("NotifyUnicastIpAddressChange", "NotifyRouteChange2")


class Changes:
    """Waits for changes. One thread waits, any may cancel. Raises OSError where the system does not tell."""

    def __init__(self) -> None:
        self._happened = threading.Event()
        self._listening = threading.Event()
        self._cancelled = False
        self._callback = _CALLBACK(self._told)  # must live as long as the system may call it
        self._library = ctypes.WinDLL("iphlpapi")
        self._library.CancelMibChangeNotify2.argtypes = (c_void_p,)
        self._handles: list[c_void_p] = []
        for name in _ASKED:
            self._ask(name)

    def _ask(self, name: str) -> None:
        function = getattr(self._library, name)
        function.argtypes = (c_ushort, _CALLBACK, c_void_p, c_ubyte, c_void_p)
        handle = c_void_p()
        code = function(_BOTH_FAMILIES, self._callback, None, True, byref(handle))
        if code:
            self.close()
            raise ctypes.WinError(code)
        self._handles.append(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _told(self, _context: int | None, _row: int | None, kind: int) -> None:
        if kind == _INITIAL:
            self._listening.set()
        else:
            self._happened.set()

    @property
    def listening(self) -> bool:
        """Whether the system has called at all; it does so at once."""
        return self._listening.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether something changed since the last call; False after `seconds`, and for ever once cancelled."""
        if self._cancelled or not self._happened.wait(seconds) or self._cancelled:
            return False
        self._happened.clear()  # a cancel at this moment is seen by the next call
        return True

    def cancel(self) -> None:
        """End the wait, and every later one."""
        self._cancelled = True
        self._happened.set()

    def close(self) -> None:
        """Give everything back. Waits for a call in progress, so it must not come from one."""
        while self._handles:
            self._library.CancelMibChangeNotify2(self._handles.pop())
