"""A dyndns2 service, and the authoritative server of the zone that it writes to."""

from __future__ import annotations

import base64
import ipaddress
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.dyndns2 import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import HOME, NEIGHBOUR, Fault
from providers.doubles.dns import DnsServer
from providers.doubles.web import Web
from providers.doubles.zone import MemoryZone

USER, PASSWORD = "fleet", "canary-password"


class Service:
    """See `cast.Double`. Its hosts are `HOME` and `NEIGHBOUR`. `word`: said instead of an answer of its own."""

    def __init__(self) -> None:
        self.zone = MemoryZone()
        self.dns = DnsServer(self.zone)
        self.web = Web(self._answer, lambda _request: True)
        self.word = ""
        self.settings = Settings(url=f"{self.web.root}/nic/update", username=USER, password=SecretRef("env:PASSWORD"))
        self.secrets: Mapping[str, str] = {"env:PASSWORD": PASSWORD}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = (self.dns.address,)

    def limit(self) -> bool:
        self.web.limit(b"abuse of the service\n")
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        url = urllib.parse.urlsplit(request.target)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True, strict_parsing=True))
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return Reply(401, b"badauth\n", {"WWW-Authenticate": 'Basic realm="DDNS"'})
        if self.word:
            return Reply(200, self.word.encode())
        if (request.method, url.path, sorted(query)) != ("GET", "/nic/update", ["hostname", "myip"]):
            return Reply(404, b"<html>Not Found</html>")
        if not request.headers.get("user-agent", "").startswith("ddns-fleet/"):
            return Reply(200, b"badagent\n")
        return Reply(200, self._update(query["hostname"], query["myip"]).encode())

    def _update(self, host: str, text: str) -> str:
        if "." not in host:
            return "notfqdn\n"
        if host not in (HOME.name, NEIGHBOUR.name):
            return "nohost\n"
        address = ipaddress.ip_address(text)
        rdtype = "A" if address.version == 4 else "AAAA"
        if self.zone.get(host, rdtype) == {text}:
            return f"nochg {text}\n"
        self.zone.put(host, rdtype, text, ttl=60)
        return f"good {text}\n"


@contextmanager
def serve() -> Iterator[Service]:
    """A double of this kind, running."""
    double = Service()
    with double.dns, double.web:
        yield double
