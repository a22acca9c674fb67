"""A bounded read: what it gives, and what memory it takes for it."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import pytest

from ddns import host


@pytest.mark.parametrize(("size", "limit"), [(0, 9), (9, 9), (10, 9), (200_000, 70_000), (200_000, 300_000), (5, 0)])
def test_it_gives_the_beginning_of_a_file(tmp_path: Path, size: int, limit: int) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        assert host.read_at_most(file, limit) == content[:limit]


def test_a_small_file_takes_little_memory_whatever_the_limit() -> None:
    file = io.BufferedReader(io.FileIO(os.devnull))
    with file:
        tracemalloc.start()
        host.read_at_most(file, 16 << 20)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 1 << 18


def test_a_pipe_that_nobody_writes_to_holds_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        assert host.read_at_most(file, 100) == b""
