"""How the settings' list of sources becomes sources, and the list of all that are built in."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable

import msgspec

from ddns.address import Family
from ddns.net import wire
from ddns.ports import Source
from ddns.sources.dns import ProbeSource
from ddns.sources.http import HttpSource
from ddns.sources.local import Find, InterfaceSource
from ddns.sources.services import DNS as DNS
from ddns.sources.services import HTTP as HTTP

_V4, _V6 = Family.V4, Family.V6
#: Names of `secure.SECURE_DNS`, whose import costs more than all others together.
_SECURE = ("opendns-tls", "opendns-https", "cloudflare-tls", "cloudflare-https")

#: All names that `[detect] sources` may hold; ``gateway`` stands for the own one, and is left out where none is set.
NAMES = ("gateway", *HTTP, *DNS, *_SECURE, "interface", "router")


class Own(msgspec.Struct, frozen=True):
    """A source of the settings: a URL, or a command."""

    url: str
    operator: str
    form: str
    families: frozenset[Family]
    ca_file: str = ""
    command: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """What sources want to know of this machine, handed in by `runtime`."""

    address: Find = lambda _family: None
    #: The default gateway's IPv4 address, "" when there is none.
    gateway: Callable[[], str] = lambda: ""


class Listed(msgspec.Struct, frozen=True):
    """One built-in source, for people. `how` it is asked: https, dns, dot, doh, adapter or router."""

    name: str
    operator: str
    families: tuple[int, ...]
    authenticated: bool
    how: str


def listed() -> list[Listed]:
    """Every built-in source."""
    from ddns.sources.secure import SECURE_DNS

    rows = [Listed("gateway", "own gateway", (4, 6), True, "https")]
    built_in: tuple[Source, ...] = (*HTTP.values(), *DNS.values(), *SECURE_DNS.values())
    for source in built_in:
        families = tuple(sorted(family.value for family in source.families))
        rows.append(Listed(source.name, source.operator, families, source.authenticated, how(source)))
    rows.append(Listed("interface", "this machine", (4, 6), False, "adapter"))
    rows.append(Listed("router", "router", (4,), False, "router"))
    return rows


def how(source: Source) -> str:
    """How a source of the settings is asked, as in `Listed`; those of your own are ``https``, ``http``, ``command``."""
    if isinstance(source, HttpSource):
        return "https" if source.authenticated else "http"
    if isinstance(source, ProbeSource):
        return "dns" if any(probe.kind == "dns" for probe in source.probes.values()) else "http"
    hows = {"interface": "adapter", "router": "router", **{n: "dot" if n.endswith("-tls") else "doh" for n in _SECURE}}
    return hows.get(source.name, "command")


def build(
    wanted: Iterable[str | Own],
    *,
    probes: dict[Family, str],
    gateway_url: str = "",
    gateway_ca_file: str = "",
    machine: Machine | None = None,
) -> list[Source]:
    """The sources of the settings, and the probe of each family as one more voice.

    `probes`: a built-in name, an own probe (``dns://``, ``http://``), or "" for the first built-in one that is listed.
    """
    sources: list[Source] = []
    for item in wanted:
        if isinstance(item, Own):
            sources.append(_own(item, {source.name for source in sources}))
        elif item == "gateway":
            if gateway_url:
                urls = dict.fromkeys((_V4, _V6), gateway_url.rstrip("/") + "/ip")
                sources.append(HttpSource("gateway", "own gateway", urls, "json:address", True, gateway_ca_file))
        else:
            sources.append(_built_in(item, machine or Machine()))
    named = {source.name for source in sources}
    for family, text in probes.items():
        if text in DNS and text not in named:
            sources.append(DNS[text])
            named.add(text)
        elif text and text not in DNS:
            probe = wire.own_probe(text, family.value)
            sources.append(ProbeSource(text, _operator(probe, sources), {family: probe}))
    return sources


def _built_in(name: str, machine: Machine) -> Source:
    if name == "interface":
        return InterfaceSource(machine.address)
    if name == "router":
        from ddns.sources.router import RouterSource

        return RouterSource(machine.gateway)
    if name in _SECURE:
        from ddns.sources.secure import SECURE_DNS

        return SECURE_DNS[name]
    return HTTP[name] if name in HTTP else DNS[name]


def _own(item: Own, taken: set[str]) -> Source:
    if item.command:
        from ddns.sources.command import CommandSource

        name = f"{item.operator} (command)" if item.operator in taken else item.operator
        return CommandSource(name, item.operator, item.command, item.families)
    urls = dict.fromkeys(sorted(item.families), item.url)
    where = urllib.parse.urlsplit(item.url).netloc.rpartition("@")[2]  # without a password
    name = f"{item.operator} ({where})" if item.operator in taken else item.operator
    return HttpSource(name, item.operator, urls, item.form, ca_file=item.ca_file)


def _operator(probe: wire.Probe, sources: Iterable[Source]) -> str:
    """Who runs an own probe: whoever runs a source, or a built-in DNS service, on its host; else the host itself."""
    host = probe.host.lower()
    for source in sources:
        if isinstance(source, HttpSource) and host in map(_host, source.urls.values()):
            return source.operator
    for built_in in DNS.values():
        if host in (known.host for known in built_in.probes.values()):
            return built_in.operator
    return host


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or ""
