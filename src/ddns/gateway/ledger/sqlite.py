"""The ledger in one SQLite file: the default, for one gateway."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ddns.gateway.ledger import (
    Code,
    CodeRefusal,
    Entry,
    Host,
    Intent,
    LeaseRow,
    Moved,
    Receipt,
    Redemption,
    Reused,
    Revoked,
    Stale,
    Update,
    hosts,
    leases,
    records,
)
from ddns.gateway.ledger.engine import Engine
from ddns.model import RecordType


class SqliteLedger:
    """Implements `Ledger`; the folder must exist. Raises StateUnwritable and StateNewer."""

    def __init__(self, path: Path) -> None:
        self._engine = Engine(path)

    def host(self, host_id: str) -> Host | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: hosts.by_id(db, host_id))

    def host_named(self, label: str) -> Host | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: hosts.by_label(db, label))

    def hosts(self) -> list[Host]:
        """See `Ledger`."""
        return self._engine.call(hosts.in_force)

    def add_host(self, host: Host) -> Host | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: hosts.add(db, host))

    def set_password(self, host_id: str, password_hash: str) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: hosts.set_password(db, host_id, password_hash))

    def freeze(self, host_id: str, frozen: bool) -> None:  # noqa: FBT001  # as in `Ledger`
        """See `Ledger`."""
        self._engine.call(lambda db: hosts.freeze(db, host_id, frozen=frozen))

    def revoke(self, host_id: str, *, now: float, remove_records: bool) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: hosts.revoke(db, host_id, now=now, remove_records=remove_records))

    def add_code(self, code: Code) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: hosts.add_code(db, code))

    def redeem(self, redemption: Redemption) -> Host | CodeRefusal:
        """See `Ledger`."""
        return self._engine.call(lambda db: hosts.redeem(db, redemption))

    def remember(self, host_id: str, nonce: str, *, now: float, until: float) -> bool:
        """See `Ledger`."""
        return self._engine.call(lambda db: hosts.remember(db, host_id, nonce, now=now, until=until))

    def saw(self, host_id: str, *, now: float) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: hosts.saw(db, host_id, now=now))

    def entry(self, name: str, record_type: RecordType) -> Entry | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: records.entry(db, name, record_type))

    def entries(self, host_id: str) -> list[Entry]:
        """See `Ledger`."""
        return self._engine.call(lambda db: records.of_host(db, host_id))

    def receipt(self, host_id: str, idem: str) -> Receipt | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: records.receipt(db, host_id, idem))

    def accept(self, update: Update) -> Receipt | Stale | Reused | Moved | Revoked:
        """See `Ledger`."""
        return self._engine.call(lambda db: records.accept(db, update))

    def queued(self, limit: int) -> list[Entry]:
        """See `Ledger`."""
        return self._engine.call(lambda db: records.queued(db, limit))

    def waiting(self) -> tuple[int, float | None]:
        """See `Ledger`."""
        return self._engine.call(records.waiting)

    def intend(self, intents: Sequence[Intent]) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: records.intend(db, intents))

    def intent(self, name: str, record_type: RecordType) -> Intent | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: records.intent_of(db, name, record_type))

    def confirm(self, entry: Entry, now: float) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: records.confirm(db, entry, now))

    def fail(self, entry: Entry, problem: str) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: records.fail(db, entry, problem))

    def lease(self, name: str) -> LeaseRow | None:
        """See `Ledger`."""
        return self._engine.call(lambda db: leases.of_name(db, name))

    def grant_lease(self, name: str, host: str, ttl: float) -> int:
        """See `Ledger`."""
        return self._engine.call(lambda db: leases.grant(db, name, host, ttl))

    def free_lease(self, name: str, token: int) -> None:
        """See `Ledger`."""
        self._engine.call(lambda db: leases.free(db, name, token))

    def close(self) -> None:
        """See `Ledger`."""
        self._engine.close()
