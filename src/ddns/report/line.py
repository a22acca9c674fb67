"""One line of the JSON log, and its file. No `json` and no `logging` here: the no-change run writes one too."""

from __future__ import annotations

import os

from ddns.times import utc


def line(at: float, level: str, trace_id: str, message: str, details: str) -> str:
    """``{timestamp, level, service, trace_id, message, details}``. `message` and `details` are JSON text already."""
    return (
        f'{{"timestamp":"{utc(at)}","level":"{level}","service":"ddns","trace_id":"{trace_id}",'
        f'"message":{message},"details":{details}}}\n'
    )


def rotate(path: str, keep: int) -> None:
    """Set the log aside as ``path.1``, and older ones one further; `keep` of them stay. Raises OSError."""
    if keep == 0:
        os.truncate(path, 0)
        return
    for number in range(keep - 1, 0, -1):
        if os.path.exists(f"{path}.{number}"):
            os.replace(f"{path}.{number}", f"{path}.{number + 1}")
    os.replace(path, f"{path}.1")
