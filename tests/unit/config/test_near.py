"""Near matches are the ones a person means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.config.near import distance, hint, near

KEYS = ["name", "provider", "types", "ttl", "proxied", "adopt"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("tpyes", "types"),
        ("type", "types"),
        ("Name", "name"),
        ("nmae", "name"),
        ("provder", "provider"),
        ("proxy", None),
        ("tll", "ttl"),
        ("hostname", None),
        ("", None),
        ("x" * 10_000, None),
    ],
)
def test_what_was_probably_meant(word: str, meant: str | None) -> None:
    assert near(word, KEYS) == meant
    assert hint(word, KEYS) == (f'; did you mean "{meant}"?' if meant else "")


@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_the_distance_is_one(a: str, b: str, c: str) -> None:
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))
    assert distance(a + c, b + c) <= distance(a, b)
