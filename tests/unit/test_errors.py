"""The tree of errors: codes, exit codes, advice, and text from elsewhere."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns import errors
from ddns.errors import (
    EXIT_ORDER,
    BadCredentials,
    Block,
    ClockSkew,
    DdnsError,
    Exit,
    SettingsError,
    block_again,
    foreign,
    worst,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DdnsError)]


def test_the_docstring_draws_every_error() -> None:
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in drawn] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_drawing_names_the_exit_code(kind: type[DdnsError]) -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if f"── {kind.__name__}" in line]
    numbers = [int(word) for line in drawn for word in line.split() if word.isdigit()]
    assert numbers in ([], [int(kind.exit)])


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in KINDS if "code" in vars(kind)]
    assert len(set(codes)) == len(codes)


def test_exit_codes_are_those_of_the_contract() -> None:
    assert {code.name: int(code) for code in Exit} == {
        "FINE": 0, "CRASH": 1, "USAGE": 2, "SETTINGS": 10, "ADDRESS": 11, "REFUSED": 12, "UNREACHABLE": 13,
        "BUSY": 14, "STATE": 15, "DEGRADED": 20,
    }  # fmt: skip


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(EXIT_ORDER, 2)))
def test_the_first_in_the_order_wins(one: Exit, other: Exit) -> None:
    assert worst([other, one, other]) is one


def test_nothing_is_fine() -> None:
    assert worst([]) is Exit.FINE
    assert [int(code) for code in EXIT_ORDER] == [15, 10, 12, 13, 11, 0]


def test_advice_is_the_default_unless_given() -> None:
    assert BadCredentials("x").advice == "Store a valid secret with `ddns secret set`, then: ddns run --now"
    assert BadCredentials("x", advice="").advice == ""
    assert SettingsError("two", ("a", "b")).problems == ("a", "b")


@pytest.mark.parametrize("kind", Block.__subclasses__(), ids=lambda kind: kind.__name__)
def test_a_stored_block_comes_back(kind: type[Block]) -> None:
    again = block_again(kind.code, "the message", "the advice")
    assert (type(again), again.message, again.advice) == (kind, "the message", "the advice")


def test_a_block_of_another_version_is_a_block() -> None:
    assert type(block_again("provider.of_the_future", "m", "a")) is Block
    assert ClockSkew("late", seconds=-3.5).seconds == -3.5


@given(st.text(), st.integers(1, 40))
def test_foreign_text_is_one_short_line(text: str, limit: int) -> None:
    clean = foreign(text, limit)
    assert len(clean) <= limit
    assert clean.isprintable()
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in clean)
    assert clean == clean.strip()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "[31mred [0m", id="terminal"),
        pytest.param("two\r\n lines\ttab", "two lines tab", id="lines"),
        pytest.param("safe\u202egnp.exe", "safe gnp.exe", id="bidi"),
        pytest.param("x" * 201, "x" * 199 + "…", id="long"),
        pytest.param(" \n" * 900 + "late", "", id="the rest is not looked at"),
    ],
)
def test_foreign_text(text: str, clean: str) -> None:
    assert foreign(text) == clean
