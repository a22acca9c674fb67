"""Secrets: where one lies, and one that was opened."""

from __future__ import annotations

import sys

#: The scheme of what `ddns secret set` stores on this system.
STORED = "dpapi" if sys.platform == "win32" else "file"


class Secret:
    """A resolved secret. It prints as ``***``; only `reveal` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for a header, a signature, a TSIG key; never for a message."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


class SecretRef:
    """Where a secret lies: ``env:NAME``, ``file:PATH``, ``dpapi:ID`` or ``keyring:ID``. Never the secret itself.

    >>> SecretRef("env:TOKEN").scheme
    'env'
    """

    SCHEMES = ("dpapi", "env", "file", "keyring")
    __slots__ = ("place", "scheme")

    def __init__(self, text: str) -> None:
        scheme, colon, place = text.partition(":")
        if not colon or scheme not in self.SCHEMES or not place:
            # The text may be the secret itself, pasted: it must not be repeated in the message.
            raise ValueError(
                "expected a reference (env:NAME, file:PATH, dpapi:ID or keyring:ID), found a literal value; "
                "store the secret with `ddns secret set` and name it here"
            )
        self.scheme = scheme
        self.place = place

    def __str__(self) -> str:
        return f"{self.scheme}:{self.place}"

    def __repr__(self) -> str:
        return f"SecretRef({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretRef) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
