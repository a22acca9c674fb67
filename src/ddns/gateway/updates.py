"""What a host asks for its records: checked, compared with DNS, acknowledged in the ledger. No HTTP here.

`expect` is compared with what DNS says at that moment, read through the zone's provider, so that a change made behind
the gateway's back is noticed. While DNS can't be read, it is compared with what DNS confirmed last; if it never
confirmed anything, the request must wait (503). Once acknowledged, an update will be made true, whatever stands in DNS
by then: the gateway owns the names of its hosts.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ddns.address import Address, publishable
from ddns.gateway.audit import Audit
from ddns.gateway.ledger import Entry, Host, Ledger, Moved, Receipt, RecordState, Reused, Revoked, Stale, Update, Values
from ddns.gateway.names import check_name
from ddns.gateway.problem import Problem
from ddns.gateway.reading import Reader, Reading
from ddns.gateway.settings import Hosts, Zones
from ddns.model import RecordType
from ddns.ports import Clock, Provider
from ddns.protocol import Signed

#: What a sequence number may be above the last one at most: else one update could use up all the numbers.
MAX_STEP = 2**32
MAX_VALUES = 8
MAX_TTL = 604800


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/update`. Exactly one of `expect` and ``absent = true`` says what the host believes."""

    name: str
    type: str
    values: list[str] | None
    ttl: int | None = None
    expect: list[str] | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a request comes from, for policy and audit."""

    host: Host
    peer: Address | None
    trace_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked wish for one record."""

    name: str
    type: RecordType
    values: Values | None
    ttl: int | None

    @property
    def digest(self) -> str:
        """The same for the same wish only."""
        text = json.dumps([self.name, self.type, self.values, self.ttl])
        return hashlib.sha256(text.encode()).hexdigest()


class Updates:
    """Reads and accepts for all hosts."""

    def __init__(
        self,
        ledger: Ledger,
        zones: Zones,
        providers: Mapping[str, Provider],
        rules: Hosts,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._zones = zones
        self._reader = Reader(zones, providers, clock)
        self._rules = rules
        self._audit = audit
        self._clock = clock

    def read(self, asked: Asked, name: str, type_: str) -> dict[str, object]:
        """What `GET /v1/record` tells: the values as DNS has them, and how far the host's wish got. Raises Problem."""
        key_name, record_type = self._own(asked.host, name, type_)
        entry = self._ledger.entry(key_name, record_type)
        seen = self._reader.read(key_name, record_type)
        if seen is None:
            raise _unreadable(key_name)
        return {
            "values": seen.values,
            "ttl": seen.ttl,
            "state": "none" if entry is None else entry.state,
            "confirmed_at": None if entry is None else entry.confirmed_at,
            "seq": 0 if entry is None else entry.seq,
        }

    def update(self, asked: Asked, signed: Signed, raw: bytes) -> Receipt:
        """Acknowledge a signed update. Raises Problem."""
        body = _decode(raw)
        if not signed.idem:
            raise Problem("malformed", 400, "an update needs an idempotency key (idem)")
        expected = _expected(body)
        wish = self._wish(asked, body)
        done = self._ledger.receipt(asked.host.id, signed.idem)
        if done is not None:
            self._note(
                "repeated", asked, wish, _repeated(done, wish)
            )  # a kill may have cost the line of the first time
            return done
        entry = self._ledger.entry(wish.name, wish.type)
        current = 0 if entry is None else entry.seq
        if signed.seq <= current:
            raise _stale(current)
        if signed.seq > current + MAX_STEP:
            raise Problem("not-allowed", 422, f"seq must be at most {MAX_STEP} above {current}", current_seq=current)
        now = self._compare(wish, entry, expected)
        return self._accept(asked, wish, entry, now, idem=signed.idem, seq=signed.seq)

    def under_way(self, asked: Asked, name: str, type_: str) -> Receipt | None:
        """The host's own update of a record, while it is on its way to DNS. Raises Problem."""
        entry = self._ledger.entry(*self._own(asked.host, name, type_))
        if entry is None or entry.state is not RecordState.QUEUED:
            return None
        return Receipt(entry.name, entry.type, entry.revision, entry.seq, entry.state, "")

    def saw(self, asked: Asked) -> None:
        """Note that a host was here whose requests carry no nonce."""
        self._ledger.saw(asked.host.id, now=self._clock.now())

    def force(self, asked: Asked, name: str, address: Address) -> Receipt | None:
        """Acknowledge an update of a client that compares nothing; None when the record is right. Raises Problem."""
        type_ = RecordType.A if address.version == 4 else RecordType.AAAA
        wish = self._wish(asked, Body(name=name, type=type_, values=[str(address)]))
        entry = self._ledger.entry(wish.name, wish.type)
        pending = entry is not None and entry.state in (RecordState.QUEUED, RecordState.HELD)
        if entry is not None and pending and entry.values == wish.values:
            return Receipt(entry.name, entry.type, entry.revision, entry.seq, entry.state, wish.digest, repeated=True)
        now = self._reader.read(wish.name, wish.type) or _confirmed(entry)
        if now is not None and now.values == wish.values and not pending:
            return None
        return self._accept(asked, wish, entry, now, idem="d-" + uuid.uuid4().hex, seq=None)

    def _own(self, host: Host, name: str, type_: str) -> tuple[str, RecordType]:
        try:
            kept, record_type = check_name(name), RecordType(type_)
        except ValueError:
            raise Problem("not-allowed", 422, "name and type must be a full domain name and a record type") from None
        if self._zones.provider_of(kept) is None:
            raise Problem("no-zone", 404, f"the gateway serves no zone that holds {kept}")
        if kept not in host.names:
            raise Problem("not-your-name", 403, f"{kept} is not a name of this host", names=host.names)
        if record_type not in self._rules.types:
            allowed = ", ".join(self._rules.types)
            raise Problem("not-allowed", 422, f"{record_type} records are not allowed here, only {allowed}")
        return kept, record_type

    def _wish(self, asked: Asked, body: Body) -> Wish:
        name, record_type = self._own(asked.host, body.name, body.type)
        if body.ttl is not None and not 1 <= body.ttl <= MAX_TTL:
            raise Problem("not-allowed", 422, f"ttl must be 1 to {MAX_TTL} seconds")
        if body.values is None:
            return Wish(name, record_type, None, body.ttl)
        if not 1 <= len(set(body.values)) <= MAX_VALUES:
            raise Problem("not-allowed", 422, f"values must hold 1 to {MAX_VALUES} addresses, or be null to remove")
        addresses = [self._address(record_type, text, asked.peer) for text in body.values]
        return Wish(name, record_type, tuple(sorted({str(address) for address in addresses})), body.ttl)

    def _address(self, record_type: RecordType, text: str, peer: Address | None) -> Address:
        try:
            address = record_type.parse(text)
        except ValueError:
            raise Problem("not-allowed", 422, f"a value is not an address of the type {record_type}") from None
        assert not isinstance(address, str)
        if getattr(address, "scope_id", None):
            raise Problem("not-allowed", 422, "an address must not have a scope")
        if not publishable(address, tuple(cidr.network for cidr in self._rules.allow_private)):
            raise Problem("not-allowed", 422, f"{address} is not a public address")
        if self._rules.must_match_peer and address != peer:
            raise Problem("not-allowed", 422, f"{address} is not the address that the request comes from ({peer})")
        return address

    def _compare(self, wish: Wish, entry: Entry | None, expected: Values | None) -> Reading:
        now = self._reader.read(wish.name, wish.type) or _confirmed(entry)
        if now is None:
            raise _unreadable(wish.name)
        if now.values != expected:
            raise _conflict(now.values)
        return now

    def _accept(
        self, asked: Asked, wish: Wish, entry: Entry | None, now: Reading | None, *, idem: str, seq: int | None
    ) -> Receipt:
        update = Update(
            host=asked.host.id,
            name=wish.name,
            type=wish.type,
            values=wish.values,
            ttl=wish.ttl,
            idem=idem,
            digest=wish.digest,
            seq=seq,
            seen=0 if entry is None else entry.revision,
            trace_id=asked.trace_id,
            now=self._clock.now(),
        )
        result = self._ledger.accept(update)
        if isinstance(result, Revoked):
            raise Problem("revoked", 403, "the host was revoked; nothing is accepted from it any more")
        if isinstance(result, Stale):
            raise _stale(result.current)
        if isinstance(result, Moved):
            raise _conflict(None if now is None else now.values)
        if isinstance(result, Reused):
            raise _reused()
        if not result.repeated:
            self._note("accepted", asked, wish, result, old=() if now is None else now.values or ())
        return result

    def _note(self, decision: str, asked: Asked, wish: Wish, receipt: Receipt, **more: object) -> None:
        self._audit.write(
            decision,
            trace_id=asked.trace_id,
            host=asked.host.id,
            name=wish.name,
            type=wish.type,
            **more,
            new=wish.values or (),
            state=receipt.state,
            revision=receipt.revision,
            seq=receipt.seq,
            peer=str(asked.peer),
        )


def _decode(raw: bytes) -> Body:
    try:
        return msgspec.json.decode(raw, type=Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("malformed", 400, f"the body is not an update: {error}") from error


def _expected(body: Body) -> Values | None:
    if body.absent == (body.expect is not None):
        raise Problem("malformed", 400, "exactly one of expect and absent = true is needed")
    return None if body.expect is None else tuple(sorted(_plain(text) for text in set(body.expect)))


def _plain(text: str) -> str:
    """An address in its one spelling; anything else as it is, which then equals nothing."""
    for kind in (RecordType.A, RecordType.AAAA):
        try:
            return str(kind.parse(text))
        except ValueError:
            continue
    return text


def _confirmed(entry: Entry | None) -> Reading | None:
    return None if entry is None or entry.confirmed_at is None else Reading(entry.confirmed, entry.ttl)


def _repeated(done: Receipt, wish: Wish) -> Receipt:
    if done.digest != wish.digest:
        raise _reused()
    return done


def _unreadable(name: str) -> Problem:
    detail = f"what stands at {name} can't be read from the DNS server now"
    return Problem("dns-unreachable", 503, detail, headers={"Retry-After": "10"})


def _conflict(current: Values | None) -> Problem:
    return Problem("conflict", 409, "the record is not as expected; see `current`", current=current)


def _stale(current: int) -> Problem:
    return Problem("stale-sequence", 409, f"seq must be above {current}", current_seq=current)


def _reused() -> Problem:
    return Problem("idempotency", 409, "this idempotency key belongs to another wish; each change needs its own")
