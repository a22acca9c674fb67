"""The gateway's ledger: hosts, codes, records and what DNS confirmed, behind one small interface.

What the ledger has acknowledged is durable. Each method is one transaction; refusals are values, so that a caller
can't overlook one. Names and labels come in their kept spelling (`names.fold`), record values as presentation text.
Every method raises StateUnwritable when the ledger can't be used.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ddns.model import RecordType, RRset

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """A host. `machine` is the digest of the machine's identity; `key` is sealed, None once revoked.

    A host that was added without enrolment has neither: `machine` is "", `key` None. `former_key` is the key that it
    had before it was revoked, sealed, None where it is not known.
    """

    id: str
    label: str
    names: tuple[str, ...]
    machine: str
    key: bytes | None
    created_at: float
    last_seen: float | None = None
    revoked_at: float | None = None
    frozen: bool = False
    password: str = ""
    former_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """An enrolment code, by its digest. `rebind`: it may move the label to another machine."""

    digest: str
    label: str
    names: tuple[str, ...]
    created_at: float
    expires_at: float
    rebind: bool = False


@dataclass(frozen=True, slots=True)
class Redemption:
    """A code being used. `seal` encrypts the host's key for the host id that the ledger settles on."""

    code: str
    machine: str
    key_digest: str
    seal: Callable[[str], bytes]
    new_id: str
    now: float


class CodeRefusal(enum.StrEnum):
    """Why a code is refused."""

    INVALID = "code-invalid"
    USED = "code-used"
    EXPIRED = "code-expired"
    OTHER_MACHINE = "other-machine"
    NAME_TAKEN = "name-taken"


class RecordState(enum.StrEnum):
    """How far a record's wish got: on its way, in DNS, waiting for release, refused by DNS."""

    QUEUED = "queued"
    CONFIRMED = "confirmed"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record: what its host wants (`values` None: removed), and what DNS confirmed last.

    `revision` grows with every accepted update of the whole ledger, `seq` is the host's own count for this record.
    `confirmed_at` None: DNS never confirmed anything, so `confirmed` says nothing.
    """

    name: str
    type: RecordType
    host: str
    values: Values | None
    ttl: int | None
    revision: int
    seq: int
    state: RecordState
    trace_id: str
    updated_at: float
    confirmed: Values | None = None
    confirmed_at: float | None = None
    problem: str = ""

    @property
    def rrset(self) -> RRset | None:
        """What is wanted, as a value of the core."""
        if self.values is None:
            return None
        return RRset(frozenset(map(self.type.parse, self.values)), self.ttl)


@dataclass(frozen=True, slots=True)
class Update:
    """A write that passed every check but the ledger's own.

    `idem` is unique per host for ever, `digest` is that of the whole wish; `seq` None: one more than the last (clients
    that do not count). `seen` is the revision of the entry that the comparison was made against.
    """

    host: str
    name: str
    type: RecordType
    values: Values | None
    ttl: int | None
    idem: str
    digest: str
    seq: int | None
    seen: int
    trace_id: str
    now: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """An acknowledged update. `repeated`: it was acknowledged before, under the same idempotency key."""

    name: str
    type: RecordType
    revision: int
    seq: int
    state: RecordState
    digest: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """The sequence number is not above the current one."""

    current: int


@dataclass(frozen=True, slots=True)
class Reused:
    """The idempotency key was used for another wish."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Another update of the record was accepted since the comparison."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The host was revoked since its signature was checked."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be sent to DNS; open until its record is settled."""

    id: str
    name: str
    type: RecordType
    revision: int
    before: Values | None
    at: float


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The last grant of a fleet lease. `ttl`: the seconds that it was granted for; 0: it was given back."""

    name: str
    host: str
    token: int
    ttl: float


class Ledger(Protocol):
    """The interface that backends implement."""

    def host(self, host_id: str) -> Host | None:
        """A host by its id, revoked ones too."""
        ...

    def host_named(self, label: str) -> Host | None:
        """The host in force that has the label."""
        ...

    def hosts(self) -> list[Host]:
        """All hosts in force, by label."""
        ...

    def add_host(self, host: Host) -> Host | None:
        """Add a host that needs no enrolment; or the host that has its label or a name of it, and nothing is added."""
        ...

    def set_password(self, host_id: str, password_hash: str) -> None:
        """Store the hash of a host's dyndns2 password; "" takes it away."""
        ...

    def freeze(self, host_id: str, frozen: bool) -> None:  # noqa: FBT001  # the name says which
        """Hold the host's updates from now on; or no longer, and release what is held."""
        ...

    def revoke(self, host_id: str, *, now: float, remove_records: bool) -> None:
        """Take the host's key, free its names, withdraw its unused codes; its records are removed where asked.

        Of a host that is revoked already only the records are removed, those that no other host has taken over.
        """
        ...

    def add_code(self, code: Code) -> None:
        """Keep a new code."""
        ...

    def redeem(self, redemption: Redemption) -> Host | CodeRefusal:
        """Use a code. The same machine and key get the same host again, however often they ask."""
        ...

    def remember(self, host_id: str, nonce: str, *, now: float, until: float) -> bool:
        """Note a nonce, and that the host was seen; False when the nonce is known already."""
        ...

    def saw(self, host_id: str, *, now: float) -> None:
        """Note that the host was seen."""
        ...

    def entry(self, name: str, record_type: RecordType) -> Entry | None:
        """A record."""
        ...

    def entries(self, host_id: str) -> list[Entry]:
        """All records of a host."""
        ...

    def receipt(self, host_id: str, idem: str) -> Receipt | None:
        """The answer that an idempotency key got, with the state that its update has now."""
        ...

    def accept(self, update: Update) -> Receipt | Stale | Reused | Moved | Revoked:
        """Acknowledge an update, if its sequence number is above the last and nothing moved since `seen`."""
        ...

    def queued(self, limit: int) -> list[Entry]:
        """Records on their way to DNS, the oldest revision first."""
        ...

    def waiting(self) -> tuple[int, float | None]:
        """How many records are on their way, and since when the oldest is."""
        ...

    def intend(self, intents: Sequence[Intent]) -> None:
        """Note writes before they are sent; an older intent for the same record is replaced."""
        ...

    def intent(self, name: str, record_type: RecordType) -> Intent | None:
        """The open intent of a record."""
        ...

    def confirm(self, entry: Entry, now: float) -> None:
        """DNS holds what `entry` wants: settle every update of the record up to its revision, close the intent."""
        ...

    def fail(self, entry: Entry, problem: str) -> None:
        """DNS refuses what `entry` wants for good: settle it, unless a newer update came."""
        ...

    def lease(self, name: str) -> LeaseRow | None:
        """The last grant of a lease."""
        ...

    def grant_lease(self, name: str, host: str, ttl: float) -> int:
        """Note that a host has the lease from now on; returns its token, one above the last."""
        ...

    def free_lease(self, name: str, token: int) -> None:
        """Note that the lease of this token was given back."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
