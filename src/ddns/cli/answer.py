"""The form of every command's JSON, and the one answer that is worth giving without click: `ddns status --json`.

Monitoring asks it of a whole fleet, every few minutes, and click's import takes longer than the answer.
"""

from __future__ import annotations

import json
import sys
import time

from ddns.errors import DdnsError, Exit


def form(command: str, data: object) -> str:
    """``{schema, command, data}``, in ASCII so that any console takes it."""
    return json.dumps({"schema": 1, "command": command, "data": data}, indent=2)


def status(data: str | None) -> int | None:
    """Print what `ddns status --json` prints; its exit code. None: it can't, and the command itself will say why."""
    from ddns.cli.verdict import troubles
    from ddns.cli.view import view
    from ddns.runtime import reading

    try:
        document = reading.status(data).document
        sys.stdout.write(f"{form('status', document)}\n")
        sys.stdout.flush()
    except (DdnsError, OSError):
        return None
    return int(Exit.DEGRADED if troubles(view(document), time.time()) else Exit.FINE)
