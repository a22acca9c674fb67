"""What every lock server must do, against real ones: Redis, and etcd with certificates."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import urllib.parse
from collections.abc import Iterator
from typing import Protocol

import pytest
import redis

from ddns.address import Family
from ddns.errors import BadCredentials, LeaseLost, LeaseTaken, LeaseUnavailable, NotPermitted, SettingsError, Transport
from ddns.lease.etcd import EtcdLock
from ddns.lease.place import Place
from ddns.ports import Deadline, HttpRequest, HttpResponse, Tools
from ddns.secret import Secret
from ground.etcd import EtcdServer
from ground.ports import Wire, free_port
from ground.redis import RedisServer
from ground.tls import Authority
from lease.ground_locks import CLOCK, Holder, SecretRef, Server, soon, until_taken
from unit.fakes import FakeClock


class Owner(Protocol):
    """Who runs the lock server, and may do anything to a lease there."""

    def delete(self) -> None: ...

    def put(self, holder: str) -> None: ...


class RedisOwner:
    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._key = f"ddns:lease:{{{name}}}"

    def delete(self) -> None:
        assert self._client.delete(self._key) == 1

    def put(self, holder: str) -> None:
        self._client.set(self._key, holder)


class EtcdOwner:
    def __init__(self, server: EtcdServer, name: str) -> None:
        self._server = server
        self._key = base64.b64encode(f"ddns/lease/{name}".encode()).decode()

    def delete(self) -> None:
        assert self._server.call("/v3/kv/deleterange", {"key": self._key})["deleted"] == "1"

    def put(self, holder: str) -> None:
        self._server.call("/v3/kv/put", {"key": self._key, "value": base64.b64encode(holder.encode()).decode()})


SECRET = SecretRef("env:LOCK")
_names = itertools.count(1)


@pytest.fixture(params=["redis", "rediss", "etcd"])
def server(request: pytest.FixtureRequest, ca: Authority) -> Server:
    """A server that is reached as a machine is told to reach it, and a lease that no other test uses."""
    name = f"lease{next(_names)}"
    if request.param == "etcd":
        etcd: EtcdServer = request.getfixturevalue("etcd_server")
        assert etcd.identity is not None
        chain, key = map(str, etcd.identity)
        place = Place("etcd", etcd.url, name, 1.0, ca_file=str(ca.file), cert_file=chain, key_file=key)
        return Server(place, etcd.port)
    redis: RedisServer = request.getfixturevalue("redis_server")
    port = redis.tls_port if request.param == "rediss" else redis.port
    ca_file = str(ca.file) if request.param == "rediss" else ""
    place = Place("redis", f"{request.param}://127.0.0.1:{port}", name, 0.4, secret=SECRET, ca_file=ca_file)
    return Server(place, port, redis.password)


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server.port) as laid:
        yield laid


def test_one_at_a_time_and_the_token_grows(server: Server) -> None:
    one, other = server.lock(ttl=60.0), server.lock(ttl=60.0)
    first = one.acquire(soon())
    with pytest.raises(LeaseTaken) as caught:
        other.acquire(soon())
    assert caught.value.message.startswith(f"{socket.gethostname()} holds the fleet lease {server.place.name} for ")
    assert 50 < float(caught.value.message.rpartition("another ")[2].removesuffix(" s")) <= 60
    assert 50 < first.remaining() < 60
    first.release(soon())
    assert first.remaining() == 0
    second = other.acquire(soon())
    assert second.token > first.token
    second.release(soon())


def test_a_look_takes_nothing_and_tells_who_has_it(server: Server) -> None:
    before = server.lock(ttl=60.0).acquire(soon())
    with pytest.raises(LeaseTaken, match=f"^{socket.gethostname()} holds the fleet lease {server.place.name} for "):
        server.late().look(soon())
    before.renew(soon())
    before.release(soon())
    server.late().look(soon())
    server.late().look(soon())
    after = server.lock(ttl=60.0).acquire(soon())
    if server.place.kind == "redis":  # etcd's token is a revision of the whole cluster
        assert after.token == before.token + 1
    after.release(soon())


def test_a_look_at_nobody(server: Server) -> None:
    with pytest.raises(LeaseUnavailable, match="refused"):
        server.late(url=server.through(free_port())).look(soon())


def test_another_name_is_another_lease(server: Server) -> None:
    first, second = server.lock().acquire(soon()), server.lock(name=f"{server.place.name}b").acquire(soon())
    assert first.token
    assert second.token


def test_a_renewed_lease_outlives_its_first_time(server: Server) -> None:
    lease = server.lock().acquire(soon())
    granted = CLOCK.monotonic()
    while CLOCK.monotonic() < granted + server.ttl * 1.5:
        lease.renew(soon())
        with pytest.raises(LeaseTaken):
            server.lock().acquire(soon())
    assert 0 < lease.remaining() <= server.ttl
    lease.release(soon())


def test_a_holder_that_is_killed_keeps_it_no_longer_than_its_time(server: Server) -> None:
    holder = Holder(server)
    with pytest.raises(LeaseTaken):
        server.lock().acquire(soon())
    holder.kill()
    lease = until_taken(server.lock())
    assert lease.token > holder.token
    lease.release(soon())


def test_a_holder_that_wakes_too_late_knows_it_and_harms_nobody(server: Server) -> None:
    clock = FakeClock()
    sleeper = server.lock(clock).acquire(soon())
    clock.tick(server.ttl)  # it was stopped that long; the server's own time goes by meanwhile
    assert sleeper.remaining() == 0
    winner = until_taken(server.lock())
    with pytest.raises((LeaseTaken, LeaseUnavailable)):
        sleeper.renew(soon())
    sleeper.release(soon())
    winner.renew(soon())  # it is still there: the sleeper gave back nothing that is not its own
    with pytest.raises(LeaseTaken):
        server.lock().acquire(soon())
    winner.release(soon())


def test_setting_the_clock_changes_nothing(server: Server) -> None:
    clock = FakeClock()
    lease = server.lock(clock, ttl=60.0).acquire(soon())
    left = lease.remaining()
    assert 59 < left <= 60
    clock.jump(86400.0)
    assert lease.remaining() == left
    clock.jump(-2 * 86400.0)
    assert lease.remaining() == left
    clock.tick(59.5)
    assert lease.remaining() == 0
    lease.release(soon())


def test_a_lease_that_is_over_is_not_renewed(server: Server) -> None:
    lease = server.lock().acquire(soon())
    again = until_taken(server.lock())  # the first one's time is over
    again.release(soon())
    with pytest.raises(LeaseUnavailable, match="ended before it was renewed"):
        lease.renew(soon())


@pytest.fixture
def owner(server: Server, request: pytest.FixtureRequest) -> Iterator[Owner]:
    if server.place.kind == "etcd":
        yield EtcdOwner(request.getfixturevalue("etcd_server"), server.place.name)
    else:
        client = request.getfixturevalue("redis_server").client()
        yield RedisOwner(client, server.place.name)
        client.close()


def test_a_lease_that_somebody_deleted_is_lost_at_its_renewal(server: Server, owner: Owner) -> None:
    """In etcd the lease itself lives on, without its key."""
    lease = server.lock(ttl=60.0).acquire(soon())
    lease.renew(soon())
    owner.delete()
    with pytest.raises(LeaseLost, match=rf"^the fleet lease {server.place.name} (ended|was deleted)"):
        lease.renew(soon())
    assert lease.remaining() == 0
    server.lock(ttl=60.0).acquire(soon()).release(soon())


def test_of_two_that_hold_a_deleted_lease_only_the_second_goes_on(server: Server, owner: Owner) -> None:
    first = server.lock(ttl=60.0).acquire(soon())
    owner.delete()
    second = server.lock(ttl=60.0).acquire(soon())
    assert second.token > first.token
    with pytest.raises(LeaseTaken, match=rf"^{socket.gethostname()} holds the fleet lease {server.place.name} for"):
        first.renew(soon())
    assert first.remaining() == 0
    first.release(soon())
    second.renew(soon())
    second.release(soon())


def test_a_lease_that_somebody_wrote_over_is_lost(server: Server, owner: Owner) -> None:
    lease = server.lock(ttl=60.0).acquire(soon())
    owner.put("pc9 1 x")
    with pytest.raises(LeaseTaken, match=r"^pc9 holds the fleet lease"):
        lease.renew(soon())
    lease.release(soon())
    with pytest.raises(LeaseTaken, match=r"^pc9 holds the fleet lease"):
        server.lock().acquire(soon())
    owner.delete()


def test_a_partition_grants_nothing_and_loses_nothing(server: Server, wire: Wire) -> None:
    away = server.lock(url=server.through(wire.port), ttl=60.0)
    lease = away.acquire(soon())
    wire.cut()
    for ask in (lambda: away.acquire(soon(0.3)), lambda: lease.renew(soon(0.3))):
        with pytest.raises(LeaseUnavailable) as caught:
            ask()
        assert str(wire.port) in caught.value.message
        assert "canary" not in caught.value.message
    assert lease.remaining() > 50, "it is ours until its time is over, whoever can't be reached"
    lease.release(soon(0.3))  # in vain, and without a word
    wire.mend()
    with pytest.raises(LeaseTaken):
        server.lock().acquire(soon())


def test_nobody_there(server: Server) -> None:
    port = free_port()
    lock = server.lock(url=server.through(port))
    with pytest.raises(LeaseUnavailable, match=rf"^the lock server 127\.0\.0\.1:{port} can't be used: .*refused"):
        lock.acquire(soon())


def test_an_answer_of_somebody_else(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lock = server.lock(url=server.through(silent.getsockname()[1]))
        with pytest.raises(LeaseUnavailable):
            lock.acquire(soon(0.3))


@pytest.mark.parametrize("server", ["rediss", "etcd"], indirect=True)
def test_another_authority_is_not_trusted(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    with pytest.raises(LeaseUnavailable, match="certificate"):
        server.lock(ca_file=str(stranger.file)).acquire(soon())


# -- Redis


def test_a_password_that_redis_does_not_accept(redis_server: RedisServer) -> None:
    place = Place("redis", f"redis://127.0.0.1:{redis_server.port}", "auth", 0.4, secret=SECRET)
    with pytest.raises(BadCredentials, match="does not accept user and password") as caught:
        Server(place, redis_server.port, "canary-wrong").lock().acquire(soon())
    assert "canary" not in caught.value.message
    with pytest.raises(BadCredentials):
        Server(place, redis_server.port).lock(secret=None).acquire(soon())


def test_a_user_of_redis_that_may_not(redis_server: RedisServer) -> None:
    owner = redis_server.client()
    owner.acl_setuser("reader", enabled=True, passwords=["+canary-reader"], commands=["+get"], keys=["*"])
    owner.close()
    place = Place("redis", f"redis://127.0.0.1:{redis_server.port}/0", "acl", 0.4, user="reader", secret=SECRET)
    with pytest.raises(NotPermitted, match="does not permit the lease"):
        Server(place, redis_server.port, "canary-reader").lock().acquire(soon())


def test_a_database_of_redis(redis_server: RedisServer) -> None:
    place = Place("redis", f"redis://127.0.0.1:{redis_server.port}/3", "numbered", 60.0, secret=SECRET)
    lease = Server(place, redis_server.port, redis_server.password).lock().acquire(soon())
    owner = redis_server.client()
    assert owner.get("ddns:lease:{numbered}") is None
    owner.close()
    lease.release(soon())


# -- etcd


class _Answers:
    """etcd where another machine has the lease, and which is gone before what was granted in vain is given back."""

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        held = {"kvs": [{"value": base64.b64encode(b"other 1 2").decode(), "lease": "9"}]}
        answers: dict[str, object] = {
            "/v3/lease/grant": {"ID": "7"},
            "/v3/kv/txn": {"responses": [{"response_range": held}]},
            "/v3/lease/timetolive": {"TTL": "30"},
        }
        path = urllib.parse.urlsplit(request.url).path
        if path not in answers:
            raise Transport("gone")
        return HttpResponse(200, {}, json.dumps(answers[path]).encode())

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        raise AssertionError


def test_who_has_it_is_told_though_nothing_can_be_given_back() -> None:
    tools = Tools(net=_Answers(), clock=CLOCK, resolve=lambda _ref: Secret(""))
    with pytest.raises(LeaseTaken, match=r"^other holds the fleet lease one for another 30\.0 s"):
        EtcdLock(Place("etcd", "http://127.0.0.1:1", "one", 60.0), tools).acquire(soon())


def test_users_of_etcd(tmp_path_factory: pytest.TempPathFactory) -> None:
    with EtcdServer(tmp_path_factory.mktemp("etcd")) as etcd:
        for path, body in (
            ("/v3/auth/user/add", {"name": "root", "password": "canary-root"}),
            ("/v3/auth/role/add", {"name": "root"}),
            ("/v3/auth/user/grant", {"user": "root", "role": "root"}),
            ("/v3/auth/user/add", {"name": "pc1", "password": "canary-pc1"}),
            ("/v3/auth/enable", {}),
        ):
            etcd.call(path, body)
        place = Place("etcd", etcd.url, "users", 60.0, user="root", secret=SECRET)
        lease = Server(place, etcd.port, "canary-root").lock().acquire(soon())
        lease.renew(soon())
        lease.release(soon())
        with pytest.raises(BadCredentials, match="does not accept user and password") as caught:
            Server(place, etcd.port, "canary-wrong").lock().acquire(soon())
        assert "canary" not in caught.value.message
        with pytest.raises(NotPermitted, match="does not permit the lease"):
            Server(place, etcd.port, "canary-pc1").lock(user="pc1").acquire(soon())


def test_etcd_wants_a_certificate(server: Server, etcd_server: EtcdServer) -> None:
    if server.place.kind != "etcd":
        return
    with pytest.raises(LeaseUnavailable):
        server.lock(cert_file="", key_file="").acquire(soon())
    with pytest.raises(SettingsError, match="cert_file"):
        server.lock(cert_file=server.place.ca_file + ".gone").acquire(soon())
