"""What the resident program has of this machine: the run's command, a clock, changes of the network, the service."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self

from ddns import host
from ddns.errors import StateError
from ddns.host import adapters, changes, program, route, service
from ddns.host.servicing import LOCAL_SERVICE as LOCAL_SERVICE
from ddns.host.servicing import Service as Service

if sys.platform == "win32":
    _clock = time.monotonic
else:

    def _clock() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class Changing(Protocol):
    """Waits for changes; `host.changes.Changes` on a real machine."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, *_error: object) -> None:
        """Give everything back."""

    def wait(self) -> bool:
        """Whether something changed since the last call; False for ever once cancelled."""
        ...

    def cancel(self) -> None:
        """End the wait, and every later one."""


def _data(data: str | None) -> tuple[str, ...]:
    return ("--data", os.path.abspath(data)) if data is not None else ()


def run_command(data: str | None) -> tuple[str, ...]:
    """What a scheduled task starts, too."""
    return (*program.command(), "run", *_data(data))


def elapsed() -> float:
    """Seconds that never go back, and go on while the machine sleeps (as Windows' monotonic clock does)."""
    return _clock()


def slept() -> int:
    """As `host.sleep_bias`."""
    return host.sleep_bias()


def network() -> tuple[object, ...]:
    """What a change of the network changes: the addresses here, and those that packets leave from.

    The system tells of more: a router's announcement renews what is there every few minutes.
    """
    try:
        found = frozenset((item.adapter, item.address) for item in adapters.read() if not item.tentative)
    except OSError:
        found = frozenset()
    return (found, *(route.source_address(family) for family in (4, 6)))


@contextlib.contextmanager
def network_changes(
    tell: Callable[[], None],
    look: Callable[[], object] = network,
    source: Callable[[], Changing] = changes.Changes,
) -> Iterator[bool]:
    """Calls `tell`, in a thread, when what `look` finds has changed; False inside where the system can't tell."""
    try:
        waiting = source()
    except OSError:
        yield False
        return
    seen = look()

    def listen() -> None:
        nonlocal seen
        while waiting.wait():
            now = look()
            if now != seen:
                seen = now
                tell()

    with waiting:
        thread = threading.Thread(target=listen, name="network", daemon=True)
        thread.start()
        try:
            yield True
        finally:
            waiting.cancel()
            thread.join()


def service_command(data: str | None, every: str) -> tuple[str, ...]:
    """What the service manager starts."""
    return (*program.command(), "service", "run", "--every", every, *_data(data))


def install(data: str | None, every: str, account: str) -> list[str]:
    """Make the service, and the folders that it works in; returns what this Windows does not know.

    Raises UsageError, StateUnwritable.
    """
    from ddns.runtime.full import prepare  # a resident process would keep what it needs

    service.query()  # that there are no services here is told before anything is made
    places = host.places(data)
    prepare(places)
    if not os.path.isdir(places.config):
        host.private_folder(places.config)
    reading, writing = _folders(places)
    return service.install(service_command(data, every), account, reading, writing)


def remove(data: str | None) -> bool:
    """Stop the service and remove it, and its rights; whether there was one. Raises UsageError."""
    service.query()
    try:
        reading, writing = _folders(host.places(data))
    except StateError:  # folders that are not ours hold no rights of ours
        reading, writing = (), ()
    return service.remove((*reading, *writing))


def _folders(places: host.Places) -> tuple[Sequence[str], Sequence[str]]:
    return (places.config, places.secrets), (places.state, places.logs, places.public)


def query() -> Service:
    """What the manager says of the service. Raises UsageError."""
    return service.query()


def start() -> Service:
    """Start the service. Raises UsageError."""
    return service.start()


def stop() -> Service:
    """Stop the service. Raises UsageError."""
    return service.stop()


def serve(work: Callable[[], int], stopped: Callable[[], None], resumed: Callable[[], None]) -> int:
    """Be the service. Raises UsageError."""
    return service.serve(work, stopped, resumed)
