"""The fan-out: wall time of one question to a fleet against the throttle, and what each machine costs.

``PYTHONPATH=src:tests:packaging python -m bench.fleet``. Machines are sessions of an SSH server on loopback, so both
ends share this computer's cores: a machine costs the caller's work and a whole PowerShell start at the other end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ground import NotHere
from powershell.fleet import Fleet

#: One question, timed inside the asking PowerShell, so that its own start and the module's loading do not count.
SCRIPT = """
$targets = @(Resolve-DdnsTarget -InputObject ($rows | Select-Object -First {count}) -Connection $connection)
$clock = [Diagnostics.Stopwatch]::StartNew()
$cpu = [Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime
$request = @{{ Schema = 1; Operation = 'Query' }}
$answers = @(Invoke-DdnsFleet -Target $targets -Request $request -ThrottleLimit {throttle})
$wrong = @($answers | Where-Object {{ $_.Outcome -ne 'NotInstalled' }}).Count
$used = [Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime - $cpu
"$($clock.ElapsedMilliseconds) $([int]$used.TotalMilliseconds) $($answers.Count) $wrong"
"""


@dataclass(frozen=True)
class Sample:
    """Milliseconds of one fan-out: on the clock, and of the caller's processor."""

    machines: int
    throttle: int
    wall: int
    cpu: int


def measure(fleet: Fleet, machines: int, throttle: int) -> Sample:
    """One fan-out, checked by its answers."""
    ended = fleet.ask(SCRIPT.format(count=machines, throttle=throttle), timeout=600)
    if ended.exit or ended.err:
        raise RuntimeError(f"the fan-out failed: {ended.err or ended.out}")
    wall, cpu, answers, wrong = map(int, ended.out.split())
    if (answers, wrong) != (machines, 0):
        raise RuntimeError(f"{machines} machines gave {answers} answers, {wrong} of them wrong")
    return Sample(machines, throttle, wall, cpu)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, nargs="*", default=[10, 50])
    parser.add_argument("--throttle", type=int, nargs="*", default=[1, 4, 8, 16, 32])
    chosen = parser.parse_args()
    names = [f"m{number:03}" for number in range(max(chosen.machines))]
    with tempfile.TemporaryDirectory() as folder:
        try:
            fleet = Fleet(Path(folder), names)
        except NotHere as missing:
            print(f"not run, because {missing}", file=sys.stderr)
            return 1
        with fleet:
            alone = min((measure(fleet, 1, 1) for _ in range(3)), key=lambda sample: sample.wall)
            print(f"{os.cpu_count()} cores; one machine alone: {alone.wall} ms, of which {alone.cpu} ms caller's CPU")
            print("machines  throttle  wall s  ms a machine  caller's CPU ms a machine")
            for machines in chosen.machines:
                for throttle in chosen.throttle:
                    one = measure(fleet, machines, throttle)
                    print(
                        f"{machines:8}  {throttle:8}  {one.wall / 1000:6.1f}  {one.wall / machines:12.0f}"
                        f"  {one.cpu / machines:25.0f}",
                        flush=True,
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
