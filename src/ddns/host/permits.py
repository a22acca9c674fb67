"""Who may read and change a file or folder, beside the account that runs this program and its administrators."""

from __future__ import annotations

import sys
from dataclasses import dataclass

if sys.platform == "win32":
    from ddns.host.windows import permits as _system
else:
    from ddns.host.linux import permits as _system


@dataclass(frozen=True, slots=True)
class Permit:
    """What somebody may do: `who` in words, such as ``every user``."""

    who: str
    reads: bool
    writes: bool


def others(path: str) -> list[Permit]:
    """What others may do with a file or folder. Raises OSError."""
    return [Permit(*found) for found in _system.others(path)]


def lacking(path: str) -> str:
    """What this account can't do there that a run must: ``read``, ``write`` or "". Raises OSError when it is not there.

    Nothing is written for it.
    """
    return _system.lacking(path)
