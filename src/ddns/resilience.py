"""Retry policies and the breaker as values, and the guard that puts them around a provider's calls.

The breaker's memory is stored after each call, because every run is a new process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from ddns.errors import (
    Block,
    Deferred,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    Retryable,
    Untrusted,
    block_again,
)
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Applied, Change, Observed, RecordKey
from ddns.ports import Capabilities, Clock, Deadline, Provider, State

BLOCK_SECONDS = 24 * 3600.0
_WINDOW = 10
_LEAST_CALLS = 5
_FIRST_OPENING = 300.0
_LONGEST_OPENING = 3600.0


class Retry(msgspec.Struct, frozen=True):
    """How often and how soon a failed call is repeated: exponential with jitter, or fixed. Seconds."""

    attempts: int = 5
    base: float = 0.1
    jitter: float = 0.1
    exponential: bool = True

    def pause(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds before attempt 2, 3, ...: base x 2^(attempt - 2) + U(0, jitter), or base + U(0, jitter)."""
        steps = 2 ** (attempt - 2) if self.exponential else 1
        return self.base * steps + self.jitter * random()

    def wait(
        self,
        attempt: int,
        errors: Sequence[ProviderError],
        *,
        clock: Clock,
        deadline: Deadline,
        random: Callable[[], float],
    ) -> bool:
        """Pause after attempt number `attempt`, as policy and errors ask; False when no attempt may follow."""
        if attempt >= self.attempts or (errors and all(isinstance(error, Untrusted) for error in errors)):
            return False
        asked = [error.retry_after for error in errors if isinstance(error, RateLimited) and error.retry_after]
        pause = max([self.pause(attempt + 1, random), *asked])
        if pause >= deadline.left():
            return False
        clock.sleep(pause)
        return True


def open_until(note: BreakerNote, now: float) -> float | None:
    """Until when no call is made; None when one may be."""
    if note.opened_at is None or note.open_until is None:
        return None
    return note.open_until if note.opened_at <= now < note.open_until else None


def after_call(note: BreakerNote, *, failed: bool, now: float, asked: float | None = None) -> BreakerNote:
    """The breaker's memory after one call. The first one after it was open is the trial: it closes it, or not.

    A call that a person insisted on while it is open closes it when it succeeds, and prolongs nothing when it fails.
    `asked`: the seconds of a Retry-After; the breaker is open at least that long.
    """
    calls = (*note.calls, failed)[-_WINDOW:]
    trial = note.open_until is not None
    if not failed:
        return BreakerNote() if trial else replace(note, calls=calls)
    if open_until(note, now) is not None and not asked:
        return replace(note, calls=calls)
    tripped = trial or (len(calls) >= _LEAST_CALLS and sum(calls) * 2 >= len(calls))
    seconds = min(_FIRST_OPENING * 2.0 ** min(note.openings, 10), _LONGEST_OPENING) if tripped else 0.0
    seconds = max(seconds, min(asked or 0.0, BLOCK_SECONDS))
    if not seconds:
        return replace(note, calls=calls)
    return BreakerNote(calls, now, now + seconds, note.openings + tripped)


class Guard:
    """A provider with its memory: a block or an open breaker answers in its place, each call is counted.

    `name` is the provider's id and the fingerprint of its settings and secret: new credentials start afresh.
    Reads are retried here; writes are not, because after an ambiguous one the record must be read first (`publish`).
    `connect` runs at the first call, so that a run that asks nothing opens nothing. `insist` ignores block and breaker.
    """

    def __init__(
        self,
        provider_id: str,
        fingerprint: str,
        connect: Callable[[], Provider],
        memory: Memory,
        state: State,
        *,
        policy: Retry,
        clock: Clock,
        random: Callable[[], float],
        insist: bool = False,
    ) -> None:
        self.name = f"{provider_id}:{fingerprint}"
        self._id = provider_id
        self._fingerprint = fingerprint
        self._connect = connect
        self._provider: Provider | None = None
        self._block = memory.blocks.get(self.name)
        self._former = [name for name, note in memory.blocks.items() if note.provider == provider_id]
        self._breaker = memory.breakers.get(self.name, BreakerNote())
        self._state = state
        self._policy = policy
        self._clock = clock
        self._random = random
        self._insist = insist

    @property
    def capabilities(self) -> Capabilities:
        """Those of the provider."""
        return self._open().capabilities

    def _open(self) -> Provider:
        if self._provider is None:
            self._provider = self._connect()
        return self._provider

    def refusal(self, deadline: Deadline) -> ProviderError | None:
        """Why no call is made now, if none is."""
        now = self._clock.now()
        if not self._insist and self._block is not None and self._block_holds(self._block, now):
            return block_again(self._block.code, self._block.message, self._block.advice)
        until = open_until(self._breaker, now)
        if until is not None and not self._insist:
            return Deferred(f"{self._id} failed too often and is left alone for {until - now:.0f} s", until=until)
        if deadline.left() <= 0:
            return Deferred(f"no time was left for {self._id} in this run", until=now)
        return None

    @staticmethod
    def _block_holds(block: BlockNote, now: float) -> bool:
        # From the last refusal on, which is later than `since`, the first: a clock that went back does not prolong it.
        return max(block.since, block.retry_at - BLOCK_SECONDS) <= now < block.retry_at

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """As the provider's, with retries under the policy."""
        seen: dict[RecordKey, Observed | ProviderError] = {key: self._unfit(key) for key in keys if not self._fits(key)}
        waiting = [key for key in keys if key not in seen]
        if not waiting:
            return seen
        for attempt in range(1, self._policy.attempts + 1):
            refusal = self.refusal(deadline)
            if refusal is not None:
                return seen | {key: seen.get(key, refusal) for key in waiting}
            seen |= self._observe_once(waiting, deadline)
            errors = [(key, result) for key in waiting if isinstance(result := seen[key], Retryable)]
            waiting = [key for key, _ in errors]
            if not waiting or not self._policy.wait(
                attempt, [error for _, error in errors], clock=self._clock, deadline=deadline, random=self._random
            ):
                break
        return seen

    def _fits(self, key: RecordKey) -> bool:
        """Whether the provider keeps such records; every one keeps addresses, and is not opened to be asked."""
        try:
            return key.type.family is not None or key.type in self.capabilities.types
        except ProviderError:
            return True  # why it can't be opened is told when it is asked

    def _unfit(self, key: RecordKey) -> ProviderError:
        return Rejected(
            f"{self._id} can't keep records of the type {key.type} ({key.name})",
            advice="Keep it at a provider that can: docs/guides/providers.md lists them.",
        )

    def _observe_once(self, keys: list[RecordKey], deadline: Deadline) -> dict[RecordKey, Observed | ProviderError]:
        try:
            seen = dict(self._open().observe(keys, deadline))
        except ProviderError as error:
            seen = dict.fromkeys(keys, error)
        errors = [result for result in seen.values() if isinstance(result, ProviderError)]
        self._count(errors, some_passed=len(errors) < len(seen))
        return seen

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """As the provider's, once; the results of the whole call are counted as one."""
        refusal = self.refusal(deadline)
        if refusal is not None:
            yield from ((change, refusal) for change in changes)
            return
        errors: list[ProviderError] = []
        some_passed = False
        waiting = {change.id: change for change in changes}
        try:
            for change, result in self._open().apply(changes, deadline):
                del waiting[change.id]
                if isinstance(result, ProviderError):
                    errors.append(result)
                else:
                    some_passed = True
                yield change, result
        except ProviderError as error:
            errors.append(error)
            yield from ((change, error) for change in waiting.values())
        # Not in a `finally`: a caller that gave up has no state to write to.
        self._count(errors, some_passed=some_passed)

    def _count(self, errors: list[ProviderError], *, some_passed: bool) -> None:
        """Remember how a call went. Where other records passed, one refused right or zone is that record's alone."""
        now = self._clock.now()
        failed = any(isinstance(error, Retryable) for error in errors)
        pauses = [error.retry_after for error in errors if isinstance(error, RateLimited) and error.retry_after]
        breaker = after_call(self._breaker, failed=failed, now=now, asked=max(pauses, default=None))
        if breaker != self._breaker:
            self._breaker = breaker
            self._state.note_breaker(self.name, breaker)
        own = (NotPermitted, NoSuchZone) if some_passed else ()
        block = next((error for error in errors if isinstance(error, Block) and not isinstance(error, own)), None)
        if block is not None:
            since = self._block.since if self._block else now
            self._block = BlockNote(
                self._id, self._fingerprint, block.code, block.message, block.advice, since, now + BLOCK_SECONDS
            )
            self._former = [*{*self._former, self.name}]
            self._state.note_block(self.name, self._block)
        elif not failed:  # also blocks of settings and secrets that were replaced since
            for name in self._former:
                self._state.note_block(name, None)
            self._block, self._former = None, []
