"""A time limit for what dns-lexicon's providers send through `requests`, which sets none by itself.

Every way of `requests` leads through `Session.send`. That is wrapped once, and does as ever but in a thread that runs
under `bounded`: there no request begins when the time is over, and none waits for the network longer than is left. What
is bounded is each wait, so that a server which sends a byte now and then may still take longer.
Source: https://requests.readthedocs.io/en/latest/user/advanced/#timeouts
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ddns.ports import Deadline

_of_thread = threading.local()
_wrapping = threading.Lock()


@contextmanager
def bounded(deadline: Deadline) -> Iterator[None]:
    """Give every request of this thread no more than what is left of the deadline."""
    _wrap()
    _of_thread.deadline = deadline
    try:
        yield
    finally:
        _of_thread.deadline = None


def _wrap() -> None:
    requests = importlib.import_module("requests")
    with _wrapping:
        real = requests.Session.send
        if hasattr(real, "bounded"):
            return

        @functools.wraps(real)
        def send(session: Any, request: Any, **options: Any) -> Any:
            deadline: Deadline | None = getattr(_of_thread, "deadline", None)
            if deadline is not None:
                left = deadline.left()
                if left <= 0:  # of a timeout that says nothing about an earlier request of the same operation
                    raise requests.ReadTimeout("no time is left for another request", request=request)
                options["timeout"] = within(options.get("timeout"), left)
            return real(session, request, **options)

        send.bounded = True  # type: ignore[attr-defined]  # a mark for the next call
        requests.Session.send = send


def within(asked: object, left: float) -> float | tuple[float, ...]:
    """A timeout of `requests` (seconds, or those of connecting and of reading) that does not exceed what is left."""
    if isinstance(asked, tuple):
        return tuple(min(part, left) if isinstance(part, int | float) else left for part in asked)
    return min(asked, left) if isinstance(asked, int | float) else left
