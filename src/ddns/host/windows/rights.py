"""The rights of our folders, as Windows writes them (SDDL). By identifier: names differ between languages."""

from __future__ import annotations

#: Nothing is inherited; SYSTEM and administrators may do everything, here and below.
_PROTECTED = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#: Every user may read: what is in the folder as well, or only its list.
READ, LOOK = "(A;OICI;0x1200a9;;;BU)", "(A;;0x1200a9;;;BU)"


def rights(user: str, users: str = "", *, administrators: bool) -> str:
    """Those of a folder that the account `user` (a SID) makes. `users`: what every user may do, READ, LOOK or nothing.

    `administrators`: it becomes theirs alone, for what one of them runs without those rights must not reach it.
    """
    own = "" if administrators else f"(A;OICI;FA;;;{user})"
    return ("O:BA" if administrators else "") + _PROTECTED + own + users


#: Identifiers that stand for whole groups of users, who must not read secrets nor change settings.
BROAD = {
    "S-1-1-0": "everybody",
    "S-1-5-2": "everybody on the network",
    "S-1-5-4": "every user at the machine",
    "S-1-5-7": "everybody, without a password",
    "S-1-5-11": "every user",
    "S-1-5-32-545": "every user",
    "S-1-5-32-546": "guests",
}
#: Bits of an access mask (winnt.h): read data, or all, by name or generic; write, append, delete, change rights, owner.
_READS, _WRITES = 0x1 | 0x80000000 | 0x10000000, 0x2 | 0x4 | 0x10000 | 0x40000 | 0x80000 | 0x40000000 | 0x10000000


def may(mask: int) -> tuple[bool, bool]:
    """Whether a mask lets somebody read, and change, a file or folder. Masks may come as negative numbers."""
    return bool(mask & _READS), bool(mask & _WRITES)
