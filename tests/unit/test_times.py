"""How a moment is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.times import utc


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1795367109.1239, "2026-11-22T17:05:09.123Z"),
        (-0.5, "1969-12-31T23:59:59.500Z"),
    ],
)
def test_utc(seconds: float, text: str) -> None:
    assert utc(seconds) == text


@given(st.floats(0, 4_000_000_000))
def test_utc_is_read_back_to_the_millisecond(seconds: float) -> None:
    assert 0 <= seconds - datetime.fromisoformat(utc(seconds)).timestamp() < 0.001 + 1e-6
    assert datetime.fromisoformat(utc(seconds)).tzinfo is UTC
