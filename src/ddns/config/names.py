"""Names of records: checked as DNS host names, and brought to one form, which is the one that DNS has."""

from __future__ import annotations

import re
import unicodedata

import idna

from ddns.config.words import quoted

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST = 253


def normal(name: str) -> str:
    """The name in lower case, in its encoded form (IDNA 2008) and without the final dot.

    A label that IDNA has no encoding for stays as it is, for `complaint` to refuse.
    """
    if name.isascii():
        return name.lower().removesuffix(".")
    return ".".join(map(_encoded, name.removesuffix(".").split(".")))


def _encoded(label: str) -> str:
    if label.isascii():
        return label.lower()
    if any(unicodedata.normalize("NFKC", c.lower()).isascii() for c in label if not c.isascii()):
        return label  # such as the Kelvin sign, which is not a k
    try:
        return idna.encode(unicodedata.normalize("NFC", label.lower())).decode("ascii")
    except idna.IDNAError:
        return label


def complaint(name: str) -> str | None:
    """What is wrong with a normalised name, None when it can be a record's full name."""
    labels = name.split(".")
    if not name.isascii():
        return f"{quoted(name)} is not a DNS name: it has characters that no name can hold"
    if len(name) > _LONGEST:
        return f"{quoted(name)} is longer than {_LONGEST} characters"
    for index, label in enumerate(labels):
        if not (_LABEL.fullmatch(label) or (label == "*" and index == 0)):
            return _bad_label(name, label)
    if all(label.isdigit() for label in labels):
        return f"{quoted(name)} is an address, not a name"
    if len(labels) < 2:
        return f"{quoted(name)} is not a full name; write it with its zone, such as home.example.com"
    return None


def _bad_label(name: str, label: str) -> str:
    if not label:
        return f"{quoted(name)} has an empty label"
    return (
        f"{quoted(name)} is not a DNS name: {quoted(label)} must be 1 to 63 letters, digits, - or _, no - at its ends"
    )
