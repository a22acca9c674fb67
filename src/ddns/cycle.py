"""One full run: chains the steps and knows nothing of what is behind the seams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from ddns.address import Family, Network
from ddns.compare import Rules, compare
from ddns.detect import Gather, detect, in_threads
from ddns.detection import Absent, Detected, Detection, Elsewhere
from ddns.errors import ProviderError
from ddns.memory import Memory, Rest
from ddns.model import Observed, Outcome, Plan, RecordKey, Run, Target
from ddns.observe import needs, observe, raised
from ddns.ports import Clock, Deadline, Lock, Net, Provider, Source, State
from ddns.publish import publish
from ddns.resilience import Retry
from ddns.resting import news, resting

#: The share of the run's time that detection may use.
_DETECTION_SHARE = 0.3


class World(msgspec.Struct, frozen=True):
    """Everything a run is made of, composed by `runtime`. Times in seconds."""

    targets: Sequence[Target]
    sources: Sequence[Source]
    providers: Mapping[str, Provider]
    state: State
    memory: Memory
    net: Net
    clock: Clock
    random: Callable[[], float]
    deadline: Deadline
    policy: Retry = Retry()
    rules: Rules = Rules()
    allow: tuple[Network, ...] = ()
    probes: Mapping[Family, str] = {}
    route: Callable[[Family], bool] = lambda _family: True
    detect_seconds: float = 10.0
    prove_every: float = 6 * 3600.0
    prove: bool = False
    gather: Gather = in_threads
    #: Why nothing is published from the network that this machine is on; "" where it may.
    away: Callable[[], str] = lambda: ""
    #: Why an answer of a family would tell a translator's address and not this machine's; "" where it would not.
    translated: Callable[[Family], str] = lambda _family: ""
    #: Remembers, or forgets, that a source rests.
    note_rest: Callable[[str, Family, Rest | None], None] = lambda _name, _family, _rest: None
    #: The fleet's, if it has one: nothing is written without its lease.
    lock: Lock | None = None


class Found(msgspec.Struct, frozen=True):
    """What a run knows before it writes."""

    detected: Mapping[Family, Detected]
    observed: Mapping[RecordKey, Observed | ProviderError]
    plan: Plan


def look(world: World, run: Run, tell: Callable[[Family, Detected], None]) -> Found:
    """Detect, observe, compare; writes nothing at any provider."""
    detected: dict[Family, Detected] = {}
    for family in sorted({target.family for target in world.targets if target.family is not None}):
        detected[family] = ask(world, family)
        tell(family, detected[family])
    detections: dict[Family, Detection] = {family: found.detection for family, found in detected.items()}
    now = world.clock.now()
    keys = needs(
        world.targets, detections, world.memory, now, every=world.prove_every, prove=world.prove or world.rules.insist
    )
    observed = observe(keys, world.providers, world.deadline.within(world.deadline.left() / 2))
    targets = [raised(target, observed.get(target.key), world.providers) for target in world.targets]
    plan = compare(run, targets, detections, observed, world.memory, world.clock.now(), world.rules)
    return Found(detected, observed, plan)


def ask(world: World, family: Family, *, ask_all: bool = False) -> Detected:
    """Detection of one family, within its share of the time.

    On a network of others, and behind a translator to the family, nobody is asked but for people.
    """
    none = _none(world, family)
    if none is not None and not ask_all:
        return Detected(none)
    share = min(world.detect_seconds, world.deadline.left() * _DETECTION_SHARE)
    rested = {} if ask_all or world.rules.insist else resting(world.memory.rested, family, world.clock.now())
    found = detect(
        family,
        world.sources,
        net=world.net,
        clock=world.clock,
        deadline=world.deadline.within(share),
        allow=world.allow,
        route=world.route(family),
        probe=world.probes.get(family, ""),
        gather=world.gather,
        ask_all=ask_all,
        resting=rested,
    )
    for note in news(world.memory.rested, family, found, world.clock.now()):
        world.note_rest(*note)
    return found if none is None else replace(found, detection=none)


def _none(world: World, family: Family) -> Absent | None:
    """Why there is nothing to publish, whatever sources say."""
    away, translated = world.away(), world.translated(family)
    return Elsewhere(away) if away else Absent(translated) if translated else None


def carry_out(world: World, run: Run, plan: Plan, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Publish; each outcome is stored, then told, as it comes."""
    outcomes = []
    for outcome in publish(
        run,
        plan,
        world.providers,
        world.state,
        policy=world.policy,
        clock=world.clock,
        deadline=world.deadline,
        random=world.random,
        lock=world.lock,
    ):
        tell(outcome)
        outcomes.append(outcome)
    return outcomes
