"""A scheduled task of Windows as the Task Scheduler describes it in XML.

The format: https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

#: The task that a deployment makes.
NAME = r"\DDNS\Update"
_SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
_DECLARED = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True, slots=True)
class Task:
    """What the scheduler says. `triggers`: how many of them are enabled; `every`: seconds between two runs, or None."""

    enabled: bool
    command: str
    triggers: int
    every: float | None


def parse(text: str) -> Task | None:
    """The task in this XML; None when it describes none."""
    try:
        root = ET.fromstring(_DECLARED.sub("", text).strip())  # noqa: S314 - the system's own text
    except ET.ParseError:
        return None
    if root.tag != f"{_SPACE}Task":
        return None
    triggers = [trigger for trigger in root.findall(f"{_SPACE}Triggers/*") if _enabled(trigger)]
    intervals = [_seconds(found.text or "") for one in triggers for found in one.iter(f"{_SPACE}Interval")]
    command = root.findtext(f"{_SPACE}Actions/{_SPACE}Exec/{_SPACE}Command", "").strip().strip('"')
    settings = root.find(f"{_SPACE}Settings")
    every = min((seconds for seconds in intervals if seconds), default=None)
    return Task(settings is None or _enabled(settings), command, len(triggers), every)


def _enabled(element: ET.Element) -> bool:
    return element.findtext(f"{_SPACE}Enabled", "true").strip().lower() not in ("false", "0")


def _seconds(text: str) -> float:
    """Of a duration without months and years (ISO 8601); 0 when it is none."""
    match = _DURATION.fullmatch(text.strip())
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    return float(86400 * days + 3600 * hours + 60 * minutes + seconds)
