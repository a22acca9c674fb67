"""The built-in sources, as data, and how the settings' list of sources becomes sources."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable

import msgspec

from ddns.address import Family
from ddns.net import wire
from ddns.ports import Source
from ddns.sources.dns import ProbeSource
from ddns.sources.http import HttpSource

_V4, _V6 = Family.V4, Family.V6

#: Echo services over HTTPS: name -> source. Each answers with nothing but the caller's address.
HTTP = {
    source.name: source
    for source in (
        HttpSource("ipify", "ipify", {_V4: "https://api4.ipify.org/", _V6: "https://api6.ipify.org/"}),
        HttpSource("aws", "Amazon", {_V4: "https://checkip.amazonaws.com/"}),
        HttpSource("ifconfig", "ifconfig.me", {_V4: "https://ifconfig.me/ip", _V6: "https://ifconfig.me/ip"}),
        HttpSource("icanhazip", "Cloudflare", {_V4: "https://ipv4.icanhazip.com/", _V6: "https://ipv6.icanhazip.com/"}),
        HttpSource(
            "trace",
            "Cloudflare",
            dict.fromkeys((_V4, _V6), "https://www.cloudflare.com/cdn-cgi/trace"),
            form="trace",
        ),
    )
}

_OPERATORS = {"opendns": "OpenDNS", "google": "Google", "cloudflare": "Cloudflare"}

#: DNS whoami services: name -> source.
DNS = {
    name: ProbeSource(
        name,
        operator,
        {Family(family): probe for family, probes in wire.PROBES.items() for probe in probes if probe.name == name},
    )
    for name, operator in _OPERATORS.items()
}

#: All names that `[detect] sources` may hold; ``gateway`` stands for the own one, and is left out where none is set.
NAMES = ("gateway", *HTTP, *DNS)


class Own(msgspec.Struct, frozen=True):
    """A source of the settings."""

    url: str
    operator: str
    form: str
    families: frozenset[Family]
    ca_file: str = ""


def build(
    wanted: Iterable[str | Own], *, probes: dict[Family, str], gateway_url: str = "", gateway_ca_file: str = ""
) -> list[Source]:
    """The sources of the settings, and the probe of each family as one more voice.

    `probes`: a built-in name, an own probe (``dns://``, ``http://``), or "" for the first built-in one that is listed.
    """
    sources: list[Source] = []
    for item in wanted:
        if isinstance(item, Own):
            urls = dict.fromkeys(sorted(item.families), item.url)
            taken = {source.name for source in sources}
            where = urllib.parse.urlsplit(item.url).netloc.rpartition("@")[2]  # without a password
            name = f"{item.operator} ({where})" if item.operator in taken else item.operator
            sources.append(HttpSource(name, item.operator, urls, item.form, ca_file=item.ca_file))
        elif item == "gateway":
            if gateway_url:
                urls = dict.fromkeys((_V4, _V6), gateway_url.rstrip("/") + "/ip")
                sources.append(HttpSource("gateway", "own gateway", urls, "json:address", True, gateway_ca_file))
        else:
            sources.append(HTTP[item] if item in HTTP else DNS[item])
    named = {source.name for source in sources}
    for family, text in probes.items():
        if text in DNS and text not in named:
            sources.append(DNS[text])
            named.add(text)
        elif text and text not in DNS:
            probe = wire.own_probe(text, family.value)
            sources.append(ProbeSource(text, _operator(probe, sources), {family: probe}))
    return sources


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
