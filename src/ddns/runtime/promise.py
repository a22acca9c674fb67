"""What a run may promise the next one: the probes that will answer the same, and until when that is enough."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ddns.address import Family
from ddns.cycle import Found, World
from ddns.detection import Available, Detected, Elsewhere
from ddns.errors import Block, Held, Rejected
from ddns.expect import LONGEST, OWN_PROBE, Expected
from ddns.memory import Memory
from ddns.model import Kind, Outcome
from ddns.net import wire
from ddns.observe import last_seen
from ddns.runtime.quick import own_probe
from ddns.sources import table as sources


class Promise(msgspec.Struct, frozen=True):
    """The part of an expectation that the run's results decide. Times are UTC seconds."""

    made: float
    until: float
    expected: tuple[Expected, ...]


def promise(world: World, found: Found, outcomes: Sequence[Outcome], memory: Memory, settings: bytes) -> Promise | None:
    """None while anything is open, or no probe agreed. `memory` is that after the run, `settings` the file's bytes."""
    if not outcomes or not all(map(closed, outcomes)):
        return None
    expected = []
    for family, detected in found.detected.items():
        if isinstance(detected.detection, Elsewhere):
            return None  # the way home may show in nothing that the next run looks at
        if isinstance(detected.detection, Available):  # that a family has no route is in the fingerprint
            item = _agreeing_probe(family, detected, world.probes.get(family, ""), settings)
            if item is None:
                return None
            expected.append(item)
    now = world.clock.now()
    until = min([now + LONGEST, *_ends(world, outcomes, memory)])
    return Promise(now, until, tuple(expected)) if until > now else None


def closed(outcome: Outcome) -> bool:
    """Whether nothing is left to do for the record before its proof, its retry time, or a person's act."""
    if outcome.kind.right:
        return True
    if outcome.kind is Kind.FAILED:
        return isinstance(outcome.cause, Block | Rejected)
    if isinstance(outcome.cause, Held):
        return False  # its release shows in no probe
    return outcome.kind in (Kind.CONTENDED, Kind.HELD) and outcome.change is None


def _ends(world: World, outcomes: Sequence[Outcome], memory: Memory) -> list[float]:
    """When each thing that this run leaves must be looked at again."""
    now = world.clock.now()
    ends = [outcome.until for outcome in outcomes if outcome.until is not None]
    # A time that has passed is of a provider that is asked no more.
    ends += [block.retry_at for block in memory.blocks.values() if block.retry_at > now]
    kept = {outcome.key for outcome in outcomes}
    ends += [refused.until for key, refused in memory.refused.items() if key in kept and refused.until > now]
    # What is blocked or held is not read before the block or the hold ends, however long ago its proof is.
    for outcome in outcomes:
        published = memory.published.get(outcome.key)
        if published is not None and outcome.kind.right:
            ends.append(last_seen(published, now) + world.prove_every)
    return ends


def _agreeing_probe(family: Family, detected: Detected, wanted: str, settings: bytes) -> Expected | None:
    """A probe that told the agreed address in this run: the wanted one if it did, else another built-in one."""
    found = detected.detection
    assert isinstance(found, Available)
    agreed = [answer.source for answer in detected.answers if answer.address == found.address]
    text = wire.canonical(str(found.address), family.value)
    if wanted in agreed and wanted not in sources.DNS:
        # The next run reads an own probe from the same bytes by a plainer rule; both must come to the same.
        return Expected(family.value, OWN_PROBE, text) if own_probe(settings, family.value) == wanted else None
    positions = {probe.name: position for position, probe in enumerate(wire.PROBES[family.value])}
    names = [name for name in (wanted, *positions) if name in agreed and name in positions]
    return Expected(family.value, positions[names[0]], text) if names else None
