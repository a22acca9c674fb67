"""The reference page of everything that is asked over the network, for people who write firewall rules.

Made from the tables that the program itself goes by: sources, probes, providers and their default URLs.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Iterator

import msgspec

from ddns.net import wire
from ddns.providers import table as providers
from ddns.providers.presets import SERVICES
from ddns.sources.http import HttpSource
from ddns.sources.secure import SECURE_DNS
from ddns.sources.services import HTTP
from ddns.sources.whoami import WhoamiSource

_HEAD = """\
# Outbound endpoints

<!-- Generated from the program's tables: `python -m ddns.cli.pages docs/reference` writes this page. -->

Every host that the client may connect to, for firewall rules. It listens on nothing, and connects to what its settings
use and to nothing else: no telemetry, no update check. Names are looked up by the system's resolver. *6* marks what is
only asked over IPv6. What goes through a proxy is in [the network](../guides/network.md). On Windows the system itself
may fetch missing certificates of an authority (HTTP, port 80).

When: *each run* (every 10 minutes, one question a family); *full run* (the first, a change of address or network, a
proof every 6 hours); *read* (what a full run does with a record); *write* (only when something is to be changed).
"""
_TABLE = ["| host | port | protocol | setting | when |", "| --- | --- | --- | --- | --- |"]
_FULL = "full run"


def page() -> str:
    """docs/reference/endpoints.md."""
    parts = [
        (
            "The question of each run",
            "Of these, one a family is asked: the probe that is set, else the first of them in `[detect] sources`.",
            _probes(),
        ),
        (
            "Sources",
            "A name in `[detect] sources` brings these, beside those above. Two operators must be reachable, one of"
            " them over TLS, unless the own gateway is.\nThe default list: `" + "`, `".join(_default_sources()) + "`.",
            _sources(),
        ),
        (
            "Providers",
            "A `[provider.ID]` table of the kind brings these. Another `url` takes the place of the one shown.",
            _providers(),
        ),
        ("Update services", "A provider of kind `dyndns2` with this `service` brings one.", _services()),
        ("The fleet", "", _fleet()),
    ]
    text = [_HEAD]
    for title, about, rows in parts:
        text += [f"## {title}", "", *([about, ""] if about else []), *_TABLE, *rows, ""]
    return "\n".join(text)


def _row(host: str, port: int | str, protocol: str, setting: str, when: str) -> str:
    return f"| {host} | {port} | {protocol} | {setting} | {when} |"


def _where(url: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _probes() -> Iterator[str]:
    for family, probes in wire.PROBES.items():
        for probe in probes:
            mark = " *6*" if family == 6 else ""
            setting = f"`{probe.name}` in `[detect] probe{family}` or `sources`"
            yield _row(f"{probe.host}{mark}", probe.port, "DNS over UDP", setting, "each run")
    yield _row("HOST of an own probe", "PORT", "DNS over UDP, or HTTP", "`[detect] probe4`, `probe6`", "each run")


def _default_sources() -> tuple[str, ...]:
    from ddns.config.schema import Detect

    return tuple(map(str, Detect().sources))


def _sources() -> Iterator[str]:
    for source in HTTP.values():
        yield from _http_source(source)
    for secured in SECURE_DNS.values():
        yield from _secure_source(secured)
    yield _row("the default gateway", 5351, "NAT-PMP over UDP", "`router`", _FULL)
    yield _row("239.255.255.250, then the router", "1900, then its own", "SSDP over UDP, then HTTP", "`router`", _FULL)
    yield _row("none: adapters are read", "", "", "`interface`", _FULL)
    yield _row("HOST of an own source", "443 or its own", "HTTPS (or HTTP)", "`sources = [{ url = ... }]`", _FULL)


def _http_source(source: HttpSource) -> Iterator[str]:
    urls = {url: family for family, url in sorted(source.urls.items(), reverse=True)}
    for url in sorted(urls):
        only6 = set(source.urls) > {urls[url]} and urls[url].value == 6
        host, port = _where(url)
        yield _row(f"{host}{' *6*' if only6 else ''}", port, url.partition(":")[0].upper(), f"`{source.name}`", _FULL)


def _secure_source(source: WhoamiSource) -> Iterator[str]:
    for where in dict.fromkeys(source.where.values()):
        if where.startswith("https://"):
            host, port = _where(where)
            yield _row(host, port, "DNS over HTTPS", f"`{source.name}`", _FULL)
        else:
            host, _, number = where.rpartition(":")
            mark = " *6*" if host.startswith("[") else ""
            yield _row(f"{host.strip('[]')}{mark}", number, "DNS over TLS", f"`{source.name}`", _FULL)


#: Kinds whose place is not a default of theirs: host, port, protocol, setting.
_NAMED = {
    "rfc2136": ("the zone's primary server", "53 or its own", "DNS over TCP", "`server`"),
    "powerdns": ("the API of your server", "of the URL", "HTTPS", "`url`"),
    "gateway": ("your gateway", "of the URL", "HTTPS", "`[gateway] url`"),
    "webhook": ("your service", "of the URL", "HTTPS", "`url`"),
    "dyndns2": ("your update service", "of the URL", "HTTPS", "`url`, or `service`: see below"),
}


def _providers() -> Iterator[str]:
    when = "read, write"
    for kind in sorted(providers.MODULES):
        urls = list(_default_urls(providers.load(kind).Settings))
        for url in urls:
            yield _row(*_where(url), "HTTPS", f'`kind = "{kind}"`', when)
        if not urls:
            host, port, protocol, setting = _NAMED.get(kind, ("as its settings say", "", "", ""))
            yield _row(host, port, protocol, f'`kind = "{kind}"`: {setting}'.removesuffix(": "), when)
    servers = "the zone's name servers, or `[proof] servers`"
    yield _row(servers, 53, "DNS over UDP and TCP", "providers that can't be read (`dyndns2`, `webhook`)", when)


def _default_urls(kind: type[msgspec.Struct]) -> Iterable[str]:
    values = (field.default for field in msgspec.structs.fields(kind))
    return [value for value in values if isinstance(value, str) and value.startswith("https://")]


def _services() -> Iterator[str]:
    for name, service in sorted(SERVICES.items()):
        for url in dict.fromkeys(filter(None, (service.url, service.url6))):
            mark = " *6*" if url == service.url6 and url != service.url else ""
            host, port = _where(url)
            yield _row(f"{host}{mark}", port, "HTTPS", f'`service = "{name}"`', "write")


def _fleet() -> Iterator[str]:
    yield _row("your gateway", "of the URL", "HTTPS", "`[gateway] url`, `ddns enroll URL`", "full run, read, write")
    yield _row("your Redis", "6379 or its own", "RESP over TCP or TLS", '`[lock] kind = "redis"`', "write")
    yield _row("your etcd", "of the URL", "HTTPS", '`[lock] kind = "etcd"`', "write")
    instead = "`[proxy] url`: in place of HTTPS to providers, gateway and etcd"
    yield _row("your proxy", "of the URL", "HTTP (CONNECT)", instead, "read, write")
