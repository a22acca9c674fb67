"""Where the milliseconds of our own run go: processes that go one step further each, interleaved.

A stage's cost is the difference of two medians. Imports are named in the order in which a run meets them, because
modules share what they import; the last stage is the run itself.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from bench.clients import Client
from bench.measure import Command, run

INTERPRETER = (("Python itself, with site", "pass"), ("re, for pip's console script", "import re"))
QUICK = (
    ("socket, selectors, enum", "import socket, select"),
    ("hashlib, with OpenSSL's library", "import hashlib"),
    ("sqlite3, datetime", "import sqlite3"),
    ("our own modules of the cheap path", "import ddns.__main__, ddns.runtime.quick"),
)
FULL = (
    ("msgspec (typing, inspect, dataclasses)", "import dataclasses, msgspec"),
    ("ddns.model and ddns.ports: data classes are generated", "import ddns.model, ddns.ports"),
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


def measure(client: Client, kind: str, rounds: int, before_run: Callable[[], None]) -> list[tuple[str, float]]:
    """Each stage's cost in ms. `before_run` makes the world such that the run is of the kind."""
    stages = commands(client, kind)
    samples: dict[str, list[float]] = {label: [] for label, _ in stages}
    for _ in range(rounds):
        for label, command in stages:
            if command is client.command:
                before_run()
            samples[label].append(run(command).wall)
    medians = [statistics.median(samples[label]) for label, _ in stages]
    costs = [medians[0], *(later - earlier for earlier, later in itertools.pairwise(medians))]
    return list(zip(samples, costs, strict=True))


def draw(console: Console, kind: str, costs: list[tuple[str, float]]) -> None:
    """Print a kind's table."""
    table = Table(title=f"Where a {kind} run spends its time", show_footer=True)
    table.add_column("stage", footer="all")
    table.add_column("ms", justify="right", footer=f"{sum(cost for _, cost in costs):.1f}")
    for label, cost in costs:
        table.add_row(label, f"{cost:.1f}")
    console.print(table)
