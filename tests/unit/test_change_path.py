"""What a run that writes imports is written down, too: half of its time goes there.

Our own modules are not listed, they are small; but no class of theirs is a data class, which Python compiles from
text as it is imported (0.3 to 0.5 ms each; a msgspec struct takes a tenth of that).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from e2e.machine import SOURCE
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami
from unit.run_paths import NAME, OTHER, settled

LIST = Path(__file__).with_name("change_path_modules.txt")
#: By the kind of a provider: the modules of others that it brings beyond those of every run that writes over HTTPS.
BRINGS = Path(__file__).with_name("change_path_providers.json")
_EACH = """
import importlib, json, os, sys
import ddns.runtime.full, ddns.runtime.compose, ddns.sources.http
from ddns.providers import table
common, found = set(sys.modules), {}
for kind in table.MODULES:
    read, write = os.pipe()
    if not os.fork():
        table.load(kind)
        os.write(write, json.dumps(sorted(set(sys.modules) - common)).encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        found[kind] = json.loads(pipe.read())
    os.wait()
print(json.dumps(found))
"""
_COMPILED = """
import dataclasses, sys
for name in sys.argv[1:]:
    __import__(name)
for name in sys.argv[1:]:
    for value in vars(sys.modules[name]).values():
        if isinstance(value, type) and value.__module__ == name and dataclasses.is_dataclass(value):
            print(f"{name}.{value.__name__}")
"""


def _outside(names: list[str]) -> list[str]:
    return sorted(name for name in names if name.partition(".")[0] != "ddns")


def _comparable(names: list[str]) -> list[str]:
    """The standard library's own imports differ between versions; the lists are of 3.11."""
    same = sys.version_info[:2] == (3, 11)
    return [name for name in names if same or name.partition(".")[0] not in sys.stdlib_module_names]


def _run(script: str, *arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "DDNS_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_a_run_with_a_change_imports_what_is_listed_and_no_more(
    tmp_path: Path, ca: Authority, echo: Callable[..., Echo], whoami: Callable[..., Whoami]
) -> None:
    with settled(tmp_path / "data", ca, echo, whoami) as world:
        world.move()
        paid = world.paid()
        assert world.dns.records[NAME, "A"] == (OTHER,)

    ours = [name for name in paid if name.partition(".")[0] == "ddns"]
    assert "ddns.providers.writeonly" in ours
    assert _run(_COMPILED, *ours).split() == []

    outside = _outside(paid)
    if os.environ.get("REWRITE_CHEAP_PATH"):
        LIST.write_text("".join(f"{name}\n" for name in outside))
    assert _comparable(outside) == _comparable(LIST.read_text().split())


def test_a_provider_brings_what_is_listed_and_no_more() -> None:
    found = {kind: _outside(names) for kind, names in json.loads(_run(_EACH)).items()}
    if os.environ.get("REWRITE_CHEAP_PATH"):
        BRINGS.write_text(json.dumps(found, indent=1) + "\n")
    listed = json.loads(BRINGS.read_text())
    assert {kind: _comparable(names) for kind, names in found.items()} == {
        kind: _comparable(names) for kind, names in listed.items()
    }
