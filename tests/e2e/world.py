"""A machine in a world of real servers: two echo services of different operators, a DNS probe, and BIND."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from e2e.machine import Machine
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami

FIRST, SECOND, LIE = "203.0.113.7", "203.0.113.8", "203.0.113.66"


@dataclass
class World:
    """`name` is the machine's record. `write_settings` tells the machine all that."""

    machine: Machine
    bind: Bind
    name: str
    ca: Authority
    alpha: Echo
    beta: Echo
    probe: Whoami

    def write_settings(self, record: str = "ttl = 60", more: str = "") -> None:
        """The settings, with `more` of them, and the secret that they name."""
        token = self.machine.secret("tsig", self.bind.key.secret)
        ca = self.machine.program.named(self.ca.file)
        self.machine.settings(f"""
[[record]]
name = "{self.name}"
provider = "bind"
{record}

[provider.bind]
kind = "rfc2136"
server = "{self.bind.server}"
zone = "{self.name.partition(".")[2]}"
key_name = "{self.bind.key.name}"
key = "{token}"

{self.detection(ca)}
{more}
""")

    def detection(self, ca: str) -> str:
        """The settings of detection, with the file of the authority as the machine calls it."""
        return f"""[detect]
sources = [
    {{ url = "{self.alpha.url}", operator = "alpha", ca_file = "{ca}" }},
    {{ url = "{self.beta.url}", operator = "beta", ca_file = "{ca}" }},
]
probe4 = "dns://{self.probe.server}/whoami.test"
allow_private = ["203.0.113.0/24"]
timeout = "5s"
"""

    def move(self, address: str) -> None:
        """The public address changes, and every source says so."""
        self.alpha.address = self.beta.address = self.probe.address = address

    def close(self) -> None:
        """All that tell an address are gone."""
        for voice in (self.alpha, self.beta, self.probe):
            voice.close()

    def published(self) -> tuple[str, ...]:
        """What DNS says, over the wire."""
        answer = self.bind.query(self.name)
        return answer.values if answer else ()

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Rows of the state."""
        base = sqlite3.connect(self.machine.state)
        try:
            return base.execute(statement).fetchall()
        finally:
            base.close()


def make(
    machine: Machine,
    bind: Bind,
    name: str,
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    """A world in which the address is FIRST. The machine has no settings yet."""
    return World(machine, bind, name, ca, echo(FIRST), echo(FIRST), whoami(FIRST))
