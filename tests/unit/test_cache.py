"""The cache of built things: made once, made anew after a cut, and pruned."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from windows import cache


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DDNS_CACHE", str(tmp_path / "cache"))


def make(folder: Path) -> None:
    (folder / "made").write_text(str(time.monotonic_ns()))


def age(folder: Path, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(folder / cache.COMPLETE, (then, then))


def test_what_is_there_is_not_made_again() -> None:
    first = (cache.once("thing", "one", make) / "made").read_text()
    assert (cache.once("thing", "one", make) / "made").read_text() == first


def test_what_was_cut_short_is_made_anew() -> None:
    folder = cache.once("thing", "one", make)
    (folder / cache.COMPLETE).unlink()
    (folder / "half").write_text("")
    assert sorted(path.name for path in cache.once("thing", "one", make).iterdir()) == [cache.COMPLETE, "made"]


def test_what_nobody_asked_for_goes_when_another_is_made() -> None:
    old, used, other = (cache.once(name, key, make) for name, key in (("a", "old"), ("a", "used"), ("a-b", "old")))
    for folder in (old, used, other):
        age(folder, cache.UNUSED + 1)
    cache.once("a", "used", make)
    assert old.exists(), "nothing new was made yet"
    new = cache.once("a", "new", make)
    assert (old.exists(), used.exists(), new.exists()) == (False, True, True)
    assert other.exists(), "another name is none of this one's business"


def test_what_may_be_in_use_stays() -> None:
    young = cache.once("a", "young", make)
    age(young, cache.UNUSED - 1)
    cache.once("a", "new", make)
    assert young.exists()
