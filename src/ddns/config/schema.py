"""The shape of the settings file (`schema = 1`), as types. What each key means is in its field's description.

Unknown keys are errors. A provider's keys are its module's own `Settings`; `runtime` hands those types to `load`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ddns.model import Adopt, RecordType
from ddns.net import wire
from ddns.secret import SecretRef

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d)")


class Duration:
    """A length of time, written with its unit: ``"90s"``, ``"10m"``, ``"6h"``."""

    __slots__ = ("seconds", "text")

    def __init__(self, text: str) -> None:
        match = _DURATION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'expected a number with a unit (ms, s, m, h, d) such as "90s", found "{text[:40]}"')
        self.text = text.strip()
        self.seconds = float(match[1]) * _UNITS[match[2]]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Duration({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.seconds == other.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class Record(Table, frozen=True, kw_only=True):
    """One `[[record]]`: a name that this machine keeps at its own address, or at a value that stands here."""

    name: Annotated[str, Meta(description="The full name, for example home.example.com.")]
    provider: Annotated[str, Meta(description="The ID of a [provider.ID] table.")]
    types: Annotated[
        tuple[RecordType, ...],
        Meta(min_length=1, description="The record types to keep: A (IPv4), AAAA (IPv6); CNAME or TXT with a value."),
    ] = (RecordType.A,)
    value: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=2048,
                description="For CNAME the name that it stands for; for TXT its text, kept beside those of others.",
            ),
        ]
        | None
    ) = None
    host_rule: (
        Annotated[
            str,
            Meta(
                description="AAAA only, for another host of this network: its suffix and the prefix length, "
                "such as ::1:2:3:4/64."
            ),
        ]
        | None
    ) = None
    ttl: Annotated[int, Meta(ge=1, le=604800, description="Seconds that resolvers may keep the answer.")] | None = None
    proxied: (
        Annotated[bool, Meta(description="Cloudflare only: whether its proxy answers; left alone when not set.")] | None
    ) = None
    adopt: Annotated[
        Adopt,
        Meta(description="A record that was there before: taken over if it has one value (single), or always (all)."),
    ] = Adopt.SINGLE


_CA_FILE = "A PEM file with the CA to trust instead of the system's; a relative path begins at this file's folder."


class OwnSource(Table, frozen=True, kw_only=True):
    """A source of your own: a URL that answers with the caller's address, or a command that prints it."""

    url: Annotated[
        str,
        Meta(
            pattern="^https?://",
            description="Asked with GET; https counts as authenticated.",
        ),
    ] = ""
    command: Annotated[
        tuple[str, ...],
        Meta(
            description="In place of url: a program, by its whole path, and its arguments. No shell. "
            "It prints one address. Only in settings that nobody but administrators can change."
        ),
    ] = ()
    operator: Annotated[str, Meta(description="Who runs it; two sources of one operator count once.")]
    json: Annotated[
        str,
        Meta(
            description="Where in a JSON answer the address is: a key, or a JSON pointer such as /network/ip. "
            "Else the whole body is it."
        ),
    ] = ""
    regex: Annotated[
        str, Meta(description="A pattern whose one group, in parentheses, is the address in the answer.")
    ] = ""
    families: Annotated[tuple[Literal[4, 6], ...], Meta(description="The address families that it can tell.")] = (4, 6)
    ca_file: Annotated[str, Meta(description=_CA_FILE)] = ""


def _probe(family: int) -> Meta:
    """What an editor may refuse of a probe; `rules` judges the whole, and in plainer words than a pattern."""
    names = "|".join(probe.name for probe in wire.PROBES[family])
    return Meta(extra_json_schema={"pattern": rf"^({names}|(dns|http)://[\s\S]+)?$"})


class Detect(Table, frozen=True, kw_only=True):
    """`[detect]`: how the public address is learned."""

    sources: Annotated[
        tuple[str | OwnSource, ...],
        Meta(description="Built-in names, or tables (below). Two operators must agree, one of them over TLS."),
    ] = ("gateway", "ipify", "aws", "ifconfig", "icanhazip", "opendns", "google")
    probe4: Annotated[
        str,
        Meta(
            description="The cheap question of a run without change, IPv4: "
            "a built-in name, dns://IP:PORT/NAME or http://IP:PORT/."
        ),
        _probe(4),
    ] = ""
    probe6: Annotated[str, Meta(description="The same for IPv6."), _probe(6)] = ""
    allow_private: Annotated[
        tuple[str, ...],
        Meta(description="Networks (CIDR) whose addresses may be published though they are not public."),
    ] = ()
    networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Where this machine may publish from: networks (CIDR) of its own local addresses, "
            "MAC addresses of the default gateway, or Windows' profile of the network (profile:NAME, "
            "category:private). Elsewhere records stay as they are. Empty: everywhere."
        ),
    ] = ()
    timeout: Annotated[Duration, Meta(description="The time that all sources together may take.")] = Duration("10s")


class Proof(Table, frozen=True, kw_only=True):
    """`[proof]`: how often a record is read back, and where."""

    every: Annotated[Duration, Meta(description="How long a proof is believed (at most 24h).")] = Duration("6h")
    settle: Annotated[
        Duration, Meta(description="Time after our own write in which a difference is not yet drift.")
    ] = Duration("120s")
    watch: Annotated[
        Duration,
        Meta(
            description="How long a run looks, after a write, until the zone's servers show it (at most 120s); "
            "0s: not at all."
        ),
    ] = Duration("0s")
    servers: Annotated[
        tuple[str, ...],
        Meta(description="ip:port of the servers asked for write-only providers; else the zone's own name servers."),
    ] = ()


class Gateway(Table, frozen=True, kw_only=True):
    """`[gateway]`: the fleet's own gateway."""

    url: Annotated[str, Meta(pattern="^https://", description="Its address, for example https://ddns.example.com.")]
    ca_file: Annotated[str, Meta(description=_CA_FILE)] = ""


class Lock(Table, frozen=True, kw_only=True):
    """`[lock]`: a lease that the machines of a fleet share: of several, only one writes at a time."""

    kind: Annotated[
        Literal["redis", "etcd", "gateway"],
        Meta(description="Where the lease is kept; gateway: at that of [gateway].", extra={"placeholder": "redis"}),
    ]
    url: Annotated[
        str,
        Meta(
            description="redis://HOST:PORT/DB or rediss:// (TLS); https://HOST:PORT for etcd; not set for the gateway.",
            extra={"placeholder": "rediss://locks.example.com"},
        ),
    ] = ""
    name: Annotated[
        str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$", description="The lease's name; machines of one name take turns.")
    ] = "ddns"
    ttl: Annotated[
        Duration, Meta(description="How long a machine that dies keeps the others waiting (30s to 10m).")
    ] = Duration("60s")
    user: Annotated[str, Meta(description="The user at the lock server, where it has users.")] = ""
    secret: (
        Annotated[
            SecretRef,
            Meta(description="Where its password lies; for the gateway, the identity that `ddns enroll` stored."),
        ]
        | None
    ) = None
    ca_file: Annotated[str, Meta(description=_CA_FILE)] = ""
    cert_file: Annotated[str, Meta(description="This machine's certificate (PEM), where the server asks for one.")] = ""
    key_file: Annotated[str, Meta(description="The private key of cert_file (PEM).")] = ""


class Proxy(Table, frozen=True, kw_only=True):
    """`[proxy]`: how providers, the gateway and etcd are reached where there is no direct way; sources never use it."""

    url: Annotated[
        str,
        Meta(description='http://HOST:PORT; "system": as the system says; "none".'),
    ] = "none"
    user: Annotated[str, Meta(description="The user at the proxy, where it wants one.")] = ""
    password: Annotated[SecretRef, Meta(description="Where that user's password lies.")] | None = None
    no_proxy: Annotated[
        tuple[str, ...], Meta(description="Hosts, domains and networks (CIDR) that are reached directly.")
    ] = ()


class Network(Table, frozen=True, kw_only=True):
    """`[network]`: by which of this machine's addresses it speaks, where it has several."""

    source4: Annotated[str, Meta(description="An IPv4 address of this machine that connections leave from.")] = ""
    source6: Annotated[str, Meta(description="The same for IPv6.")] = ""
    interface: Annotated[str, Meta(description="An interface that connections leave by, such as eth0.")] = ""


class Tls(Table, frozen=True, kw_only=True):
    """`[tls]`: whom to trust."""

    ca_file: Annotated[
        str, Meta(description="A PEM file with authorities to trust beside the system's; from this file's folder.")
    ] = ""


class Retry(Table, frozen=True, kw_only=True):
    """`[retry]`: how a failed call is repeated within a run."""

    policy: Annotated[
        Literal["exponential", "fixed"], Meta(description="Pauses that double, or that stay the same.")
    ] = "exponential"
    attempts: Annotated[int, Meta(ge=1, le=10, description="Calls in all, the first included.")] = 5
    base: Annotated[Duration, Meta(description="The first pause.")] = Duration("100ms")
    jitter: Annotated[Duration, Meta(description="Up to this much is added to each pause, at random.")] = Duration(
        "100ms"
    )


class Log(Table, frozen=True, kw_only=True):
    """`[log]`: the JSON log."""

    level: Annotated[
        Literal["DEBUG", "INFO", "WARN", "ERROR"], Meta(description="The least level that is written.")
    ] = "INFO"
    max_bytes: Annotated[
        int, Meta(ge=4096, le=1_000_000_000, description="A log file is set aside when it is longer.")
    ] = 1_000_000
    keep: Annotated[int, Meta(ge=0, le=100, description="How many files that were set aside are kept.")] = 5


class Settings(Table, frozen=True, kw_only=True):
    """The whole file. `provider` holds each provider's own struct, by ID; `kinds` names its kind."""

    schema: Annotated[Literal[1], Meta(description="The version of this format.")]
    record: Annotated[tuple[Record, ...], Meta(description="The names to keep.")] = ()
    provider: Annotated[dict[str, Any], Meta(description="Where records are kept; kind names the protocol.")] = {}
    detect: Detect = Detect()
    proof: Proof = Proof()
    gateway: Gateway | None = None
    lock: Lock | None = None
    proxy: Proxy = Proxy()
    network: Network = Network()
    tls: Tls = Tls()
    retry: Retry = Retry()
    log: Log = Log()
