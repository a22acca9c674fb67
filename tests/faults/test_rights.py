"""`ddns run` where it may not write or read, as a process over BIND and TLS. Root gives up passing modes by."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from faults.world import FIRST, SECOND, World
from ground import NotHere, not_run


@pytest.fixture
def bound(world: World) -> World:
    """A machine that has run once, and for which file modes hold."""
    assert world.machine.ddns("run").exit == 0
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            not_run(NotHere("root passes file modes by, and setpriv (util-linux) is not here"))
        drop = "-dac_override,-dac_read_search"
        command = (setpriv, "--bounding-set", drop, *world.machine.program.command)
        world.machine.program = replace(world.machine.program, command=command)
    world.move(SECOND)
    return world


@contextmanager
def modes(path: Path, folder: int, file: int) -> Iterator[None]:
    """For a while, other modes for a folder and the files in it."""
    items = {item: item.stat().st_mode for item in (path, *path.iterdir())}
    for item in items:
        item.chmod(folder if item == path else file)
    yield
    for item, mode in items.items():
        item.chmod(mode)


def freed(world: World, *flags: str) -> None:
    """Once what was missing is back, the next run does what is due."""
    assert world.machine.ddns("run", *flags).exit == 0
    assert world.published() == (SECOND,)
    assert world.sql("SELECT count(*) FROM changes WHERE state = 'applied'") == [(2,)]


def test_a_state_folder_that_can_t_be_written(bound: World) -> None:
    with modes(bound.machine.folder / "state", 0o500, 0o400):
        run = bound.machine.ddns("run")
    assert run.exit == 15
    assert "state" in run.err
    assert "write access to the state folder" in run.err
    assert "Traceback" not in run.err
    assert bound.published() == (FIRST,), "nothing is sent without an intent on disk"
    assert bound.machine.status()["run"]["exit"] == 15
    freed(bound)


@pytest.mark.parametrize("moved", [False, True], ids=["nothing changed", "address changed"])
def test_a_state_file_that_can_t_be_written(bound: World, moved: bool) -> None:
    bound.move(SECOND if moved else FIRST)
    (bound.machine.folder / "state" / "state.db").chmod(0o400)
    run = bound.machine.ddns("run")
    assert run.exit == 15
    assert "readonly database" in run.err
    assert "Traceback" not in run.err
    assert bound.published() == (FIRST,)
    (bound.machine.folder / "state" / "state.db").chmod(0o600)
    bound.move(SECOND)
    freed(bound)


def test_a_state_file_that_can_t_be_read(bound: World) -> None:
    with modes(bound.machine.folder / "state", 0o700, 0o000):
        (bound.machine.folder / "state" / "instance.lock").chmod(0o600)
        run = bound.machine.ddns("run")
    assert run.exit == 15
    assert "state.db: unable to open database file" in run.err
    assert bound.published() == (FIRST,)
    freed(bound)


def test_a_log_that_can_t_be_written(bound: World) -> None:
    with modes(bound.machine.folder / "logs", 0o500, 0o400):
        run = bound.machine.ddns("run")
        assert (run.exit, bound.published()) == (0, (SECOND,))
        assert "the log can't be written" in run.err
        quiet = bound.machine.ddns("run")
    assert (quiet.exit, quiet.out[:15]) == (0, "nothing changed")
    assert "ddns.jsonl: Permission denied" in quiet.err
    assert "Traceback" not in run.err + quiet.err


def test_a_status_that_can_t_be_written(bound: World) -> None:
    with modes(bound.machine.folder / "public", 0o500, 0o400):
        run = bound.machine.ddns("run")
        assert (run.exit, bound.published()) == (0, (SECOND,))
        assert "status.json can't be written: Permission denied" in run.err
        quiet = bound.machine.ddns("run")
    assert (quiet.exit, quiet.out[:15]) == (0, "nothing changed")
    assert "status.json" in quiet.err
    assert "Traceback" not in run.err + quiet.err
    assert [line["message"] for line in bound.machine.log()][-1] == "nothing changed", "the log is written all the same"


def test_nobody_answers(bound: World) -> None:
    bound.close()
    run = bound.machine.ddns("run", environ={"DDNS_DETECT_TIMEOUT": "1s"})
    assert run.exit == 11
    assert "the public IPv4 address is not known" in run.out
    assert "ddns detect" in run.out
    assert bound.published() == (FIRST,)
    assert bound.machine.status()["records"][0]["error"]["code"] == "address.unknown"


def test_the_server_is_down(bound: World) -> None:
    bound.bind.stop()
    try:
        run = bound.machine.ddns("run")
        assert run.exit == 13
        assert "deferred" in run.out
    finally:
        bound.bind.start()
    assert bound.published() == (FIRST,)
    freed(bound, "--now")  # the breaker is open
