"""The built-in services, as data. Facts of them: their own pages; which answer at all is a matter of the day."""

from __future__ import annotations

from ipaddress import ip_network

from ddns.address import Family, Network
from ddns.net import wire
from ddns.sources.dns import ProbeSource
from ddns.sources.http import HttpSource

_V4, _V6 = Family.V4, Family.V6

#: Cloudflare's own networks (www.cloudflare.com/ips): whoever comes from there comes through a tunnel of theirs.
CLOUDFLARE: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18",
            "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17",
            "162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22",
            "2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32",
            "2a06:98c0::/29", "2c0f:f248::/32",
        ),
    )
)  # fmt: skip


def _echo(name: str, operator: str, v4: str, v6: str = "", exits: tuple[Network, ...] = ()) -> HttpSource:
    urls = {_V4: f"https://{v4}"} | ({_V6: f"https://{v6}"} if v6 else {})
    return HttpSource(name, operator, urls, exits=exits)


#: Echo services over HTTPS: name -> source. Each answers with nothing but the caller's address.
HTTP = {
    source.name: source
    for source in (
        _echo("ipify", "ipify", "api4.ipify.org/", "api6.ipify.org/"),
        _echo("aws", "Amazon", "checkip.amazonaws.com/"),
        _echo("ifconfig", "ifconfig.me", "ifconfig.me/ip", "ifconfig.me/ip"),
        _echo("icanhazip", "Cloudflare", "ipv4.icanhazip.com/", "ipv6.icanhazip.com/", CLOUDFLARE),
        HttpSource(
            "trace",
            "Cloudflare",
            dict.fromkeys((_V4, _V6), "https://www.cloudflare.com/cdn-cgi/trace"),
            form="trace",
            exits=CLOUDFLARE,
        ),
        _echo("ident", "ident.me", "v4.ident.me/", "v6.ident.me/"),
        _echo("ipsb", "IP.SB", "api-ipv4.ip.sb/ip", "api-ipv6.ip.sb/ip"),
        # These answer inside China.
        _echo("ipw", "ipw.cn", "4.ipw.cn/", "6.ipw.cn/"),
        _echo("3322", "3322.net", "ip.3322.net/"),
    )
}

_OPERATORS = {"opendns": "OpenDNS", "google": "Google", "cloudflare": "Cloudflare"}

#: DNS whoami services over UDP, which are the probes of the cheap path, too: name -> source.
DNS = {
    name: ProbeSource(
        name,
        operator,
        {Family(family): probe for family, probes in wire.PROBES.items() for probe in probes if probe.name == name},
        exits=CLOUDFLARE if operator == "Cloudflare" else (),
    )
    for name, operator in _OPERATORS.items()
}
