"""An etcd server on loopback, unpacked from Debian and started for a test, with a throw-away data folder.

Its clock of leases is made quick: a lease of one second is granted as such, and not as two.
"""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from ground import daemon, debian
from ground.ports import HOST, free_port
from ground.tls import Authority


class EtcdServer:
    """One etcd. With an authority it speaks TLS; `clients`: only to clients with a certificate of the authority."""

    def __init__(self, folder: Path, ca: Authority | None = None, *, clients: bool = False) -> None:
        self._program = debian.program("etcd", "etcd-server")
        self._folder = folder
        self._ca = ca
        self._clients = clients
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.port = 0
        #: Our own certificate and key, for a server that asks for one.
        self.identity: tuple[Path, Path] | None = None

    def __enter__(self) -> Self:
        if self._ca is not None:
            (self._folder / "client").mkdir()
            self.identity = self._ca.write_server_files(self._folder / "client", "machine.example.com")
        for _ in range(3):
            self._launch()
            if daemon.answers(self._process, self._answers):
                return self
            self.stop()
        raise RuntimeError("etcd did not come up:\n" + (self._folder / "etcd.log").read_text("utf-8"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        self.port, peer = free_port(), free_port()
        scheme = "https" if self._ca is not None else "http"
        self.url = f"{scheme}://{HOST}:{self.port}"
        options = ["--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        options += ["--listen-peer-urls", f"http://{HOST}:{peer}", "--initial-advertise-peer-urls"]
        options += [f"http://{HOST}:{peer}", "--initial-cluster", f"default=http://{HOST}:{peer}"]
        options += ["--data-dir", str(self._folder / f"data-{self.port}"), "--unsafe-no-fsync"]
        options += ["--heartbeat-interval", "10", "--election-timeout", "100"]
        if self._ca is not None:
            chain, key = self._ca.write_server_files(self._folder)
            options += ["--cert-file", str(chain), "--key-file", str(key)]
            if self._clients:
                options += ["--client-cert-auth", "--trusted-ca-file", str(self._ca.file)]
        self._process = daemon.start(self._program, *options, log=self._folder / "etcd.log")

    def stop(self) -> None:
        """Stop it."""
        process, self._process = self._process, None
        daemon.stop(process)

    def call(self, path: str, body: object, token: str = "") -> dict[str, object]:
        """A call as its owner makes it."""
        verify: ssl.SSLContext | bool = True
        if self._ca is not None and self.identity is not None:
            verify = self._ca.client()
            verify.load_cert_chain(*map(str, self.identity))
        with httpx.Client(verify=verify, trust_env=False) as client:
            answer = client.post(self.url + path, json=body, headers={"Authorization": token} if token else {})
        found: dict[str, object] = answer.raise_for_status().json()
        return found

    def _answers(self) -> bool:
        try:
            self.call("/v3/maintenance/status", {})
        except (httpx.TransportError, httpx.HTTPStatusError):
            return False
        return True
