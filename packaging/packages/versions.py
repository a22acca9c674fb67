"""For the patch policy: the versions in a build, each with its age as far as the build itself tells it."""

from __future__ import annotations

import json
import re
import struct
from datetime import UTC, datetime
from pathlib import Path

from packages import components
from packages.errors import PackageError
from packages.facts import BUILD

_PE_OFFSET, _TIMESTAMP = 0x3C, 8
#: OpenSSL says when it was released: "OpenSSL 3.0.18 30 Sep 2025".
_OPENSSL = re.compile(rb"OpenSSL [0-9.]+ ([0-9]{1,2} [A-Z][a-z]{2} [0-9]{4})")


def table(tree: Path) -> str:
    """Name, version and date of everything in `tree`, aligned. A date of "?" is one that no file tells."""
    try:
        told = json.loads((tree / BUILD).read_bytes())
    except (OSError, ValueError) as error:
        raise PackageError(f"{tree / BUILD}: {error}") from error
    rows = [("component", "version", "of")]
    parts = components.of_tree(tree, told.get("tools", {}))
    rows += [(one.name, one.version, _date([tree / path for path in one.files])) for one in parts]
    rows += [(name, version, "?") for name, version in sorted(told.get("packages", {}).items())]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "".join(f"{name:{widths[0]}}  {version:{widths[1]}}  {of}\n" for name, version, of in rows)


def _date(paths: list[Path]) -> str:
    for path in paths:
        content = path.read_bytes()
        if found := _OPENSSL.search(content):
            return datetime.strptime(found.group(1).decode(), "%d %b %Y").replace(tzinfo=UTC).date().isoformat()
        if linked := _linked(content):
            return linked
    return "?"


def _linked(content: bytes) -> str:
    """The day that the linker wrote into a PE file; none when it is no day (a hash, or zero)."""
    try:
        (header,) = struct.unpack_from("<I", content, _PE_OFFSET)
        (seconds,) = struct.unpack_from("<I", content, header + _TIMESTAMP)
    except struct.error:
        return ""
    day = datetime.fromtimestamp(seconds, UTC)
    return day.date().isoformat() if datetime(2015, 1, 1, tzinfo=UTC) < day < datetime.now(UTC) else ""
