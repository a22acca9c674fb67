"""Names of records: checked as DNS host names, and brought to one form."""

from __future__ import annotations

import re
import unicodedata

from ddns.config.words import quoted

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST = 253


def normal(name: str) -> str:
    """The name in lower case (ASCII only: a name is not mapped), without the final dot."""
    return "".join(c.lower() if c.isascii() else c for c in name).removesuffix(".")


def complaint(name: str) -> str | None:
    """What is wrong with a normalised name, None when it can be a record's full name."""
    labels = name.split(".")
    if not name.isascii():
        return _foreign_script(name, labels)
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


def _foreign_script(name: str, labels: list[str]) -> str:
    ascii_form = ".".join(_a_label(label) for label in labels)
    if all(_LABEL.fullmatch(label) for label in ascii_form.split(".")):
        return f'{quoted(name)} is not ASCII; write the encoded form "{ascii_form}"'
    return f"{quoted(name)} is not a DNS name: it has characters that no name can hold"


def _a_label(label: str) -> str:
    """The punycode form that IDNA gives a label, for a suggestion; the label itself when it can't have one."""
    label = unicodedata.normalize("NFC", label.lower())
    if label.isascii() or not all(c.isalnum() or c == "-" or unicodedata.category(c).startswith("M") for c in label):
        return label
    return "xn--" + label.encode("punycode").decode("ascii")
