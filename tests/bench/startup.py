"""How long a program takes to start, against a bare one that only ends.

Each round takes every command once. Ratios are to the bare program of the same rounds. The lock of the build's workshop
is held, so that nothing is measured beside a build.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from bench.measure import Command, run
from windows import app

#: What the scheduled program must not exceed, as a ratio to the bare one.
LIMITS = {"ddns --version": 1.5, "ddns status --json": 1.5, "ddns run, no change": 2.5}
BARE = "bare: exit 0"


@dataclass
class Row:
    """One command: wall times in ms, and how many modules Python imports for it."""

    name: str
    wall: list[float] = field(default_factory=list)
    modules: int | None = None


@dataclass
class Startup:
    """The rows of one system. `limits`: for the ratio of a row to the first; only Windows has some."""

    system: str
    rows: list[Row] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)

    def ratio(self, row: Row) -> float:
        """The median of a row to that of the bare program."""
        return statistics.median(row.wall) / statistics.median(self.rows[0].wall)

    @property
    def met(self) -> bool:
        """Whether every limit is kept."""
        return all(self.ratio(row) <= self.limits[row.name] for row in self.rows if row.name in self.limits)


@contextmanager
def no_build() -> Iterator[None]:
    """No build of the exe begins before the end of the block, and none is at work."""
    with app._workshop():
        yield


def measure(
    system: str,
    commands: Mapping[str, Command],
    rounds: int,
    check: Callable[[], None],
    modules: Mapping[str, int],
    limits: Mapping[str, float],
) -> Startup:
    """The rounds; the first only fills caches. `check` raises when the round's run did more than ask once."""
    result = Startup(system, [Row(name, modules=modules.get(name)) for name in commands], dict(limits))
    with no_build():
        for number in range(rounds + 1):
            pairs = list(zip(result.rows, commands.values(), strict=True))
            turn = number % len(pairs)  # what ran before leaves its traces: each has every place as often
            for row, command in [*pairs[turn:], *pairs[:turn]]:
                sample = run(command)
                if sample.status:
                    raise RuntimeError(f"{row.name} on {system} ended with {sample.status}")
                if number:
                    row.wall.append(sample.wall)
            check()
    return result


def draw(console: Console, result: Startup) -> None:
    """Print the table."""
    table = Table(title=f"Start on {result.system}, medians of {len(result.rows[0].wall)} rounds")
    for heading in ("command", "ms", "to bare", "at most", "modules"):
        table.add_column(heading, justify="left" if heading == "command" else "right", no_wrap=True)
    for row in result.rows:
        limit = result.limits.get(row.name)
        table.add_row(
            row.name,
            f"{statistics.median(row.wall):.1f}",
            f"{result.ratio(row):.2f}",
            "" if limit is None else f"{limit}",
            "" if row.modules is None else f"{row.modules}",
        )
    console.print(table)
    if result.limits:
        console.print("met" if result.met else "NOT met", "on", result.system)
