"""A gateway put together for a test: a clock that the test turns, a DNS server in memory, requests without sockets."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ddns import protocol
from ddns.errors import Conflict, ProviderError, Transport
from ddns.gateway import operators
from ddns.gateway.app import Parts, build
from ddns.gateway.serve import assembled
from ddns.gateway.settings import GatewaySettings
from ddns.model import Applied, Change, Observed, RecordKey, RecordType, RRset
from ddns.ports import Capabilities, Deadline
from ddns.ports import Clock as AnyClock
from ddns.protocol import Identity, Signed
from ddns.resilience import Retry
from ddns.secret import Secret

GATEWAY = "gw.example.test"
MASTER = base64.b64encode(bytes(range(32))).decode()
NAME = "pc1.dyn.example.test"
PEER = "203.0.113.9"
ONE_TRY = Retry(attempts=1)
MACHINE = "machine-identity-1"


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Dns:
    """A provider that is a dictionary. `down` stands for an outage; `refuses` for records that it never takes."""

    records: dict[tuple[str, str], RRset] = field(default_factory=dict)
    down: ProviderError | None = None
    refuses: dict[str, ProviderError] = field(default_factory=dict)
    writes: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    capabilities = Capabilities(compare_and_set=True)

    def __post_init__(self) -> None:
        self.gate.set()

    def put(self, name: str, type_: str, *values: str, ttl: int = 300) -> None:
        """Set a record behind the gateway's back."""
        self.records[name, type_] = RRset(frozenset(map(ipaddress.ip_address, values)), ttl)

    def values(self, name: str = NAME, type_: str = "A") -> list[str] | None:
        """What stands in it."""
        rrset = self.records.get((name, type_))
        return None if rrset is None else rrset.texts()

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        if self.down is not None:
            return dict.fromkeys(keys, self.down)
        return {key: Observed(key, self.records.get((key.name, key.type)), "dns", 0.0) for key in keys}

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        for change in changes:
            assert self.gate.wait(10)
            yield change, self._one(change)

    def _one(self, change: Change) -> Applied | ProviderError:
        if self.down is not None:
            return self.down
        if change.key.name in self.refuses:
            return self.refuses[change.key.name]
        place = (change.key.name, str(change.key.type))
        standing = self.records.get(place)
        if (None if standing is None else standing.values) != (None if change.before is None else change.before.values):
            return Conflict("not as expected")
        self.writes += 1
        if change.after is None:
            self.records.pop(place, None)
        else:
            ttl = change.after.ttl or (standing.ttl if standing is not None else None) or 120
            self.records[place] = RRset(change.after.values, ttl)
        return Applied()


def outage() -> ProviderError:
    """The DNS server does not answer."""
    return Transport("the DNS server does not answer")


def settings(folder: Path, **more: Any) -> GatewaySettings:
    """Settings as a file would give them."""
    raw: dict[str, Any] = {
        "schema": 1,
        "name": GATEWAY,
        "data": str(folder),
        "master_key": "env:MASTER",
        "listen": {"host": "127.0.0.1", "port": 0, "plain": True},
        "hosts": {"template": "{host}.dyn.example.test", "allow_private": ["192.0.2.0/24", "2001:db8::/32"]},
        "zone": [{"name": "example.test", "provider": "dns"}],
        "provider": {"dns": {}},
    }
    for table, value in more.items():
        raw[table] = raw[table] | value if isinstance(raw.get(table), dict) else value
    return msgspec.convert(raw, GatewaySettings, dec_hook=lambda kind, value: kind(value))


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]
    text: str

    @property
    def slug(self) -> str:
        """Which refusal it is."""
        return protocol.problem_slug(self.body.get("type")) if isinstance(self.body, dict) else ""


class Stand:
    """The gateway, and a host that is enrolled at it."""

    def __init__(self, parts: Parts, dns: Dns, clock: AnyClock, wait: float) -> None:
        self.parts = parts
        self.dns = dns
        self.clock = clock
        self.app = build(parts, wait=wait)
        self._nonce = 0

    def ask(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        peer: str = PEER,
    ) -> Answer:
        """One request."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(peer, 4711))
            async with httpx.AsyncClient(transport=transport, base_url="https://gw") as client:
                return await client.request(method, target, content=body, headers=headers)

        response = asyncio.run(exchange())
        try:
            parsed = response.json()
        except ValueError:
            parsed = None
        return Answer(response.status_code, parsed, response.headers, response.text)

    def enrol(self, label: str = "pc1", machine: str = MACHINE, key: bytes = bytes(32)) -> Identity:
        """Mint a code and use it; the key is the one that signs."""
        code = self.code(label)
        answer = self.redeem(code, machine, key)
        assert answer.status == 200, answer.text
        return Identity(answer.body["host"], protocol.bound_key(key, machine), answer.body["gateway"])

    def code(self, label: str = "pc1", *, seconds: float = 86400.0, rebind: bool = False) -> str:
        """A fresh code."""
        return operators.mint_code(
            self.parts.ledger,
            self.parts.audit,
            self.clock,
            self.parts.settings.hosts,
            label,
            seconds=seconds,
            rebind=rebind,
        )

    def redeem(self, code: str, machine: str = MACHINE, key: bytes = bytes(32), peer: str = PEER) -> Answer:
        """Use a code."""
        body = json.dumps({"code": code, "machine": machine, "key": protocol.encode_key(key)}).encode()
        return self.ask("POST", "/v1/enroll", body=body, peer=peer)

    def sign(
        self,
        identity: Identity,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        seq: int = 0,
        idem: str = "",
        ts: float | None = None,
        nonce: str = "",
    ) -> dict[str, str]:
        """The headers of a signed request."""
        self._nonce += 1
        at = self.clock.now() if ts is None else ts
        signed = Signed(identity.host, int(at), nonce or f"n{self._nonce}", seq, idem)
        return {"Authorization": signed.header(identity.key, identity.gateway, method, target, body)}

    def update(self, identity: Identity, *, seq: int, idem: str = "", peer: str = PEER, **wish: Any) -> Answer:
        """One signed update; unless told otherwise of the host's A record, which is absent so far."""
        body = {"name": NAME, "type": "A", "values": ["192.0.2.1"], "ttl": 60, **wish}
        if "expect" not in body and "absent" not in body:
            body["absent"] = True
        raw = json.dumps(body).encode()
        headers = self.sign(identity, "POST", "/v1/update", raw, seq=seq, idem=idem or f"i{seq}")
        return self.ask("POST", "/v1/update", body=raw, headers=headers, peer=peer)

    def record(self, identity: Identity, name: str = NAME, type_: str = "A") -> Answer:
        """One signed read."""
        target = f"/v1/record?name={name}&type={type_}"
        return self.ask("GET", target, headers=self.sign(identity, "GET", target))

    def audit(self) -> list[dict[str, Any]]:
        """The lines of the audit log."""
        path = Path(self.parts.settings.data) / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def untouched(self) -> tuple[object, ...]:
        """What a refused request must not change."""
        hosts = self.parts.ledger.hosts()
        entries = [self.parts.ledger.entries(host.id) for host in hosts]
        identities = [(host.id, host.names, host.key, host.machine) for host in hosts]
        return (entries, identities, dict(self.dns.records))

    def until_settled(self, name: str = NAME, type_: RecordType = RecordType.A) -> None:
        """Wait until the publisher has settled the record's newest wish."""
        entry = self.parts.ledger.entry(name, type_)
        assert entry is not None
        future = self.parts.publisher.watch(name, type_, entry.revision)
        self.parts.publisher.notify()
        future.result(10)


@contextmanager
def stand(
    folder: Path, *, dns: Dns | None = None, clock: AnyClock | None = None, wait: float = 2.0, **more: Any
) -> Iterator[Stand]:
    """A gateway with its publisher running; `wait` as the application's."""
    dns, clock = dns or Dns(), clock or Clock()
    chosen = settings(folder, **more)
    with assembled(chosen, {"dns": dns}, lambda _ref: Secret(MASTER), clock, policy=ONE_TRY) as parts:
        yield Stand(parts, dns, clock, wait)
