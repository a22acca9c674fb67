r"""Whether the machine's folders are an administrator's: every user may make a folder in C:\ProgramData first.

Who owns a folder sets its rights, so a program with more rights must neither believe what lies in it nor write to it.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: SYSTEM, LOCAL SERVICE, NETWORK SERVICE, administrators, the installer of Windows. The last is what Wine says of
#: every file of its user: it keeps no owners; no account of Windows has an identifier of three zeros.
OWNERS = (
    "S-1-5-18",
    "S-1-5-19",
    "S-1-5-20",
    "S-1-5-32-544",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    "S-1-5-21-0-0-0-1000",
)
ADVICE = "Remove it, or make an administrator its owner, then deploy ddns again."


def refusal(paths: Iterable[str], owner: Callable[[str], str]) -> str:
    """Why these must not be used, "" when they may; those that are not there may. `owner` as `account.owner`."""
    for path in paths:
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"{path}: {error.strerror}"
        if _leads_elsewhere(found):
            return f"{path} leads elsewhere: it is a link or a junction"
        try:
            sid = owner(path)
        except OSError as error:
            return f"{path}: who owns it can't be read: {error.strerror}"
        if sid not in OWNERS:
            return f"{path} is not an administrator's: its owner is {sid}"
    return ""


def _leads_elsewhere(found: os.stat_result) -> bool:
    return bool(getattr(found, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_REPARSE_POINT)
