"""What the headers of an answer say of time."""

from __future__ import annotations

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.http_time import LONGEST_WAIT, retry_after, skew

NOW = 1_790_000_000.0


def header(moment: float) -> str:
    return email.utils.formatdate(moment, usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("999999999999", LONGEST_WAIT),
        (header(NOW + 90), 90.0),
        (header(NOW - 90), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,4} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{1,9} [A-Z+-][0-9A-Z]{1,6}")
)
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}, NOW) is None
    assert skew({}, NOW) is None
    assert skew({"date": "yesterday"}, NOW) is None


def test_a_date_counts_from_the_answers_own_where_nobody_knows_the_time() -> None:
    """A source has no clock; and ours may be wrong."""
    until = {"retry-after": header(NOW + 90)}
    assert retry_after(until | {"date": header(NOW)}) == 90
    assert retry_after(until | {"date": header(NOW + 200)}) == 0
    assert retry_after(until) is None
    assert retry_after({"retry-after": "7"}) == 7


@pytest.mark.parametrize("ahead", [-3600, 0, 61])
def test_how_far_the_clocks_are_apart(ahead: int) -> None:
    assert skew({"date": header(NOW + ahead)}, NOW) == ahead
