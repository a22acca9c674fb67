r"""Events in Windows' log "Application", from the source "DDNS".

The message file is %SystemRoot%\System32\EventCreate.exe, which every Windows has: each of its messages, 1 to 1000, is
"%1", the text that we give. So nothing of ours needs to stay for an old event to be readable.
"""

from __future__ import annotations

import sys
import winreg

import pywintypes
import win32evtlog

assert sys.platform == "win32"

SOURCE = "DDNS"
KEY = rf"SYSTEM\CurrentControlSet\Services\EventLog\Application\{SOURCE}"
MESSAGE_FILE = r"%SystemRoot%\System32\EventCreate.exe"
#: EVENTLOG_ERROR_TYPE and its kin.
_TYPES = {"error": 1, "warning": 2, "information": 4}
_ALL_TYPES = 7
#: The value that says who made the key, so that nobody removes another's.
_OWNER = "RegisteredBy"


def report(event_id: int, level: str, text: str) -> None:
    """Write one event. `level` is error, warning or information. That it can't be written is no failure."""
    try:
        source = win32evtlog.RegisterEventSource(None, SOURCE)
        try:
            win32evtlog.ReportEvent(source, _TYPES[level], 0, event_id, None, [_plain(text)], None)
        finally:
            win32evtlog.DeregisterEventSource(source)
    except pywintypes.error:
        return  # the log is full, or turned off: the JSON log has it, too


def _plain(text: str) -> str:
    """The text without what the Event Viewer would replace: it looks for %1, %%1234 and %n in what we give, too."""
    return text.replace("%", "% ")


def register(owner: str) -> None:
    """Make the source known, unless it is. Needs an administrator. Raises OSError."""
    with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, KEY, 0, winreg.KEY_READ | winreg.KEY_WRITE) as key:
        if _value(key, "EventMessageFile") == MESSAGE_FILE:
            return
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_EXPAND_SZ, MESSAGE_FILE)
        winreg.SetValueEx(key, "TypesSupported", 0, winreg.REG_DWORD, _ALL_TYPES)
        winreg.SetValueEx(key, "CustomSource", 0, winreg.REG_DWORD, 1)  # as eventcreate.exe marks its own
        winreg.SetValueEx(key, _OWNER, 0, winreg.REG_SZ, owner)


def unregister(owner: str) -> None:
    """Remove the source if `owner` made it. Needs an administrator. Raises OSError."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY) as key:
            ours = _value(key, _OWNER) == owner
    except FileNotFoundError:
        return
    if ours:
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, KEY)


def _value(key: winreg.HKEYType, name: str) -> object:
    try:
        return winreg.QueryValueEx(key, name)[0]
    except FileNotFoundError:
        return None
