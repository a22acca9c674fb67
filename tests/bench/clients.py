"""The clients that are compared, each set up as its own documentation says, with files of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Command
from ground import debian

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Place:
    """Where the services are, and a folder for a client's files."""

    http: int
    tls: tuple[str, ...]
    ca: str
    dns: str
    folder: Path


@dataclass(frozen=True)
class Client:
    """A client, ready to run. `host` is the name it keeps; `age` lets its memory forget when it last ran."""

    name: str
    version: str
    host: str
    command: Command
    age: Callable[[], None] = lambda: None


def environment(place: Place, **more: str) -> dict[str, str]:
    """What a scheduled program finds in its environment, and little more."""
    return {"PATH": PATH, "HOME": str(place.folder), "LANG": "C.UTF-8", "TMPDIR": str(place.folder), **more}


def command(place: Place, *argv: object, **env: str) -> Command:
    """A client's command; what it prints is kept in its folder."""
    return Command(tuple(map(str, argv)), environment(place, **env), str(place.folder / "output.log"))


def venv(lock: str) -> Path:
    """The environment of a lock file."""
    done = subprocess.run([ROOT / "packaging/setup/venv", lock], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def ddclient(place: Place) -> Client:
    """Debian's ddclient (Perl)."""
    program = debian.program("ddclient", "ddclient", "libio-socket-ssl-perl")
    host = "ddclient.example.com"
    settings, cache = place.folder / "ddclient.conf", place.folder / "ddclient.cache"
    settings.write_text(
        f"daemon=0\nsyslog=no\nssl=no\nuse=web\nweb=http://127.0.0.1:{place.http}/\nprotocol=dyndns2\n"
        f"server=127.0.0.1:{place.http}\nlogin=bench\npassword='bench'\n{host}\n"
    )
    settings.chmod(0o600)

    def age() -> None:
        """It refuses a second update within 30 s."""
        if cache.exists():
            hour_ago = int(time.time()) - 3600
            cache.write_text(re.sub(r"\b([am]time)=\d+", rf"\1={hour_ago}", cache.read_text()))

    argv = (program.path, "-daemon=0", "-foreground", f"-file={settings}", f"-cache={cache}")
    return Client("ddclient", "3.10.0", host, command(place, *argv, **program.env), age)


def inadyn(place: Place) -> Client:
    """Debian's inadyn (C)."""
    program = debian.program("inadyn", "inadyn")
    host = "inadyn.example.com"
    settings = place.folder / "inadyn.conf"
    settings.write_text(
        f"""verify-address = false
custom bench {{
    username = bench
    password = bench
    ssl = false
    checkip-server = "127.0.0.1:{place.http}"
    checkip-path = "/"
    checkip-ssl = false
    ddns-server = "127.0.0.1:{place.http}"
    ddns-path = "/nic/update?hostname=%h&myip=%i"
    hostname = "{host}"
}}
"""
    )
    cache = place.folder / "cache"
    cache.mkdir()
    argv = (program.path, "--once", "--foreground", "--no-pidfile", f"--config={settings}", f"--cache-dir={cache}")
    return Client("inadyn", "2.10.0", host, command(place, *argv, **program.env))


def pypi_ddns(place: Place, *, ssl: bool) -> Client:
    """The package `ddns` of PyPI, as it comes (it prepares TLS) or told that no TLS is wanted."""
    name = "ddns (PyPI)" if ssl else "ddns (PyPI), ssl=false"
    host = f"pypi-{'tls' if ssl else 'plain'}.example.com"
    settings = place.folder / "config.json"
    values = {
        "dns": "noip",
        "id": "bench",
        "token": "bench",
        "endpoint": f"http://127.0.0.1:{place.http}",
        "ipv4": [host],
        "index4": [f"url:http://127.0.0.1:{place.http}/"],
        "index6": False,
        "cache": str(place.folder / "cache"),
    }
    settings.write_text(json.dumps(values if ssl else values | {"ssl": False}))
    return Client(name, "4.2.0", host, command(place, venv("bench") / "bin" / "ddns", "--config", settings))


def floors(place: Place) -> list[tuple[str, Command]]:
    """What starting anything costs, and what starting Python costs."""
    python = str(venv("client") / "bin" / "python")
    env = environment(place)
    return [
        ("true", Command(("/bin/true",), env)),
        ("python -I -S -c pass", Command((python, "-I", "-S", "-c", "pass"), env)),
        ("python -I -c pass", Command((python, "-I", "-c", "pass"), env)),
    ]


def load() -> float:
    """Other work on this machine, as a share of its cores."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
