"""Services that keep one row a value: each row has an id, and an RRset is the rows of one name and type.

What such a service brings is an `Api`; reading, comparing, and the fewest calls that bring an RRset about are here.
The rows are read again just before each write, because none of these services has a conditional write: a batch waits no
longer for its last record than its first one stays fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from ddns.errors import NotPermitted, ProviderError, Rejected
from ddns.model import Applied, Change, Observed, RecordKey, RRset, Value
from ddns.ports import Capabilities, Clock, Deadline
from ddns.providers import items, writes
from ddns.providers.zones import Finder, Zone

#: Records in one batch; a row or two each, and Cloudflare allows 200 in its smallest plan.
MOST_CHANGES = 80
#: Seconds since a record was read in which a write may still count on it, where a service has no conditional write.
FRESH_SECONDS = 3.0
#: Seconds after which no more records are read for one batch.
_GATHER_SECONDS = FRESH_SECONDS / 2
#: What became of one change.
_Result = tuple[Change, Applied | ProviderError]


class Refusal(Exception):
    """The service says that the rows are not as the call supposed: one is there already, or is gone."""


class Row(msgspec.Struct, frozen=True):
    """One row as the service lists it. `extra` as in `model.RRset`; `raw` is for the service's own module."""

    id: str
    value: Value
    ttl: int | None
    extra: Mapping[str, str | bool] = {}
    raw: Mapping[str, object] = {}


class _Read(msgspec.Struct, frozen=True):
    """A change that is to be written over these rows; `began`: before they were read, on the monotonic clock."""

    change: Change
    rows: Sequence[Row]
    began: float


class Api(Protocol):
    """What a service brings. Each method raises ProviderError; the three that write raise Refusal, too."""

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """Every row of exactly this name and type, whatever the paging."""
        ...

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """Make a row for one value of `after`."""
        ...

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """Give a row a value, and what of `after` differs; what `after` does not ask for stays as it is."""
        ...

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """Take a row away."""
        ...


class Writing(Protocol):
    """The three methods of `Api` that write."""

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """As `Api.add`."""
        ...

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """As `Api.alter`."""
        ...

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """As `Api.drop`."""
        ...


class Batch(Writing, Protocol):
    """Calls that are gathered, and sent as one that the service carries out as a whole or not at all."""

    def send(self, zone: Zone, deadline: Deadline) -> None:
        """Send them. Raises ProviderError, Refusal."""
        ...


#: The RRset that rows make; None for none.
Fold = Callable[[Sequence[Row]], RRset | None]


def fold(rows: Sequence[Row]) -> RRset | None:
    """Values of all rows, the TTL of the first, what extra all of them share."""
    if not rows:
        return None
    shared = {name: value for name, value in rows[0].extra.items() if all(r.extra.get(name) == value for r in rows)}
    return RRset(frozenset(row.value for row in rows), rows[0].ttl, shared)


class RowProvider:
    """The provider over an `Api`; see `ports.Provider`."""

    def __init__(
        self,
        api: Api,
        zones: Finder,
        clock: Clock,
        capabilities: Capabilities,
        together: Fold = fold,
        batch: Callable[[], Batch] | None = None,
    ) -> None:
        """`batch` begins a batch; None where the service has no such call."""
        self.capabilities = capabilities
        self._batch = batch
        self._api = api
        self._zones = zones
        self._clock = clock
        self._fold = together

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """List each record by its exact name and type."""

        def read(key: RecordKey) -> Observed:
            rows = self._api.rows(self._zones.of(key, deadline), key, deadline)
            return Observed(key, self._fold(rows), "api", self._clock.now())

        return items.observed(keys, read)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Write each RRset, with as few calls as bring it about; those of a zone together where the service can."""
        if self._batch is None or len(changes) < 2:
            yield from items.applied(changes, lambda change: self._write(change, deadline))
            return
        waiting: dict[Zone, list[Change]] = {}
        for change in changes:
            try:
                waiting.setdefault(self._zones.of(change.key, deadline), []).append(change)
            except ProviderError as error:
                yield change, error
        for zone, ours in waiting.items():
            for start in range(0, len(ours), MOST_CHANGES):
                yield from self._write_all(zone, ours[start : start + MOST_CHANGES], deadline)

    def _write_all(self, zone: Zone, changes: Sequence[Change], deadline: Deadline) -> Iterator[_Result]:
        """As few calls as what was read stays fresh for."""
        gathered: list[_Read] = []
        for change in changes:
            began = self._clock.monotonic()
            try:
                rows = self._api.rows(zone, change.key, deadline)
                writes.check(change, self._fold(rows))
            except ProviderError as error:
                yield change, error
                continue
            gathered.append(_Read(change, rows, began))
            if self._clock.monotonic() - gathered[0].began > _GATHER_SECONDS:
                yield from self._send(zone, gathered, deadline)
                gathered = []
        yield from self._send(zone, gathered, deadline)

    def _send(self, zone: Zone, gathered: Sequence[_Read], deadline: Deadline) -> Iterator[_Result]:
        """One call for all; where it is refused, none was carried out, and each is written by itself.

        Written by itself, which reads it again, is also what was read too long ago.
        """
        assert self._batch is not None
        batch, now = self._batch(), self._clock.monotonic()
        fresh: list[Change] = []
        alone = [read.change for read in gathered if now - read.began > FRESH_SECONDS]
        for read in gathered:
            if now - read.began > FRESH_SECONDS:
                continue
            if sum(1 for _ in self._steps(batch, zone, read.change, read.rows, deadline)):
                fresh.append(read.change)
            else:
                yield read.change, Applied()
        try:
            if len(fresh) > 1:
                batch.send(zone, deadline)
                yield from ((change, Applied()) for change in fresh)
                fresh = []
        except (Refusal, Rejected, NotPermitted):
            pass
        except ProviderError as error:
            yield from ((change, error) for change in fresh)
            fresh = []
        yield from items.applied([*fresh, *alone], lambda change: self._write(change, deadline))

    def _write(self, change: Change, deadline: Deadline) -> None:
        zone = self._zones.of(change.key, deadline)
        rows = self._api.rows(zone, change.key, deadline)
        writes.check(change, self._fold(rows))
        wrote = False
        try:
            for _ in self._steps(self._api, zone, change, rows, deadline):
                wrote = True
        except ProviderError as error:
            error.in_doubt = error.in_doubt or wrote  # half of the RRset may be ours by now
            raise
        except Refusal as error:
            now = self._fold(self._api.rows(zone, change.key, deadline))
            if not change.done(now):
                raise writes.conflict(change, now) from error

    @staticmethod
    def _steps(api: Writing, zone: Zone, change: Change, rows: Sequence[Row], deadline: Deadline) -> Iterator[None]:
        """Bring an RRset about, one call a step: values that stay are kept, spare rows take new ones, the rest go."""
        key, after = change.key, change.after or RRset(frozenset())
        kept = [row for row in rows if row.value in after.values]
        spare = [row for row in rows if row.value not in after.values]
        for row in kept:
            if not _is_as_asked(row, after):
                api.alter(zone, key, row, row.value, after, deadline)
                yield
        for value in sorted(after.values - {row.value for row in kept}, key=str):
            if spare:
                api.alter(zone, key, spare.pop(0), value, after, deadline)
                yield
            else:
                api.add(zone, key, value, after, deadline)
                yield
        for row in spare:
            api.drop(zone, key, row, deadline)
            yield


def _is_as_asked(row: Row, after: RRset) -> bool:
    """Whether a row has what the RRset asks for beside its value; what a service does not tell is not compared."""
    ttl_is = after.ttl is None or row.ttl in (None, after.ttl)
    return ttl_is and all(row.extra.get(name, asked) == asked for name, asked in after.extra.items())
