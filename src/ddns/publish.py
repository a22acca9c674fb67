"""The step that writes: carries out a plan through the providers, and turns every end, good or bad, into an outcome.

It decides nothing, but for one thing: where the machines of a fleet share a lease, nothing is written without it, and
what was read before it was had is read again (`leasing`). The intent is durable before the first byte; each outcome is
stored before it is told. A write whose end was not seen is observed: `after` means it happened, `before` that it may be
tried again, a third value that somebody else writes too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from ddns.beside import again, whole
from ddns.errors import Conflict, Deferred, Held, LeaseTaken, ProviderError, RateLimited, Retryable
from ddns.leasing import Leasing
from ddns.model import (
    Applied,
    AppliedState,
    Change,
    Hold,
    Keep,
    Kind,
    Observed,
    Outcome,
    Plan,
    Reason,
    RecordKey,
    Run,
)
from ddns.ports import Clock, Deadline, Lock, Provider, State
from ddns.resilience import Retry

_WROTE = {Reason.DRIFT: Kind.REPAIRED, Reason.REMOVE: Kind.REMOVED}


def publish(
    run: Run,
    plan: Plan,
    providers: Mapping[str, Provider],
    state: State,
    *,
    policy: Retry,
    clock: Clock,
    deadline: Deadline,
    random: Callable[[], float],
    lock: Lock | None = None,
) -> Iterator[Outcome]:
    """Carry out `plan`; yields one outcome for each of its records, as they come. `lock`: the fleet's, if any."""
    for resolution in plan.resolved:
        state.resolve(run, resolution)
    now = clock.now()
    for outcome in (*(_kept(keep, now) for keep in plan.unchanged), *(_held(hold, now) for hold in plan.held)):
        state.settle(run, outcome)
        yield outcome
    names = list(dict.fromkeys(change.key.provider for change in plan.changes))
    leasing = Leasing(lock, clock)
    try:
        for position, name in enumerate(names):
            share = deadline.within(deadline.left() / (len(names) - position))
            writer = _Writer(
                providers[name], leasing=leasing, policy=policy, clock=clock, deadline=share, random=random
            )
            ours = [change for change in plan.changes if change.key.provider == name]
            for outcome in _of_provider(run, ours, writer, state):
                state.settle(run, outcome)
                yield outcome
    finally:
        leasing.release()


def _of_provider(run: Run, changes: Sequence[Change], writer: _Writer, state: State) -> Iterator[Outcome]:
    """The outcomes of one provider's changes, each intended before anything is sent."""
    problem = writer.may_begin()
    ends: list[Outcome] = []
    if problem is None:
        changes, ends = writer.look_again(changes)
    told = [*changes, *(end.change for end in ends if end.change is not None)]  # history tells of these too
    intended = {change.id: change for change in state.intend(run, told, writer.now)} if told else {}
    yield from ends
    # A state keeps what is ours alone.
    changes = [replace(intended[change.id], beside=change.beside) for change in changes]
    if problem is not None:
        yield from (outcome_of(change, problem, writer.now) for change in changes)
    elif changes:
        yield from writer.write(changes)


def _kept(keep: Keep, now: float) -> Outcome:
    kind = Kind.UNCHANGED if keep.observed is None else Kind.PROVEN
    return Outcome(kind, keep.key, now, keep.rrset, observed=keep.observed, note=keep.note)


def _held(hold: Hold, now: float) -> Outcome:
    return Outcome(hold.kind, hold.key, now, cause=hold.cause, until=hold.until, observed=hold.observed)


def outcome_of(change: Change, error: ProviderError, now: float) -> Outcome:
    """The outcome of a write that ended with this error."""
    if isinstance(error, Deferred | Retryable):
        until = error.until
        if isinstance(error, RateLimited) and error.retry_after:
            until = now + error.retry_after
        return Outcome(Kind.DEFERRED, change.key, now, change.before, change, cause=error, until=until)
    if isinstance(error, LeaseTaken):
        return Outcome(Kind.YIELDED, change.key, now, change.before, change, cause=error)
    kind = Kind.CONTENDED if isinstance(error, Conflict) else Kind.FAILED
    return Outcome(kind, change.key, now, change.before, change, cause=error)


def in_doubt(error: ProviderError) -> bool:
    """Whether the record must be read to know how this write ended: an earlier try of ours may be the conflict."""
    return error.in_doubt or isinstance(error, Conflict)


class _Writer:
    """Writes changes of one provider until each has an end, the policy's attempts are used, or time is up."""

    def __init__(
        self,
        provider: Provider,
        *,
        leasing: Leasing,
        policy: Retry,
        clock: Clock,
        deadline: Deadline,
        random: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._leasing = leasing
        self._policy = policy
        self._clock = clock
        self._deadline = deadline
        self._random = random

    @property
    def now(self) -> float:
        """UTC seconds."""
        return self._clock.now()

    def may_begin(self) -> ProviderError | None:
        """Why nothing may be written now, if so: the fleet's lease is another machine's, or can't be had."""
        return self._leasing.hold(self._deadline)

    def may_write(self) -> ProviderError | None:
        """The same, asked just before a write: the lease may have been lost since it was taken."""
        return self._leasing.hold(self._deadline, sure=True)

    def look_again(self, changes: Sequence[Change]) -> tuple[list[Change], list[Outcome]]:
        """The changes that are still to be made, and the ends of the others: overtaken by another holder, unreadable.

        What this run has read is older than its lease.
        """
        if not self._leasing.wanted:
            return list(changes), []
        seen = self._provider.observe([change.key for change in changes], self._leasing.share(self._deadline))
        still: list[Change] = []
        ends: list[Outcome] = []
        for change in changes:
            found, now = seen[change.key], self._clock.now()
            if isinstance(found, Observed):
                change, found = again(change, found)
            if isinstance(found, ProviderError):
                ends.append(replace(outcome_of(change, found, now), change=None))
            elif change.done(found.rrset):
                ends.append(Outcome(Kind.PROVEN, change.key, now, change.after, observed=found))
            elif change.untouched(found.rrset):
                still.append(change)
            else:
                cause = LeaseTaken(
                    f"{change.key} was set to {found.rrset or 'none'} while this machine waited to write"
                )
                ends.append(Outcome(Kind.YIELDED, change.key, now, found.rrset, change, cause=cause))
        return still, ends

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """One outcome a change."""
        waiting = list(changes)
        errors: dict[RecordKey, ProviderError] = {}
        for attempt in range(1, self._policy.attempts + 1):
            if (problem := self.may_write()) is not None:
                errors = {change.key: problem for change in waiting}
                break
            errors, named = {}, {change.key: change for change in waiting}
            share = self._leasing.share(self._deadline)
            for sent, result in self._provider.apply([whole(change) for change in waiting], share):
                if isinstance(result, ProviderError):
                    errors[sent.key] = result
                else:
                    yield self._applied(named[sent.key], result)
            waiting = [change for change in waiting if change.key in errors]
            doubtful = [change for change in waiting if in_doubt(errors[change.key])]
            seen = self._provider.observe([change.key for change in doubtful], self._deadline) if doubtful else {}
            still: list[Change] = []
            for change in waiting:
                found = seen.get(change.key)
                if isinstance(found, Observed):
                    change, found = again(change, found)
                outcome = self._end(change, errors[change.key], found)
                if outcome is None:
                    still.append(change)
                else:
                    yield outcome
            waiting = still
            if not waiting or not self._policy.wait(
                attempt,
                [errors[change.key] for change in waiting],
                clock=self._clock,
                deadline=self._deadline,
                random=self._random,
            ):
                break
        for change in waiting:
            yield outcome_of(change, errors[change.key], self._clock.now())

    def _applied(self, change: Change, applied: Applied, observed: Observed | None = None) -> Outcome:
        kind = {
            AppliedState.APPLIED: _WROTE.get(change.reason, Kind.UPDATED),
            AppliedState.QUEUED: Kind.ACCEPTED,
            AppliedState.HELD: Kind.HELD,
        }[applied.state]
        cause = Held.at(change.key) if kind is Kind.HELD else None
        return Outcome(kind, change.key, self._clock.now(), change.after, change, observed, cause)

    def _end(self, change: Change, error: ProviderError, seen: Observed | ProviderError | None) -> Outcome | None:
        """The end of a write that gave an error, None when it may be tried again."""
        now = self._clock.now()
        if isinstance(seen, Observed):
            if change.done(seen.rrset):
                return self._applied(change, Applied(), seen)
            if not change.untouched(seen.rrset):
                conflict = (
                    error
                    if isinstance(error, Conflict)
                    else Conflict(
                        f"{change.key} was found with the value {seen.rrset or 'none'}, neither ours nor the one before"
                    )
                )
                return Outcome(Kind.CONTENDED, change.key, now, seen.rrset, change, seen, conflict)
        elif in_doubt(error):  # it could not be read either: the intent stays open and the next run looks first
            return outcome_of(change, error, now)
        return None if isinstance(error, Retryable | Conflict) else outcome_of(change, error, now)
