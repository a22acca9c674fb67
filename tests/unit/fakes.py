"""Fakes at the edge, for tests of the steps and of whole runs: clock, network, source, provider over a DNS in memory.

Each implements a port of `ddns.ports`. They hold what the world is like; tests change that and read what came of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import dns.message
import dns.rdatatype
import dns.rrset

from ddns.address import Address, Family
from ddns.detect import Question
from ddns.detection import Answer
from ddns.errors import (
    BadCredentials,
    Banned,
    Conflict,
    Malformed,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SourceError,
    Transport,
)
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Applied, AppliedState, Change, Observed, Outcome, RecordKey, RecordType, Resolution, RRset, Run
from ddns.ports import Capabilities, Deadline, HttpRequest, HttpResponse

#: 2027-01-15 08:00 UTC.
START = 1_800_000_000.0


class FakeClock:
    """Time that only moves when it is told to. Sleeping moves it; `slept` holds each wait."""

    def __init__(self, now: float = START) -> None:
        self._now = now
        self._ticks = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._ticks

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.tick(seconds)

    def tick(self, seconds: float) -> None:
        """Time goes by."""
        self._now += seconds
        self._ticks += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock: UTC jumps, the monotonic clock does not."""
        self._now += seconds

    def deadline(self, seconds: float = 60.0) -> Deadline:
        """A moment this far ahead."""
        return Deadline(self, seconds)


class FakeNet:
    """Services that tell an address. `says` maps a host (HTTP) or ``ip:port`` (DNS) to what it tells.

    A text is an address, "" is silence; an HttpResponse is sent as it is, a ProviderError is raised. `asked` lists
    whom was asked, in order.
    """

    def __init__(self, says: Mapping[str, str | HttpResponse | ProviderError] | None = None) -> None:
        self.says: dict[str, str | HttpResponse | ProviderError] = dict(says or {})
        self.asked: list[str] = []

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        said = self._said(urlsplit(request.url).netloc)
        response = said if isinstance(said, HttpResponse) else HttpResponse(200, {}, said.encode())
        if len(response.body) > limit:
            raise Malformed(f"{request.url}: more than {limit} bytes")
        return response

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        said = self._said(f"{to[0]}:{to[1]}")
        if isinstance(said, HttpResponse):
            return said.body
        response = dns.message.make_response(dns.message.from_wire(data))
        question = response.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        text = f'"{said}"' if kind == "TXT" else said
        response.answer.append(dns.rrset.from_text_list(question.name, 0, question.rdclass, kind, [text]))
        return response.to_wire()

    def _said(self, where: str) -> str | HttpResponse:
        self.asked.append(where)
        said = self.says.get(where, "")
        if isinstance(said, ProviderError):
            raise said
        if said == "":
            raise Transport(f"{where}: no answer")
        return said


@dataclass
class FakeSource:
    """One source. `says` is an address, or the sentence of the error that it raises; `asked` counts."""

    name: str
    operator: str
    says: str
    authenticated: bool = True
    suffices: bool = False
    families: frozenset[Family] = frozenset(Family)
    asked: int = 0

    def ask(self, family: Family, net: object, deadline: Deadline) -> Address:
        self.asked += 1
        try:
            return ip_address(self.says)
        except ValueError:
            raise SourceError(f"{self.name}: {self.says}") from None


@dataclass(frozen=True)
class Write:
    """One change that DNS saw. `by`: the provider's name for our writes, else who it was."""

    name: str
    type: RecordType
    before: RRset | None
    after: RRset | None
    by: str


@dataclass
class Dns:
    """What the world resolves: an RRset for each name and type, and every write that brought it there."""

    records: dict[tuple[str, RecordType], RRset] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)

    def get(self, name: str, rtype: RecordType = RecordType.A) -> RRset | None:
        return self.records.get((name, rtype))

    def put(self, name: str, rtype: RecordType, rrset: RRset | None, by: str) -> None:
        """Replace a record, or take it away."""
        self.writes.append(Write(name, rtype, self.records.get((name, rtype)), rrset, by))
        if rrset is None:
            self.records.pop((name, rtype), None)
        else:
            self.records[name, rtype] = rrset

    def alter(self, name: str, *texts: str, rtype: RecordType = RecordType.A, ttl: int = 60) -> None:
        """Somebody else writes; without values the record goes."""
        self.put(name, rtype, RRset(frozenset(map(rtype.parse, texts)), ttl) if texts else None, "somebody else")

    def texts(self, name: str, rtype: RecordType = RecordType.A) -> tuple[str, ...]:
        """The values as text, in order."""
        rrset = self.get(name, rtype)
        return tuple(rrset.texts()) if rrset else ()

    def copy(self) -> Dns:
        return Dns(dict(self.records), list(self.writes))


@dataclass(frozen=True)
class Fault:
    """How a call at a provider goes wrong. `lands`: the write is carried out all the same, `late`: at `release`."""

    name: str
    error: Callable[[], ProviderError]
    lands: bool = False
    late: bool = False


UNREACHABLE = Fault("unreachable", lambda: Transport("connection refused"))
TIMEOUT_BEFORE = Fault("timeout before the write", lambda: Transport("no answer in time", ambiguous=True))
TIMEOUT_AFTER = Fault("timeout after the write", lambda: Transport("no answer in time", ambiguous=True), lands=True)
LIMITED = Fault("rate limited", lambda: RateLimited("too many calls", retry_after=30.0))
LIMITED_LONG = Fault("rate limited for an hour", lambda: RateLimited("too many calls", retry_after=3600.0))
TIMEOUT_LATE = Fault("timeout, write lands later", lambda: Transport("no answer in time", ambiguous=True), late=True)
SERVER_SIDE = Fault("5xx before the write", lambda: ServerSide("status 503"))
SERVER_SIDE_AFTER = Fault("5xx after the write", lambda: ServerSide("status 502"), lands=True)
MALFORMED = Fault("garbage", lambda: Malformed("not of the protocol"))
MALFORMED_AFTER = Fault("garbage after the write", lambda: Malformed("not of the protocol"), lands=True)
REJECTED = Fault("rejected", lambda: Rejected("a CNAME stands there"))
BAD_CREDENTIALS = Fault("bad credentials", lambda: BadCredentials("the token is not accepted"))
NOT_PERMITTED = Fault("not permitted", lambda: NotPermitted("the token may not write"))
BANNED = Fault("banned", lambda: Banned("abuse"))

FAULTS = (
    UNREACHABLE,
    TIMEOUT_BEFORE,
    TIMEOUT_AFTER,
    TIMEOUT_LATE,
    LIMITED,
    LIMITED_LONG,
    SERVER_SIDE,
    SERVER_SIDE_AFTER,
    MALFORMED,
    MALFORMED_AFTER,
    REJECTED,
    BAD_CREDENTIALS,
    NOT_PERMITTED,
    BANNED,
)


class FakeProvider:
    """A provider over `Dns`.

    `write_faults` and `read_faults` are used up, one for each record written and each call that reads (None: that one
    goes well); `down` lasts until it is taken away. `breaks_after` ends the next `apply` in the middle, after that
    many changes, with an error for the whole call. `state` QUEUED or HELD acknowledges writes that `release` brings
    into DNS later. `meanwhile` is called just before each write: what a second writer does between read and write.
    """

    def __init__(self, dns: Dns, clock: FakeClock, *, name: str = "fake", compare_and_set: bool = True) -> None:
        self.dns = dns
        self.name = name
        self.compare_and_set = compare_and_set
        self.state = AppliedState.APPLIED
        self.write_faults: deque[Fault | None] = deque()
        self.read_faults: deque[Fault | None] = deque()
        self.down: Fault | None = None
        self.breaks_after: int | None = None
        self.meanwhile: Callable[[Change], None] | None = None
        self.reads: list[RecordKey] = []
        self.sent: list[Change] = []
        self.waiting: list[Change] = []
        self._clock = clock

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(compare_and_set=self.compare_and_set)

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        self.reads += keys
        fault = self.read_faults.popleft() if self.read_faults else self.down
        if fault is not None:
            return {key: fault.error() for key in keys}
        return {key: Observed(key, self.dns.get(key.name, key.type), self.name, self._clock.now()) for key in keys}

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        for number, change in enumerate(changes):
            if number == self.breaks_after:
                self.breaks_after = None
                raise Transport("the connection was lost half-way", ambiguous=True)
            yield change, self._write(change)

    def release(self) -> None:
        """What was queued, held or late comes into DNS, where it may still be written."""
        for change in self.waiting:
            if self._allowed(change):
                self._put(change)
        self.waiting.clear()

    def copy(self, dns: Dns, clock: FakeClock) -> FakeProvider:
        """The same provider over another DNS, with the same faults to come."""
        other = FakeProvider(dns, clock, name=self.name, compare_and_set=self.compare_and_set)
        other.state, other.down, other.breaks_after = self.state, self.down, self.breaks_after
        other.write_faults, other.read_faults = self.write_faults.copy(), self.read_faults.copy()
        other.waiting = self.waiting.copy()
        return other

    def _write(self, change: Change) -> Applied | ProviderError:
        self.sent.append(change)
        if self.meanwhile is not None:
            self.meanwhile(change)
        fault = self.write_faults.popleft() if self.write_faults else self.down
        if fault is not None and not fault.lands:
            self.waiting += [change] * fault.late
            return fault.error()
        if not self._allowed(change):
            found = self.dns.get(change.key.name, change.key.type)
            return Conflict(f"{change.key} is not as it was read: found {found or 'none'}")
        if self.state is AppliedState.APPLIED:
            self._put(change)
        else:
            self.waiting.append(change)
        return fault.error() if fault is not None else Applied(self.state)

    def _allowed(self, change: Change) -> bool:
        found = _values(self.dns.get(change.key.name, change.key.type))
        return not self.compare_and_set or found in (_values(change.before), _values(change.after))

    def _put(self, change: Change) -> None:
        now, after = self.dns.get(change.key.name, change.key.type), change.after
        if after is not None:
            extra = {**(now.extra if now else {}), **after.extra}
            after = RRset(after.values, after.ttl or (now.ttl if now else None) or 120, extra)
        if now != after:
            self.dns.put(change.key.name, change.key.type, after, self.name)


def _values(rrset: RRset | None) -> object:
    return rrset.values if rrset else None


@dataclass
class FakeState:
    """A state that keeps everything it is told, in order. `memory` is what it recalls."""

    memory: Memory = field(default_factory=Memory)
    intended: list[Change] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)
    resolved: list[Resolution] = field(default_factory=list)
    breakers: dict[str, BreakerNote] = field(default_factory=dict)
    blocks: dict[str, BlockNote] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def recall(self) -> Memory:
        return self.memory

    def begin(self, run: Run) -> None:
        self.runs.append(run)

    def intend(self, run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
        numbered = [
            Change(c.id, c.key, c.before, c.after, c.reason, len(self.intended) + number)
            for number, c in enumerate(changes, 1)
        ]
        self.intended += numbered
        return numbered

    def resolve(self, run: Run, resolution: Resolution) -> None:
        self.resolved.append(resolution)

    def settle(self, run: Run, outcome: Outcome) -> None:
        self.settled.append(outcome)

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        self.breakers[name] = note

    def note_block(self, name: str, note: BlockNote | None) -> None:
        if note is None:
            self.blocks.pop(name, None)
        else:
            self.blocks[name] = note


def in_turn(questions: Sequence[Question], left: Callable[[], float]) -> Iterator[Answer]:
    """A `detect.Gather` without threads: asks one after the other, in their order."""
    for question in questions:
        if left() <= 0:
            return
        yield question()
