"""Where the milliseconds of our own run go: processes that go one step further each, interleaved.

A stage's cost is the difference of two medians. Imports are named in the order in which a run meets them, because
modules share what they import; the last stage is the run itself.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.clients import Client
from bench.measure import Command, Sample, run

INTERPRETER = (("Python itself, with site", "pass"), ("re, for pip's console script", "import re"))
QUICK = (
    ("socket, selectors, enum", "import socket, select"),
    ("hashlib, with OpenSSL's library", "import hashlib"),
    ("sqlite3, datetime", "import sqlite3"),
    ("our own modules of the cheap path", "import ddns.__main__, ddns.runtime.quick"),
)
FULL = (
    ("msgspec (typing, inspect, dataclasses)", "import dataclasses, msgspec"),
    ("ddns.model and ddns.ports", "import ddns.model, ddns.ports"),
    ("settings: tomllib and our checks", "import ddns.config.load"),
    ("httpx without its command line", "import ddns.net.client"),
    ("httpcore, h11, ssl", "import httpcore"),
    ("dnspython, as far as a proof needs it", "import ddns.net.resolver"),
    ("the steps, state, log and composition", "import ddns.runtime.full, ddns.runtime.compose"),
    ("the provider and the sources", "import ddns.providers.dyndns2, ddns.sources.http"),
)
STAGES = {
    "no change": (*INTERPRETER, *QUICK),
    "change": (*INTERPRETER, *QUICK, *FULL),
}
REST = {
    "no change": "the run: state, fingerprint, one question, one transaction, status, log",
    "change": "the run: probe, two TLS sources, read, write, six transactions, status, log",
}


@dataclass(frozen=True)
class Cost:
    """What one stage adds, in ms."""

    stage: str
    cpu: float
    wall: float


def commands(client: Client, kind: str) -> list[tuple[str, Command]]:
    """A process for each stage."""
    python = client.command.argv[0].rpartition("/")[0] + "/python"
    found, so_far = [], "import gc; gc.disable()"
    for label, statement in STAGES[kind]:
        so_far = f"{so_far}\n{statement}"
        # Leave as the program does: tear-down is not part of it.
        code = f"{so_far}\nimport os; os._exit(0)"
        found.append((label, Command((python, "-c", code), client.command.env)))
    return [*found, (REST[kind], client.command)]


def measure(client: Client, kind: str, rounds: int, before_run: Callable[[], None]) -> list[Cost]:
    """Each stage's cost. `before_run` makes the world such that the run is of the kind."""
    stages = commands(client, kind)
    samples: dict[str, list[Sample]] = {label: [] for label, _ in stages}
    for _ in range(rounds):
        for label, command in stages:
            if command is client.command:
                before_run()
            samples[label].append(run(command))
    points = [
        (statistics.median(s.cpu for s in taken), statistics.median(s.wall for s in taken))
        for taken in samples.values()
    ]
    steps = itertools.pairwise([(0.0, 0.0), *points])
    return [
        Cost(label, cpu - cpu_before, wall - wall_before)
        for label, ((cpu_before, wall_before), (cpu, wall)) in zip(samples, steps, strict=True)
    ]


def draw(console: Console, kind: str, costs: list[Cost]) -> None:
    """Print a kind's table."""
    table = Table(title=f"Where a {kind} run spends its time", show_footer=True)
    table.add_column("stage", footer="all")
    table.add_column("CPU ms", justify="right", footer=f"{sum(cost.cpu for cost in costs):.1f}")
    table.add_column("wall ms", justify="right", footer=f"{sum(cost.wall for cost in costs):.1f}")
    for cost in costs:
        table.add_row(cost.stage, f"{cost.cpu:.1f}", f"{cost.wall:.1f}")
    console.print(table)
