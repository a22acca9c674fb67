"""Commands that look and change nothing: a trial run, a plan, detection. Their world has no state to write."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from ddns import skew
from ddns.address import Family
from ddns.config.schema import Settings
from ddns.cycle import Found, World, ask, look
from ddns.detection import Detected
from ddns.errors import DdnsError, Exit, StateError, worst
from ddns.host.secrets import Vault
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Change, Outcome, Resolution, Run
from ddns.report.events import skewed
from ddns.resting import resting
from ddns.runtime import RunRequest, Start, compose, loading, say
from ddns.runtime.closing import complain
from ddns.sources import table
from ddns.state.reader import Reader
from ddns.state.schema import connect
from ddns.times import utc


class NoState:
    """Implements `ports.State` and keeps nothing."""

    def recall(self) -> Memory:
        """Nothing is remembered."""
        return Memory()

    def begin(self, run: Run) -> None:
        """Nothing is kept."""

    def intend(
        self,
        run: Run,  # noqa: ARG002 - the port's signature
        changes: Sequence[Change],
        at: float | None = None,  # noqa: ARG002 - the port's signature
    ) -> list[Change]:
        """Nothing is kept."""
        return list(changes)

    def resolve(self, run: Run, resolution: Resolution) -> None:
        """Nothing is kept."""

    def settle(self, run: Run, outcome: Outcome) -> None:
        """Nothing is kept."""

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        """Nothing is kept."""

    def note_block(self, name: str, note: BlockNote | None) -> None:
        """Nothing is kept."""


class NoLog:
    """Implements `ports.Log` and keeps nothing."""

    def write(self, level: str, message: str, **details: object) -> None:
        """Nothing is kept."""


def recall(start: Start) -> Memory:
    """What the state remembers; an empty memory when there is none that can be read."""
    path = start.places.state_file
    try:
        base = connect(path)
    except StateError:
        return Memory()
    try:
        return Reader(base, path).recall()
    except StateError:
        return Memory()
    finally:
        base.close()


def compose_world(
    start: Start, request: RunRequest, seams: compose.Seams | None = None, *, missing: bytes | None = None
) -> tuple[World, Settings]:
    """A world whose state keeps nothing; `missing` stands for settings that are not there. Raises SettingsError."""
    loaded, _ = loading.load(start.places, missing=missing)
    vault = Vault(start.places.secrets, start.places.option)
    seams = seams or compose.Seams()
    world = compose.world(loaded, request, recall(start), NoState(), vault, NoLog(), start.trace_id, seams)
    return world, loaded.settings


def plan(start: Start, request: RunRequest, seams: compose.Seams | None = None) -> Found:
    """Everything a run would find and do now, every record read. Raises SettingsError."""
    world, _ = compose_world(start, request, seams)
    world = replace(world, prove=True)
    return look(world, Run(start.trace_id, "plan", start.started), lambda _family, _detected: None)


class Seen(NamedTuple):
    """A detection of one family; `resting` are the sources that a run would not ask now, and until when.

    `skew` is the sentence for a clock that is wrong, "" where it is not known to be.
    """

    detected: Detected
    resting: Mapping[str, float]
    skew: str


def detect_all(start: Start, families: Sequence[Family] = ()) -> dict[Family, Seen]:
    """What every source says, by family: those given, else those of the records, else both.

    Works before there are settings, with the defaults, unless a folder was named. Raises SettingsError.
    """
    missing = loading.DEFAULTS if start.data is None else None
    world, settings = compose_world(start, RunRequest(start.data), missing=missing)
    kept = {target.family for target in compose.targets(settings) if target.family is not None}
    chosen = families or sorted(kept) or list(Family)
    return {family: _seen(world, family) for family in chosen}


def _seen(world: World, family: Family) -> Seen:
    detected = ask(world, family, ask_all=True)
    seconds = skew.told(detected.answers)
    rested = resting(world.memory.rested, family, world.clock.now())
    return Seen(detected, rested, skewed(seconds) if seconds is not None else "")


def known_sources(start: Start) -> list[dict[str, Any]]:
    """Every source that there is: those built in, then those of the settings. `used`: the settings list it.

    `resting`: until when a source is left alone, by family. Works before there are settings. Raises SettingsError.
    """
    missing = loading.DEFAULTS if start.data is None else None
    world, _ = compose_world(start, RunRequest(start.data), missing=missing)
    now = world.clock.now()
    rested = {family: resting(world.memory.rested, family, now) for family in Family}
    used = {source.name: source for source in world.sources}
    built_in = [msgspec.structs.asdict(row) for row in table.listed()]
    names = {row["name"] for row in built_in}
    own = [
        {
            "name": source.name,
            "operator": source.operator,
            "families": tuple(sorted(family.value for family in source.families)),
            "authenticated": source.authenticated,
            "how": table.how(source),
        }
        for source in world.sources
        if source.name not in names
    ]
    return [
        row
        | {
            "built_in": row["name"] in names,
            "used": row["name"] in used,
            "resting": {
                f"ipv{family.value}": utc(ends[row["name"]]) for family, ends in rested.items() if row["name"] in ends
            },
        }
        for row in [*built_in, *own]
    ]


def trial_run(start: Start, request: RunRequest, seams: compose.Seams | None = None) -> int:
    """Load, decrypt, detect, observe; write nothing. The exit code is an upgrade's answer."""
    try:
        found = plan(start, request, seams)
    except DdnsError as error:
        complain(error, start.places.option)
        return int(error.exit)
    held = [Outcome(hold.kind, hold.key, start.started, cause=hold.cause, until=hold.until) for hold in found.plan.held]
    for outcome in held:
        sys.stderr.write(f"ddns: {outcome.key}: {outcome.cause.message if outcome.cause else outcome.kind}\n")
    code = worst([outcome.exit for outcome in held])
    if code is Exit.FINE:
        say(f"trial: settings, secrets, address and {_count(found)} are fine; nothing was written")
    return int(code)


def _count(found: Found) -> str:
    number = len(found.plan.changes) + len(found.plan.unchanged)
    return "1 record" if number == 1 else f"{number} records"
