"""The ground that tests stand on: real servers, fetched and started for them, and what can't be had named as such.

A part that this machine lacks is `NotHere` with its reason. On a user's machine its tests are skipped and the reason
is printed at the end as "not run, because ..."; with CI=true it is a failure, unless no registry gives the part.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

#: How a skipped test's reason starts; the terminal summary collects these.
NOT_RUN = "not run, because "


class NotHere(Exception):
    """A part is missing on this machine. The message goes on after "not run, because "."""


class NotToBeHad(NotHere):
    """The part is missing, and can't be fetched from where this project fetches: PowerShell, for one."""


def in_ci() -> bool:
    """Whether a missing part is a failure."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def not_run(missing: NotHere) -> NoReturn:
    """Skip the test for want of a part; in CI, fail it where the part could be had."""
    if in_ci() and not isinstance(missing, NotToBeHad):
        pytest.fail(f"with CI=true every part must run: {missing}", pytrace=False)
    pytest.skip(f"{NOT_RUN}{missing}")
