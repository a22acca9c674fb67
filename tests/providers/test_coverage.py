"""docs/reference/coverage.md is what the tests cover."""

from __future__ import annotations

import pytest

from ddns.providers import table
from providers import coverage


def test_every_kind_is_judged() -> None:
    assert coverage.JUDGEMENT.keys() == set(table.MODULES)


def test_the_page_is_of_these_tests() -> None:
    assert coverage.provider_table() in coverage.PAGE.read_text("utf-8"), (
        "write the page anew: PYTHONPATH=src:tests:packaging python -m providers.coverage"
    )


@pytest.mark.parametrize("kind", sorted(table.MODULES))
def test_each_kind_names_what_it_was_written_from(kind: str) -> None:
    assert kind == "gateway" or coverage.pages(kind), "name the service's documentation in the double's docstring"
    assert coverage.own_tests(kind)
