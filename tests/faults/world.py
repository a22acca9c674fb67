"""One machine in a world of real servers: HTTPS echo services, a DNS probe, BIND; `ddns` is a process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from e2e.machine import SOURCE, Machine
from faults.effects import Cut
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami

FIRST, SECOND = "203.0.113.7", "203.0.113.8"
TESTS = Path(__file__).resolve().parents[1]


class World:
    """Two echo services, a probe, a DNS server, and one machine."""

    def __init__(
        self, folder: Path, bind: Bind, name: str, ca: Authority, alpha: Echo, beta: Echo, probe: Whoami
    ) -> None:
        self.machine, self.bind, self.name = Machine(folder / "data"), bind, name
        self.voices = (alpha, beta, probe)
        self.trace = folder / "effects"
        self.machine.secret("tsig", bind.key.secret)
        self.machine.settings(f"""
[[record]]
name = "{name}"
provider = "bind"
[provider.bind]
kind = "rfc2136"
server = "{bind.server}"
zone = "example.test"
key_name = "{bind.key.name}"
key = "file:tsig"
[detect]
sources = [
    {{ url = "{alpha.url}", operator = "alpha", ca_file = "{ca.file}" }},
    {{ url = "{beta.url}", operator = "beta", ca_file = "{ca.file}" }},
]
probe4 = "dns://{probe.server}/whoami.test"
allow_private = ["203.0.113.0/24"]
""")

    def move(self, address: str) -> None:
        for voice in self.voices:
            voice.address = address

    def killed(self, cut: Cut) -> tuple[int, list[str]]:
        """A run that kills itself there: how it ended, and the effects that it began."""
        self.trace.unlink(missing_ok=True)
        driver = (sys.executable, "-m", "faults.driver", str(self.machine.folder), str(cut.number), cut.side)
        # As the runs after it have it: DDNS_ variables are in the fingerprint.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DDNS_")}
        environ = kept | {"PYTHONPATH": f"{SOURCE}:{TESTS}"}
        done = subprocess.run((*driver, str(self.trace)), env=environ, capture_output=True, timeout=60, check=False)
        labels = self.trace.read_text(encoding="utf-8").splitlines()
        return done.returncode, [label if label[:9] != "net probe" else "net probe" for label in labels]

    def published(self) -> tuple[str, ...]:
        """What DNS says, over the wire."""
        answer = self.bind.query(self.name)
        return answer.values if answer else ()

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        base = sqlite3.connect(self.machine.folder / "state" / "state.db")
        try:
            return base.execute(statement).fetchall()
        finally:
            base.close()
