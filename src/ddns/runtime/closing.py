"""How a run ends: stored, shown in status.json, told on standard error where it could not do its work."""

from __future__ import annotations

import json
import os
import socket
import sys

from ddns import host
from ddns.config.load import Loaded
from ddns.errors import DdnsError, Exit, SettingsError, StateError
from ddns.expect import Expectation
from ddns.model import Run
from ddns.runtime import Start, compose, events, loading
from ddns.state.standing import tail
from ddns.state.status import document
from ddns.state.store import Store
from ddns.times import utc
from ddns.wording import pasteable

#: How a tail begins that no full run has made yet.
_NAMELESS = '{"host":"",'


def close(
    start: Start,
    store: Store,
    run: Run,
    code: int,
    *,
    ended: float,
    changed: int,
    loaded: Loaded | None,
    logged: bool,
    fingerprint: str,
    expectation: Expectation | None = None,
) -> str:
    """Store a run's end, then show it in status.json. Returns why that can't be written, "" otherwise."""
    text = _tail(store, loaded, ended)
    store.close(
        run, ended, code, changed=changed, expectation=expectation, log=logged, tail=text, fingerprint=fingerprint
    )
    status = document(
        trace_id=start.trace_id,
        started=start.started,
        ended=ended,
        exit_code=code,
        full=True,
        last_runs=store.last_runs(),
        tail=text,
    )
    return show(start.places, status)


def _tail(store: Store, loaded: Loaded | None, now: float) -> str:
    """Where the records stand; without settings, what was told of them last."""
    told = store.status_tail()
    if loaded is None and told and not told.startswith(_NAMELESS):
        return told
    keys = [target.key for target in compose.targets(loaded.settings)] if loaded is not None else []
    every = loaded.settings.proof.every.seconds if loaded is not None else 0.0
    return tail(store, keys, host=socket.gethostname(), now=now, every=every, paused_until=store.paused_until())


def show(places: host.Places, status: bytes) -> str:
    """Replace status.json. That it can't be is told on standard error and returned, and is no failure of the run."""
    try:
        host.replace(places.status_file, status)
    except OSError as error:
        problem = f"{places.status_file} can't be written: {error.strerror}"
        sys.stderr.write(f"ddns: {problem}\n")
        return problem
    return ""


def complain(error: DdnsError, option: str = "") -> None:
    """Tell an error on standard error: what is wrong, and what to do. `option` as in `Places.option`."""
    problems = error.problems if isinstance(error, SettingsError) and error.problems else (error.message,)
    for problem in problems:
        sys.stderr.write(f"ddns: {problem}\n")
    if error.advice:
        sys.stderr.write(f"ddns: {pasteable(error.advice, option)}\n")


def nothing_here(start: Start) -> int:
    """The end of a run where there are neither settings nor a state: told, and nothing is made."""
    try:
        loading.settings_bytes(start.places)
    except SettingsError as error:
        complain(error, start.places.option)
    return int(Exit.SETTINGS)


def unusable(start: Start, error: StateError) -> int:
    """The end of a run whose state can't be used: told on standard error and, where possible, in status.json."""
    complain(error, start.places.option)
    events.state_unusable(start.places, error, start.trace_id)
    now = utc(start.started)
    run = {"id": start.trace_id, "started": now, "ended": now, "exit": int(error.exit), "full": True}
    path = start.places.status_file
    try:
        with open(path, "rb") as file:
            status = json.load(file)
        status |= {"written_at": now, "run": run, "notes": [f"{error.code}: {error.advice}"]}
        if os.access(path, os.W_OK):
            host.replace(path, json.dumps(status).encode())
    except (OSError, ValueError, TypeError):
        pass  # the message above and the exit code tell it already
    return int(error.exit)
