"""A gateway's site: its folder, its settings, and the gateway as a process that can be killed."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ddns.gateway import operators
from ddns.gateway.serve import opened
from ddns.gateway.settings import GatewaySettings
from ddns.runtime.clock import SystemClock
from e2e.machine import SOURCE
from ground.bind import Bind
from ground.tls import Authority

CLOCK = SystemClock()
TESTS = Path(__file__).resolve().parents[1]


def until(condition: Callable[[], bool]) -> None:
    """Ask until it is so; what is asked is a real server or program, which takes its time."""
    end = CLOCK.monotonic() + 60
    while not condition():
        assert CLOCK.monotonic() < end, "it never came"
        CLOCK.sleep(0.02)


class Site:
    """A gateway's folder and settings; `process` runs it until it is killed."""

    def __init__(self, folder: Path, bind: Bind, ca: Authority, *, leases: Sequence[Mapping[str, object]] = ()) -> None:
        chain, key = ca.write_server_files(folder, whole=True)
        self.ca = ca
        self.bind = bind
        self.data = folder / "gateway"
        self._file = folder / "gateway.json"
        settings = {
            "schema": 1,
            "name": "gw.example.test",
            "data": str(self.data),
            "master_key": "env:MASTER",
            "listen": {"host": "127.0.0.1", "port": 0, "cert_file": str(chain), "key_file": str(key)},
            "hosts": {"template": "{host}.example.test", "allow_private": ["192.0.2.0/24", "203.0.113.0/24"]},
            "zone": [{"name": "example.test", "provider": "dns"}],
            "provider": {"dns": {}},
            "lease": list(leases),
        }
        self.settings = msgspec.convert(settings, GatewaySettings, dec_hook=lambda kind, value: kind(value))
        dns = {"server": bind.server, "zone": "example.test", "key_name": bind.key.name, "key": "env:TSIG"}
        given = {
            "env:MASTER": base64.b64encode(secrets.token_bytes(32)).decode(),
            "env:TSIG": bind.key.secret,
        }
        self._file.write_text(json.dumps({"settings": settings, "dns": dns, "secrets": given}))

    @contextmanager
    def process(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """The gateway's URL, and the way to kill it (SIGKILL), which also happens at the end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "e2e.gateway_process", self._file],
            env={**os.environ, "PYTHONPATH": f"{SOURCE}{os.pathsep}{TESTS}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

        def kill() -> None:
            process.kill()
            process.wait()

        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, "the gateway did not start"
            yield url, kill
        finally:
            kill()
            if process.stdout is not None:
                process.stdout.close()

    def code(self, label: str) -> str:
        """Mint a code, in another process than the gateway's as an operator does."""
        with opened(self.settings, CLOCK) as store:
            return operators.mint_code(store.ledger, store.audit, CLOCK, self.settings.hosts, label)

    def queued(self) -> int:
        """How many records wait for DNS."""
        with opened(self.settings, CLOCK) as store:
            return store.ledger.waiting()[0]
