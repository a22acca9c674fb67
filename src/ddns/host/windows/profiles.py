r"""The profile that Windows keeps of the network behind a router: its name, and its category.

Below HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList. `Signatures\{Managed,Unmanaged}` name the profile
by the router's MAC address (DefaultGatewayMac, ProfileGuid); `Profiles\GUID` has ProfileName, Category and
DateLastConnected.

Network List Manager, which the system's own dialogues ask, speaks COM only; it keeps its memory here.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import winreg
from collections.abc import Iterator

_LIST = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList"
_SIGNATURES = ("Managed", "Unmanaged")
#: NLM_NETWORK_CATEGORY (netlistmgr.h).
_CATEGORIES = ("public", "private", "domain")
#: A 32-bit program, too, looks where the system keeps it.
_READ = winreg.KEY_READ | winreg.KEY_WOW64_64KEY


def behind(router: str) -> tuple[str, str]:
    """As `host.profiles` says."""
    if not router:
        return "", ""
    address = bytes.fromhex(router.replace(":", ""))
    found = [known for guid in _named_by(address) if (known := _profile(guid)) is not None]
    return max(found)[1:] if found else ("", "")


def _named_by(router: bytes) -> Iterator[str]:
    for kind in _SIGNATURES:
        for values in _below(rf"{_LIST}\Signatures\{kind}"):
            guid = values.get("ProfileGuid")
            if values.get("DefaultGatewayMac") == router and isinstance(guid, str):
                yield guid


def _profile(guid: str) -> tuple[bytes, str, str] | None:
    """When the network was last there (in an order of its own), its name, its category."""
    values = _values(rf"{_LIST}\Profiles\{guid}")
    name, category, last = (values.get(key) for key in ("ProfileName", "Category", "DateLastConnected"))
    if not isinstance(name, str) or not isinstance(category, int) or category not in range(len(_CATEGORIES)):
        return None
    return _moment(last), name, _CATEGORIES[category]


def _moment(time: object) -> bytes:
    """A SYSTEMTIME as bytes that compare: year, month, day, hour, minute, second, without the day of the week."""
    if not isinstance(time, bytes) or len(time) != 16:
        return b""
    words = [time[at : at + 2][::-1] for at in range(0, 16, 2)]
    return b"".join(words[:2] + words[3:])


def _below(path: str) -> Iterator[dict[str, object]]:
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, _READ) as key:
            names = [winreg.EnumKey(key, number) for number in range(winreg.QueryInfoKey(key)[0])]
    except OSError:
        return
    for name in names:
        yield _values(rf"{path}\{name}")


def _values(path: str) -> dict[str, object]:
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, _READ) as key:
            rows = [winreg.EnumValue(key, number) for number in range(winreg.QueryInfoKey(key)[1])]
    except OSError:
        return {}
    return {name: data for name, data, _ in rows}
