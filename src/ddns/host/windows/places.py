"""Where the places lie on Windows: the machine's, a user's, or a folder that was named."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import os
import winreg

from ddns.errors import StateUnwritable
from ddns.host.places import Places
from ddns.host.windows import known
from ddns.host.windows.trusted import ADVICE, refusal

_NAME = "\\DDNS"
#: Above this length a path is given in the form that Windows limits to 32767 characters and not to 260: the names of
#: our own files, and 248 for folders, must still fit.
_LONG = 180


def places(data: str | None = None) -> Places:
    """The places of `--data DIR`, of the machine, or of the user. Raises StateUnwritable when they can't be told.

    The machine's: for administrators (with their rights, not only able to ask for them), for Windows' own service
    accounts, and for whoever may read the machine's settings (a group managed service account, say). All others
    have their own.
    """
    if data is not None:
        return Places.below(_long(os.path.abspath(data)), "data folder")
    from ddns.host.windows import account  # noqa: PLC0415 - ctypes, which `ddns status` needn't pay

    machine = _machine()
    used = (machine.config, machine.config_file, machine.state, machine.logs, machine.public)
    wrong = refusal((os.path.dirname(machine.config), *used), account)
    if not wrong and _readable(machine.config):
        return machine
    if not (account.administrative() or account.service()):
        return _user()
    if wrong:
        raise StateUnwritable(wrong, advice=ADVICE)
    return machine


def readable_places(data: str | None = None) -> list[Places]:
    """Where a reader of status.json looks, in this order: `--data DIR` alone, else the machine's, then the user's."""
    if data is not None:
        return [places(data)]
    base = known.local_app_data(winreg, os.environ)
    return [_machine(), Places.below(_long(base + _NAME), "user")] if base else [_machine()]


def policy_file() -> str:
    """Nowhere: the policy is in the registry."""
    return ""


def _machine() -> Places:
    return Places.below(known.program_data(winreg) + _NAME, "machine", config="config")


def _user() -> Places:
    base = known.local_app_data(winreg, os.environ)
    if not base:
        raise StateUnwritable(
            "this account has no folder for its data: neither %LOCALAPPDATA% nor its registry names one",
            advice="Run ddns as an administrator, or name a folder with --data.",
        )
    return Places.below(_long(base + _NAME), "user")


def _long(path: str) -> str:
    if len(path) <= _LONG or path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    return "\\\\?\\UNC" + path[1:] if path.startswith("\\\\") else "\\\\?\\" + path


def _readable(folder: str) -> bool:
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True
