"""BIND as the authoritative server of test zones, on loopback, with TSIG keys and dynamic updates.

`named` runs in the foreground from a throw-away folder on a free port and is stopped by its own process id. Its log is
`Bind.log`; pytest shows the end of it when a test that used it fails.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.update

from ground import canary, daemon, debian
from windows import cache

HOST = "127.0.0.1"
ALGORITHM = "hmac-sha256"


@dataclass(frozen=True)
class Key:
    """A TSIG key; `secret` is base64."""

    name: str
    secret: str

    @classmethod
    def new(cls, name: str) -> Key:
        """A random key of 256 bits."""
        return cls(name, canary.secret(base64.b64encode(secrets.token_bytes(32)).decode()))


@dataclass(frozen=True)
class Answer:
    """What the server holds for a name and type: the values in order of their text, and the TTL."""

    values: tuple[str, ...]
    ttl: int


def named() -> debian.Program:
    """The program, as a copy where it is installed: AppArmor confines /usr/sbin/named to /etc/bind and /var."""
    found = debian.program("named", "bind9")
    if cache.root() in found.path.parents:
        return found
    stat = found.path.stat()
    key = f"{found.path} {stat.st_size} {stat.st_mtime_ns}"

    def copy(folder: Path) -> None:
        shutil.copy2(found.path, folder / "named")

    return debian.Program(cache.once("named", key, copy) / "named", found.env)


class Bind:
    """One named. `key` may update every zone, `stranger` is known to the server and may update none."""

    def __init__(self, folder: Path, zones: tuple[str, ...] = ("example.test", "other.test")) -> None:
        self._program = named()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.zones = zones
        self.key = Key.new("ddns-key")
        self.stranger = Key.new("stranger-key")
        self.port = 0
        self.log = folder / "named.log"

    @property
    def server(self) -> str:
        """The server as ip:port."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    def start(self) -> None:
        """Start, or start again on the same port and zones; returns when the server answers."""
        if not self.port:
            self._write_zones()
        for last in (False, False, True):
            fresh = not self.port
            self.port = self.port or _free_port()
            self._write_configuration()
            self._launch()
            if daemon.answers(self._process, self._answers):
                return
            self.stop()
            if last or not fresh:
                raise RuntimeError(f"named did not come up:\n{self.tail()}")
            self.port = 0  # somebody took the port between our look and named's

    def stop(self) -> None:
        """Stop; an outage. What was updated stands when it is started again."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
        daemon.stop(process)

    def hang(self) -> None:
        """Stop answering without closing anything, as an overloaded server does, until `resume`."""
        os.waitid(os.P_PID, self._signal(signal.SIGSTOP), os.WSTOPPED)  # the signal takes effect a little later

    def resume(self) -> None:
        """Go on after `hang`."""
        self._signal(signal.SIGCONT)

    def query(self, name: str, kind: str = "A") -> Answer | None:
        """What DNS says; None when there is no such record. Raises dns.exception.Timeout in an outage."""
        response = dns.query.udp(dns.message.make_query(name, kind), HOST, timeout=5, port=self.port)
        if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise AssertionError(f"{self.server} answers {dns.rcode.to_text(response.rcode())} for {name}")
        wanted = dns.rdatatype.from_text(kind)
        for rrset in response.answer:
            if rrset.rdtype == wanted:
                return Answer(tuple(sorted(rdata.to_text() for rdata in rrset)), rrset.ttl)
        return None

    def alter(self, name: str, kind: str = "A", *values: str, ttl: int = 60) -> None:
        """Replace a record behind the client's back; without values it is removed."""
        zone = max((z for z in self.zones if name == z or name.endswith(f".{z}")), key=len)
        keyring = dns.tsigkeyring.from_text({self.key.name: (ALGORITHM, self.key.secret)})
        update = dns.update.UpdateMessage(zone, keyring=keyring)
        absolute = dns.name.from_text(name)
        update.delete(absolute, kind)
        for value in values:
            update.add(absolute, ttl, kind, value)
        response = dns.query.tcp(update, HOST, timeout=5, port=self.port)
        assert response.rcode() == dns.rcode.NOERROR, dns.rcode.to_text(response.rcode())

    def tail(self, lines: int = 15) -> str:
        """The end of named's log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> int:
        assert self._process is not None, "named is not running"
        self._process.send_signal(number)
        return self._process.pid

    def _launch(self) -> None:
        options = ("-g", "-4", "-n", "1", "-c", str(self._folder / "named.conf"))
        self._process = daemon.start(self._program, *options, log=self.log, folder=self._folder)

    def _answers(self) -> bool:
        question = dns.message.make_query(self.zones[0], "SOA")
        try:
            return dns.query.udp(question, HOST, timeout=0.05, port=self.port).rcode() == dns.rcode.NOERROR
        except (dns.exception.Timeout, OSError):
            return False

    def _write_zones(self) -> None:
        for zone in self.zones:
            (self._folder / f"{zone}.zone").write_text(
                f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 0\n@ NS ns\nns A {HOST}\n"
            )

    def _write_configuration(self) -> None:
        keys = "".join(
            f'key "{key.name}" {{ algorithm {ALGORITHM}; secret "{key.secret}"; }};\n'
            for key in (self.key, self.stranger)
        )
        zones = "".join(
            f'zone "{zone}" {{ type primary; file "{zone}.zone"; allow-update {{ key "{self.key.name}"; }}; }};\n'
            for zone in self.zones
        )
        (self._folder / "named.conf").write_text(
            f"""options {{
    directory "{self._folder}";
    listen-on port {self.port} {{ {HOST}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion no;
    notify no;
    dnssec-validation no;
    empty-zones-enable no;
    minimal-responses yes;
}};
controls {{ }};
{keys}{zones}"""
        )


def _free_port() -> int:
    """A port that is free for UDP and TCP."""
    for _ in range(50):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            stream.bind((HOST, 0))
            port = int(stream.getsockname()[1])
            try:
                datagram.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free for both UDP and TCP")
