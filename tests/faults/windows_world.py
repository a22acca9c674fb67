"""A Windows machine whose runs can be killed at an effect, and that is brought back to where it stood."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e import world
from e2e.machine import Machine
from e2e.windows_kind import WindowsProgram
from e2e.world import FIRST
from faults.tracer import Side
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami

TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Cut:
    """Where a run is killed: at the `number`-th effect with that label, and which side of it. 0: nowhere."""

    label: str = ""
    number: int = 0
    side: Side = "before"


@dataclass
class World(world.World):
    """Where it stood: "new", with settings alone, or "settled", after a run. `task` is what a task starts."""

    task: tuple[str, ...]

    def back_to(self, moment: str) -> None:
        """Bring machine and DNS back to that moment."""
        shutil.rmtree(self.machine.folder)
        shutil.copytree(self.machine.folder.with_name(moment), self.machine.folder)
        self.bind.alter(self.name, "A", *([FIRST] if moment == "settled" else []))
        self.move(FIRST)

    def keep(self, moment: str) -> None:
        """Note that it stands so now."""
        shutil.copytree(self.machine.folder, self.machine.folder.with_name(moment))

    def killed(self, cut: Cut) -> tuple[int, list[str]]:
        """A run that is killed there: how it ended, and the effects that it began."""
        ports = {"dns": self.bind.port, "probe": self.probe.port, "alpha": self.alpha.port, "beta": self.beta.port}
        command = (*self.task, "run", "--data", self.machine.data)
        return traced(command, self.machine.program.environ, self.machine.folder, cut, ports)


def traced(
    command: tuple[str, ...], environ: Mapping[str, str], folder: Path, cut: Cut, ports: Mapping[str, int]
) -> tuple[int, list[str]]:
    """Run a program that is killed at that effect on files below `folder` and on servers, whose `ports` have names."""
    names = {f"send {port}": f"send {name}" for name, port in ports.items()}
    label = next((sent for sent, name in names.items() if name == cut.label), cut.label)
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as trace:
        tracer = (sys.executable, "-m", "faults.tracer", trace.name, folder, label, str(cut.number), cut.side)
        done = subprocess.run(
            (*tracer, *command),
            cwd=TESTS,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.returncode, [names.get(line, line) for line in trace.read().splitlines()]


@contextmanager
def staged(program: WindowsProgram, bind: Bind, ca: Authority, place: Path) -> Iterator[World]:
    """One for many tests. Wine is started anew after them: its server keeps sockets of killed programs, and spins."""
    with ExitStack() as stack:
        stack.callback(program.wine.run, "cmd", "/c", "exit")
        stack.callback(program.wine.stop)
        alpha, beta = (stack.enter_context(Echo(FIRST, ca.server())) for _ in range(2))
        probe = stack.enter_context(Whoami(FIRST))
        machine = Machine(program.folder(place) / "data", program)
        found = World(machine, bind, "killed.example.test", ca, alpha, beta, probe, program.task)
        found.write_settings(more='[proof]\nsettle = "1ms"')
        found.keep("new")
        run = machine.ddns("run")
        assert (run.exit, run.err) == (0, ""), run
        found.keep("settled")
        yield found
