"""What a look comes to."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """Whether a run needs it to be otherwise."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: the `area` and what of it, what is so, and what to do, a sentence each. Nothing secret."""

    area: str
    what: str
    verdict: Verdict
    says: str
    advice: str = ""


def ok(area: str, what: str, says: str) -> Finding:
    """All is well."""
    return Finding(area, what, Verdict.OK, says)


def warning(area: str, what: str, says: str, advice: str) -> Finding:
    """Worth knowing; runs work all the same, or it can't be told whether they do."""
    return Finding(area, what, Verdict.WARNING, says, advice)


def problem(area: str, what: str, says: str, advice: str) -> Finding:
    """Runs fail by it, or are not safe."""
    return Finding(area, what, Verdict.PROBLEM, says, advice)
