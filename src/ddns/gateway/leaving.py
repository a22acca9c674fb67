"""How a host leaves by its own wish: its key is revoked and, where it asks, what it still has in DNS goes.

Both are one transaction, so that a kill leaves either all or nothing. A host that is gone already is told so and
changes nothing: its answer may have been lost, and who else has its key must not touch records that an operator kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ddns.gateway.audit import Audit
from ddns.gateway.ledger import Ledger
from ddns.gateway.problem import Problem
from ddns.gateway.updates import Asked
from ddns.ports import Clock


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/revoke`."""

    remove_records: bool


@dataclass(frozen=True, slots=True)
class Left:
    """How it went. `repeated`: it was revoked before; `removing`: records that are on their way out of DNS."""

    repeated: bool
    removing: int


def leave(ledger: Ledger, audit: Audit, asked: Asked, raw: bytes, clock: Clock) -> Left:
    """Revoke the host that asks. Raises Problem; 403 where its records are held by an operator."""
    try:
        body = msgspec.json.decode(raw, type=Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("malformed", 400, "the body needs exactly remove_records, true or false") from error
    host = asked.host
    standing = [entry for entry in ledger.entries(host.id) if entry.values is not None]
    repeated = host.revoked_at is not None
    if host.frozen and standing and body.remove_records and not repeated:
        raise Problem("frozen", 403, "an operator holds this host's updates, and must release or retire it")
    if not repeated:
        ledger.revoke(host.id, now=clock.now(), remove_records=body.remove_records)
    audit.write(
        "revoked",
        by="host",
        repeated=repeated or None,
        trace_id=asked.trace_id,
        host=host.id,
        label=host.label,
        names=host.names,
        remove_records=body.remove_records,
        peer=str(asked.peer),
    )
    return Left(repeated, len(standing) if body.remove_records and not repeated else 0)
