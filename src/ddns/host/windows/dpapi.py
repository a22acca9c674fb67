"""Secrets sealed by Windows (DPAPI), each in a file of its own: good on this machine, or for this account, alone.

The machine's scope needs no profile, so that service accounts can open it; that another account of the machine can't
is the matter of the folder's rights.
"""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import winreg

import pywintypes
import win32crypt

from ddns.errors import BadCredentials, StateUnwritable, foreign
from ddns.host.windows import account, known

#: What a file of a sealed secret ends with; ids of secrets end otherwise.
ENDING = ".dpapi"
#: Other programs that ask Windows to open whatever they find get nothing. It is no secret.
_ENTROPY = b"ddns-fleet secret 1"
_NO_UI, _MACHINE = 0x1, 0x4


def seal(text: bytes, folder: str) -> bytes:
    """Seal for the machine where administrators and services are at work, for the account in a user's own folder.

    Raises StateUnwritable.
    """
    machine = (
        folder.startswith(known.program_data(winreg) + "\\DDNS\\") or account.administrative() or account.service()
    )
    flags = _NO_UI | (_MACHINE if machine else 0)
    try:
        return bytes(win32crypt.CryptProtectData(text, "ddns", _ENTROPY, None, None, flags))
    except pywintypes.error as error:
        raise StateUnwritable(
            f"Windows can't seal the secret: {foreign(str(error.strerror))}",
            advice="Run the command again as the account that runs ddns, logged on with its profile.",
        ) from error


def unseal(blob: bytes, called: str) -> bytes:
    """The secret that was sealed; `called` names it. Raises BadCredentials."""
    try:
        return bytes(win32crypt.CryptUnprotectData(blob, _ENTROPY, None, None, _NO_UI)[1])
    except pywintypes.error as error:
        raise BadCredentials(
            f"the secret {called} can't be opened here: it was sealed on another machine or by another account, or"
            f" its file is damaged ({foreign(str(error.strerror))})",
        ) from error
