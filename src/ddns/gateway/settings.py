"""The shape of the gateway's settings file, `gateway.toml` (`schema = 1`), as types.

The package takes them as values: the caller reads the file, and turns each ``[provider.ID]`` table into the
`Settings` of its kind, as for the client's file. Unknown keys are errors.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal

import limits
import msgspec
from msgspec import Meta

from ddns.address import Network
from ddns.gateway.names import check_label, check_template, fold
from ddns.model import RecordType
from ddns.secret import SecretRef

#: Among the hosts of a lease: all that are enrolled.
EVERY_HOST = "*"


class Cidr:
    """A network, written as CIDR or as one address."""

    __slots__ = ("network", "text")

    def __init__(self, text: str) -> None:
        self.network: Network = ipaddress.ip_network(text)
        self.text = text

    def __repr__(self) -> str:
        return f"Cidr({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cidr) and self.network == other.network

    def __hash__(self) -> int:
        return hash(self.network)


class Rate:
    """How often something may happen: ``"60/minute"``, ``"10 per hour"``."""

    __slots__ = ("item", "text")

    def __init__(self, text: str) -> None:
        try:
            self.item = limits.parse(text)
        except ValueError:
            raise ValueError(f'expected a rate such as "60/minute", found "{text}"') from None
        self.text = text

    def __repr__(self) -> str:
        return f"Rate({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rate) and self.item == other.item

    def __hash__(self) -> int:
        return hash(self.item)


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class Listen(Table, frozen=True, kw_only=True):
    """`[listen]`: where requests arrive."""

    host: Annotated[str, Meta(description="The address to listen on.")] = "0.0.0.0"  # noqa: S104  # a server's purpose
    port: Annotated[int, Meta(ge=0, le=65535, description="The port; 0 takes a free one.")] = 8443
    cert_file: Annotated[str, Meta(description="The TLS certificate with its chain, PEM.")] = ""
    key_file: Annotated[str, Meta(description="The certificate's private key, PEM.")] = ""
    plain: Annotated[
        bool, Meta(description="Plain HTTP, for a proxy on the same machine that ends TLS; never across a network.")
    ] = False
    trusted_proxies: Annotated[
        tuple[Cidr, ...], Meta(description="Proxies whose X-Forwarded-For is believed (CIDR).")
    ] = ()

    def __post_init__(self) -> None:
        if self.plain == bool(self.cert_file or self.key_file):
            raise ValueError("set cert_file and key_file, or plain = true for a gateway behind a proxy that ends TLS")
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file go together")


class Hosts(Table, frozen=True, kw_only=True):
    """`[hosts]`: what an enrolled host may do."""

    template: Annotated[str, Meta(description="The name of each host, for example {host}.dyn.example.com.")]
    reserved: Annotated[tuple[str, ...], Meta(description="Labels that no host may have.")] = (
        "www", "mail", "ns", "ns1", "ns2", "mx", "smtp", "imap", "ftp", "vpn", "gateway", "ddns", "admin",
        "autodiscover", "wpad", "isatap", "localhost",
    )  # fmt: skip
    types: Annotated[
        tuple[Annotated[RecordType, Meta(extra_json_schema={"enum": ["A", "AAAA"]})], ...],
        Meta(min_length=1, description="The record types that a host may write: A, AAAA."),
    ] = (RecordType.A, RecordType.AAAA)
    allow_private: Annotated[
        tuple[Cidr, ...], Meta(description="Networks whose addresses may be published though they are not public.")
    ] = ()
    must_match_peer: Annotated[
        bool, Meta(description="Only the address that the request comes from may be published.")
    ] = False

    def __post_init__(self) -> None:
        check_template(self.template)
        for label in self.reserved:
            check_label(label, ())
        if any(kind.family is None for kind in self.types):
            raise ValueError("types: only A and AAAA carry an address")


class Limits(Table, frozen=True, kw_only=True):
    """`[limits]`: how much one host and one address may ask."""

    host: Annotated[Rate, Meta(description="Requests of one host.")] = Rate("120/minute")
    address: Annotated[Rate, Meta(description="Requests from one address; many hosts may share it.")] = Rate(
        "1200/minute"
    )
    guess: Annotated[
        Rate, Meta(description="Wrong signatures, codes and passwords from one address before it must wait.")
    ] = Rate("20/minute")


class Zone(Table, frozen=True, kw_only=True):
    """One `[[zone]]`: a zone and the provider that writes it."""

    name: Annotated[str, Meta(min_length=1, description="The zone, for example dyn.example.com.")]
    provider: Annotated[str, Meta(description="The ID of a [provider.ID] table.")]


class SharedLease(Table, frozen=True, kw_only=True):
    """One `[[lease]]`: a lease, and the hosts that take turns with it. What is not listed is nobody's."""

    name: Annotated[
        str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$", description="The lease's name, as in the hosts' `[lock]`.")
    ]
    hosts: Annotated[
        tuple[str, ...], Meta(min_length=1, description='The labels of the hosts that may take it; "*": every host.')
    ]

    def __post_init__(self) -> None:
        for label in self.hosts:
            if label != EVERY_HOST:
                check_label(label, ())

    def admits(self, label: str) -> bool:
        """Whether the host of this label (in its kept spelling) may take it."""
        return any(one in (EVERY_HOST, label) for one in map(str.lower, self.hosts))


class GatewaySettings(Table, frozen=True, kw_only=True):
    """The whole file. `provider` holds each provider's own struct, by ID."""

    schema: Annotated[Literal[1], Meta(description="The version of this format.")]
    name: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9._:-]{1,128}$",
            description="The gateway's name, for ever the same: every signature covers it.",
        ),
    ]
    data: Annotated[str, Meta(description="The folder of the ledger and the audit log.")]
    master_key: Annotated[
        SecretRef, Meta(description="32 random bytes in base64 that seal the hosts' keys; never kept in data.")
    ]
    listen: Listen
    hosts: Hosts
    zone: Annotated[tuple[Zone, ...], Meta(min_length=1, description="The zones that hosts' names lie in.")]
    provider: Annotated[dict[str, Any], Meta(description="Where zones are kept; kind names the protocol.")]
    lease: Annotated[
        tuple[SharedLease, ...], Meta(description="The leases that hosts may share; without any, no host gets one.")
    ] = ()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        for zone in self.zone:
            if zone.provider not in self.provider:
                raise ValueError(f"zone {zone.name}: there is no [provider.{zone.provider}]")
        if Zones(self.zone).provider_of(self.hosts.template.replace("{host}", "x")) is None:
            raise ValueError(f"hosts.template: {self.hosts.template} lies in none of the zones")
        names = [lease.name for lease in self.lease]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"lease {name}: it is there twice; list all its hosts in one [[lease]]")


class Zones:
    """Which provider writes a name: that of the longest zone that holds it."""

    def __init__(self, zones: tuple[Zone, ...]) -> None:
        self._providers = {fold(zone.name): zone.provider for zone in zones}

    def provider_of(self, name: str) -> str | None:
        """The provider's id, None when no zone holds the name."""
        labels = fold(name).split(".")
        suffixes = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self._providers[suffix] for suffix in suffixes if suffix in self._providers), None)
