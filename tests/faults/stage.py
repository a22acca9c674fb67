"""One machine whose world is in memory and whose state is on disk: sources, DNS, providers, clock, and runs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from ddns.errors import ProviderError
from ddns.net import wire
from ddns.providers import table
from ddns.runtime import RunRequest, Start
from ddns.runtime.compose import Seams
from ddns.runtime.full import full_run
from ddns.runtime.quick import quick_run
from faults import memory
from faults.effects import Cut, Effects, Killed
from unit.fakes import Dns, FakeClock, FakeNet, FakeProvider

FIRST, SECOND, THIRD, LIE = "203.0.113.7", "203.0.113.8", "203.0.113.9", "203.0.113.66"
ALPHA, BETA, PROBE = "alpha.test", "beta.test", "192.0.2.53:53"
OPERATORS = (ALPHA, BETA, PROBE)
SETTLE = 120.0
EVERY = 6 * 3600.0

_PLACES = count(1)


@dataclass(frozen=True)
class Row:
    """One row of the history of changes."""

    name: str
    before: str | None
    after: str | None
    state: str
    reason: str


class Stage:
    """`names` are the records; ``one-a.example.test`` is at the provider ``one``."""

    def __init__(
        self, folder: Path, names: tuple[str, ...] = ("one.example.test",), *, compare_and_set: bool = True
    ) -> None:
        self.folder = folder
        self.names = names
        self.clock = FakeClock()
        self.dns = Dns()
        self.net = FakeNet()
        self.providers: dict[str, FakeProvider] = {}
        self.patch = pytest.MonkeyPatch()
        for ident in map(_provider, names):
            self.providers[ident] = FakeProvider(self.dns, self.clock, name=ident, compare_and_set=compare_and_set)
        self.places = {ident: f"{ident}-{next(_PLACES)}" for ident in self.providers}
        self.move(FIRST)

    def __enter__(self) -> Self:
        self.patch.setitem(table.MODULES, memory.KIND, memory.__name__)
        for ident, place in self.places.items():
            self.patch.setitem(memory.PLACES, place, self.providers[ident])
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self.settings()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.patch.undo()

    def settings(self, more: str = "") -> None:
        """Write the settings file."""
        records = "".join(
            f'[[record]]\nname = "{name}"\nprovider = "{_provider(name)}"\nttl = 60\n' for name in self.names
        )
        providers = "".join(
            f'[provider.{ident}]\nkind = "{memory.KIND}"\nplace = "{place}"\n' for ident, place in self.places.items()
        )
        (self.folder / "ddns.toml").write_text(f"""schema = 1
{records}{providers}
[detect]
sources = [
    {{ url = "https://{ALPHA}/", operator = "alpha" }},
    {{ url = "https://{BETA}/", operator = "beta" }},
]
probe4 = "dns://{PROBE}/whoami.test"
allow_private = ["203.0.113.0/24"]

[proof]
settle = "{SETTLE:.0f}s"
{more}""")

    def move(self, address: str) -> None:
        """The public address changes, and every source says so."""
        self.net.says.update(dict.fromkeys(OPERATORS, address))

    def fork(self, folder: Path) -> Stage:
        """A second machine that stands where this one does, in a world of its own. To be entered."""
        other = Stage(folder, self.names)
        other.places = self.places
        other.clock, other.dns, other.net = copy(self.clock), self.dns.copy(), FakeNet(self.net.says)
        for ident, provider in self.providers.items():
            other.providers[ident] = provider.copy(other.dns, other.clock)
        shutil.copytree(self.folder, folder)
        return other

    # -- runs

    def run(self, request: RunRequest | None = None, effects: Effects | None = None) -> int:
        """One run to its end, as `runtime.run` does it; returns the exit code."""
        request = request or RunRequest()
        effects = effects or Effects()
        start = Start(str(self.folder))
        start.started = self.clock.now()
        if request.quick:
            code = quick_run(start, effects.asking(self.ask))
            if code is not None:
                return code
        return full_run(start, request, self.seams(effects))

    def seams(self, effects: Effects) -> Seams:
        """The seams of a full run in this world."""
        return effects.seams(self.clock, lambda: self.net)

    def ask(self, probe: wire.Probe, family: int, seconds: float) -> str:
        """The way of the no-change run to its probe."""
        said = self.net.says.get(f"{probe.host}:{probe.port}", "")
        self.net.asked.append(f"{probe.host}:{probe.port}")
        if isinstance(said, ProviderError) or not isinstance(said, str) or not said:
            raise wire.WireError("no answer")
        return wire.canonical(said, family)

    def kill(self, cut: Cut, request: RunRequest | None = None, *, statements: bool = False) -> list[str]:
        """A run that is killed there; the machine goes on with what was on disk at that moment.

        Returns the labels of the effects up to the cut; all of them, when the run ended before it.
        """
        frozen = self.folder.with_name(f"{self.folder.name}-{cut.number}{cut.side[0]}")
        effects = Effects(cut, lambda: _copy(self.folder, frozen))
        try:
            with effects.statements() if statements else effects.files():
                self.run(request, effects)
        except Killed:
            self.folder = frozen
        return effects.labels

    # -- what is left

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the state."""
        base = sqlite3.connect(f"file:{self.folder}/state/state.db?mode=rw", uri=True)
        try:
            return base.execute(statement).fetchall()
        finally:
            base.close()

    def history(self) -> list[Row]:
        """The changes, oldest first."""
        rows = self.sql("SELECT name, before, after, state, reason FROM changes ORDER BY seq")
        return [Row(row[0], _values(row[1]), _values(row[2]), row[3], row[4]) for row in rows]

    def believed(self) -> dict[str, str | None]:
        """What the state holds as published."""
        return {name: _values(rrset) for name, rrset in self.sql("SELECT name, rrset FROM records")}

    def open_intents(self) -> int:
        """Intents that no run has closed."""
        return int(self.sql("SELECT count(*) FROM changes WHERE state IN ('open', 'accepted')")[0][0])

    def open_runs(self) -> int:
        """Runs without an end."""
        return int(self.sql("SELECT count(*) FROM runs WHERE ended IS NULL")[0][0])

    def expectation(self) -> tuple[Any, ...] | None:
        """The expectation that the last run left."""
        rows = self.sql("SELECT made, until, expected, exit FROM expectation")
        return rows[0] if rows else None

    def notes(self) -> list[str]:
        """What happened to the state itself."""
        return [row[0] for row in self.sql("SELECT text FROM notes ORDER BY id")]

    def status(self) -> Mapping[str, Any]:
        """status.json."""
        data: dict[str, Any] = json.loads((self.folder / "public" / "status.json").read_bytes())
        return data

    def published(self) -> tuple[tuple[str, ...], ...]:
        """What DNS says of each name."""
        return tuple(self.dns.texts(name) for name in self.names)


def _provider(name: str) -> str:
    return name.split(".", maxsplit=1)[0].split("-", maxsplit=1)[0]


def _values(text: str | None) -> str | None:
    return None if text is None else ", ".join(json.loads(text)["values"])


def _copy(folder: Path, to: Path) -> None:
    if folder.exists():
        shutil.copytree(folder, to)
