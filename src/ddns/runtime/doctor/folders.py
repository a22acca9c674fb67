"""Who may read and change what lies in the folders, and whether this account may."""

from __future__ import annotations

import os

from ddns import host
from ddns.host.permits import Permit, lacking, others
from ddns.runtime.doctor.finding import Finding, ok, problem, warning

AREA = "permissions"
_CLOSE = "Take these rights away from them; docs/reference/places.md has the rights that each folder should have."
_ADMINISTRATOR = "Run the command as an administrator, or as the account that runs ddns, to see more."


def look(places: host.Places) -> list[Finding]:
    """A finding a folder; those that are not there yet are made by the first run, and have their rights then."""
    found = []
    for what, path, secret, runs_write in (
        ("settings", places.config_file, False, False),
        ("settings folder", places.config, False, False),
        ("secrets", places.secrets, True, False),
        ("state", places.state, False, True),
        ("logs", places.logs, False, True),
        ("public", places.public, False, True),
    ):
        try:
            found.append(_one(what, path, secret=secret, runs_write=runs_write))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.append(_hidden(what, path, error))
    return found + _secrets(places.secrets) + _public(places)


def _one(what: str, path: str, *, secret: bool, runs_write: bool) -> Finding:
    wrong = [who for who in others(path) if who.writes or (secret and who.reads)]
    if wrong:
        return problem(AREA, what, f"{path}: {_told(wrong, secret=secret)}", _CLOSE)
    missing = lacking(path)
    if missing == "read" or (missing and runs_write):
        return warning(AREA, what, f"this account may not {missing} {path}", _ADMINISTRATOR)
    return ok(AREA, what, f"{path} is closed to others" if secret else f"{path} can't be changed by others")


def _told(wrong: list[Permit], *, secret: bool) -> str:
    verbs = {(True, True): "read and change", (True, False): "read", (False, True): "change"}
    return ", ".join(
        f"{who.who} may {verbs[who.reads and secret, who.writes] if secret else 'change'} it" for who in wrong
    )


def _hidden(what: str, path: str, error: OSError) -> Finding:
    return warning(AREA, what, f"{path} can't be looked at: {error.strerror}", _ADMINISTRATOR)


def _secrets(folder: str) -> list[Finding]:
    """The files of secrets that others may read or change, which the folder's own rights may hide or not."""
    found = []
    try:
        with os.scandir(folder) as entries:
            files = sorted(entry.path for entry in entries if entry.is_file())
        for path in files:
            wrong = [who for who in others(path) if who.reads or who.writes]
            if wrong:
                found.append(problem(AREA, "secrets", f"{path}: {_told(wrong, secret=True)}", _CLOSE))
    except OSError:
        return found  # the folder's own finding says it
    return found


def _public(places: host.Places) -> list[Finding]:
    """`ddns status` of other users reads the machine's status."""
    if places.whose != "machine" or not os.path.isdir(places.public):
        return []
    if any(who.reads and who.who.startswith("every") for who in others(places.public)):
        return []
    return [
        warning(
            AREA,
            "public",
            f"other users can't read {places.public}, so that `ddns status` tells them nothing",
            "Let every user read that folder.",
        )
    ]
