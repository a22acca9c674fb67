"""The page of lessons: every failure has a row, and every row names tests that are there."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from itertools import pairwise

import pytest

from unit.terminal import ROOT

PAGE = (ROOT / "docs/design/lessons.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+\.\d+ \|", line)
]
CHECKS = re.findall(r"^Add-Check -Id '([^']+)'", (ROOT / "packaging/acceptance.ps1").read_text("utf-8"), re.MULTILINE)
#: How many rows a part has at least: users' threads; the rule for sources; services; what must be.
LEAST = {3: 29, 4: 8, 5: 40, 8: 12}


@functools.cache
def named_in(path: str) -> frozenset[str]:
    """The names of a file's tests, read and not imported."""
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_no_failure_is_left_out() -> None:
    numbers = [tuple(map(int, row[0].split("."))) for row in ROWS]
    assert Counter(part for part, _ in numbers).keys() == LEAST.keys()
    for part, least in LEAST.items():
        assert sum(1 for number in numbers if number[0] == part) >= least
    for before, after in pairwise(numbers):
        assert after == (before[0], before[1] + 1) or (after[0] > before[0] and after[1] == 1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_what_holds_it(row: list[str]) -> None:
    _, failure, answer, held = row
    assert failure
    assert answer
    if held.startswith("not ours: "):
        assert len(held) > len("not ours: ") + 20, "with its reason"
        return
    names = re.findall(r"`([^`]+)`", held)
    assert ", ".join(f"`{name}`" for name in names) == held, "names and nothing else"
    assert names
    for name in names:
        if name.startswith("acceptance:"):
            assert name.removeprefix("acceptance:") in CHECKS
            continue
        path, _, test = name.partition("::")
        assert test in named_in(path), name
