"""Taking away what this machine published: records first, then the key at the gateway, then the key here.

Each step is durable before the next begins, and each may be repeated, so that a kill between two of them costs nothing:
the same command goes on where it stopped. `--all` first retires the machine, so that no scheduled run publishes again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ddns import host
from ddns.config import names
from ddns.config.load import Loaded
from ddns.cycle import World, carry_out
from ddns.errors import BadCredentials, Conflict, DdnsError, Exit, NotPermitted, UsageError, worst
from ddns.host.secrets import Vault
from ddns.memory import Memory
from ddns.model import Hold, Kind, Outcome, Plan, RecordKey, RecordType, Run
from ddns.observe import observe
from ddns.report.events import tell_outcome
from ddns.report.log import JsonLog
from ddns.runtime import RunRequest, Start, compose, farewell, loading
from ddns.runtime.closing import close
from ddns.runtime.farewell import Farewell
from ddns.runtime.full import prepare
from ddns.runtime.looking import NoLog, NoState, recall
from ddns.runtime.pausing import locked
from ddns.state.opening import open_store
from ddns.state.store import Store
from ddns.withdraw import owned, withdraw
from ddns.wording import FOR_EVER

#: Seconds that a run in progress is waited for; it has a time limit of its own.
_PATIENCE = 150.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to go: these names, or everything; of all types, or only those. `revoke`: the gateway's key, too."""

    names: tuple[str, ...] = ()
    types: tuple[RecordType, ...] = ()
    everything: bool = False
    revoke: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """How it went, or in `plan` what would be done. `wanted`: the settings ask for these, so that runs publish them."""

    outcomes: tuple[Outcome, ...]
    gateways: tuple[Farewell, ...]
    wanted: frozenset[RecordKey]
    retired: bool
    plan: Plan | None = None

    @property
    def exit(self) -> Exit:
        """0 only if nothing of what was asked for is left."""
        ends = [_exit(outcome) for outcome in self.outcomes]
        return worst([*ends, *(item.error.exit for item in self.gateways if item.error is not None)])


def _exit(outcome: Outcome) -> Exit:
    """What is fine in a run, because somebody else will see to it, is not yet gone here."""
    return {Kind.HELD: Exit.REFUSED, Kind.YIELDED: Exit.UNREACHABLE}.get(outcome.kind, outcome.exit)


def chosen(memory: Memory, wish: Wish) -> tuple[list[RecordKey], list[Outcome]]:
    """The owned records that are meant; and an end for each name of which this machine owns nothing."""
    mine = [key for key in owned(memory) if not wish.types or key.type in wish.types]
    if wish.everything:
        return mine, []
    asked = dict.fromkeys(map(names.normal, wish.names))
    keys = [key for key in mine if names.normal(key.name) in asked]
    strangers = [name for name in asked if name not in {names.normal(key.name) for key in keys}]
    return keys, [_not_ours(name, kind) for name in strangers for kind in wish.types or (RecordType.A,)]


def _not_ours(name: str, kind: RecordType) -> Outcome:
    cause = NotPermitted(
        f"this machine owns no record at {name}", advice="See which it owns with: ddns remove --all --dry-run"
    )
    return Outcome(Kind.FAILED, RecordKey("", name, kind), 0.0, cause=cause)


def preview(data: str | None, wish: Wish, seams: compose.Seams | None = None) -> Removal:
    """What `remove` would do; nothing is written anywhere. Raises SettingsError."""
    start, seams = Start(data), seams or compose.Seams()
    loaded, _ = loading.load(start.places)
    vault, memory = Vault(start.places.secrets, start.places.option), recall(start)
    world = compose.world(loaded, _request(data), memory, NoState(), vault, NoLog(), start.trace_id, seams)
    keys, strangers = chosen(memory, wish)
    plan = _plan(world, Run(start.trace_id, "remove", start.started), keys)
    held = [Outcome(hold.kind, hold.key, start.started, cause=hold.cause, until=hold.until) for hold in plan.held]
    tools = compose.build_tools(loaded.settings, vault, NoLog(), start.trace_id, seams.clock, world.net)
    here = farewell.standing(loaded, tools, vault)
    return Removal((*strangers, *held), tuple(here), _wanted(loaded), retired=False, plan=plan)


def _request(data: str | None) -> RunRequest:
    return RunRequest(data, now=True)  # a person asks: no block and no breaker answers in the provider's place


def _wanted(loaded: Loaded) -> frozenset[RecordKey]:
    return frozenset(target.key for target in compose.targets(loaded.settings))


def _plan(world: World, run: Run, keys: Sequence[RecordKey]) -> Plan:
    """What to do with the records, each read where it is published."""
    lost = [key for key in keys if key.provider not in world.providers]
    there = [key for key in keys if key.provider in world.providers]
    seen = observe(there, world.providers, world.deadline.within(world.deadline.left() / 2))
    plan = withdraw(run, there, seen, world.memory, world.clock.now(), world.rules.settle)
    return Plan(plan.changes, plan.unchanged, (*plan.held, *map(_no_provider, lost)), plan.resolved)


def _no_provider(key: RecordKey) -> Hold:
    cause = NotPermitted(
        f"{key} was published through the provider {key.provider}, which is not in the settings",
        advice="Put it back for the removal, or remove the record at the provider.",
    )
    return Hold(key, Kind.FAILED, cause)


def remove(data: str | None, wish: Wish, seams: compose.Seams | None = None) -> Removal:
    """Do it. Raises BusyError when a run does not end in time, SettingsError, StateError."""
    start, seams = Start(data), seams or compose.Seams()
    start.started = seams.clock.now()
    if wish.revoke and not wish.everything:
        raise UsageError("--revoke takes everything away", advice="Add --all, or leave --revoke out.")
    with contextlib.ExitStack() as stack:
        lock = locked(start.places.state, _PATIENCE)
        stack.callback(lock.release)
        prepare(start.places)
        store = open_store(start.places.state_file, start.started)
        stack.callback(store.close_file)
        return _Removing(start, wish, store, seams).run()


class _Removing:
    """One removal on an open state."""

    def __init__(self, start: Start, wish: Wish, store: Store, seams: compose.Seams) -> None:
        self._start, self._wish, self._store, self._seams = start, wish, store, seams
        self._vault = Vault(start.places.secrets, start.places.option)
        store.mask = self._vault.mask
        self._log = JsonLog(
            start.places.log_file, start.trace_id, clock=seams.clock, append=host.append, mask=self._vault.mask
        )
        self._run = Run(start.trace_id, "remove", start.started)

    def run(self) -> Removal:
        """Retire, remove, revoke, and tell."""
        loaded, _ = loading.load(self._start.places)
        if self._wish.everything:
            self._store.retire(self._start.started, FOR_EVER)
        memory = self._store.recall()
        self._seams.state(self._store).begin(self._run)
        outcomes = list[Outcome]()
        try:
            world = compose.world(
                loaded,
                _request(self._start.data),
                memory,
                self._store,
                self._vault,
                self._log,
                self._start.trace_id,
                self._seams,
            )
            keys, outcomes = chosen(memory, self._wish)
            outcomes += carry_out(world, self._run, _plan(world, self._run, keys), partial(tell_outcome, self._log))
            gateways = self._leave(loaded, world, outcomes)
        except DdnsError as error:
            self._close(loaded, outcomes, error.exit, memory)
            raise
        removal = Removal(tuple(outcomes), tuple(gateways), _wanted(loaded), retired=self._wish.everything)
        self._close(loaded, outcomes, removal.exit, memory)
        return removal

    def _disown(self, providers: set[str], outcomes: list[Outcome]) -> None:
        """What a gateway kept from a host that it had revoked before is not this machine's any more."""
        for place, outcome in enumerate(outcomes):
            if outcome.key.provider in providers and _unknown(outcome):
                self._store.disown(outcome.key)
                outcomes[place] = Outcome(Kind.PROVEN, outcome.key, outcome.at, note="the gateway took this host out")

    def _leave(self, loaded: Loaded, world: World, outcomes: list[Outcome]) -> list[Farewell]:
        tools = compose.build_tools(
            loaded.settings, self._vault, self._log, self._start.trace_id, world.clock, world.net
        )
        if not self._wish.revoke:
            return farewell.standing(loaded, tools, self._vault)
        # A record of somebody else is not ours to wait for; one of ours that still stands needs the key.
        # One that the gateway refuses to know may be of a host that its operator took out: that is asked, too.
        if any(_exit(outcome) and not _foreign(outcome) and not _unknown(outcome) for outcome in outcomes):
            return farewell.kept(loaded, tools, self._vault)
        left = {outcome.key.provider for outcome in outcomes if _foreign(outcome)}
        found = farewell.revoke(
            loaded, tools, self._vault, world.policy, world.random, sweep=lambda ident: ident not in left
        )
        self._disown({item.provider for item in found if item.state == "revoked"}, outcomes)
        for item in found:
            self._log.write("INFO", "key given back", provider=item.provider, state=item.state, host=item.host)
        return found

    def _close(self, loaded: Loaded, outcomes: Sequence[Outcome], ended: Exit, memory: Memory) -> None:
        changed = sum(outcome.kind.wrote for outcome in outcomes)
        close(
            self._start,
            self._store,
            self._run,
            int(ended),
            ended=self._seams.clock.now(),
            changed=changed,
            loaded=loaded,
            logged=self._log.tells_info,
            fingerprint=memory.fingerprint,
        )
        self._log.write("INFO" if ended is Exit.FINE else "WARN", "removal ended", exit=int(ended), changed=changed)


def _unknown(outcome: Outcome) -> bool:
    return isinstance(outcome.cause, BadCredentials)


def _foreign(outcome: Outcome) -> bool:
    return isinstance(outcome.cause, Conflict) and outcome.kind is Kind.CONTENDED
