"""How a moment is written: UTC, ISO 8601 with milliseconds, as log, status and `--json` have it."""

from __future__ import annotations

import time


def utc(seconds: float) -> str:
    """``2026-11-22T17:05:09.123Z`` for UTC seconds since the epoch."""
    whole = int(seconds // 1)
    millis = int((seconds - whole) * 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{millis:03d}Z"
