"""A PowerDNS server on loopback with its HTTP API and a zone in SQLite, unpacked from Debian and started for a test."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from ground import daemon, debian
from ground.ports import HOST, free_port


class Pdns:
    """One pdns_server. It holds the zones that are named, empty but for their SOA; `key` opens its API."""

    def __init__(self, folder: Path, zones: tuple[str, ...] = ("example.com",)) -> None:
        self._program = debian.program("pdns_server", "pdns-server", "pdns-backend-sqlite3")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.zones = zones
        self.key = f"canary-{secrets.token_hex(16)}"
        self.dns_port = 0
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start with empty zones; returns when the API answers."""
        root = self._program.path.parents[2]
        base = self._folder / "pdns.sqlite3"
        with contextlib.closing(sqlite3.connect(base)) as made:
            schema = root / "usr" / "share" / "pdns-backend-sqlite3" / "schema" / "schema.sqlite3.sql"
            made.executescript(schema.read_text("utf-8"))
        for last in (False, False, True):
            self.dns_port, web = free_port(), free_port()
            self._configure(root, base, web)
            self.url = f"http://{HOST}:{web}"
            log = self._folder / "pdns.log"
            self._process = daemon.start(self._program, f"--config-dir={self._folder}", log=log)
            if daemon.answers(self._process, self._answers):
                break
            self.stop()
            if last:
                raise RuntimeError("pdns_server did not come up:\n" + log.read_text("utf-8"))
        for zone in self.zones:
            body = {"name": f"{zone}.", "kind": "Native", "nameservers": [f"ns1.{zone}."]}
            self.api("POST", "/zones", body).raise_for_status()

    def _configure(self, root: Path, base: Path, web: int) -> None:
        modules = next((root / "usr" / "lib").glob("*/pdns"))
        (self._folder / "pdns.conf").write_text(
            f"launch=gsqlite3\ngsqlite3-database={base}\nmodule-dir={modules}\n"
            f"local-address={HOST}\nlocal-port={self.dns_port}\nsocket-dir={self._folder}\n"
            f"api=yes\napi-key={self.key}\nwebserver-address={HOST}\nwebserver-port={web}\n"
            f"guardian=no\ndaemon=no\nsecurity-poll-suffix=\ncache-ttl=0\nquery-cache-ttl=0\n",
            encoding="utf-8",
        )

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.api("GET", "").status_code == 200
        return False

    def stop(self) -> None:
        """Stop it."""
        process, self._process = self._process, None
        daemon.stop(process)

    def api(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A call to its API as its owner makes it."""
        url = f"{self.url}/api/v1/servers/localhost{path}"
        return httpx.request(method, url, json=body, headers={"X-API-Key": self.key}, timeout=daemon.PATIENCE)

    def rrset(self, zone: str, name: str, rdtype: str) -> dict[str, object] | None:
        """What stands there, as the API shows it."""
        for item in self.api("GET", f"/zones/{zone}.").json()["rrsets"]:
            if (item["name"], item["type"]) == (f"{name}.", rdtype):
                found: dict[str, object] = item
                return found
        return None

    def put(self, zone: str, name: str, rdtype: str, *values: str, ttl: int = 300, **more: object) -> None:
        """Set a record; without values: remove it."""
        records = [{"content": value, "disabled": False} for value in values]
        rrset = {"name": f"{name}.", "type": rdtype, "changetype": "REPLACE", "ttl": ttl, "records": records, **more}
        if not values:
            rrset = {"name": f"{name}.", "type": rdtype, "changetype": "DELETE"}
        self.api("PATCH", f"/zones/{zone}.", {"rrsets": [rrset]}).raise_for_status()
