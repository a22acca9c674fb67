"""What the state remembers of changes, for `ddns history`. Takes no lock and changes nothing."""

from __future__ import annotations

import os

from ddns import host
from ddns.errors import StateUnwritable
from ddns.state.reader import Reader
from ddns.state.rows import HistoryEntry
from ddns.state.schema import StateDamaged, connect


def history(data: str | None, limit: int) -> list[HistoryEntry]:
    """The last `limit` changes and notes, newest first; none where no run has been. Raises StateError."""
    path = host.places(data).state_file
    if not _there(path):
        return []
    try:
        return _read(path, limit)
    except StateDamaged as error:
        raise StateDamaged(
            f"the state is damaged: {error.message}",
            advice="The next run sets it aside and builds a new one: ddns run",
        ) from error


def _read(path: str, limit: int) -> list[HistoryEntry]:
    base = connect(path)
    try:
        return Reader(base, path).history(limit)
    finally:
        base.close()


def _there(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StateUnwritable(
            f"{path}: {error.strerror}", advice="Run the command as an administrator: the state is protected."
        ) from error
    return True
