"""One SQLite file, one thread that writes it: commits are grouped, so that a crowd costs one flush instead of many.

WAL with ``synchronous=FULL``: when `call` has returned, a power cut does not undo what it did. Other processes
(`ddns gateway code`, while the gateway serves) may open the same file.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from ddns.errors import StateError, StateNewer, StateUnwritable, foreign
from ddns.gateway.ledger.schema import SCHEMA, VERSION

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]

#: Jobs that share a commit at most.
GROUP = 64
#: Seconds to wait for another process that writes.
BUSY = 5.0


def unwritable(path: Path, error: sqlite3.Error) -> StateError:
    """The error that stands for one of SQLite's."""
    return StateUnwritable(
        f"the ledger {path} can't be used: {foreign(str(error))}",
        advice="Give the gateway's account write access to its data folder, and free space.",
    )


class Engine:
    """The thread and its connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        try:
            self._db = _open(path)
        except sqlite3.Error as error:
            raise unwritable(path, error) from error
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    def call(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What `job` returns or raises, once its transaction is durable. Raises StateUnwritable."""
        future: Future[T] = Future()
        if not self._thread.is_alive():
            raise StateUnwritable(f"the ledger {self._path} is closed")
        self._jobs.put((job, future))
        try:
            return future.result()
        except sqlite3.Error as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        """Finish what was asked for, then close the file."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        open_ = True
        while open_:
            group = [self._jobs.get()]
            while len(group) < GROUP and group[-1] is not None:
                try:
                    group.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            open_ = group[-1] is not None
            self._commit([job for job in group if job is not None])
        self._db.close()

    def _commit(self, group: list[tuple[Job, Future[Any]]]) -> None:
        results: list[Any] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for job, _ in group:
                results.append(self._one(job))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            results = [error] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _one(self, job: Job) -> Any:
        self._db.execute("SAVEPOINT job")
        try:
            result = job(self._db)
        except BaseException as error:  # handed to the caller's thread, which raises it
            if not self._db.in_transaction:  # SQLite gave the whole group up, as it does on a full disk
                raise sqlite3.OperationalError(str(error)) from error
            self._db.execute("ROLLBACK TO job")
            result = error
        self._db.execute("RELEASE job")
        return result


def _open(path: Path) -> sqlite3.Connection:
    with contextlib.suppress(OSError):  # SQLite says it better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # its own would be readable by everybody
    db = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        db.execute(statement)
    (min_writer,) = db.execute("SELECT value FROM meta WHERE name = 'min_writer'").fetchone()
    db.execute("COMMIT")
    if int(min_writer) > VERSION:
        db.close()
        raise StateNewer(f"the ledger {path} was written by a newer gateway", advice="Install the newer version again.")
    return db
