"""ddns.exe as `make exe` builds it, for tests: from the cache, or built first (`make test` has done that before).

DDNS_TEST_EXE names another build tree to test, e.g. build/windows-amd64 as it is, or that of a native build.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

from ground import NotHere
from windows import build, report
from windows.errors import Lacking
from windows.progress import Progress


@functools.cache
def tree() -> Path:
    """The folder with app/ddns.exe, bin/ddns.exe and build.json. In the cache: copy what a test changes.

    Raises NotHere when this machine lacks what the build needs (Wine), BuildError when the build fails.
    """
    named = os.environ.get("DDNS_TEST_EXE")
    if named:
        return Path(named).absolute()
    try:
        with Progress() as progress:
            return build.tree(None, progress)
    except Lacking as missing:
        raise NotHere(f"ddns.exe can't be built here: {missing.args[0]}") from missing


def app() -> Path:
    """The program itself. Raises as `tree` does."""
    return tree() / "app" / "ddns.exe"


def told() -> dict[str, Any]:
    """build.json. Raises as `tree` does."""
    read: dict[str, Any] = json.loads((tree() / report.FILE).read_text("utf-8"))
    return read
