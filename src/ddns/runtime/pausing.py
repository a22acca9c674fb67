"""Pausing runs, and ending the pause. Status tells of it at once."""

from __future__ import annotations

import json
import time

from ddns import host
from ddns.errors import BusyError
from ddns.runtime.full import prepare
from ddns.state.opening import open_store
from ddns.times import utc

#: Seconds that a run in progress is waited for, and how often it is looked at.
_PATIENCE = 10.0
_LOOK = 0.1


def locked(folder: str, patience: float = _PATIENCE) -> host.InstanceLock:
    """This machine's lock, waited for at most so many seconds while a run has it. Raises BusyError, StateError."""
    ends = time.monotonic() + patience
    while True:
        try:
            return host.InstanceLock(folder)
        except BusyError:
            if time.monotonic() >= ends:
                raise
            time.sleep(_LOOK)


def pause(data: str | None, until: float | None) -> float | None:
    """Pause runs until then (UTC seconds), None: end the pause; returns until when they were paused before.

    Raises BusyError when a run does not end in time, StateError.
    """
    places = host.places(data)
    lock = locked(places.state)
    try:
        prepare(places)
        store = open_store(places.state_file, time.time())
        try:
            before = store.paused_until()
            store.pause(until)
        finally:
            store.close_file()
        _show(places, until)
    finally:
        lock.release()
    return before


def _show(places: host.Places, until: float | None) -> None:
    """Tell it in status.json, where there is one; the next run writes it anew in any case."""
    try:
        with open(places.status_file, "rb") as file:
            status = json.load(file)
        if isinstance(status, dict):
            status["paused_until"] = None if until is None else utc(until)
            if until is None:
                status.pop("retired_at", None)
            host.replace(places.status_file, json.dumps(status, separators=(",", ":")).encode() + b"\n")
    except (OSError, ValueError):
        return
