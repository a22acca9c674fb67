"""The demonstration's gateway: `ddns gateway serve` as a process of its own."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ddns
from ddns.demo.stage import KEY_NAME, ZONE, DemoFailed, Nameserver
from ddns.demo.stopping import child

PROGRAM = (sys.executable, "-m", "ddns")
#: Where this program's source lies: the children find it from any folder.
_SOURCE = str(Path(ddns.__file__).resolve().parent.parent)
_URL = re.compile(r"https://127\.0\.0\.1:\d+")


def environ() -> dict[str, str]:
    """The environment of the demonstration's commands: this one, without settings of `ddns` that it may hold."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DDNS_")}
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return kept | {"PYTHONPATH": os.pathsep.join([_SOURCE, *(os.path.abspath(part) for part in path if part)])}


class Gateway:
    """`folder` holds the certificates, and gets the settings, the keys and the ledger."""

    def __init__(self, folder: Path, dns: Nameserver) -> None:
        self.ca_file = folder / "ca.pem"
        self._settings = folder / "gateway.toml"
        self._log = folder / "gateway.log"
        self._audit = folder / "gateway" / "audit.jsonl"
        self._told = 0
        # The environment carries the two secrets, as a service manager's credentials would.
        self._environ = environ() | {
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
        """Serve inside the block; gives the URL."""
        command = (*PROGRAM, "gateway", "serve", "--config", str(self._settings))
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
        with self._log.open("wb") as log, child(command, env=self._environ, stderr=log, **pipes) as process:
            yield self._url(process)

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
        command = (*PROGRAM, "gateway", "code", host, "--config", str(self._settings))
        with child(command, env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            out, err = process.communicate(timeout=60)
        if process.returncode != 0:
            raise DemoFailed(f"no code was minted: {err}")
        return str(out.strip().splitlines()[0])
