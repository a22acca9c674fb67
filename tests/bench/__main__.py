"""Measure whole runs and starts, interleaved: each round takes every client once, so that a busy moment hits all alike.

A run without a change must send no update, a run after a change exactly one, with the right address; a client that
does otherwise is not compared but reported as wrong.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import clients, compiled, measure, report, stages, startup
from bench.clients import Client, Place
from bench.compiled import Program
from bench.ours import ours
from bench.report import Row
from bench.startup import Startup
from ground import NotHere
from windows import wine
from windows.wine import NoWine

#: Two public addresses; nothing is ever sent to them.
ADDRESSES = ("11.22.33.44", "11.22.33.55")
#: Runs that a client may take to come to rest after a change (a proof, a cache that is written late).
RESTS = 4


class WrongBehaviour(Exception):
    """A client did not do what its run was for."""


class Services:
    """The service process, seen from here."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.where: dict[str, Any] = json.loads(process.stdout.readline())

    def tell(self, command: str) -> dict[str, Any]:
        """Give a command; the answer tells what came in since the last one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def place(self, folder: Path, name: str) -> Place:
        """A folder for a client's files."""
        own = folder / name
        own.mkdir()
        where = self.where
        return Place(where["http"], tuple(where["tls"]), where["ca"], where["dns"], own)


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Start the service process; it ends with its standard input."""
    command = [sys.executable, "-m", "bench.service", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Services(process)
        assert process.stdin is not None
        process.stdin.close()


def gather(service: Services, folder: Path) -> tuple[list[Client], list[str]]:
    """The clients that this machine can have, and why the others can't."""
    makers: dict[str, Callable[[Place], Client]] = {
        "ours": ours,
        "ddclient": clients.ddclient,
        "inadyn": clients.inadyn,
        "pypi": lambda place: clients.pypi_ddns(place, ssl=True),
        "pypi-plain": lambda place: clients.pypi_ddns(place, ssl=False),
    }
    found, missing = [], []
    for name, make in makers.items():
        try:
            found.append(make(service.place(folder, name)))
        except NotHere as reason:
            missing.append(f"{name}: not run, because {reason}")
    return found, missing


def timed(service: Services, client: Client, address: str, *, change: bool) -> measure.Sample:
    """One run, checked by what it sent."""
    client.age()
    service.tell("take")
    sample = measure.run(client.command)
    seen = service.tell("take")
    expected = [[client.host, address]] if change else []
    if sample.status != 0 or seen["updates"] != expected:
        said = Path(client.command.log).read_text(errors="replace").splitlines()[-3:]
        raise WrongBehaviour(f"exit status {sample.status}, sent {seen['updates']}, expected {expected}; said {said}")
    return sample


def rest(service: Services, client: Client) -> None:
    """Run untimed until the client asks for nothing but its address: the state in which most runs find it."""
    seen: dict[str, Any] = {}
    for _ in range(RESTS):
        measure.run(client.command)
        seen = service.tell("take")
        if not seen["updates"] and not seen["asked"]["tls"] and not seen["asked"]["dns"]:
            return
    raise WrongBehaviour(f"{RESTS} runs after a change it still asks {seen}")


def compare(service: Services, found: list[Client], rows: dict[str, Row], rounds: int) -> None:
    """The rounds. A client that misbehaves leaves the comparison."""
    running = list(found)
    for number in range(rounds + 1):
        address = ADDRESSES[number % 2]
        service.tell(f"address {address}")
        for client in [*running[number % len(running) :], *running[: number % len(running)]]:
            try:
                changed = timed(service, client, address, change=True)
                rest(service, client)
                idle = timed(service, client, address, change=False)
            except WrongBehaviour as wrong:
                rows[client.name].wrong = str(wrong)
                running.remove(client)
                continue
            if number:  # the first round only fills caches
                rows[client.name].change.append(changed)
                rows[client.name].idle.append(idle)
        for name, command in clients.floors(service.place(Path(service.where["ca"]).parent, f"floor{number}")):
            rows.setdefault(name, Row(name)).idle.append(measure.run(command))


def itemise(service: Services, folder: Path, rounds: int) -> int:
    """Where our own run spends its time."""
    client = ours(service.place(folder, "ours"))
    moves = itertools.cycle(ADDRESSES)

    def change() -> None:
        rest(service, client)
        service.tell(f"address {next(moves)}")

    service.tell(f"address {ADDRESSES[-1]}")
    measure.run(client.command)
    console = report.console()
    for kind, before in (("no change", lambda: rest(service, client)), ("change", change)):
        stages.draw(console, kind, stages.measure(client, kind, rounds, before))
    return 0


def clients_compared(service: Services, folder: Path, rounds: int) -> tuple[dict[str, Row], list[str]]:
    """Their rows, and why some are missing."""
    found, missing = gather(service, folder)
    rows = {client.name: Row(client.name, client.version) for client in found}
    compare(service, found, rows, rounds)
    for client in found:
        if not rows[client.name].wrong:
            rows[client.name].memory = [size for _ in range(5) if (size := measure.memory(client.command))]
    return rows, missing


def start_ups(service: Services, folder: Path, rounds: int, systems: set[str]) -> tuple[list[Startup], list[str]]:
    """The tables of the compiled programs, and why one is missing."""
    found: list[Startup] = []
    missing: list[str] = []
    moves = itertools.cycle(ADDRESSES)  # they keep one name: each finds what the one before published
    with ExitStack() as stack:

        def windows() -> tuple[Program, ...]:
            machine = stack.enter_context(wine.fresh(folder / "machine"))
            return (compiled.on_windows(machine, service.place(folder, "windows")),)

        makers: dict[str, Callable[[], tuple[Program, ...]]] = {
            "windows": windows,
            "linux": lambda: compiled.on_linux(service.place(folder, "linux")),
        }
        for name in sorted(systems, reverse=True):
            try:
                found.extend(start_up(service, program, next(moves), rounds) for program in makers[name]())
            except (NotHere, NoWine) as reason:
                missing.append(f"start on {name}: not run, because {reason}")
    return found, missing


def start_up(service: Services, program: Program, address: str, rounds: int) -> Startup:
    """One program's table."""
    client = program.client()
    service.tell(f"address {address}")
    timed(service, client, address, change=True)
    rest(service, client)

    def check() -> None:
        seen = service.tell("take")
        if seen["updates"] or seen["asked"]["tls"]:
            raise WrongBehaviour(f"the run without a change did {seen}")

    modules = program.modules()
    service.tell("take")
    limits = startup.LIMITS if program.system.startswith("Windows") else {}
    return startup.measure(program.system, program.commands(), rounds, check, modules, limits)


def main() -> int:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", type=Path, default=clients.ROOT / "build" / "bench" / "result.json")
    parser.add_argument(
        "--only", choices=("clients", "windows", "linux"), help="one part: the others' tables are left out"
    )
    parser.add_argument("--stages", action="store_true", help="itemise our own run instead of comparing it")
    options = parser.parse_args()
    before = clients.load()
    with tempfile.TemporaryDirectory(prefix="ddns-bench-") as name, services(Path(name)) as service:
        if options.stages:
            return itemise(service, Path(name), options.rounds)
        rows: dict[str, Row] = {}
        missing: list[str] = []
        if options.only in {None, "clients"}:
            rows, missing = clients_compared(service, Path(name), options.rounds)
        systems = {"windows", "linux"} if options.only is None else {options.only} - {"clients"}
        tables, more = start_ups(service, Path(name), options.rounds, systems)
    result = report.Result(options.rounds, before, list(rows.values()), [*missing, *more], tables)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(asdict(result), indent=1) + "\n")
    report.draw(result)
    wrong = any(row.wrong for row in rows.values()) or not all(table.met for table in tables)
    return 1 if result.missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
