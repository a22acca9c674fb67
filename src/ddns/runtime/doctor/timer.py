"""Whether something starts runs: systemd, or Windows' service. A task is an administrator's to see: `Get-DdnsTask`.

That runs do come, whatever starts them, is told by status.json.
"""

from __future__ import annotations

import os
import subprocess

from ddns import host
from ddns.errors import UsageError
from ddns.host import service
from ddns.runtime.doctor.finding import Finding, ok, problem, warning

AREA = "schedule"
#: Where systemd is the init process, and what the guide calls our units.
RUNNING, UNITS = "/run/systemd/system", ("ddns.timer", "ddns-watch.service")
_SECONDS = 5.0


def look(places: host.Places) -> list[Finding]:
    """What the system says; nothing for a folder of one's own."""
    if places.whose != "machine":
        return []
    try:
        return _service()
    except UsageError:
        return _systemd() if os.path.isdir(RUNNING) else []


def _service() -> list[Finding]:
    """Of Windows' service, where there is one. Raises UsageError where there are no such services."""
    found = service.query()
    if not found.installed:
        return []
    if found.state == "running":
        return [ok(AREA, "service", "the service runs")]
    return [problem(AREA, "service", f"the service is {found.state}", "As an administrator: ddns service start")]


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
            "Enable the one that should start runs: systemctl enable --now ddns.timer",
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
