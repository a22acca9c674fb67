"""Fixtures of the unit tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.stage import Stage
from unit.terminal import NOW


@pytest.fixture
def at_now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is `NOW`, in UTC, for every command that looks at the clock."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.setattr(time, "time", lambda: NOW)
        yield
    time.tzset()


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting comes from the environment."""
    for name in [name for name in os.environ if name.startswith("DDNS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def stage(tmp_path: Path, unset: None) -> Iterator[Stage]:
    """A machine that has never run."""
    with Stage(tmp_path / "machine") as made:
        yield made
