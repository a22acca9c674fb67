"""Which sources are left alone for a while, because they failed again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddns.address import Family
from ddns.detection import Available, Detected
from ddns.memory import Rest

#: Failures in a row before a source rests; seconds of the first rest, which doubles, and of the longest.
ENOUGH, FIRST, LONGEST = 3, 600.0, 6 * 3600.0

Rested = Mapping[tuple[str, Family], Rest]


def resting(rested: Rested, family: Family, now: float) -> dict[str, float]:
    """The sources of a family that rest, and until when.

    One whose rest begins in the future does not: the clock went back.
    """
    ends = {name: min(rest.until, rest.since + LONGEST) for (name, of), rest in rested.items() if of is family}
    return {name: end for name, end in ends.items() if rested[name, family].since <= now < end}


def news(rested: Rested, family: Family, detected: Detected, now: float) -> Iterator[tuple[str, Family, Rest | None]]:
    """What a detection changes: the source, its family, and its rest from now on (None: it is well).

    Failures count only where the others came to an answer: else the network is at fault, and not the source.
    """
    good = isinstance(detected.detection, Available)
    for answer in detected.answers:
        if answer.address is not None and (answer.source, family) in rested:
            yield answer.source, family, None
        elif answer.address is None and good:
            before = rested.get((answer.source, family))
            failures = before.failures + 1 if before else 1
            pause = max(_pause(failures), min(answer.retry_after or 0.0, LONGEST))
            yield answer.source, family, Rest(failures, now, now + pause, answer.problem)


def _pause(failures: int) -> float:
    return min(FIRST * 2.0 ** min(failures - ENOUGH, 10), LONGEST) if failures >= ENOUGH else 0.0
