"""A primary server in memory that takes signed updates."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.message
import dns.opcode

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.rfc2136 import Settings
from ddns.secret import SecretRef
from providers.cast import Fault
from providers.doubles.dns import DnsServer
from providers.doubles.zone import MemoryZone

SECRET = base64.b64encode(b"canary, and 32 octets of key or more").decode()
ALGORITHM = "hmac-sha256"
#: Who checks the signatures here; see `coverage.py`.
JUDGE = "dnspython"


class Primary:
    """See `cast.Double`. `server` and `zone` have switches of their own."""

    def __init__(self) -> None:
        self.zone = MemoryZone("host1")
        self.server = DnsServer(self.zone, {"host1": (ALGORITHM, SECRET), "reader": ("hmac-sha512", SECRET)})
        self.server.silence = _is_update
        self.settings = Settings(server=self.server.address, key_name="host1", key=SecretRef("env:KEY"))
        self.secrets: Mapping[str, str] = {"env:KEY": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()

    def limit(self) -> bool:
        return False

    def fail(self, fault: Fault | None) -> None:
        self.server.fault = fault
        if fault is Fault.REFUSED:
            self.server.close()


def _is_update(message: dns.message.Message) -> bool:
    return message.opcode() == dns.opcode.UPDATE


@contextmanager
def serve() -> Iterator[Primary]:
    """A double of this kind, running."""
    double = Primary()
    with double.server:
        yield double
