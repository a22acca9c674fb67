"""The name that was probably meant. `difflib` would cost each run a millisecond to import for a case that is rare."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, choices: Iterable[str]) -> str | None:
    """The choice with the fewest typing errors against `word`, None when all are too far away."""
    word = word[:64].lower()
    best, least = None, max(1, len(word) // 3) + 1
    for choice in choices:
        errors = distance(word, choice.lower())
        if errors < least:
            best, least = choice, errors
    return best


def distance(a: str, b: str) -> int:
    """How many single-character insertions, deletions, changes and swaps of neighbours turn `a` into `b`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        older, before, row = before, row, [i + 1]
        for j, y in enumerate(b):
            best = min(before[j] + (x != y), before[j + 1] + 1, row[j] + 1)
            if i and j and x == b[j - 1] and a[i - 1] == y:
                best = min(best, older[j - 1] + 1)
            row.append(best)
    return row[-1]


def hint(word: str, choices: Iterable[str]) -> str:
    """The tail of a message about an unknown word: a question with the near match, or nothing."""
    found = near(word, choices)
    return f'; did you mean "{found}"?' if found else ""
