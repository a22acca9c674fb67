"""The real gateway application, with a DNS server in memory behind it and one enrolled host."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ddns.gateway.ledger import Code, Host, Redemption
from ddns.gateway.seal import Sealer
from ddns.net.client import Client
from ddns.ports import Net
from ddns.protocol import Identity, bound_key
from ddns.providers.gateway import Settings
from ddns.secret import Secret, SecretRef
from ground.http import Reply, Request
from providers.cast import HOME, NEIGHBOUR, ZONE, Fault, SystemClock
from providers.doubles.web import Web
from unit.gateway.stand import GATEWAY, MASTER, Dns, Stand, stand

KEY = b"canary, and 32 octets of a key!!"
#: Who checks the signatures here; see `coverage.py`.
JUDGE = "the application itself"


class MemoryZone:
    """`cast.Zone` on the DNS server behind the gateway."""

    def __init__(self, dns: Dns) -> None:
        self._dns = dns

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(self._dns.values(name, rdtype) or ())

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        if values:
            self._dns.put(name, rdtype, *values, ttl=ttl)
        else:
            self._dns.records.pop((name, rdtype), None)


class Fleet:
    """See `cast.Double`. The host may write `HOME` and `NEIGHBOUR`."""

    def __init__(self, gateway: Stand) -> None:
        self.gateway = gateway
        self.zone = MemoryZone(gateway.dns)
        self.web = Web(self._answer, lambda request: request.method == "POST")
        self.gateway_url = self.web.root
        self.identity = Identity(_enrolled(gateway).id, KEY, GATEWAY)
        self.settings = Settings(token=SecretRef("env:TOKEN"))
        self.secrets: Mapping[str, str] = {"env:TOKEN": self.identity.text()}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()

    def limit(self) -> bool:
        self.web.limit(b'{"type": "urn:problem-type:ddns:throttled", "status": 429}')
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        answer = self.gateway.ask(request.method, request.target, body=request.body, headers=request.headers)
        kept = ("content-type", "retry-after", "www-authenticate")
        headers = {name: answer.headers[name] for name in kept if name in answer.headers}
        return Reply(answer.status, answer.text.encode(), headers)


def _enrolled(gateway: Stand) -> Host:
    """A host with both names, which no template gives."""
    now = gateway.clock.now()
    ledger = gateway.parts.ledger
    ledger.add_code(Code("code", "home", (HOME.name, NEIGHBOUR.name), now, now + 60))
    digest = hashlib.sha256(KEY).hexdigest()
    sealer = Sealer(Secret(MASTER))
    host = ledger.redeem(
        Redemption("code", "machine", digest, lambda id_: sealer.seal(id_, bound_key(KEY, "")), "hcast", now)
    )
    assert isinstance(host, Host)
    return host


@contextmanager
def serve() -> Iterator[Fleet]:
    """A double of this kind, running."""
    names = {"template": f"{{host}}.{ZONE}", "allow_private": ["192.0.2.0/24"]}
    with (
        tempfile.TemporaryDirectory() as folder,
        stand(Path(folder), clock=SystemClock(), hosts=names, zone=[{"name": ZONE, "provider": "dns"}]) as gateway,
    ):
        double = Fleet(gateway)
        with double.web:
            yield double
