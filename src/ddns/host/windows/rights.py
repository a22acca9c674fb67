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
