"""The event log of this machine: `report(id, level, text)`. Linux has the JSON log and the journal; there it is silent.

`register` and `unregister` need an administrator; `report` needs no right. None of them raises: a log that can't be
written is no failure of a run, and what was not registered is shown by Windows all the same, with a remark.
"""

import sys

if sys.platform == "win32":
    from ddns.host.windows.events import report as report
else:

    def report(_event_id: int, _level: str, _text: str) -> None:
        """Nothing is told."""
