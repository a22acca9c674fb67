"""Opening the state: made when there is none, set aside and rebuilt when it is damaged, left alone when newer.

A machine that was retired stays so: a state that does not know of it is told by the mark beside it.
"""

from __future__ import annotations

import sqlite3

from ddns.errors import StateError, StateUnwritable
from ddns.state import retirement
from ddns.state.schema import StateDamaged, check, connect, create, last_aside, set_aside
from ddns.state.store import Store
from ddns.wording import FOR_EVER


def open_store(path: str, now: float) -> Store:
    """Open the state, make it if there is none; a damaged one is set aside and a new one notes the gap.

    Raises StateNewer, StateUnwritable.
    """
    store = _opened(path, now)
    try:
        since = retirement.marked(path, now)
        if since is not None and store.retired_at() is None:
            store.retired(since, FOR_EVER)
    except StateError:
        store.close_file()
        raise
    return store


def _opened(path: str, now: float) -> Store:
    try:
        return _checked(_connect_or_create(path, now), path)
    except StateDamaged as damage:
        aside = set_aside(path, now)
        note = f"the state was damaged ({damage.message}) and is kept as {aside}; history before this is not there"
        return Store(create(path, (now, note)), path)


def _connect_or_create(path: str, now: float) -> sqlite3.Connection:
    try:
        return connect(path)
    except StateUnwritable as error:
        if "unable to open" not in error.message:
            raise
        aside = last_aside(path)  # a rebuild that was killed between its two steps
        note = f"there was no state but a damaged one, kept as {aside}; history before this is not there"
        return create(path, (now, note) if aside else None)


def _checked(base: sqlite3.Connection, path: str) -> Store:
    """A store all of which can be read. Raises StateDamaged; the file is closed then, so that it can be renamed."""
    try:
        check(base, path)
        store = Store(base, path)
        store.recall()
        store.read_rest()
    except StateError:
        base.close()
        raise
    return store
