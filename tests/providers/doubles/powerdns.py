"""PowerDNS itself, with a relay before it that has the faults."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.powerdns import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from ground.pdns import Pdns
from providers.cast import ZONE, Fault
from providers.doubles.web import Web


class Relay:
    """See `cast.Double`; `pdns` is the server behind."""

    def __init__(self, pdns: Pdns) -> None:
        self.pdns = pdns
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.settings = Settings(url=self.web.root, key=SecretRef("env:KEY"))
        self.secrets: Mapping[str, str] = {"env:KEY": pdns.key}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        rrset = self.pdns.rrset(ZONE, name, rdtype)
        records = rrset["records"] if rrset else []
        assert isinstance(records, list)
        return frozenset(record["content"] for record in records)

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        self.pdns.put(ZONE, name, rdtype, *values, ttl=ttl)

    def limit(self) -> bool:
        return False  # PowerDNS has no such answer

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        kept = {name: value for name, value in request.headers.items() if name in {"x-api-key", "content-type"}}
        url = self.pdns.url + request.target
        with httpx.Client(trust_env=False) as client:
            given = client.request(request.method, url, headers=kept, content=request.body)
        return Reply(given.status_code, given.content, {"Content-Type": given.headers.get("content-type", "")})


@contextmanager
def serve() -> Iterator[Relay]:
    """A server of this kind, running."""
    with tempfile.TemporaryDirectory() as folder, Pdns(Path(folder), (ZONE,)) as pdns:
        relay = Relay(pdns)
        with relay.web:
            yield relay
