"""What commands read without a run: status.json. No lock, no state, no elevation; imports next to nothing."""

from __future__ import annotations

import json

from ddns import host
from ddns.errors import DdnsError, Exit

TYPE_CHECKING = False  # as typing has it, whose import costs more than reading
if TYPE_CHECKING:
    from typing import Any

#: Bytes of a status.json that are read at most; a real one has a few thousand.
_LIMIT = 16 << 20


class NoStatus(DdnsError):
    """There is no status that can be read."""

    code = "status"
    exit = Exit.DEGRADED
    default_advice = "See what stands at that path; a new one is written by: ddns run"


class Status:
    """A status.json as it was found, and the log of the same place. `whose`: ``machine``, ``user``, ``data folder``."""

    __slots__ = ("document", "log", "path", "whose")

    def __init__(self, document: dict[str, Any], path: str, log: str, whose: str) -> None:
        self.document = document
        self.path = path
        self.log = log
        self.whose = whose


def status(data: str | None = None) -> Status:
    """The machine's status, else the user's; that of `--data DIR` alone. Raises NoStatus."""
    tried = host.readable_places(data)
    for places in tried:
        content = _content(places.status_file)
        if content is not None:
            return Status(_document(content, places.status_file), places.status_file, places.log_file, places.whose)
    raise NoStatus(
        f"no run yet: there is no {' and no '.join(places.status_file for places in tried)}",
        advice="Start one with: ddns run",
    )


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return host.read_at_most(file, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise NoStatus(
            f"permission denied: this account may not read {path}",
            advice="Run the command as an administrator, or give this account the right to read that file.",
        ) from error
    except OSError as error:
        raise NoStatus(f"{path} can't be read: {error.strerror}") from error


def _document(content: bytes, path: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _malformed(path, "it is not JSON") from error
    if not isinstance(document, dict):
        raise _malformed(path, "it is no JSON object")
    if document.get("schema") != 1:
        raise NoStatus(
            f"{path} was written in another format than this program reads (schema 1)",
            advice="Use the ddns program that the scheduled task starts.",
        )
    return document


def _malformed(path: str, what: str) -> NoStatus:
    return NoStatus(f"{path} is malformed: {what}", advice="The next run writes it anew: ddns run --full")
