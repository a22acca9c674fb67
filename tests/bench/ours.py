"""Our own client, as a user has it: the wheel, installed beside its dependencies, with a settings file and a log."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from bench.clients import ROOT, Client, Place, command
from bench.report import OURS
from windows import cache

#: The name that ours keeps.
HOST = "ours.example.com"


def quietly(*command: object) -> None:
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}")


def install() -> Path:
    """An environment with this tree's wheel, made anew when the wheel's content is another."""
    dist = ROOT / "build" / "bench"
    for old in dist.glob("*.whl"):
        old.unlink()
    quietly(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist)
    (wheel,) = dist.glob("*.whl")
    lock = ROOT / "packaging" / "locks" / "client.txt"
    key = hashlib.sha256(wheel.read_bytes() + lock.read_bytes() + sys.version.encode()).hexdigest()

    def make(folder: Path) -> None:
        quietly(sys.executable, "-m", "venv", folder)
        pip = (folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
        quietly(*pip, "--require-hashes", "-r", lock)
        quietly(*pip, "--no-deps", wheel)

    return cache.once("bench-ours", key, make)


def settings(place: Place, password: str, ca: str, *, probe: str = "") -> str:
    """One record at a dyndns2 service, two sources over TLS, a plain probe. `password` is a reference to it."""
    listed = "".join(
        f'    {{ url = "{url}", operator = "operator{number}", ca_file = "{ca}" }},\n'
        for number, url in enumerate(place.tls)
    )
    return f"""schema = 1

[[record]]
name = "{HOST}"
provider = "home"

[provider.home]
kind = "dyndns2"
url = "http://127.0.0.1:{place.http}/nic/update"
username = "bench"
password = "{password}"

[detect]
sources = [
{listed}]
probe4 = "{probe or f"http://127.0.0.1:{place.http}/"}"

[proof]
servers = ["{place.dns}"]
"""


def ours(place: Place, *, probe: str = "") -> Client:
    """The client in its environment, with its settings."""
    password = place.folder / "password"
    password.write_text("bench")
    password.chmod(0o600)
    (place.folder / "ddns.toml").write_text(settings(place, f"file:{password}", place.ca, probe=probe))
    return Client(OURS, "(this tree)", HOST, command(place, install() / "bin" / "ddns", "run", "--data", place.folder))
