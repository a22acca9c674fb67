"""A machine whose last run left nothing open, and what a run on it imports."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.machine import SOURCE, Machine
from ground.echo import Echo
from ground.http import Reply, Request, Server
from ground.tls import Authority
from ground.whoami import Whoami

NAME = "home.example.test"
ADDRESS, OTHER = "203.0.113.7", "203.0.113.8"
_RUN = "import sys; sys.argv[1:] = ['run', '--data', sys.argv[1]]; from ddns.__main__ import main; main()"


def imported(*arguments: str) -> list[str]:
    """The modules that a Python process imports, in order."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "DDNS_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        env=environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines[1:]]


@dataclass(frozen=True)
class Settled:
    """The machine, and the services that it asks."""

    machine: Machine
    echoes: tuple[Echo, ...]
    dns: Whoami

    def move(self) -> None:
        """The machine has another address from now on."""
        for echo in self.echoes:
            echo.address = OTHER

    def paid(self) -> list[str]:
        """What its next run imports beyond what Python itself does."""
        bare = set(imported("-c", "pass"))
        return [name for name in imported("-c", _RUN, str(self.machine.folder)) if name not in bare]


@contextmanager
def settled(folder: Path, ca: Authority, echo: Callable[..., Echo], whoami: Callable[..., Whoami]) -> Iterator[Settled]:
    """A record at a dyndns2 service, two sources over TLS, a plain probe, a DNS server as judge; all published."""
    alpha, beta, probe = echo(ADDRESS), echo(ADDRESS), echo(ADDRESS, tls=False)
    dns = whoami()

    def update(request: Request) -> Reply:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query))
        dns.records[query["hostname"], "A"] = (query["myip"],)
        return Reply(body=f"good {query['myip']}\n".encode())

    machine = Machine(folder)
    machine.secret("password", "secret")
    with Server(update) as service:
        machine.settings(f"""
[[record]]
name = "{NAME}"
provider = "home"

[provider.home]
kind = "dyndns2"
url = "{service.url}nic/update"
username = "user"
password = "file:password"

[detect]
sources = [
    {{ url = "{alpha.url}", operator = "alpha", ca_file = "{ca.file}" }},
    {{ url = "{beta.url}", operator = "beta", ca_file = "{ca.file}" }},
]
probe4 = "{probe.url}"
allow_private = ["203.0.113.0/24"]

[proof]
servers = ["{dns.server}"]
""")
        first = machine.ddns("run")
        assert (first.exit, first.err) == (0, "")
        assert dns.records[NAME, "A"] == (ADDRESS,)
        yield Settled(machine, (alpha, beta, probe), dns)
