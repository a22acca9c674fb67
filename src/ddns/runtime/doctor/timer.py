"""Whether something starts runs: Windows' task, service or Run key; systemd's units on Linux.

cron is nobody's to ask. That runs do come, whatever starts them, is told by status.json.
"""

from __future__ import annotations

import os
import subprocess
import sys

from ddns import host
from ddns.errors import UsageError
from ddns.host import service, tasks
from ddns.host.servicing import Service
from ddns.host.tasking import NAME, Task
from ddns.runtime.doctor.finding import Finding, ok, problem, warning
from ddns.wording import span

AREA = "schedule"
#: Where systemd is the init process, and what the guide calls our units.
RUNNING, UNITS = "/run/systemd/system", ("ddns.timer", "ddns-watch.service")
_SECONDS = 5.0
_DEPLOY = "Deploy it again with Deploy-DDNS.ps1"


def look(places: host.Places) -> list[Finding]:
    """What the system says; nothing for a folder of one's own."""
    if places.whose == "data folder":
        return []
    if sys.platform == "win32":
        found = logon(tasks.at_logon()) if places.whose == "user" else _windows()
    else:
        found = _linux() if places.whose == "machine" else []
    return found


def _windows() -> list[Finding]:
    found, sees_all = tasks.query(), tasks.sees_all()
    try:
        kept = service.query()
    except UsageError as error:
        return [warning(AREA, "service", error.message, error.advice), *task(found, sees_all=sees_all)]
    return windows(found, kept, sees_all=sees_all)


def windows(found: Task | None, kept: Service, *, sees_all: bool) -> list[Finding]:
    """Of the machine's task and service. Either is enough; both start each run twice."""
    if kept.installed and found is not None and found.enabled:
        says = f"the task {NAME} and the service both start runs"
        return [*_service(kept), warning(AREA, "task", says, "Keep one: ddns service remove, or deploy again.")]
    return _service(kept) if kept.installed else task(found, sees_all=sees_all)


def _service(kept: Service) -> list[Finding]:
    if kept.state == "running":
        return [ok(AREA, "service", "the service runs")]
    return [problem(AREA, "service", f"the service is {kept.state}", "As an administrator: ddns service start")]


def task(found: Task | None, *, sees_all: bool) -> list[Finding]:
    """Of the task alone. One that can't be seen is not said to be missing."""
    if found is None and not sees_all:
        says = f"this account may not see whether the task {NAME} is there"
        return [warning(AREA, "task", says, "Run the command as an administrator to see more.")]
    if found is None:
        says = f"neither the task {NAME} nor the service is there: nothing starts runs"
        return [problem(AREA, "task", says, f"{_DEPLOY}, or as an administrator: ddns service install")]
    if not found.enabled:
        return [problem(AREA, "task", f"the task {NAME} is disabled", f"schtasks /change /tn {NAME} /enable")]
    if not os.path.isfile(found.command):
        return [problem(AREA, "task", f"the task {NAME} starts {found.command}, which is not there", f"{_DEPLOY}.")]
    if not found.triggers:
        return [problem(AREA, "task", f"the task {NAME} has no trigger that is enabled", f"{_DEPLOY}.")]
    often = f", every {span(found.every)}" if found.every else ""
    return [ok(AREA, "task", f"the task {NAME} is enabled and starts {found.command}{often}")]


def logon(command: str) -> list[Finding]:
    """Of a user's own installation, which runs while that user is logged on."""
    if command:
        return [ok(AREA, "logon", f"this user's session starts {command}")]
    says = "nothing of this user starts runs at logon"
    return [warning(AREA, "logon", says, "Deploy with -Mode RunKey, or start it by hand: ddns watch")]


def _linux() -> list[Finding]:
    """Systemd's word, where it is the init process; elsewhere nobody can be asked."""
    return _systemd() if os.path.isdir(RUNNING) else []


def _systemd() -> list[Finding]:
    said = {unit: active(unit) for unit in UNITS}
    at_work = [unit for unit, state in said.items() if state == "active"]
    if at_work:
        return [ok(AREA, "systemd", f"{at_work[0]} is active")]
    return [
        warning(
            AREA,
            "systemd",
            f"neither {' nor '.join(UNITS)} is active",
            "Where cron or a unit of another name starts runs: nothing. Else: systemctl enable --now ddns.timer",
        )
    ]


def active(unit: str) -> str:
    """What systemd calls the state of a unit, "unknown" when it doesn't say. Asks only."""
    try:
        done = subprocess.run(
            ("systemctl", "is-active", unit), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"
