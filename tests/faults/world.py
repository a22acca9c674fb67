"""One machine in a world of real servers, whose run can be killed at an effect."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from e2e import world
from e2e.machine import SOURCE, clean
from faults.effects import Cut

FIRST, SECOND = world.FIRST, world.SECOND
TESTS = Path(__file__).resolve().parents[1]


@dataclass
class World(world.World):
    """A machine from source."""

    def killed(self, cut: Cut) -> tuple[int, list[str]]:
        """A run that kills itself there: how it ended, and the effects that it began."""
        trace = self.machine.folder.with_name("effects")
        trace.unlink(missing_ok=True)
        driver = (sys.executable, "-m", "faults.driver", self.machine.data, str(cut.number), cut.side)
        environ = clean(os.environ) | {"PYTHONPATH": f"{SOURCE}:{TESTS}"}  # as the runs after it have it
        done = subprocess.run((*driver, str(trace)), env=environ, capture_output=True, timeout=60, check=False)
        labels = trace.read_text(encoding="utf-8").splitlines()
        return done.returncode, [label if label[:9] != "net probe" else "net probe" for label in labels]
