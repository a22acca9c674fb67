"""The vocabulary: a record, what is wanted of it, what was seen and what became of it.

Frozen values that travel from step to step; no input or output here. Times are UTC seconds since the epoch (float),
durations are seconds, addresses are `ipaddress` objects.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Mapping

import msgspec

from ddns.address import Address, Family, HostRule
from ddns.errors import DdnsError, Exit, Held

#: One value of an RRset: an address for A and AAAA, presentation text for the other types.
Value = Address | str


class RecordType(enum.StrEnum):
    """The record types a client may own."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    TXT = "TXT"

    @property
    def family(self) -> Family | None:
        """The address family that this type carries, None for CNAME and TXT."""
        return {RecordType.A: Family.V4, RecordType.AAAA: Family.V6}.get(self)

    @property
    def shared(self) -> bool:
        """Whether a name has values of several owners under this type, of which ours is one."""
        return self is RecordType.TXT

    def parse(self, text: str) -> Value:
        """Parse a value; ValueError when it is not one of this type.

        A CNAME's is a name in lower case without the final dot; a TXT's is its text, unquoted.
        """
        if self is RecordType.A:
            return ipaddress.IPv4Address(text)
        if self is RecordType.AAAA:
            return ipaddress.IPv6Address(text)
        return text.lower().removesuffix(".") if self is RecordType.CNAME else text


class RecordKey(msgspec.Struct, frozen=True, order=True):
    """What is managed: one RRset, by the id of the provider in the settings, its full name and its type."""

    provider: str
    name: str
    type: RecordType

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


class RRset(msgspec.Struct, frozen=True):
    """The values of one name and type. What is not in `ttl` and `extra` is not asked for, or not known.

    `extra` holds what only some providers know: ``proxied`` (bool), ``comment`` (str).
    """

    values: frozenset[Value]
    ttl: int | None = None
    extra: Mapping[str, str | bool] = {}

    def __hash__(self) -> int:
        return hash((self.values, self.ttl))  # `extra` is a mapping: equal ones hash the same all the more

    def covers(self, wanted: RRset) -> bool:
        """Whether everything that `wanted` asks for is so here, as far as it can be seen here."""
        return (
            self.values == wanted.values
            and (wanted.ttl is None or self.ttl is None or self.ttl == wanted.ttl)
            and all(self.extra.get(key, value) == value for key, value in wanted.extra.items())
        )

    def texts(self) -> list[str]:
        """The values in presentation form, sorted."""
        return sorted(map(str, self.values))

    def __str__(self) -> str:
        return ", ".join(self.texts())


def values_of(rrset: RRset | None) -> frozenset[Value]:
    """The values of what stands there; none where there is no record."""
    return frozenset() if rrset is None else rrset.values


class Adopt(enum.StrEnum):
    """What happens to a record that was there before us: taken over if it has a single value, or always."""

    SINGLE = "single"
    ALL = "all"


class Target(msgspec.Struct, frozen=True):
    """A record as the settings want it.

    Its value comes from the detection of `family`, by way of the `host_rule` where there is one; of a record without
    a family it is `value`.
    """

    key: RecordKey
    family: Family | None
    ttl: int | None = None
    extra: Mapping[str, str | bool] = {}
    adopt: Adopt = Adopt.SINGLE
    value: Value | None = None
    host_rule: HostRule | None = None


class Observed(msgspec.Struct, frozen=True):
    """A record as it was read: `rrset` None when there is none. `by` names who was asked, such as ``api``.

    `held`: a write of ours was acknowledged, and is kept back until an operator releases it. `beside`: values that
    stand at the same name and type and are not ours (of a type that is `shared`); they are not in `rrset` then.
    """

    key: RecordKey
    rrset: RRset | None
    by: str
    at: float
    held: bool = False
    beside: frozenset[Value] = frozenset()


class Reason(enum.StrEnum):
    """Why a record is changed."""

    CREATE = "create"
    ADDRESS = "address"
    DRIFT = "drift"
    SETTINGS = "settings"
    REMOVE = "remove"


class Change(msgspec.Struct, frozen=True):
    """One write: from `before` (as observed) to `after`; None means that the record is not there.

    `id` is unique for ever and is the idempotency key; `seq` grows with every intent of this machine
    (0: not yet intended). `beside` as in `Observed`: what is to stay as it is.
    """

    id: str
    key: RecordKey
    before: RRset | None
    after: RRset | None
    reason: Reason
    seq: int = 0
    beside: frozenset[Value] = frozenset()

    def done(self, now: RRset | None) -> bool:
        """Whether the record already is as this asks for: a write sent twice finds its own work."""
        return now is None if self.after is None else now is not None and now.covers(self.after)

    def untouched(self, now: RRset | None) -> bool:
        """Whether the record has the values that it had before this."""
        return values_of(now) == values_of(self.before)


class AppliedState(enum.StrEnum):
    """How far a write got: in DNS (or at the provider), acknowledged but not yet in DNS, held for release."""

    APPLIED = "applied"
    QUEUED = "queued"
    HELD = "held"


class Applied(msgspec.Struct, frozen=True):
    """A write that the provider acknowledged."""

    state: AppliedState = AppliedState.APPLIED


class Keep(msgspec.Struct, frozen=True):
    """A record that is right as it is. `observed` None: believed so, not read. `rrset` None: nothing to publish."""

    key: RecordKey
    rrset: RRset | None
    observed: Observed | None = None
    note: str = ""


class Hold(msgspec.Struct, frozen=True):
    """A record that is not touched, with the error that says why. `until` None: until something changes."""

    key: RecordKey
    kind: Kind
    cause: DdnsError
    until: float | None = None
    observed: Observed | None = None


class Fate(enum.StrEnum):
    """What became of a write whose end we did not see: never happened, happened, or overtaken by somebody else."""

    VOID = "void"
    ADOPTED = "adopted"
    EXTERNAL = "external"


class Resolution(msgspec.Struct, frozen=True):
    """The end of an open intent, as an observation tells it."""

    change: Change
    fate: Fate
    observed: Observed


class Plan(msgspec.Struct, frozen=True):
    """What is to be done; every target is in exactly one of `changes`, `unchanged` and `held`.

    `resolved` closes intents of earlier runs, before anything else.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[Keep, ...] = ()
    held: tuple[Hold, ...] = ()
    resolved: tuple[Resolution, ...] = ()


class Kind(enum.StrEnum):
    """How one record came out of a run."""

    UNCHANGED = "unchanged"
    PROVEN = "proven"
    UPDATED = "updated"
    REPAIRED = "repaired"
    REMOVED = "removed"
    ACCEPTED = "accepted"
    HELD = "held"
    YIELDED = "yielded"
    CONTENDED = "contended"
    DEFERRED = "deferred"
    FAILED = "failed"

    @property
    def wrote(self) -> bool:
        """Whether DNS was changed by us."""
        return self in (Kind.UPDATED, Kind.REPAIRED, Kind.REMOVED)

    @property
    def right(self) -> bool:
        """Whether nothing is left to do for the record."""
        return self.wrote or self in (Kind.UNCHANGED, Kind.PROVEN)


class Outcome(msgspec.Struct, frozen=True):
    """The end of one record in one run. Exit code, log line, metric and status all derive from it.

    `rrset` is what stands in DNS as far as we know; `cause` says why a kind that is not `right` came about;
    `until` is when it is tried again, where that is known.
    """

    kind: Kind
    key: RecordKey
    at: float
    rrset: RRset | None = None
    change: Change | None = None
    observed: Observed | None = None
    cause: DdnsError | None = None
    until: float | None = None
    note: str = ""

    @property
    def exit(self) -> Exit:
        """The exit code of a run with only this outcome."""
        if self.kind is Kind.FAILED:
            return self.cause.exit if self.cause else Exit.CRASH
        if self.kind is Kind.DEFERRED:
            return Exit.UNREACHABLE
        gateways = self.change is not None or isinstance(self.cause, Held)
        if self.kind is Kind.CONTENDED or (self.kind is Kind.HELD and not gateways):
            return Exit.REFUSED  # a person must say who owns the record; a gateway's hold is fine
        return Exit.FINE


class Run(msgspec.Struct, frozen=True):
    """One start of the program, for log, history and trace."""

    trace_id: str
    trigger: str
    started: float
    full: bool = True
