"""What is remembered from run to run: of each record, each provider and each source. Frozen values, as in `model`.

Times are UTC seconds since the epoch (float), durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ddns.address import Family
from ddns.model import Change, RecordKey, RRset


class Published(msgspec.Struct, frozen=True):
    """What we know of one record that we own. `written_at` 0: it stood so already, and was taken over as it was."""

    rrset: RRset
    since: float
    written_at: float = 0.0
    proven_at: float | None = None
    proven_by: str = ""
    #: Times at which somebody else was found to have undone our write (kept for 24 h).
    reversals: tuple[float, ...] = ()
    held_until: float | None = None
    #: Written or acknowledged, but not yet seen: the next run must prove it.
    pending: bool = False


class Intent(msgspec.Struct, frozen=True):
    """A write that was intended at `at`, and whose end is not known yet. `accepted`: acknowledged, to appear later."""

    change: Change
    at: float
    accepted: bool = False


class Refused(msgspec.Struct, frozen=True):
    """A record that its provider refuses as it is asked for: left alone from `since` to `until`.

    `wish` is what was refused, None where the record can't even be read.
    """

    since: float
    until: float
    message: str
    advice: str
    wish: RRset | None = None


class Visibility(msgspec.Struct, frozen=True):
    """How long a write took to be seen in DNS: more than `lower`, at most `upper` seconds (None: it was not seen)."""

    key: RecordKey
    at: float
    lower: float
    upper: float | None


class BlockNote(msgspec.Struct, frozen=True):
    """A provider that refuses until a person acts. `fingerprint` is of its settings and secret."""

    provider: str
    fingerprint: str
    code: str
    message: str
    advice: str
    since: float
    retry_at: float


class BreakerNote(msgspec.Struct, frozen=True):
    """The breaker's memory for one provider and credential.

    `calls`: the last ten, oldest first, True for a failure. It is open from `opened_at` to `open_until` (both None:
    closed), so that a clock that was set back does not prolong it. `openings`: in a row, for doubling.
    """

    calls: tuple[bool, ...] = ()
    opened_at: float | None = None
    open_until: float | None = None
    openings: int = 0


class Rest(msgspec.Struct, frozen=True):
    """A source that failed `failures` times in a row, and is left alone from `since` to `until` (UTC seconds)."""

    failures: int
    since: float
    until: float
    problem: str = ""


class Memory(msgspec.Struct, frozen=True):
    """What the state remembers, read once at the start of a full run. `fingerprint`: the last one's."""

    published: Mapping[RecordKey, Published] = {}
    intents: Mapping[RecordKey, Intent] = {}
    blocks: Mapping[str, BlockNote] = {}
    breakers: Mapping[str, BreakerNote] = {}
    #: By name and family: the sources that failed last time.
    rested: Mapping[tuple[str, Family], Rest] = {}
    refused: Mapping[RecordKey, Refused] = {}
    fingerprint: str = ""
