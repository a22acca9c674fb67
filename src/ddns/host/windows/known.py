r"""Which folders this Windows keeps programs' data in, by the registry.

Not by the environment alone: whoever asks for administrator's rights passes the user's own variables on, so that
%ProgramData%, and even %SystemDrive% within a registry value, may be what a program without rights has set.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol
else:
    Protocol = object

_SYSTEM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_PROFILES = _SYSTEM + r"\ProfileList"
_USER_FOLDERS = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
#: What stands for the profile in the values of the user's own folders.
_HOME = "%userprofile%"


class Registry(Protocol):
    """The part of the module `winreg` that is used here, so that tests stand in for it."""

    HKEY_CURRENT_USER: Any
    HKEY_LOCAL_MACHINE: Any

    def OpenKey(self, key: Any, sub_key: str, /) -> Any:  # noqa: N802  # winreg's name
        """Open a key for reading. Raises OSError."""

    def QueryValueEx(self, key: Any, name: str, /) -> tuple[Any, int]:  # noqa: N802  # winreg's name
        """The data and the type of a value. Raises OSError."""


def _value(registry: Registry, root: Any, path: str, name: str) -> str:
    try:
        with registry.OpenKey(root, path) as key:
            data = registry.QueryValueEx(key, name)[0]
    except OSError:
        return ""
    return data if isinstance(data, str) else ""


def _absolute(path: str) -> bool:
    return len(path) > 3 and path[0].isascii() and path[0].isalpha() and path[1:3] == ":\\" and "%" not in path


def system(registry: Registry) -> str:
    r"""The folder of Windows itself, usually C:\Windows."""
    told = _value(registry, registry.HKEY_LOCAL_MACHINE, _SYSTEM, "SystemRoot")
    return told.rstrip("\\") if _absolute(told) else r"C:\Windows"


def program_data(registry: Registry) -> str:
    r"""The folder of all users' data, usually C:\ProgramData."""
    drive = system(registry)[:2]
    told = _value(registry, registry.HKEY_LOCAL_MACHINE, _PROFILES, "ProgramData")
    if told[:13].lower() == "%systemdrive%":
        told = drive + told[13:]
    return told.rstrip("\\") if _absolute(told) else drive + "\\ProgramData"


def local_app_data(registry: Registry, environ: Mapping[str, str]) -> str:
    r"""The folder of this account's own data, "" when nothing tells it (an account without a profile)."""
    told = environ.get("LOCALAPPDATA", "")
    if not _absolute(told):
        told = _value(registry, registry.HKEY_CURRENT_USER, _USER_FOLDERS, "Local AppData")
        if told[: len(_HOME)].lower() == _HOME:
            told = environ.get("USERPROFILE", "%") + told[len(_HOME) :]
    return told.rstrip("\\") if _absolute(told) else ""
