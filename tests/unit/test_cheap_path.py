"""What a run that changes nothing imports is written down, so that nobody makes every machine pay more by accident."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.machine import SOURCE, Machine
from ground.echo import Echo
from ground.http import Reply, Request, Server
from ground.tls import Authority
from ground.whoami import Whoami

LIST = Path(__file__).with_name("cheap_path_modules.txt")
NAME = "home.example.test"
ADDRESS = "203.0.113.7"


def imported(*arguments: str) -> list[str]:
    """The modules that a Python process imports, in order."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "DDNS_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        env=environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines[1:]]


@pytest.fixture
def settled(tmp_path: Path, ca: Authority, echo: Callable[..., Echo], whoami: Callable[..., Whoami]) -> Machine:
    """A machine whose last run left nothing open."""
    alpha, beta, probe = echo(ADDRESS), echo(ADDRESS), echo(ADDRESS, tls=False)
    dns = whoami()

    def update(request: Request) -> Reply:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query))
        dns.records[query["hostname"], "A"] = (query["myip"],)
        return Reply(body=f"good {query['myip']}\n".encode())

    machine = Machine(tmp_path / "data")
    machine.secret("password", "secret")
    with Server(update) as service:
        machine.settings(f"""
[[record]]
name = "{NAME}"
provider = "home"

[provider.home]
kind = "dyndns2"
url = "{service.url}nic/update"
username = "user"
password = "file:password"

[detect]
sources = [
    {{ url = "{alpha.url}", operator = "alpha", ca_file = "{ca.file}" }},
    {{ url = "{beta.url}", operator = "beta", ca_file = "{ca.file}" }},
]
probe4 = "{probe.url}"
allow_private = ["203.0.113.0/24"]

[proof]
servers = ["{dns.server}"]
""")
        first = machine.ddns("run")
    assert (first.exit, first.err) == (0, "")
    assert dns.records[NAME, "A"] == (ADDRESS,)
    return machine


def test_a_run_without_change_imports_what_is_listed_and_no_more(settled: Machine) -> None:
    start = "import sys; sys.argv[1:] = ['run', '--data', sys.argv[1]]; from ddns.__main__ import main; main()"
    modules = imported("-c", start, str(settled.folder))
    bare = set(imported("-c", "pass"))
    paid = [name for name in modules if name not in bare]
    assert settled.log()[-1]["message"] == "nothing changed"  # the run was of the kind that is measured

    listed = LIST.read_text().split()
    if os.environ.get("REWRITE_CHEAP_PATH"):
        LIST.write_text("".join(f"{name}\n" for name in sorted(paid)))
    elif sys.version_info[:2] == (3, 11):
        assert sorted(paid) == listed
    else:  # the standard library's own imports differ between versions
        outside = {name for name in paid if name.partition(".")[0] not in sys.stdlib_module_names}
        assert outside == {name for name in listed if name.partition(".")[0] == "ddns"}
