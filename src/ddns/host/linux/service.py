"""No service here: each call says what to use instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from ddns.errors import UsageError
from ddns.host.servicing import Service


def _elsewhere() -> NoReturn:
    raise UsageError(
        "`ddns service` is for Windows services",
        advice="Let systemd keep `ddns watch` running; docs/guides/service.md has the unit.",
    )


def install(_command: Sequence[str], _account: str, _reading: Sequence[str], _writing: Sequence[str]) -> list[str]:
    """Not here. Raises UsageError."""
    _elsewhere()


def query() -> Service:
    """Not here. Raises UsageError."""
    _elsewhere()


def remove(_folders: Sequence[str]) -> bool:
    """Not here. Raises UsageError."""
    _elsewhere()


def start() -> Service:
    """Not here. Raises UsageError."""
    _elsewhere()


def stop() -> Service:
    """Not here. Raises UsageError."""
    _elsewhere()


def serve(_work: Callable[[], int], _stop: Callable[[], None], _resumed: Callable[[], None]) -> int:
    """Not here. Raises UsageError."""
    _elsewhere()
