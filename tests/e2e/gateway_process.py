"""A gateway as a process of its own, so that it can be killed: `python -m e2e.gateway_process SETTINGS.json`.

Prints its URL when it takes requests. Secrets are in the file: they are the tests' own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from ddns.gateway.serve import serve
from ddns.gateway.settings import GatewaySettings
from ddns.net.client import Client
from ddns.ports import Tools
from ddns.providers import rfc2136
from ddns.runtime.clock import SystemClock
from ddns.secret import Secret, SecretRef


def main(path: str) -> None:
    """Serve until killed."""
    given = json.loads(Path(path).read_text())
    settings = msgspec.convert(given["settings"], GatewaySettings, dec_hook=lambda kind, value: kind(value))
    dns = msgspec.convert(given["dns"], rfc2136.Settings, dec_hook=lambda kind, value: kind(value))
    clock = SystemClock()

    def resolve(ref: SecretRef) -> Secret:
        return Secret(given["secrets"][str(ref)])

    provider = rfc2136.connect(dns, Tools(Client(), clock, resolve))
    serve(settings, {"dns": provider}, resolve, clock, ready=lambda url: print(url, flush=True), wait=0.2)


if __name__ == "__main__":
    main(sys.argv[1])
