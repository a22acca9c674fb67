"""What tells this machine from others. Apart from the other host parts, which every run pays for."""

from __future__ import annotations

import hmac
import socket
import sys

if sys.platform == "win32":
    import winreg

_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def machine_identity() -> str:
    """64 hex digits for a gateway, derived from the machine id, which itself is never sent (machine-id(5)).

    Windows has one in its registry, which Sysprep makes anew. An account that can't read any is told by its name.
    """
    known = _machine_id()
    if known:
        return hmac.digest(known, b"ddns enrolment", "sha256").hex()
    return hmac.digest(socket.gethostname().encode(), b"ddns enrolment by name", "sha256").hex()


if sys.platform == "win32":

    def _machine_id() -> bytes:
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY  # a program of 32 bits sees another key of this name
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography", 0, access) as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0]).strip().lower().encode()
        except OSError:
            return b""

else:

    def _machine_id() -> bytes:
        for path in _FILES:
            try:
                with open(path, "rb") as file:
                    known = file.read().strip()
            except OSError:
                continue
            if known:
                return known
        return b""
