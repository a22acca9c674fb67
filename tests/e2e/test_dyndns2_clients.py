"""Debian's ddclient and inadyn, unchanged, keep a record through the gateway: TLS, basic auth, real DNS behind it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.conftest import Gateway
from ground import NotHere, debian, not_run
from ground.bind import Answer, Bind
from ground.echo import Echo

Runner = Callable[[], "subprocess.CompletedProcess[str]"]
ONE, OTHER = "203.0.113.10", "203.0.113.11"


def runner(program: debian.Program, *arguments: str, folder: Path) -> Runner:
    """Runs a client to its end."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program.path, *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **program.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    return run


def ddclient(folder: Path, gateway: Gateway, echo: Echo, user: str, password: str, name: str) -> Runner:
    """ddclient, its settings as its manual words them."""
    program = debian.program("ddclient", "ddclient", "libio-socket-ssl-perl")
    settings = folder / "ddclient.conf"
    settings.write_text(
        f"daemon=0\nsyslog=no\nssl=yes\nssl_ca_file={gateway.ca.file}\nuse=web\nweb={echo.url}\nprotocol=dyndns2\n"
        f"server=127.0.0.1:{gateway.port}\nlogin={user}\npassword='{password}'\nmin-interval=0\n{name}\n"
    )
    settings.chmod(0o600)
    arguments = ("-daemon=0", "-foreground", "-verbose", f"-file={settings}", f"-cache={folder / 'ddclient.cache'}")
    return runner(program, *arguments, folder=folder)


def inadyn(folder: Path, gateway: Gateway, echo: Echo, user: str, password: str, name: str) -> Runner:
    """inadyn, as a custom provider."""
    program = debian.program("inadyn", "inadyn")
    settings = folder / "inadyn.conf"
    settings.write_text(
        f"""verify-address = false
ca-trust-file = "{gateway.ca.file}"
custom gateway {{
    username = {user}
    password = "{password}"
    ssl = true
    checkip-server = "127.0.0.1:{echo.port}"
    checkip-path = "/"
    checkip-ssl = true
    ddns-server = "localhost:{gateway.port}"
    ddns-path = "/nic/update?hostname=%h&myip=%i"
    hostname = "{name}"
}}
"""
    )
    (folder / "cache").mkdir()
    arguments = ("--once", "--foreground", "--no-pidfile", "--loglevel=debug")
    return runner(program, *arguments, f"--config={settings}", f"--cache-dir={folder / 'cache'}", folder=folder)


CLIENTS = pytest.mark.parametrize("client", [ddclient, inadyn])
Make = Callable[[Path, Gateway, Echo, str, str, str], Runner]


def made(client: Make, *arguments: object) -> Runner:
    """A client's runner; the test is not run where the client can't be had."""
    try:
        return client(*arguments)  # type: ignore[arg-type]  # handed on as they came
    except NotHere as missing:
        not_run(missing)


@CLIENTS
def test_a_client_publishes_and_follows_a_change(
    client: Make, gateway: Gateway, bind: Bind, echo: Callable[..., Echo], tmp_path: Path
) -> None:
    label = client.__name__
    name = gateway.enrol(label)
    address = echo(ONE)
    run = made(client, tmp_path, gateway, address, label, gateway.password(label), name)

    first = run()
    assert bind.query(name) == Answer((ONE,), 120), first.stdout

    address.address = OTHER
    second = run()
    assert bind.query(name) == Answer((OTHER,), 120), second.stdout


@CLIENTS
def test_a_wrong_password_changes_nothing(
    client: Make, gateway: Gateway, bind: Bind, echo: Callable[..., Echo], tmp_path: Path
) -> None:
    label = f"{client.__name__}-wrong"
    name = gateway.enrol(label)
    gateway.password(label)
    done = made(client, tmp_path, gateway, echo(ONE), label, "not-the-password", name)()
    assert bind.query(name) is None
    assert "auth" in done.stdout.lower(), done.stdout


@CLIENTS
def test_a_neighbours_name_is_refused(
    client: Make, gateway: Gateway, bind: Bind, echo: Callable[..., Echo], tmp_path: Path
) -> None:
    label, neighbour = f"{client.__name__}-own", f"{client.__name__}-neighbour"
    gateway.enrol(label)
    name = gateway.enrol(neighbour)
    done = made(client, tmp_path, gateway, echo(ONE), label, gateway.password(label), name)()
    assert bind.query(name) is None, done.stdout
