"""A Redis server on loopback, unpacked from Debian and started for a test; nothing is kept on disk."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from ground import daemon, debian
from ground.ports import HOST, free_port
from ground.tls import Authority


class RedisServer:
    """One redis-server; `password` opens it. With an authority it also speaks TLS, on `tls_port`, to its clients."""

    def __init__(self, folder: Path, ca: Authority | None = None) -> None:
        self._program = debian.program("redis-server", "redis-server", "redis-tools")
        self._folder = folder
        self._ca = ca
        self._process: subprocess.Popen[bytes] | None = None
        self.password = f"canary-{secrets.token_hex(16)}"
        self.port = 0
        self.tls_port = 0

    def __enter__(self) -> Self:
        for last in (False, False, True):
            self.port = free_port()
            self.start()
            if daemon.answers(self._process, self._answers):
                return self
            self.stop()
            if last:
                break
        raise RuntimeError("redis-server did not come up:\n" + (self._folder / "redis.log").read_text("utf-8"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, empty."""
        options = ["--port", str(self.port), "--bind", HOST, "--save", "", "--appendonly", "no"]
        options += ["--dir", str(self._folder), "--requirepass", self.password, "--daemonize", "no"]
        if self._ca is not None:
            self.tls_port = free_port()
            chain, key = self._ca.write_server_files(self._folder)
            options += ["--tls-port", str(self.tls_port), "--tls-cert-file", str(chain), "--tls-key-file", str(key)]
            options += ["--tls-ca-cert-file", str(self._ca.file), "--tls-auth-clients", "no"]
        self._process = daemon.start(self._program, *options, log=self._folder / "redis.log")

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        process, self._process = self._process, None
        daemon.stop(process)

    def client(self) -> redis.Redis:
        """A client of its owner."""
        return redis.Redis(host=HOST, port=self.port, password=self.password, decode_responses=True)

    def _answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False
        finally:
            client.close()
