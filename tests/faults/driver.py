"""A run of ddns in a process of its own that kills itself at an effect: ``driver.py DATA NUMBER SIDE FILE``.

The labels of its effects are appended to FILE, each before it takes place. Number 0 kills nothing.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import cast

from ddns.net import wire
from ddns.net.client import Client
from ddns.runtime import RunRequest, Start
from ddns.runtime.clock import SystemClock
from ddns.runtime.full import full_run
from ddns.runtime.quick import quick_run
from faults.effects import Cut, Effects, Side


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def main(data: str, number: str, side: str, trace: str) -> int:
    """As `runtime.run`, with every effect counted."""
    effects = Traced(trace, Cut(int(number), cast("Side", side)))
    start, request = Start(data), RunRequest(data)
    with effects.files():
        code = quick_run(start, effects.asking(wire.ask))
        if code is None:
            code = full_run(start, request, effects.seams(SystemClock(), Client))
    return code


class Traced(Effects):
    """Effects whose labels survive the process."""

    def __init__(self, trace: str, cut: Cut) -> None:
        super().__init__(cut, _die)
        self._trace = trace

    def told(self, label: str) -> None:
        with open(self._trace, "a", encoding="utf-8") as file:
            file.write(label + "\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
