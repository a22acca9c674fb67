"""Every effect of a run is numbered, and a run can be killed just before or just after one of them.

An effect is a call through Net, State or Provider, or a file that is replaced or appended to. What a killed process
would not do any more (a `finally`, a rollback, an atexit) must not help: `die` is called at that moment, and copies
what is on disk, or ends the process for real. What the dying run still does to its files is lost on nobody; a call to
the network or a provider would be an error of the test, and is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from ddns import host
from ddns.address import Family
from ddns.errors import ProviderError
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Applied, Change, Observed, Outcome, RecordKey, Resolution, Run
from ddns.ports import Capabilities, Clock, Deadline, HttpRequest, HttpResponse, Net, Provider, State
from ddns.runtime import quick
from ddns.runtime.compose import Seams
from ddns.state import ending, retirement
from ddns.state.store import Store
from unit.fakes import in_turn

Side = Literal["before", "after"]
SIDES: tuple[Side, Side] = ("before", "after")


class Killed(BaseException):
    """The process is gone. Nobody catches this but the test."""


@dataclass(frozen=True)
class Cut:
    """Where a run is killed: the number of the effect, counted from 1, and the side of it."""

    number: int
    side: Side


class Effects:
    """The effects of one run, by number; `labels` names each. `die` must not return to the run."""

    def __init__(self, cut: Cut | None = None, die: Callable[[], None] = lambda: None) -> None:
        self.labels: list[str] = []
        self.dead = False
        self._cut = cut
        self._die = die

    @contextmanager
    def effect(self, label: str) -> Iterator[None]:
        """One effect, that takes place in the `with`."""
        if self.dead:
            if label.startswith(("net", "provider")):
                raise Killed(f"refused after death: {label}")
            yield
            return
        self.labels.append(label)
        self.told(label)
        number = len(self.labels)
        if self._cut == Cut(number, "before"):
            self._kill(label)
        try:
            yield
        finally:
            if self._cut == Cut(number, "after"):
                self._kill(label)

    def told(self, label: str) -> None:
        """An effect is about to take place."""

    def _kill(self, label: str) -> NoReturn:
        self.dead = True
        self._die()
        raise Killed(label)

    def seams(self, clock: Clock, net: Callable[[], Net], random: Callable[[], float] = lambda: 0.5) -> Seams:
        """The seams of a full run through which every effect is counted; sources are asked one after the other."""
        return Seams(
            clock=clock,
            net=lambda: CountedNet(net(), self),
            state=lambda state: CountedState(state, self),
            provider=lambda provider: CountedProvider(provider, self),
            random=random,
            gather=in_turn,
        )

    @contextmanager
    def files(self) -> Iterator[None]:
        """Count what goes around the seams: the end of a run in the state, status.json, log, a retirement's mark."""
        with (
            self._counted(Store, "close", "state close"),
            self._counted(ending, "record_run", "state record_run"),
            self._counted(host, "replace", "file status.json"),
            self._counted(host, "append", "file log"),
            self._counted(retirement, "mark", "file retired"),
            self._counted(retirement, "unmark", "file retired"),
        ):
            yield

    @contextmanager
    def statements(self) -> Iterator[None]:
        """Count every SQL statement; a cut inside a transaction leaves its journal behind."""
        effects = self

        class Counted(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                if effects.dead:
                    return super().execute("SELECT 1")  # not even a rollback
                with effects.effect(f"sql {' '.join(sql.split())[:50]}"):
                    return super().execute(sql, *values)

            def executescript(self, sql: str) -> sqlite3.Cursor:
                with effects.effect(f"sql script {' '.join(sql.split())[:40]}"):
                    return super().executescript(sql)

        real = sqlite3.connect
        with _replaced(sqlite3, "connect", lambda *args, **options: real(*args, factory=Counted, **options)):
            yield

    def asking(self, ask: quick.AskProbe) -> quick.AskProbe:
        """The way of the no-change run to its probe, counted."""

        def counted(probe: Any, family: int, seconds: float) -> str:
            with self.effect(f"net probe {probe.name}"):
                return ask(probe, family, seconds)

        return counted

    def _counted(self, owner: object, name: str, label: str) -> AbstractContextManager[None]:
        real = getattr(owner, name)

        def counted(*args: Any, **options: Any) -> Any:
            with self.effect(label):
                return real(*args, **options)

        return _replaced(owner, name, counted)


@contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    """For a while, another value under a name. (A process that is to be killed does without pytest.)"""
    real = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, real)


@dataclass(frozen=True)
class CountedNet:
    """A net whose calls are effects."""

    net: Net
    effects: Effects

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        with self.effects.effect("net http"):
            return self.net.http(request, deadline=deadline, family=family, limit=limit)

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        with self.effects.effect("net udp"):
            return self.net.udp(data, to, deadline=deadline)


@dataclass(frozen=True)
class CountedState:
    """A state whose transactions are effects."""

    state: State
    effects: Effects

    def recall(self) -> Memory:
        with self.effects.effect("state recall"):
            return self.state.recall()

    def begin(self, run: Run) -> None:
        with self.effects.effect("state begin"):
            self.state.begin(run)

    def intend(self, run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
        with self.effects.effect(f"state intend {len(changes)}"):
            return self.state.intend(run, changes, at)

    def resolve(self, run: Run, resolution: Resolution) -> None:
        with self.effects.effect(f"state resolve {resolution.fate}"):
            self.state.resolve(run, resolution)

    def settle(self, run: Run, outcome: Outcome) -> None:
        with self.effects.effect(f"state settle {outcome.kind}"):
            self.state.settle(run, outcome)

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        with self.effects.effect("state note_breaker"):
            self.state.note_breaker(name, note)

    def note_block(self, name: str, note: BlockNote | None) -> None:
        with self.effects.effect("state note_block"):
            self.state.note_block(name, note)


@dataclass(frozen=True)
class CountedProvider:
    """A provider whose calls are effects; of a call that writes, each record is one."""

    provider: Provider
    effects: Effects

    @property
    def capabilities(self) -> Capabilities:
        return self.provider.capabilities

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        with self.effects.effect(f"provider observe {len(keys)}"):
            return self.provider.observe(keys, deadline)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        results = self.provider.apply(changes, deadline)
        for _ in changes:
            with self.effects.effect("provider apply"):
                result = next(results, None)
            if result is None:
                return
            yield result
