"""The state: whether it opens, is whole and of our format, and what was left open."""

from __future__ import annotations

import os

from ddns import host
from ddns.errors import StateError, StateNewer, StateUnwritable
from ddns.runtime.doctor.finding import Finding, ok, problem, warning
from ddns.state.reader import Reader
from ddns.state.schema import StateDamaged, check, connect, last_aside
from ddns.wording import relative

AREA = "state"
#: Seconds after which a change whose end is not known should have been settled by a run.
_STALE = 3600.0


def look(places: host.Places, now: float) -> list[Finding]:
    """What there is to say of the state file. It is read, and nothing waits for it."""
    path = places.state_file
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return [warning(AREA, "file", "there is no state: no run has been here", "Start one with: ddns run")]
    except OSError as error:
        return [_unseen(f"{path} can't be looked at: {error.strerror}")]
    try:
        base = connect(path)
    except StateUnwritable as error:
        return [_unseen(error.message)]
    except StateError as error:
        return [_broken(error)]
    try:
        check(base, path)
        found = [ok(AREA, "file", f"{path} is whole"), *_open(Reader(base, path), now)]
    except StateError as error:
        return [_broken(error)]
    finally:
        base.close()
    aside = last_aside(path)
    if aside is not None:
        found.append(
            warning(
                AREA,
                "damage",
                f"an earlier state was damaged and is kept as {aside}",
                "Check the disk if it comes again; remove the file when nobody wants to look into it.",
            )
        )
    return found


def _open(state: Reader, now: float) -> list[Finding]:
    intents = state.recall().intents.values()
    if not intents:
        return [ok(AREA, "open changes", "every change has an end that is known")]
    oldest = min(intent.at for intent in intents)
    many = "1 change has" if len(intents) == 1 else f"{len(intents)} changes have"
    says = f"{many} no known end yet, the oldest from {relative(oldest, now)}"
    if now - oldest < _STALE:
        return [ok(AREA, "open changes", f"{says}; the next run looks")]
    return [warning(AREA, "open changes", says, "Let a run look at DNS and settle it: ddns run --prove")]


def _unseen(says: str) -> Finding:
    return warning(
        AREA, "file", says, "Run the command as an administrator, or as the account that runs ddns, to see more."
    )


def _broken(error: StateError) -> Finding:
    if isinstance(error, StateNewer | StateDamaged):
        return problem(AREA, "file", error.message, error.advice)
    return problem(AREA, "file", error.message, StateError.default_advice)
