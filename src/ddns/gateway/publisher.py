"""Carries what the ledger acknowledged into DNS: one thread that follows the queue and writes through `publish`.

The queue is the ledger itself, so a restart goes on where a kill stopped. Of several updates of one record only the
newest is written. Every record is read before it is written, which also settles what a killed publisher left open. A
server that is down, or refuses, is asked again with growing pauses: an acknowledged update is given up only when DNS
refuses the record itself.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from ddns.errors import DdnsError, ProviderError, Rejected
from ddns.gateway.audit import Audit
from ddns.gateway.ledger import Entry, Ledger, RecordState
from ddns.gateway.settings import Zones
from ddns.gateway.settling import LedgerState, stored_values
from ddns.model import Change, Kind, Observed, Plan, Reason, RecordKey, RecordType, RRset, Run
from ddns.ports import Clock, Deadline, Provider
from ddns.publish import publish
from ddns.resilience import Retry

#: Records that are carried at a time.
BATCH = 200
#: Seconds that one pass may take.
PASS_LIMIT = 30.0
#: Seconds after which the queue is looked at without being told to: other processes write the ledger, too.
LOOK_AGAIN = 15.0
LONGEST_PAUSE = 60.0
_LOG = logging.getLogger("ddns.gateway")
_UNTIL_TOLD = threading.TIMEOUT_MAX


@dataclass(frozen=True, slots=True)
class Settled:
    """How a record's update ended."""

    state: RecordState
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Failure:
    """A record that is to be tried again."""

    revision: int
    attempts: int
    due: float


class Publisher:
    """Follows the ledger. `start` makes the thread; `once` is one pass of it."""

    def __init__(
        self,
        ledger: Ledger,
        zones: Zones,
        providers: Mapping[str, Provider],
        audit: Audit,
        *,
        clock: Clock,
        policy: Retry,
        random: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._zones = zones
        self._providers = providers
        self._audit = audit
        self._clock = clock
        self._policy = policy
        self._random = random
        self._failures: dict[tuple[str, RecordType], _Failure] = {}
        self._watchers: dict[tuple[str, RecordType], list[tuple[int, Future[Settled]]]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._follow, name="publisher", daemon=True)
        self.problem = ""

    def start(self) -> None:
        """Begin to follow the ledger."""
        self._thread.start()

    def stop(self) -> None:
        """End after the pass that is under way. What is queued stays queued."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the ledger is being followed."""
        return self._thread.is_alive()

    def notify(self) -> None:
        """Tell that the queue has grown."""
        self._wake.set()

    def watch(self, name: str, record_type: RecordType, revision: int) -> Future[Settled]:
        """A future that ends when this revision of the record, or a later one, is settled. Cancel it to let go."""
        future: Future[Settled] = Future()
        with self._lock:
            watchers = self._watchers.setdefault((name, record_type), [])
            watchers[:] = [(number, old) for number, old in watchers if not old.done()]
            watchers.append((revision, future))
        entry = self._ledger.entry(name, record_type)
        if entry is not None and entry.revision >= revision and entry.state is not RecordState.QUEUED:
            self._tell(entry, Settled(entry.state, entry.problem))
        return future

    def _tell(self, entry: Entry, settled: Settled) -> None:
        with self._lock:
            watchers = self._watchers.pop((entry.name, entry.type), [])
            later = [(revision, future) for revision, future in watchers if revision > entry.revision]
            if later:
                self._watchers[entry.name, entry.type] = later
        for revision, future in watchers:
            if revision <= entry.revision and future.set_running_or_notify_cancel():
                future.set_result(settled)

    def _follow(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                pause = self.once()
            except DdnsError as error:  # the ledger or the audit log can't be written: nothing is lost, try again
                self._note(error.message)
                pause = LOOK_AGAIN
            self._wake.wait(min(pause, LOOK_AGAIN))

    def once(self) -> float:
        """Carry what is due. Returns the seconds until the next try, for ever when nothing waits. Raises StateError."""
        entries = self._ledger.queued(BATCH + len(self._failures))
        self._forget(entries)
        now = self._clock.now()
        due = [entry for entry in entries if self._due(entry, now)][:BATCH]
        if due:
            self._carry(due)
        if not self._failures:
            self.problem = ""
        now = self._clock.now()
        waiting = [failure.due - now for failure in self._failures.values()]
        more = len(due) == BATCH
        return 0.0 if more else max(0.0, min(waiting, default=_UNTIL_TOLD))

    def _forget(self, entries: list[Entry]) -> None:
        queued = {(entry.name, entry.type): entry.revision for entry in entries}
        self._failures = {
            key: failure for key, failure in self._failures.items() if queued.get(key) == failure.revision
        }

    def _due(self, entry: Entry, now: float) -> bool:
        failure = self._failures.get((entry.name, entry.type))
        # A clock that went back must not make a record wait for longer than the longest pause.
        return failure is None or not now < failure.due <= now + LONGEST_PAUSE

    def _carry(self, entries: Iterable[Entry]) -> None:
        by_provider: dict[str, dict[RecordKey, Entry]] = {}
        for entry in entries:
            id_ = self._zones.provider_of(entry.name)
            if id_ is None:
                self._later(entry, ProviderError(f"no zone in the settings holds {entry.name}"))
                continue
            by_provider.setdefault(id_, {})[RecordKey(id_, entry.name, entry.type)] = entry
        deadline = Deadline(self._clock, PASS_LIMIT)
        for position, (id_, wanted) in enumerate(by_provider.items()):
            self._carry_to(id_, wanted, deadline.within(deadline.left() / (len(by_provider) - position)))

    def _carry_to(self, id_: str, wanted: dict[RecordKey, Entry], deadline: Deadline) -> None:
        provider = self._providers[id_]
        state = LedgerState(self._ledger, self._audit, wanted, self._clock)
        changes: list[Change] = []
        for key, seen in provider.observe(list(wanted), deadline).items():
            if isinstance(seen, ProviderError):
                self._later(wanted[key], seen)
                continue
            change = _change(wanted[key], seen, provider.capabilities.min_ttl)
            if change is None:
                state.confirm(key, None)
                self._settled(wanted[key], Settled(RecordState.CONFIRMED))
            else:
                changes.append(change)
        run = Run(uuid.uuid4().hex, "gateway", self._clock.now())
        outcomes = publish(
            run,
            Plan(changes=tuple(changes)),
            self._providers,
            state,
            policy=self._policy,
            clock=self._clock,
            deadline=deadline,
            random=self._random,
        )
        for outcome in outcomes:
            entry = wanted[outcome.key]
            if outcome.kind.wrote:
                self._settled(entry, Settled(RecordState.CONFIRMED))
            elif isinstance(outcome.cause, Rejected):
                self._settled(entry, Settled(RecordState.FAILED, outcome.cause.message))
            else:
                self._later(entry, outcome.cause or ProviderError(f"{outcome.key}: {Kind(outcome.kind)}"))

    def _settled(self, entry: Entry, settled: Settled) -> None:
        self._failures.pop((entry.name, entry.type), None)
        self._tell(entry, settled)

    def _later(self, entry: Entry, error: DdnsError) -> None:
        before = self._failures.get((entry.name, entry.type))
        attempts = 1 if before is None else before.attempts + 1
        pause = min(2.0 ** min(attempts - 1, 6) * (0.5 + self._random()), LONGEST_PAUSE)
        self._failures[entry.name, entry.type] = _Failure(entry.revision, attempts, self._clock.now() + pause)
        self._note(f"{entry.name} {entry.type}: {error.message}")

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            _LOG.warning("%s", problem)
        self.problem = problem


def _change(entry: Entry, seen: Observed, min_ttl: int) -> Change | None:
    """The write that makes DNS as the entry wants it, None when it is."""
    wanted = entry.rrset
    if wanted is not None and wanted.ttl is not None and wanted.ttl < min_ttl:
        wanted = RRset(wanted.values, min_ttl, wanted.extra)
    if wanted is None:
        if seen.rrset is None:
            return None
        reason = Reason.REMOVE
    elif seen.rrset is None:
        reason = Reason.CREATE
    elif seen.rrset.covers(wanted):
        return None
    else:
        reason = Reason.ADDRESS if stored_values(seen.rrset) != entry.values else Reason.SETTINGS
    return Change(uuid.uuid4().hex, seen.key, seen.rrset, wanted, reason, entry.seq)
