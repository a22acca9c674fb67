"""No Task Scheduler here: systemd's timers are asked for by their names, and cron is nobody's to ask."""

from __future__ import annotations

from ddns.host.tasking import Task


def query() -> Task | None:
    """None: there are no such tasks."""
    return None


def sees_all() -> bool:
    """There is nothing that could be hidden."""
    return True


def at_logon() -> str:
    """Nothing of ours starts with a session."""
    return ""
