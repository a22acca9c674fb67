"""A PowerShell that stays for the tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.conftest import gateway as gateway
from ground import NotHere, not_run, pwsh
from powershell.one.machine import Served


@pytest.fixture(scope="session")
def _one_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served | NotHere]:
    try:
        served = Served(pwsh.linux(), tmp_path_factory.mktemp("pwsh"))
        pwsh.tasks_double()
    except NotHere as missing:
        yield missing
        return
    yield served
    served.stop()


@pytest.fixture
def served(_one_shell: Served | NotHere) -> Served:
    """PowerShell on this machine, with the module and the double of the task scheduler."""
    if isinstance(_one_shell, NotHere):
        not_run(_one_shell)
    return _one_shell
