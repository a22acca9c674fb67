"""Machines of each kind in a world of real servers, and a gateway as an operator runs it.

The gateway: TLS, its ledger on disk, publishing to the real DNS server by RFC 2136.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ddns.gateway import operators
from ddns.gateway.serve import Running, running
from ddns.gateway.settings import Cidr, GatewaySettings, Hosts, Listen, Zone
from ddns.ports import Deadline, HttpRequest, HttpResponse, Tools
from ddns.providers import rfc2136
from ddns.runtime.clock import SystemClock
from ddns.secret import Secret, SecretRef
from e2e import machine as on_linux
from e2e import world as worlds
from e2e.machine import Machine, Program
from e2e.world import World
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami

ZONE = "example.test"
#: Stands for the public internet: a documentation network that the gateway is told to accept.
PUBLIC = "203.0.113.0/24"


#: The kinds of machines that make the journeys.
KINDS = ("source", "exe")


@pytest.fixture(params=KINDS)
def program(request: pytest.FixtureRequest) -> Program:
    """What starts ddns: each test that asks for it runs once a kind."""
    if request.param == "source":
        return on_linux.from_source()
    found: Program = request.getfixturevalue("windows_program")
    return found


@pytest.fixture
def machine(program: Program, tmp_path: Path) -> Machine:
    """A machine of that kind that has never run."""
    return Machine(program.folder(tmp_path), program)


@pytest.fixture
def world(
    machine: Machine,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> World:
    """That machine, with settings, in a world where its address is FIRST. Records settle at once."""
    world = worlds.make(machine, bind, fresh_name(), ca, echo, whoami)
    world.write_settings(more='[proof]\nsettle = "1ms"')
    return world


class NoNet:
    """RFC 2136 has its own way to the network."""

    def http(self, request: HttpRequest, **_options: object) -> HttpResponse:
        raise AssertionError(f"the gateway must not ask {request.url}")

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        raise AssertionError(f"the gateway must not ask {to}")


@dataclass(frozen=True)
class Gateway:
    """A gateway that serves, and what its operator does."""

    running: Running
    hosts: Hosts
    ca: Authority

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.running.url.rsplit(":", 1)[1])

    def enrol(self, label: str) -> str:
        """Enrol a host as a client does; returns its name."""
        parts = self.running.parts
        code = operators.mint_code(parts.ledger, parts.audit, parts.clock, self.hosts, label)
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        with httpx.Client(verify=self.ca.client()) as client:
            body = {"code": code, "machine": f"machine-of-{label}", "key": key}
            answer = client.post(f"{self.running.url}/v1/enroll", json=body).raise_for_status().json()
        (name,) = answer["names"]
        return str(name)

    def password(self, label: str) -> str:
        """A password for the host's dyndns2 clients."""
        return operators.set_dyndns2_password(self.running.parts.ledger, self.running.parts.audit, label)


@pytest.fixture
def gateway(bind: Bind, ca: Authority, tmp_path: Path) -> Iterator[Gateway]:
    """The gateway; hosts are named {host}.example.test."""
    chain, key = ca.write_server_files(tmp_path)
    master = base64.b64encode(secrets.token_bytes(32)).decode()
    found = {"master": Secret(master), "tsig": Secret(bind.key.secret)}
    provider = rfc2136.Settings(server=bind.server, zone=ZONE, key_name=bind.key.name, key=SecretRef("env:tsig"))
    hosts = Hosts(template=f"{{host}}.{ZONE}", allow_private=(Cidr(PUBLIC),))
    settings = GatewaySettings(
        schema=1,
        name="test-gateway",
        data=str(tmp_path / "gateway"),
        master_key=SecretRef("env:master"),
        listen=Listen(host="127.0.0.1", port=0, cert_file=str(chain), key_file=str(key)),
        hosts=hosts,
        zone=(Zone(name=ZONE, provider="dns"),),
        provider={"dns": provider},
    )
    clock = SystemClock()

    def resolve(ref: SecretRef) -> Secret:
        return found[ref.place]

    tools = Tools(net=NoNet(), clock=clock, resolve=resolve)
    with running(settings, {"dns": rfc2136.connect(provider, tools)}, resolve, clock) as server:
        yield Gateway(server, hosts, ca)
