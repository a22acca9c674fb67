"""What starts runs on this Windows beside the service: the scheduled task, and the Run key of this user."""

from __future__ import annotations

import sys

assert sys.platform == "win32"

import subprocess
import winreg
from collections.abc import Sequence

from ddns.host.tasking import NAME, Task, parse
from ddns.host.windows import account, known

_RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
_SECONDS = 15.0


def query(command: Sequence[str] = ()) -> Task | None:
    """The task, None when there is none, or none that this account may see (`sees_all`). Asks only.

    `command`: what to ask in the place of the Task Scheduler's own program.
    """
    asked = command or (known.system(winreg) + r"\System32\schtasks.exe", "/query", "/tn", NAME, "/xml")
    try:
        done = subprocess.run(
            asked,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse(_text(done.stdout)) if done.returncode == 0 else None


def _text(output: bytes) -> str:
    """It declares UTF-16, and has the console's code page where it is not written to a console."""
    if output[:2] == b"\xff\xfe":
        return output.decode("utf-16", "replace")
    try:
        return output.decode()
    except UnicodeDecodeError:
        return output.decode("oem", "replace")


def sees_all() -> bool:
    """Whether this account sees every task: one without an administrator's rights is told that there is none."""
    return account.administrative() or account.service()


def at_logon() -> str:
    """The command that starts with this user's session, "" for none."""
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN) as key:
            found = winreg.QueryValueEx(key, "DDNS")[0]
    except OSError:
        return ""
    return found if isinstance(found, str) else ""
