"""The text of TXT records: as it is meant, and as the character strings that DNS keeps (RFC 1035, sections 3.3, 5.1).

A text that our way of writing it would not give back byte for byte, such as one that somebody cut into strings
elsewhere, stays in its quoted form, so that it is written again as it was. No text of ours begins with a quote.
"""

from __future__ import annotations

import re

_LONGEST = 255
_STRING = re.compile(r'"((?:[^"\\]|\\[0-9]{3}|\\[^0-9])*)"')
_ESCAPE = re.compile(r"\\([0-9]{3}|.)")


def quoted(value: str) -> str:
    """The text as character strings of at most 255 bytes, each in quotes; one that has them already as it is."""
    if value.startswith('"'):
        return value
    data = value.encode()
    pieces = [data[start : start + _LONGEST] for start in range(0, len(data), _LONGEST)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, piece))}"' for piece in pieces)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}"


def unquoted(text: str) -> str:
    """The text of character strings; those that `quoted` would write differently, and text without quotes, as given."""
    plain = text.strip()
    if not plain.startswith('"'):
        return plain
    found = [match[1] for match in _STRING.finditer(plain)]
    value = "".join(_ESCAPE.sub(_meant, piece) for piece in found)
    return value if quoted(value) == plain and not value.startswith('"') else plain


def _meant(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code)) if len(code) == 3 else code
