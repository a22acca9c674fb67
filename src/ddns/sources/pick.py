"""Where in an answer of an own source the address stands: ``json:KEY``, ``json:/POINTER`` or ``regex:PATTERN``.

A pointer is that of RFC 6901. A key that does not begin with a slash is one of the outermost object.
"""

from __future__ import annotations

import json
import re
from typing import Any


def pick(form: str, body: bytes) -> str:
    """The text at the place that `form` names. Raises ValueError where there is none, or more than one."""
    kind, _, place = form.partition(":")
    if kind == "regex":
        return _matched(place, body.decode("utf-8"))
    data = json.loads(body)
    value = _at(data, place) if place.startswith("/") else data.get(place) if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise ValueError("no text there")  # noqa: TRY004 - a bad answer, not a bad call
    return value


def _matched(pattern: str, text: str) -> str:
    """The first group of the matches, which must all be the same."""
    found = {match[1] for match in re.finditer(pattern, text)}
    if len(found) != 1:
        raise ValueError(f"the pattern finds {len(found)} different texts")
    return found.pop() or ""


def _at(data: Any, pointer: str) -> Any:
    for part in pointer[1:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(data, list):
            if not (part.isascii() and part.isdigit()) or (part != "0" and part.startswith("0")):
                raise ValueError("no such item")
            data = data[int(part[:6])] if int(part[:6]) < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data
