"""The seams: what the steps ask of the world. Adapters implement these; only `runtime` knows both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from ddns.address import Address, Family
from ddns.errors import ProviderError
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Applied, Change, Observed, Outcome, RecordKey, RecordType, Resolution, Run
from ddns.secret import Secret, SecretRef


class Clock(Protocol):
    """Time, injected so that tests own it."""

    def now(self) -> float:
        """UTC seconds since the epoch; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; the zero is arbitrary."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Deadline:
    """A moment on the monotonic clock by which work ends. Every call that can block gets one.

    Make one with ``Deadline(clock, seconds)``; `within` gives a share that never outlives the whole.
    """

    __slots__ = ("_at", "_clock")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._at = clock.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._at - self._clock.monotonic())

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(self._clock, min(self.left(), seconds))


class HttpRequest(msgspec.Struct, frozen=True):
    """A request as a source or provider words it. `content` None: no body; `ca_file` "": the system's trust.

    `cert_file` and `key_file`: our own certificate, for a server that asks for one.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class HttpResponse(msgspec.Struct, frozen=True):
    """An answer, its body complete and within the limit that was asked for. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Net(Protocol):
    """The network as sources and HTTP providers see it."""

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        """One exchange, whole body read, no redirects followed, TLS verified; any status is an answer.

        Raises Transport: `ambiguous` unless the request certainly did not leave. Malformed: body over `limit` bytes.
        """
        ...

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        """Send one datagram and return the first that comes back from `to`. Raises Transport."""
        ...


class Source(Protocol):
    """One way to learn the public address."""

    @property
    def name(self) -> str:
        """Its name in settings, log and `ddns detect`."""
        ...

    @property
    def operator(self) -> str:
        """Who runs it: two sources of one operator count once."""
        ...

    @property
    def authenticated(self) -> bool:
        """Whether the answer can't be forged on the way (TLS)."""
        ...

    @property
    def suffices(self) -> bool:
        """Whether it is believed alone: the own gateway."""
        ...

    @property
    def families(self) -> frozenset[Family]:
        """The families it can tell."""
        ...

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:
        """The address as this source sees it, of the right family. Raises SourceError, naming itself."""
        ...


class Capabilities(msgspec.Struct, frozen=True):
    """What a provider can do. `min_ttl` in seconds: smaller ones are raised to it.

    `read`: `observe` asks the provider itself (else the zone's authoritative servers). `compare_and_set`: a write
    fails with Conflict when the record is not as it was observed, so that locks are fenced. `batch`: one call
    carries many.
    """

    read: bool = True
    batch: bool = False
    compare_and_set: bool = False
    types: frozenset[RecordType] = frozenset({RecordType.A, RecordType.AAAA})
    min_ttl: int = 1


class Provider(Protocol):
    """A place where records are kept. Zones, paging, batching and signing are inside; retries are not."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Read the records; every key is in the answer, as a value or as a typed error. Never raises ProviderError."""
        ...

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Write; yields every change once, with its result, as they come. Only what changes is sent."""
        ...


class Tools(msgspec.Struct, frozen=True):
    """What a provider is built with, beside its own settings."""

    net: Net
    clock: Clock
    resolve: Callable[[SecretRef], Secret]
    #: ``ip:port`` of the servers that prove a record, empty: the zone's own, found through the system's resolver.
    proof_servers: tuple[str, ...] = ()
    #: The `[gateway]` table, for the provider that talks to it.
    gateway_url: str = ""
    gateway_ca_file: str = ""
    trace_id: str = ""
    #: This machine's identity, for the provider that talks to the gateway: a key is worth nothing on another machine.
    machine: Callable[[], str] = lambda: ""
    warn: Callable[[str], None] = lambda _message: None


class State(Protocol):
    """Memory that survives a kill at any point. Each method is one durable transaction. Raises StateUnwritable."""

    def recall(self) -> Memory:
        """All that is remembered."""
        ...

    def begin(self, run: Run) -> None:
        """Open a run; runs that never ended are closed as aborted."""
        ...

    def intend(self, run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
        """Make intents durable before the first byte is sent; returns the changes with their sequence numbers.

        `at`: the moment, in UTC seconds; None: that at which the run began.
        """
        ...

    def resolve(self, run: Run, resolution: Resolution) -> None:
        """Close the intent of an earlier run."""
        ...

    def settle(self, run: Run, outcome: Outcome) -> None:
        """Store one outcome and, where it has a change, close or keep its intent."""
        ...

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        """Store a breaker's memory; `name` is provider and fingerprint."""
        ...

    def note_block(self, name: str, note: BlockNote | None) -> None:
        """Store a block, or lift it."""
        ...


class Lease(Protocol):
    """A lease on the right to write, shared by machines behind one address."""

    @property
    def token(self) -> int:
        """The fencing token: grows with each holder."""
        ...

    def remaining(self) -> float:
        """Seconds left by the monotonic clock, counted from before it was asked for; 0 when it is lost."""
        ...

    def renew(self, deadline: Deadline) -> None:
        """Make it last its whole time again.

        Raises LeaseTaken and LeaseLost when it is not ours any more, LeaseUnavailable when that can't be told.
        """
        ...

    def release(self, deadline: Deadline) -> None:
        """Give it back, if it is still ours; best effort, as it ends by itself. Raises nothing of ours."""
        ...


class Lock(Protocol):
    """Where the fleet's lease is had."""

    def acquire(self, deadline: Deadline) -> Lease:
        """The lease. Raises LeaseTaken, LeaseUnavailable, BadCredentials, NotPermitted, SettingsError."""
        ...


class Log(Protocol):
    """The structured log. `details` are JSON values; secrets in them are masked."""

    def write(self, level: str, message: str, **details: object) -> None:
        """Append one line. `level` is DEBUG, INFO, WARN or ERROR."""
        ...
