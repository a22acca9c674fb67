"""A lock server of either kind under one set of handles, and a process that takes its lease and can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ddns.errors import LeaseTaken
from ddns.lease.etcd import EtcdLock
from ddns.lease.gateway import Exchange
from ddns.lease.place import Place
from ddns.lease.redis import RedisLock
from ddns.lease.table import Late
from ddns.net.client import Client
from ddns.ports import Clock, Deadline, Lease, Lock, Tools
from ddns.runtime.clock import SystemClock
from ddns.runtime.looking import NoLog
from ddns.secret import Secret, SecretRef

TESTS = Path(__file__).resolve().parents[1]
CLOCK = SystemClock()
_NET = Client()


def soon(seconds: float = 5.0, clock: Clock = CLOCK) -> Deadline:
    return Deadline(clock, seconds)


@dataclass(frozen=True)
class Server:
    """How to reach a server; `port` is what a wire is laid to. `ttl` seconds: the shortest that the kind can do."""

    place: Place
    port: int
    password: str = ""

    @property
    def ttl(self) -> float:
        return self.place.ttl

    def lock(self, clock: Clock = CLOCK, **changed: Any) -> Lock:
        """A machine's way to the lease."""
        place, tools = msgspec.structs.replace(self.place, **changed), self.tools(clock)
        return RedisLock(place, tools) if place.kind == "redis" else EtcdLock(place, tools)

    def tools(self, clock: Clock = CLOCK) -> Tools:
        """What a machine reaches it with."""
        return Tools(net=_NET, clock=clock, resolve=lambda _ref: Secret(self.password))

    def late(self, **changed: Any) -> Late:
        """The way as a run has it."""

        def exchange() -> Exchange:
            raise AssertionError("it is no gateway")

        return Late(msgspec.structs.replace(self.place, **changed), self.tools(), NoLog(), exchange)

    def through(self, port: int) -> str:
        """The URL with another port."""
        return self.place.url.replace(str(self.port), str(port))


def close() -> None:
    """Hang up."""
    _NET.close()


def until_taken(lock: Lock) -> Lease:
    """Ask until the lease is had: it belongs to somebody who is gone."""
    end = CLOCK.monotonic() + 30
    while True:
        try:
            return lock.acquire(soon())
        except LeaseTaken:
            assert CLOCK.monotonic() < end, "the lease of a dead holder never ended"
            CLOCK.sleep(0.02)


@dataclass
class Holder:
    """A process that takes the lease, says so, and does nothing more until it is killed."""

    server: Server
    process: subprocess.Popen[bytes] = field(init=False)
    token: int = 0

    def __post_init__(self) -> None:
        told = {"place": msgspec.to_builtins(self.server.place, enc_hook=str), "password": self.server.password}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lease.ground_locks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        self.process.stdin.flush()
        self.token = int(self.process.stdout.readline())

    def kill(self) -> None:
        """SIGKILL, between taking the lease and the write."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def main() -> None:
    """The process: reads where to go, takes the lease, waits."""
    told = json.loads(sys.stdin.readline())
    place = msgspec.convert(told["place"], Place, dec_hook=lambda kind, value: kind(value))
    lease = Server(place, 0, told["password"]).lock().acquire(soon(30))
    print(lease.token, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()


__all__ = ["CLOCK", "Holder", "SecretRef", "Server", "soon", "until_taken"]
