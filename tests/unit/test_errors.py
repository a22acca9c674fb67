"""The tree of errors: codes, exit codes, advice, and text from elsewhere."""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ddns
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


def _tree(kind: type[DdnsError]) -> list[type[DdnsError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]


def _silent() -> set[str]:
    """The errors of the product, of every module, that have no advice of their own."""
    for module in pkgutil.walk_packages(ddns.__path__, "ddns."):
        elsewhere = module.name.startswith("ddns.host.windows.")  # they import on Windows only, and bring no errors
        if not module.name.endswith("__main__") and not elsewhere:
            importlib.import_module(module.name)
    product = [kind for kind in _tree(DdnsError) if kind.__module__.startswith("ddns.")]
    assert {kind.__name__ for kind in product} > {"StateDamaged", "AuditBroken", "NoStatus"}
    return {kind.__name__ for kind in product if not kind.default_advice}


def _made_without_advice(source: str, kinds: set[str]) -> list[int]:
    """The lines that make an error of `kinds` without an advice, or any with an empty one."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    given = [(call, [word.value for word in call.keywords if word.arg == "advice"]) for call in calls]
    return [
        call.lineno
        for call, advice in given
        if (isinstance(call.func, ast.Name) and call.func.id in kinds and not advice)
        or any(isinstance(value, ast.Constant) and not value.value for value in advice)
    ]


def test_whatever_a_user_can_meet_says_what_to_do() -> None:
    silent = _silent()
    assert silent == {"DdnsError"}
    files = sorted(Path(ddns.__file__).parent.rglob("*.py"))
    assert {file.name: lines for file in files if (lines := _made_without_advice(file.read_text(), silent))} == {}


def test_an_error_without_advice_is_found() -> None:
    source = 'Quiet("x")\nQuiet("x", advice="Do.")\nLoud("x")\nLoud("x", advice="")\n'
    assert _made_without_advice(source, {"Quiet"}) == [1, 4]


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
