"""The demonstration's gateway: `ddns gateway serve` as a process of its own."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ddns.demo.stage import KEY_NAME, ZONE, DemoFailed, Nameserver

PROGRAM = (sys.executable, "-m", "ddns")
_URL = re.compile(r"https://127\.0\.0\.1:\d+")


class Gateway:
    """`folder` holds the certificates, and gets the settings, the keys and the ledger."""

    def __init__(self, folder: Path, dns: Nameserver) -> None:
        self.ca_file = folder / "ca.pem"
        self._settings = folder / "gateway.toml"
        self._log = folder / "gateway.log"
        self._audit = folder / "gateway" / "audit.jsonl"
        self._told = 0
        # The environment carries the two secrets, as a service manager's credentials would.
        self._environ = os.environ | {
            "DEMO_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "DEMO_ZONE_KEY": dns.secret,
        }
        self._settings.write_text(
            f"""schema = 1
name = "demo-gateway"
data = "{folder / "gateway"}"
master_key = "env:DEMO_MASTER_KEY"

[listen]
host = "127.0.0.1"
port = 0
cert_file = "{folder / "cert.pem"}"
key_file = "{folder / "key.pem"}"

[hosts]
template = "{{host}}.{ZONE}"
allow_private = ["203.0.113.0/24"]

[[zone]]
name = "{ZONE}"
provider = "dns"

[provider.dns]
kind = "rfc2136"
server = "127.0.0.1:{dns.port}"
zone = "{ZONE}"
key_name = "{KEY_NAME}"
key = "env:DEMO_ZONE_KEY"
""",
            encoding="utf-8",
        )

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Serve inside the block; gives the URL. Stopped by its own process id."""
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                (*PROGRAM, "gateway", "serve", "--config", str(self._settings)),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                yield self._url(process)
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=15)

    def _url(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            found = _URL.search(line)
            if found:
                return found[0]
        raise DemoFailed(f"the gateway did not start:\n{self._log.read_text(errors='replace')[-2000:]}")

    def decisions(self) -> list[dict[str, Any]]:
        """The lines of the audit log since the last call."""
        lines = self._audit.read_text(encoding="utf-8").splitlines()
        fresh, self._told = lines[self._told :], len(lines)
        return [json.loads(line) for line in fresh]

    def code(self, host: str) -> str:
        """Mint an enrolment code, as the operator does."""
        done = subprocess.run(
            (*PROGRAM, "gateway", "code", host, "--config", str(self._settings)),
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise DemoFailed(f"no code was minted: {done.stderr}")
        return done.stdout.strip().splitlines()[0]
