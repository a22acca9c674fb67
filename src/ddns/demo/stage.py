"""The demonstration's throw-away world: an authority, echo services, a probe, a DNS server, all on loopback."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.server
import ipaddress
import os
import secrets
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ddns.demo.responder import HOST, Responder
from ddns.demo.stopping import child


class DemoFailed(Exception):
    """Something did not happen as it must; the message says what."""


ZONE = "demo.test"
KEY_NAME = "ddns-demo"


def certificates(folder: Path) -> None:
    """Write ca.pem, cert.pem and key.pem: an authority, and a server certificate for loopback, good for a day."""
    now = dt.datetime.now(dt.UTC)
    authority, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ddns demonstration")])

    def made(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> x509.Certificate:
        builder = x509.CertificateBuilder(name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(hours=1))
        builder = builder.not_valid_after(now + dt.timedelta(days=1))
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(authority, hashes.SHA256())

    ca = made(name, authority, x509.BasicConstraints(ca=True, path_length=0))
    server = made(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]),
        leaf,
        x509.BasicConstraints(ca=False, path_length=None),
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    )
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "cert.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    pem = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)


class Echo:
    """An HTTPS service that answers with `address`, and counts who asked."""

    def __init__(self, operator: str, folder: Path) -> None:
        self.operator = operator
        self.address = ""
        self.hits = 0
        echo = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                echo.hits += 1
                body = echo.address.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://{HOST}:{self._server.server_address[1]}/"

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve inside the block."""
        with _in_thread(self._server):
            yield


class Probe:
    """A DNS whoami: answers every A question with `address`, and counts."""

    def __init__(self) -> None:
        self.address = ""
        self.hits = 0
        probe = self

        class Handler(socketserver.DatagramRequestHandler):
            def handle(self) -> None:
                probe.hits += 1
                query = dns.message.from_wire(self.rfile.read())
                answer = dns.message.make_response(query)
                answer.answer.append(dns.rrset.from_text(query.question[0].name, 0, "IN", "A", probe.address))
                self.wfile.write(answer.to_wire())

        self._server = socketserver.ThreadingUDPServer((HOST, 0), Handler)

    @property
    def url(self) -> str:
        """As `[detect] probe4` has it."""
        return f"dns://{HOST}:{self._server.server_address[1]}/whoami.{ZONE}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve inside the block."""
        with _in_thread(self._server):
            yield


@contextlib.contextmanager
def _in_thread(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Nameserver:
    """An authoritative DNS server for the zone. `kind` is how the narrator calls it."""

    kind: str
    port: int
    secret: str = field(repr=False)

    def ask(self, name: str) -> str:
        """What it says for the name's A record, "" for nothing."""
        query = dns.message.make_query(name, "A")
        answer = dns.query.udp(query, HOST, port=self.port, timeout=5)
        return ", ".join(sorted(item.to_text() for rrset in answer.answer for item in rrset))

    def alter(self, name: str, address: str) -> None:
        """Change the record behind everybody's back, as a person with the zone's key could."""
        update = dns.update.UpdateMessage(ZONE, keyring={dns.name.from_text(KEY_NAME): self._key()})
        update.replace(dns.name.from_text(name), 60, "A", address)
        dns.query.tcp(update, HOST, port=self.port, timeout=5)

    def _key(self) -> dns.tsig.Key:
        return dns.tsig.Key(KEY_NAME, self.secret, "hmac-sha256")


@contextlib.contextmanager
def nameserver(folder: Path) -> Iterator[Nameserver]:
    """BIND where it is installed, else the embedded responder."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    program = shutil.which(os.environ.get("DDNS_NAMED") or "named", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        with Responder(ZONE, KEY_NAME, secret) as responder:
            yield Nameserver("an embedded DNS responder (BIND is not installed here)", responder.port, secret)
        return
    with _bind(program, folder, secret) as port:
        yield Nameserver("BIND", port, secret)


@contextlib.contextmanager
def _bind(program: str, folder: Path, secret: str) -> Iterator[int]:
    """A named of our own, with nothing of the system's."""
    port = _free_port()
    # A copy, because AppArmor confines the installed one to /etc/bind and /var.
    own = shutil.copy2(program, folder / "named")
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; listen-on port {port} {{ {HOST}; }}; listen-on-v6 {{ none; }};'
        f" pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no; }};\n"
        "controls { };\n"
        f'key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
        f'zone "{ZONE}" {{ type primary; file "zone.db"; allow-update {{ key "{KEY_NAME}"; }}; }};\n'
    )
    (folder / "zone.db").write_text(
        f"$TTL 60\n@ IN SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 60\n@ IN NS ns.{ZONE}.\nns IN A {HOST}\n"
    )
    command = [str(own), "-g", "-c", str(folder / "named.conf")]
    with (folder / "named.log").open("wb") as log, child(command, stdout=log, stderr=log) as process:
        _wait_for(process, port, folder / "named.log")
        yield port


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as sock:
        return int(sock.getsockname()[1])


def _wait_for(named: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 15
    query = dns.message.make_query(ZONE, "SOA")
    while time.monotonic() < end and named.poll() is None:
        try:
            dns.query.udp(query, HOST, port=port, timeout=0.2)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.05)
        else:
            return
    raise DemoFailed(f"named did not start:\n{log.read_text(errors='replace')[-2000:]}")
