"""A part that a machine lacks: named on a user's machine, a failure in CI unless nothing there could have it."""

from __future__ import annotations

import pytest

from ground import NOT_RUN, NotHere, NotToBeHad, not_run

Skipped = pytest.skip.Exception
Failed = pytest.fail.Exception


@pytest.mark.parametrize(
    ("ci", "missing", "expected"),
    [
        ("", NotHere("no wine"), Skipped),
        ("true", NotHere("no wine"), Failed),
        ("true", NotToBeHad("no pwsh"), Skipped),
        ("", NotToBeHad("no pwsh"), Skipped),
    ],
)
def test_a_missing_part(
    monkeypatch: pytest.MonkeyPatch, ci: str, missing: NotHere, expected: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(expected) as ended:
        not_run(missing)
    assert str(missing) in str(ended.value)
    assert str(ended.value).startswith(NOT_RUN) is (expected is Skipped)
