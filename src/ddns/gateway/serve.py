"""Runs a gateway: puts its parts together from settings, and serves it over TLS with uvicorn.

Settings, the way to resolve secrets, and the providers are handed in: this package knows no settings file.
"""

from __future__ import annotations

import itertools
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from ddns.errors import SettingsError, StateUnwritable, foreign
from ddns.gateway.app import WAIT, Parts, build
from ddns.gateway.audit import Audit
from ddns.gateway.auth import Authenticator
from ddns.gateway.connection import TimedConnection
from ddns.gateway.enrolment import Enrolment
from ddns.gateway.leases import Leases
from ddns.gateway.ledger.sqlite import SqliteLedger
from ddns.gateway.listener import Listener, room
from ddns.gateway.lock import made, serving_alone
from ddns.gateway.publisher import Publisher
from ddns.gateway.seal import Sealer
from ddns.gateway.settings import GatewaySettings, Listen, Zones
from ddns.gateway.throttle import Throttle
from ddns.gateway.updates import Updates
from ddns.ports import Clock, Provider
from ddns.resilience import Retry
from ddns.secret import Secret, SecretRef

#: Tries within one pass of the publisher; after that the record waits its turn.
POLICY = Retry(attempts=3)
#: Seconds that requests under way have when the gateway stops.
GRACE = 5


@dataclass(frozen=True, slots=True)
class Store:
    """The gateway's data folder, opened: for serving, and for what an operator does."""

    ledger: SqliteLedger
    audit: Audit

    def close(self) -> None:
        """Close both."""
        self.ledger.close()
        self.audit.close()


def audit_file(settings: GatewaySettings) -> Path:
    """Where the audit log lies."""
    return Path(settings.data) / "audit.jsonl"


@contextmanager
def opened(settings: GatewaySettings, clock: Clock) -> Iterator[Store]:
    """Ledger and audit log of the data folder, which is made if it is not there. Raises StateError."""
    folder = Path(settings.data)
    made(folder)
    ledger = SqliteLedger(folder / "ledger.db")
    try:
        store = Store(ledger, Audit(audit_file(settings), clock))
    except StateUnwritable:
        ledger.close()
        raise
    try:
        yield store
    finally:
        store.close()


@contextmanager
def assembled(
    settings: GatewaySettings,
    providers: Mapping[str, Provider],
    resolve: Callable[[SecretRef], Secret],
    clock: Clock,
    *,
    policy: Retry = POLICY,
) -> Iterator[Parts]:
    """The parts of a gateway, its publisher running. `providers` are those of the settings, connected, by ID."""
    missing = sorted({zone.provider for zone in settings.zone} - set(providers))
    if missing:
        raise SettingsError(f"no provider was connected for {', '.join(missing)}")
    sealer = Sealer(resolve(settings.master_key))
    zones = Zones(settings.zone)
    with opened(settings, clock) as store:
        sealed = ((host.id, host.key) for host in store.ledger.hosts() if host.key is not None)
        for host_id, key in itertools.islice(sealed, 1):  # with a wrong master key nobody could be told from anybody
            sealer.open(host_id, key)
        publisher = Publisher(
            store.ledger, zones, providers, store.audit, clock=clock, policy=policy, random=random.random
        )
        publisher.start()
        try:
            yield Parts(
                settings=settings,
                ledger=store.ledger,
                publisher=publisher,
                audit=store.audit,
                auth=Authenticator(settings.name, store.ledger, sealer, clock),
                enrolment=Enrolment(settings.name, store.ledger, sealer, store.audit, clock),
                updates=Updates(store.ledger, zones, providers, settings.hosts, store.audit, clock),
                leases=Leases(store.ledger, store.audit, clock, settings.lease),
                throttle=Throttle(settings.limits),
                clock=clock,
            )
        finally:
            publisher.stop()


class _Server(uvicorn.Server):
    """A server that tells when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _config(parts: Parts, wait: float) -> uvicorn.Config:
    listen = parts.settings.listen
    return uvicorn.Config(
        build(parts, wait=wait),
        ssl_certfile=listen.cert_file or None,
        ssl_keyfile=listen.key_file or None,
        loop="asyncio",
        http=TimedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `peer` decides whom to believe
        timeout_graceful_shutdown=GRACE,
    )


def _bound(listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        sock = socket.create_server((listen.host, listen.port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(
            f"listen: {listen.host} port {listen.port}: {foreign(error.strerror or str(error))}",
            advice="Choose a free port and an address of this machine.",
        ) from error
    return Listener(sock, room())


def _loaded(config: uvicorn.Config) -> uvicorn.Config:
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"listen: certificate and key can't be loaded: {foreign(str(error))}",
            advice="cert_file and key_file must be PEM files that belong together.",
        ) from error
    return config


@contextmanager
def _served(
    settings: GatewaySettings,
    providers: Mapping[str, Provider],
    resolve: Callable[[SecretRef], Secret],
    clock: Clock,
) -> Iterator[tuple[socket.socket, Parts]]:
    """What it takes to serve; the folder first, so that a second gateway is not told to choose another port."""
    with (
        serving_alone(Path(settings.data)),
        _bound(settings.listen) as sock,
        assembled(settings, providers, resolve, clock) as parts,
    ):
        yield sock, parts


def serve(
    settings: GatewaySettings,
    providers: Mapping[str, Provider],
    resolve: Callable[[SecretRef], Secret],
    clock: Clock,
    *,
    ready: Callable[[str], None] = lambda _url: None,
    wait: float = WAIT,
) -> None:
    """Serve until a signal (SIGINT, SIGTERM) comes; `ready` is told the URL once requests are taken."""
    with _served(settings, providers, resolve, clock) as (sock, parts):
        url = _url(settings.listen, sock)
        _Server(_loaded(_config(parts, wait)), lambda: ready(url)).run(sockets=[sock])


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that serves in a thread."""

    url: str
    parts: Parts


@contextmanager
def running(
    settings: GatewaySettings,
    providers: Mapping[str, Provider],
    resolve: Callable[[SecretRef], Secret],
    clock: Clock,
    *,
    wait: float = WAIT,
) -> Iterator[Running]:
    """Serve in a thread for as long as the context lasts; it is entered when requests are taken."""
    ready = threading.Event()
    with _served(settings, providers, resolve, clock) as (sock, parts):
        server = _Server(_loaded(_config(parts, wait)), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="gateway", daemon=True)
        thread.start()
        try:
            if not ready.wait(10):
                raise SettingsError("the gateway did not start within 10 s")
            yield Running(_url(settings.listen, sock), parts)
        finally:
            server.should_exit = True
            thread.join()


def _url(listen: Listen, sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"{'http' if listen.plain else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"
