"""Fleets for these tests, closed after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ground import NotHere, not_run, pwsh
from powershell.fleet import Fleet


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Makes a fleet: `make_fleet(["m01", "m02"], refused=["m02"], dead=["m03"])`."""
    with ExitStack() as stack:

        def make(names: list[str], **more: list[str]) -> Fleet:
            try:
                return stack.enter_context(Fleet(tmp_path, names, **more))
            except NotHere as missing:
                not_run(missing)

        yield make


@pytest.fixture
def shell() -> pwsh.Shell:
    """PowerShell on this machine."""
    try:
        return pwsh.linux()
    except NotHere as missing:
        not_run(missing)
