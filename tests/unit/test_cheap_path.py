"""What a run that changes nothing imports is written down, so that nobody makes every machine pay more by accident."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami
from unit.run_paths import settled

LIST = Path(__file__).with_name("cheap_path_modules.txt")


def test_a_run_without_change_imports_what_is_listed_and_no_more(
    tmp_path: Path, ca: Authority, echo: Callable[..., Echo], whoami: Callable[..., Whoami]
) -> None:
    with settled(tmp_path / "data", ca, echo, whoami) as world:
        paid = world.paid()
        assert world.machine.log()[-1]["message"] == "nothing changed"  # the run was of the kind that is measured

    listed = LIST.read_text().split()
    if os.environ.get("REWRITE_CHEAP_PATH"):
        LIST.write_text("".join(f"{name}\n" for name in sorted(paid)))
    elif sys.version_info[:2] == (3, 11):
        assert sorted(paid) == listed
    else:  # the standard library's own imports differ between versions
        outside = {name for name in paid if name.partition(".")[0] not in sys.stdlib_module_names}
        assert outside == {name for name in listed if name.partition(".")[0] == "ddns"}
