"""How a path is typed at a shell. Standard library only."""

from __future__ import annotations

import os

#: Characters of paths, beside letters and digits, that no shell minds.
_PLAIN = dict.fromkeys(map(ord, "/:._-+@%"), "a")


def quoted(path: str) -> str:
    """A path as this system's shells take it, in quotes where it needs them."""
    plain = path.replace("\\", "") if os.sep == "\\" else path
    if plain.translate(_PLAIN).isalnum():
        return path
    return f'"{path}"' if os.sep == "\\" else "'" + path.replace("'", "'\\''") + "'"
