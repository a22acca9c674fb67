"""The start-up bench: what its table says of the samples."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console

from bench import startup
from bench.startup import BARE, LIMITS, Row, Startup


def table(run: float) -> Startup:
    """Bare 100 ms; an outlier changes no median."""
    rows = [
        Row(BARE, [100, 90, 900], [50, 50, 51]),
        Row("ddns --version", [150, 150, 1500], [60, 60, 60], modules=60),
        Row("ddns status --json", [120, 120, 120], [70, 70, 70], modules=70),
        Row("ddns run, no change", [run, run, 1], [80, 80, 80], modules=80),
    ]
    return Startup("Windows (Wine)", rows, dict(LIMITS))


@pytest.mark.parametrize(("run", "met"), [(250, True), (251, False)])
def test_every_limit_is_a_ratio_to_the_bare_program(run: float, met: bool) -> None:
    made = table(run)
    assert made.ratio(made.rows[1]) == 1.5
    assert made.met is met


def test_without_limits_nothing_is_missed() -> None:
    made = table(10_000)
    made.limits = {}
    assert made.met


def test_the_table_shows_times_ratios_limits_and_modules() -> None:
    out = io.StringIO()
    startup.draw(Console(file=out, width=120), table(251))
    said = out.getvalue()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if "no change" in line]
    assert cells == [["ddns run, no change", "251.0", "80.0", "2.51", "0.00 to 2.79", "1.60", "2.5", "80"]]
    assert "NOT met on Windows (Wine)" in said


@pytest.mark.parametrize("count", [2, 4, 6])
def test_each_command_has_every_place_and_follows_every_other_as_often(count: int) -> None:
    square = startup.orders(count)
    everything = set(range(count))
    assert [set(order) for order in square] == [everything] * count
    assert [set(column) for column in zip(*square, strict=True)] == [everything] * count
    pairs = [pair for order in square for pair in itertools.pairwise(order)]
    assert sorted(pairs) == sorted(itertools.permutations(range(count), 2))
