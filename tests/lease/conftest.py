"""Real lock servers, started once for the tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ground import NotHere, not_run
from ground.etcd import EtcdServer
from ground.redis import RedisServer
from ground.tls import Authority
from lease import ground_locks


@pytest.fixture(scope="session", autouse=True)
def _hang_up() -> Iterator[None]:
    """Connections are kept open between the calls of a run; here between those of a worker's tests."""
    yield
    ground_locks.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[RedisServer]:
    """Redis with a password, in the clear and over TLS."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"), ca)
    except NotHere as missing:
        not_run(missing)
    with server:
        yield server


@pytest.fixture(scope="session")
def etcd_server(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[EtcdServer]:
    """An etcd that takes only clients with a certificate."""
    try:
        server = EtcdServer(tmp_path_factory.mktemp("etcd"), ca, clients=True)
    except NotHere as missing:
        not_run(missing)
    with server:
        yield server
