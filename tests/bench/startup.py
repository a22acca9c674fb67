"""How long a program takes to start, against a bare one that only ends.

Each round takes every command once. Over as many rounds as there are commands, each has every place once, and follows
every other one once (a Latin square balanced for what a process leaves behind for the next; E. J. Williams, 1949).
Ratios are to the bare program of the same rounds. The lock of the build's workshop is held, so that nothing is measured
beside a build.
"""

from __future__ import annotations

import math
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
    """One command: wall and CPU times in ms by round, and how many modules Python imports for it."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
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

    def cpu_ratio(self, row: Row) -> float:
        """The same of CPU time: what to compare on a busy machine."""
        return statistics.median(row.cpu) / statistics.median(self.rows[0].cpu)

    def spread(self, row: Row) -> tuple[float, float]:
        """The quartiles of the ratios of single rounds."""
        ratios = [mine / bare for mine, bare in zip(row.wall, self.rows[0].wall, strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        return low, high

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
    """The rounds, rounded up to whole squares; one more before them only fills caches.

    `check` raises when the round's run did more than ask once.
    """
    result = Startup(system, [Row(name, modules=modules.get(name)) for name in commands], dict(limits))
    pairs = list(zip(result.rows, commands.values(), strict=True))
    square = orders(len(pairs))
    with no_build():
        for number in range(math.ceil(rounds / len(square)) * len(square) + 1):
            for place in square[number % len(square)]:
                row, command = pairs[place]
                sample = run(command)
                if sample.status:
                    raise RuntimeError(f"{row.name} on {system} ended with {sample.status}")
                if number:
                    row.wall.append(sample.wall)
                    row.cpu.append(sample.cpu)
            check()
    return result


def orders(count: int) -> list[list[int]]:
    """Orders of an even number of things: each has every place once, and comes right after every other once."""
    assert count % 2 == 0
    first = [0]
    for step in range(1, count):
        first.append((first[-1] + (step if step % 2 else -step)) % count)
    return [[(place + turn) % count for place in first] for turn in range(count)]


def draw(console: Console, result: Startup) -> None:
    """Print the table."""
    table = Table(title=f"Start on {result.system}, medians of {len(result.rows[0].wall)} rounds")
    for heading in ("command", "ms", "CPU ms", "to bare", "quartiles", "by CPU", "at most", "modules"):
        table.add_column(heading, justify="left" if heading == "command" else "right", no_wrap=True)
    for row in result.rows:
        limit = result.limits.get(row.name)
        low, high = result.spread(row)
        table.add_row(
            row.name,
            f"{statistics.median(row.wall):.1f}",
            f"{statistics.median(row.cpu):.1f}",
            f"{result.ratio(row):.2f}",
            f"{low:.2f} to {high:.2f}",
            f"{result.cpu_ratio(row):.2f}",
            "" if limit is None else f"{limit}",
            "" if row.modules is None else f"{row.modules}",
        )
    console.print(table)
    if result.limits:
        console.print("met" if result.met else "NOT met", "on", result.system)
