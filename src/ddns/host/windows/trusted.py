r"""Whether the machine's folders are an administrator's: every user may make a folder in C:\ProgramData first.

Who owns a folder sets its rights, so a program with more rights must neither believe what lies in it nor write to it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol
else:
    Protocol = object

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
_REPARSE_POINT = 0x400
ADVICE = "Remove it, or make an administrator its owner, then deploy ddns again."


class Files(Protocol):
    """What is asked of files and folders; the module `account` has it."""

    def attributes(self, path: str, /) -> int:
        """The attributes, of a link itself. Raises OSError."""

    def owner(self, path: str, /) -> str:
        """The SID of the owner. Raises OSError."""


def refusal(paths: Iterable[str], files: Files) -> str:
    """Why these must not be used, "" when they may; those that are not there may."""
    for path in paths:
        try:
            if files.attributes(path) & _REPARSE_POINT:
                return f"{path} leads elsewhere: it is a link or a junction"
            sid = files.owner(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"{path}: who owns it can't be read: {error.strerror}"
        if sid not in OWNERS:
            return f"{path} is not an administrator's: its owner is {sid}"
    return ""
