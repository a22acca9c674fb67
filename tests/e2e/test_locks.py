"""Two machines behind one address keep one name under a fleet lease in a real Redis, at a real DNS server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from e2e import world as worlds
from e2e.machine import Machine, ended
from e2e.site import Site, until
from e2e.world import FIRST, SECOND, World
from ground import NotHere, not_run
from ground.bind import HOST, Bind
from ground.echo import Echo
from ground.ports import Wire, free_port
from ground.redis import RedisServer
from ground.tls import Authority
from ground.whoami import Whoami

KEY = "ddns:lease:{ddns}"


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except NotHere as missing:
        not_run(missing)
    with server:
        yield server


@pytest.fixture
def fleet(
    tmp_path: Path,
    redis_server: RedisServer,
    bind: Bind,
    fresh_name: Callable[..., str],
    ca: Authority,
    echo: Callable[..., Echo],
    whoami: Callable[..., Whoami],
) -> Iterator[tuple[World, World]]:
    """Two machines that keep the same name and share the lock."""
    name, port = fresh_name(), redis_server.port
    one, two = (worlds.make(Machine(tmp_path / folder), bind, name, ca, echo, whoami) for folder in ("one", "two"))
    for world in (one, two):
        world.write_settings(more=settings(world, redis_server, port))
    yield one, two
    owner = redis_server.client()
    owner.delete(KEY)
    owner.close()


def settings(world: World, redis_server: RedisServer, port: int) -> str:
    secret = world.machine.secret("lock", redis_server.password)
    return f'[proof]\nsettle = "1ms"\n[lock]\nkind = "redis"\nurl = "redis://127.0.0.1:{port}"\nsecret = "{secret}"'


def serial(bind: Bind, name: str) -> int:
    """The zone's serial number, which each update that changes something raises by one."""
    answer = dns.query.udp(dns.message.make_query(name.partition(".")[2], "SOA"), HOST, timeout=5, port=bind.port)
    return int(answer.answer[0][0].serial)


def is_update(data: bytes) -> bool:
    """Whether bytes of a TCP connection begin a DNS UPDATE: behind the length, the header's opcode is 5."""
    return len(data) > 4 and data[4] >> 3 & 15 == 5


def outcome(world: World) -> str:
    return str(world.machine.status()["records"][0]["outcome"])


def test_of_two_that_race_exactly_one_writes(fleet: tuple[World, World], bind: Bind) -> None:
    name = fleet[0].name
    before = serial(bind, name)
    processes = [world.machine.start("run") for world in fleet]
    ends = [ended(process) for process in processes]
    assert [end.exit for end in ends] == [0, 0], [end.err for end in ends]
    assert serial(bind, name) == before + 1
    loser, winner = sorted(map(outcome, fleet), key=["proven", "yielded", "updated"].index)
    assert winner == "updated"
    assert loser in ("proven", "yielded")
    assert fleet[0].published() == (FIRST,)


def test_the_loser_leaves_counts_it_and_looks_again(fleet: tuple[World, World], redis_server: RedisServer) -> None:
    one, two = fleet
    owner = redis_server.client()
    owner.set(KEY, "pc9 1 x", px=30_000)
    lost = two.machine.ddns("run")
    assert (lost.exit, outcome(two)) == (0, "yielded")
    assert "pc9 holds the fleet lease ddns for another" in lost.out
    assert two.published() == ()
    status = two.machine.status()
    assert status["contentions_last_hour"] == 1
    assert status["contended_at"] is not None
    assert status["records"][0]["error"]["code"] == "lease.taken"
    assert "yielded" in two.machine.ddns("history").out
    assert two.machine.ddns("status").exit == 0
    owner.delete(KEY)
    owner.close()
    assert one.machine.ddns("run").exit == 0
    again = two.machine.ddns("run")
    assert (again.exit, outcome(two)) == (0, "proven"), again.out
    assert two.machine.ddns("run").out.startswith("nothing changed")


def test_without_the_server_nothing_is_written(fleet: tuple[World, World], redis_server: RedisServer) -> None:
    world = fleet[0]
    world.write_settings(more=settings(world, redis_server, free_port()))
    refused = world.machine.ddns("run")
    assert (refused.exit, outcome(world)) == (13, "deferred")
    assert "the lock server 127.0.0.1:" in refused.out
    assert world.published() == ()
    assert world.machine.status()["records"][0]["error"]["code"] == "lease.unavailable"
    world.write_settings(more=settings(world, redis_server, redis_server.port))
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (FIRST,)


def test_a_holder_killed_before_its_write_holds_nobody_up_for_ever(
    fleet: tuple[World, World], bind: Bind, redis_server: RedisServer
) -> None:
    one, two = fleet
    assert one.machine.ddns("run").exit == 0
    for world in fleet:
        world.move(SECOND)
    with Wire(bind.port, breaks=is_update) as wire:
        path = one.machine.folder / "ddns.toml"
        path.write_text(path.read_text().replace(bind.server, f"127.0.0.1:{wire.port}"))
        process = one.machine.start("run")
        assert wire.broken.wait(60), "it never wrote"
        process.kill()  # it has the lease, and its write is on the way to nowhere
        ended(process)
    waits = two.machine.ddns("run")
    assert (waits.exit, outcome(two), two.published()) == (0, "yielded", (FIRST,))
    owner = redis_server.client()
    owner.pexpire(KEY, 1)  # a minute goes by
    until(lambda: not owner.exists(KEY))
    owner.close()
    assert two.machine.ddns("run").exit == 0
    assert two.published() == (SECOND,)
    one.write_settings(more=settings(one, redis_server, redis_server.port))
    assert one.machine.ddns("run").exit == 0
    assert (outcome(one), one.published()) == ("proven", (SECOND,))


def test_a_lease_at_the_gateway(fleet: tuple[World, World], bind: Bind, ca: Authority, tmp_path: Path) -> None:
    """The record is written by the machine itself; only the right to do so comes from the gateway."""
    (tmp_path / "site").mkdir()
    world = fleet[0]
    leases = [{"name": "ddns", "hosts": [world.name.partition(".")[0]]}, {"name": "other", "hosts": ["pc9"]}]
    site = Site(tmp_path / "site", bind, ca, leases=leases)
    with site.process() as (url, kill):
        code = site.code(world.name.partition(".")[0])
        told = world.machine.ddns("enroll", url, "--ca-file", str(ca.file), stdin=code)
        assert told.exit == 0, told
        token = next(line.partition("= ")[2] for line in told.out.splitlines() if line.startswith("token = "))
        lock = f'[lock]\nkind = "gateway"\nsecret = {token}\n[gateway]\nurl = "{url}"\nca_file = "{ca.file}"\n'
        world.write_settings(more=f'[proof]\nsettle = "1ms"\n{lock}')
        assert world.machine.ddns("run").exit == 0
        assert world.published() == (FIRST,)
        (line,) = (line for line in world.machine.log() if line["message"] == "fleet lease taken")
        assert line["details"] == {"lease": "ddns", "token": 1, "ttl": 60.0}
        audit = (site.data / "audit.jsonl").read_text()
        found = json.loads(world.machine.ddns("doctor", "--json").out)["data"]["checks"]
        (lock_check,) = (check for check in found if check["what"] == "lock")
        assert (lock_check["verdict"], "it was not taken" in lock_check["says"]) == ("ok", True)
        assert (site.data / "audit.jsonl").read_text().count('"leased"') == audit.count('"leased"')
        assert '"leased"' in (site.data / "audit.jsonl").read_text()
        world.move(SECOND)
        other = lock.replace("[lock]", '[lock]\nname = "other"')
        world.write_settings(more=f'[proof]\nsettle = "1ms"\n{other}')
        foreign = world.machine.ddns("run")
        assert (foreign.exit, outcome(world), world.published()) == (12, "failed", (FIRST,))
        assert "no [[lease]] other of this gateway lists the host" in foreign.out
        assert world.machine.status()["records"][0]["error"]["code"] == "provider.not_permitted"
        world.write_settings(more=f'[proof]\nsettle = "1ms"\n{lock}')
        kill()
        without = world.machine.ddns("run")
    assert (without.exit, outcome(world), world.published()) == (13, "deferred", (FIRST,))
