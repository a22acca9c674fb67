"""How things are worded for people: moments, lengths of time, text from elsewhere. Standard library only."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
#: Commands that take --data, as advice names them, and those of a gateway's operator, which also take --config.
_OWN = (
    "config (?:init|show|validate)|secret (?:set|list|remove)|service (?:install|remove)|run|plan|status|history|detect"
    "|sources|doctor|support-bundle|pause|resume|remove|watch|enroll"
)
_OPERATORS = "gateway (?:add|audit|code|freeze|hosts|password|retire|revoke|serve|thaw)"
#: From this year on a moment means "until somebody ends it".
_FOR_EVER = 9999
#: 9999-12-31T00:00:00Z, the latest moment that every reader of status.json can hold.
FOR_EVER = 253_402_214_400.0


def visible(text: str) -> str:
    """The text with line breaks kept, and every other character that can't be printed shown as its escape.

    Control characters would move a terminal's cursor, and marks of writing direction would reorder its line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def pasteable(text: str, option: str, *, gateway: bool = False) -> str:
    """The text with `option` in every command of ours that takes it and has none yet: `` --data DIR``.

    `gateway`: in the commands of a gateway's operator; else in all others.
    """
    if not option:
        return text
    # Not made at import: `ddns status --json` imports this module.
    return re.sub(
        rf"\bddns ({_OPERATORS if gateway else _OWN})\b(?![^`;,]* --(?:data|config)\b)",
        rf"\g<0>{_escaped(option)}",
        text,
    )


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\")


def readable(name: str) -> str:
    """A DNS name with its encoded labels in their own script, for people; a label that has no such form as it is."""
    if "xn--" not in name:
        return name
    return ".".join(_own_script(label) for label in name.split("."))


def _own_script(label: str) -> str:
    coded = label.removeprefix("xn--")
    try:
        text = coded.encode("ascii").decode("punycode") if coded != label else label
        same = text.encode("punycode").decode("ascii") == coded
    except UnicodeError:
        return label
    return text if same and text.replace("-", "").isprintable() and not text.isascii() else label


def span(seconds: float) -> str:
    """A length of time in its two largest units: ``2 h 5 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    days, hours = divmod(hours, 24)
    unit = "day" if days == 1 else "days"
    return f"{days} {unit} {hours} h" if hours and days < 3 else f"{days} {unit}"


def relative(moment: float, now: float) -> str:
    """``2 h ago``, ``in 5 min``, ``just now``: rounded to the largest unit."""
    away = abs(moment - now)
    if away < 1:
        return "just now"
    size = next((size for size in (86400, 3600, 60) if away >= size - size / 120), 1)
    about = span(round(away / size) * size)
    return f"in {about}" if moment > now else f"{about} ago"


def local(moment: float, now: float) -> str:
    """The moment on this machine's clock, as short as it can be understood at `now`."""
    then, today = time.localtime(moment), time.localtime(now)
    clock = f"{then.tm_hour:02}:{then.tm_min:02}"
    if then[:3] == today[:3]:
        return clock
    day = time.strftime("%d %b", then)
    return f"{day} {clock}" if abs(moment - now) < 180 * 86400 else f"{day} {then.tm_year}"


def seconds_of(text: object) -> float | None:
    """UTC seconds of an ISO 8601 moment with an offset, from 1971 on; None when it is not one."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None and moment.year > 1970 else None


def endless(moment: float) -> bool:
    """Whether it means "until somebody ends it"."""
    return time.gmtime(moment).tm_year >= _FOR_EVER


def until(text: str, now: float) -> float:
    """When a pause that is asked for as `text` ends.

    A duration (``90m``, ``2h``, ``3d``), a time of day (``18:00``, the next one), or a date with or without a time
    (``2026-12-24``, ``2026-12-24T18:00``), local unless it has an offset. ValueError when it is none or has passed.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is not None:
        seconds = float(match[1]) * _SECONDS[match[2]]
        if seconds <= 0:
            raise ValueError("a pause needs a length")
        return now + seconds
    moment = _clock(text.strip(), now) or _date(text.strip())
    if moment is None:
        raise ValueError(f'expected a duration (2h), a time (18:00) or a date (2026-12-24), found "{visible(text)}"')
    if moment <= now:
        raise ValueError(f"{visible(text)} has passed")
    return moment


def _clock(text: str, now: float) -> float | None:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        return None
    today = datetime.fromtimestamp(now, UTC).astimezone()
    moment = today.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    return (moment if moment.timestamp() > now else moment + timedelta(days=1)).timestamp()


def _date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text).astimezone()
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
