"""The result of a comparison: as values for JSON, and as a table with the targets."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from bench import startup
from bench.measure import Sample
from bench.startup import Startup

OURS, DDCLIENT, PYPI = "ddns-fleet", "ddclient", "ddns (PyPI)"
#: Other work, as a share of the cores, above which absolute figures mislead; ratios still hold.
BUSY = 0.5


@dataclass
class Row:
    """One client's samples. `memory` is in MiB; `wrong` says how it misbehaved."""

    name: str
    version: str = ""
    idle: list[Sample] = field(default_factory=list)
    change: list[Sample] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    wrong: str = ""


@dataclass
class Result:
    """All rows of a comparison. `load`: other work at its start, as a share of the cores."""

    rounds: int
    load: float
    rows: list[Row]
    missing: list[str]
    startup: list[Startup] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """A figure to reach: at most `limit` (a ratio to another client, or MiB)."""

    what: str
    limit: float
    value: float | None

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.value is not None and self.value <= self.limit


def median(values: list[float]) -> float | None:
    """The median, None of nothing."""
    return statistics.median(values) if values else None


def wall(samples: list[Sample]) -> float | None:
    """The median wall time in ms."""
    return median([sample.wall for sample in samples])


def cpu(samples: list[Sample]) -> float | None:
    """The median CPU time in ms."""
    return median([sample.cpu for sample in samples])


def targets(result: Result) -> list[Target]:
    """What ours is to reach against the others of the same comparison."""
    rows = {row.name: row for row in result.rows}

    def ratio(other: str, samples: Callable[[Row], list[Sample]]) -> float | None:
        if OURS not in rows or other not in rows:
            return None
        mine, theirs = wall(samples(rows[OURS])), wall(samples(rows[other]))
        return mine / theirs if mine and theirs else None

    return [
        Target(f"no change, wall, of {DDCLIENT}", 0.85, ratio(DDCLIENT, lambda row: row.idle)),
        Target(f"no change, wall, of {PYPI} as it comes", 0.5, ratio(PYPI, lambda row: row.idle)),
        Target(f"change, wall, of {PYPI} as it comes", 1.5, ratio(PYPI, lambda row: row.change)),
        Target("no change, memory in MiB", 18, median(rows[OURS].memory) if OURS in rows else None),
    ]


def console() -> Console:
    """Standard output; wide enough for the table where it is not a terminal."""
    return Console(width=None if sys.stdout.isatty() else 110)


def draw(result: Result) -> None:
    """Print the tables and the targets."""
    out = console()
    if result.rows:
        _draw_clients(out, result)
    for system in result.startup:
        startup.draw(out, system)
    for reason in [*result.missing, *(f"{row.name}: wrong, {row.wrong}" for row in result.rows if row.wrong)]:
        out.print(reason, markup=False)
    if result.load > BUSY:
        out.print(f"This machine was busy (load {result.load:.0%} of its cores): trust the ratios only.")


def _draw_clients(out: Console, result: Result) -> None:
    table = Table(title=f"Whole processes, medians of {result.rounds} rounds")
    for heading in ("client", "no change: ms", "CPU ms", "MiB", "change: ms", "CPU ms"):
        table.add_column(heading, justify="left" if heading == "client" else "right", no_wrap=True)
    for row in result.rows:
        if row.wrong:
            continue
        figures = (wall(row.idle), cpu(row.idle), median(row.memory), wall(row.change), cpu(row.change))
        table.add_row(f"{row.name} {row.version}".strip(), *("" if f is None else f"{f:.1f}" for f in figures))
    out.print(table)
    for target in targets(result):
        value = "not measured" if target.value is None else f"{target.value:.2f}"
        out.print(f"{'met    ' if target.met else 'NOT met'} {target.what}: {value}, at most {target.limit}")
