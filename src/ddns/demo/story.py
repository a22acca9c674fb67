"""The demonstration itself: a gateway, a DNS server and one machine, and what each run of `ddns` does to the record.

Every `ddns` here is a process of its own with real TLS, real signatures and real DNS messages; only the public
address is made up.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddns.demo.gateway import PROGRAM, Gateway, environ
from ddns.demo.narrator import Narrator
from ddns.demo.stage import ZONE, DemoFailed, Echo, Nameserver, Probe, certificates, nameserver
from ddns.demo.stopping import child

FIRST, SECOND, ELSEWHERE, LIE = "203.0.113.7", "203.0.113.8", "198.51.100.9", "203.0.113.66"
HOST = "laptop-7"
NAME = f"{HOST}.{ZONE}"


@dataclass
class Machine:
    """The machine of the demonstration: its data folder, and `ddns` as a process."""

    folder: Path
    narrator: Narrator
    environ: dict[str, str]

    def ddns(self, *arguments: str, stdin: str = "", expected: int = 0) -> float:
        """Run and narrate a command; returns its seconds. Raises DemoFailed on another exit code."""
        began = time.perf_counter()
        with child(
            (*PROGRAM, *arguments, "--data", str(self.folder)),
            env=self.environ,
            cwd=self.folder.parent,  # where ca.pem lies, so that what is shown is short
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            out, err = process.communicate(stdin, timeout=120)
        seconds = time.perf_counter() - began
        self.narrator.ran(f"ddns {' '.join(arguments)}", out + err, process.returncode, seconds)
        if process.returncode != expected:
            raise DemoFailed(f"ddns {arguments[0]} ended with {process.returncode}, expected {expected}")
        return seconds


def _environ(columns: int) -> dict[str, str]:
    colour = "1" if sys.stdout.isatty() else ""
    return environ() | {"PYTHONIOENCODING": "utf-8", "COLUMNS": str(columns), "FORCE_COLOR": colour}


@dataclass
class Stage:
    """Everything that is running."""

    machine: Machine
    gateway: Gateway
    dns: Nameserver
    alpha: Echo
    beta: Echo
    probe: Probe
    narrator: Narrator
    rows: list[tuple[str, str, str, float]] = field(default_factory=list)

    def move(self, address: str) -> None:
        """The public address changes, and everybody says so."""
        self.alpha.address = self.beta.address = self.probe.address = address

    def run(self, what: str, *flags: str, expect: str, exit_code: int = 0) -> None:
        """Run `ddns run`, then ask DNS. Raises DemoFailed when DNS says anything but `expect`."""
        seconds = self.machine.ddns("run", *flags, expected=exit_code)
        for line in self.gateway.decisions():
            self.narrator.decided(line["decision"], _detail(line))
        said = self.dns.ask(NAME)
        self.narrator.proof(NAME, said, good=said == expect)
        self.rows.append((what, said, str(exit_code), seconds))
        if said != expect:
            raise DemoFailed(f"DNS says {said or 'nothing'} for {NAME}, expected {expect}")

    def asked(self) -> tuple[int, int]:
        """How often the echo services, and the probe, were asked so far."""
        return self.alpha.hits + self.beta.hits, self.probe.hits


def demonstrate(narrator: Narrator) -> None:
    """Tell the whole story. Ends by itself and leaves nothing running. Raises DemoFailed."""
    began = time.perf_counter()
    narrator.title(
        "ddns: the whole product in one minute",
        ["A gateway that alone holds the zone's key, a DNS server, and a machine that keeps its own name right."],
        [
            "Every ",
            ("ddns", "strong"),
            (
                " below is a process of its own, with real TLS, real signatures and real DNS messages; only the public"
                " address is made up (203.0.113.0/24 is set aside for documentation)."
            ),
        ],
    )
    with tempfile.TemporaryDirectory(prefix="ddns-demo-") as folder, _stage(Path(folder), narrator) as stage:
        _tell(stage)
        narrator.summary(stage.rows)
    narrator.end(f"Done in {time.perf_counter() - began:.1f} s; everything that was started is stopped again.")


def _tell(stage: Stage) -> None:
    narrator = stage.narrator
    narrator.step("The first run publishes")
    narrator.say(f"Two operators, alpha and beta, say over TLS that this machine's address is {FIRST}.")
    stage.run("first run", expect=FIRST)
    narrator.step("What a person sees")
    stage.machine.ddns("status")

    narrator.step("The public address changes")
    narrator.say(f"From now on everybody says {SECOND}.")
    stage.move(SECOND)
    stage.run("address changed", expect=SECOND)

    narrator.step("Nothing changes: the run that every machine pays for every ten minutes")
    echoes, probes = stage.asked()
    stage.run("nothing changed", expect=SECOND)
    after = stage.asked()
    narrator.say(f"Asked: {after[1] - probes} probe, {after[0] - echoes} echo services; no provider was opened.")
    if (after[0] - echoes, after[1] - probes) != (0, 1):
        raise DemoFailed("a run without change must ask one probe and nobody else")

    narrator.step("Somebody alters the record behind our back; a due proof repairs it")
    stage.dns.alter(NAME, ELSEWHERE)
    narrator.proof(NAME, stage.dns.ask(NAME), good=False)
    stage.run("proof repairs drift", "--prove", expect=SECOND)

    narrator.step("One operator lies; nothing is published")
    narrator.say(f"Alpha, who runs an echo service and the probe, now says {LIE}; beta still says {SECOND}.")
    stage.alpha.address = stage.probe.address = LIE
    stage.run("one operator lies", expect=SECOND, exit_code=11)
    narrator.say("The lie is over.")
    stage.move(SECOND)
    stage.run("the lie is over", expect=SECOND)


@contextlib.contextmanager
def _stage(folder: Path, narrator: Narrator) -> Iterator[Stage]:
    """Start everything, innermost last; stop it in reverse, also when the story fails."""
    narrator.step("Start, on loopback, with throw-away data")
    certificates(folder)
    alpha, beta, probe = Echo("alpha", folder), Echo("beta", folder), Probe()
    with alpha.serving(), beta.serving(), probe.serving(), nameserver(folder) as dns:
        narrator.say(f"An authoritative DNS server: {dns.kind} on port {dns.port}, zone {ZONE}, updates by TSIG only.")
        narrator.say("Two echo services over TLS, run by alpha and beta, and a DNS probe, run by alpha.")
        gateway = Gateway(folder, dns)
        with gateway.serving() as url:
            narrator.say(f"A gateway at {url}: it alone holds the key of the zone.")
            machine = Machine(folder / "machine", narrator, _environ(narrator.room))
            stage = Stage(machine, gateway, dns, alpha, beta, probe, narrator)
            stage.move(FIRST)
            _enrol(stage, url)
            yield stage


def _enrol(stage: Stage, url: str) -> None:
    stage.narrator.step("Enrol this machine: a one-time code for a key of its own, good for its own name only")
    code = stage.gateway.code(HOST)
    stage.narrator.say(f"The operator mints a code: ddns gateway code {HOST}")
    stage.machine.folder.mkdir()
    stage.machine.ddns("enroll", url, "--ca-file", stage.gateway.ca_file.name, stdin=code + "\n")
    for line in stage.gateway.decisions():
        stage.narrator.decided(line["decision"], _detail(line))
    (stage.machine.folder / "ddns.toml").write_text(_settings(stage, url), encoding="utf-8")


def _detail(line: dict[str, Any]) -> str:
    """What an audit line says for people: the values, and the trace id that the machine's log has, too."""
    change = f"{_values(line['old'])} -> {_values(line['new'])}" if "old" in line and "new" in line else ""
    trace = f"trace {line['trace_id']}" if "trace_id" in line else ""
    return " ".join(filter(None, (line.get("name", line.get("label", "")), change, trace)))


def _values(values: list[str]) -> str:
    return ", ".join(values) or "none"


def _settings(stage: Stage, url: str) -> str:
    ca_file = stage.gateway.ca_file
    sources = ",\n".join(
        f'    {{ url = "{echo.url}", operator = "{echo.operator}", ca_file = "{ca_file}" }}'
        for echo in (stage.alpha, stage.beta)
    )
    return f"""schema = 1

[[record]]
name = "{NAME}"
provider = "fleet"
ttl = 60

[provider.fleet]
kind = "gateway"
token = "file:gateway"

[gateway]
url = "{url}"
ca_file = "{ca_file}"

[detect]
sources = [
{sources},
]
probe4 = "{stage.probe.url}"
allow_private = ["203.0.113.0/24"]  # the made-up addresses of this demonstration

[proof]
settle = "1ms"  # a proof right after a write is not waited for here
"""
