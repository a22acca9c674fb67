"""From settings to sources: what they are made of, whose commands are run, and from which networks is published."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from ddns.address import Address, Family
from ddns.config.load import Loaded
from ddns.config.rules import mac, profile
from ddns.config.schema import OwnSource, Settings
from ddns.errors import SettingsError, foreign
from ddns.host import route
from ddns.ports import Source
from ddns.sources import table as sources


def build(settings: Settings) -> list[Source]:
    """The sources of the settings, the probes among them."""
    gateway = settings.gateway
    return sources.build(
        [_own(item) if isinstance(item, OwnSource) else item for item in settings.detect.sources],
        probes=probes(settings),
        gateway_url=gateway.url if gateway else "",
        gateway_ca_file=gateway.ca_file if gateway else "",
        machine=sources.Machine(functools.partial(_adapters_address, settings), _gateway),
    )


def _own(source: OwnSource) -> sources.Own:
    form = f"json:{source.json}" if source.json else f"regex:{source.regex}" if source.regex else "text"
    families = frozenset(map(Family, source.families))
    return sources.Own(source.url, source.operator, form, families, source.ca_file, source.command)


def probes(settings: Settings) -> dict[Family, str]:
    """The probe of each family: as set, else the first DNS source that is listed."""
    listed = next((item for item in settings.detect.sources if isinstance(item, str) and item in sources.DNS), "")
    return {Family.V4: settings.detect.probe4 or listed, Family.V6: settings.detect.probe6 or listed}


def _adapters_address(settings: Settings, family: Family) -> Address | None:
    from ddns.host import adapters
    from ddns.host.addresses import best

    allow = tuple(map(ip_network, settings.detect.allow_private))
    network = settings.network
    source = (network.source4 if family is Family.V4 else network.source6) or route.source_address(family.value)
    found = [item for item in adapters.read() if network.interface in ("", item.adapter)]
    return best(found, family, source, allow)


def _gateway() -> str:
    from ddns.host import gateways

    try:
        return gateways.default()
    except OSError:
        return ""


def refuse_foreign_commands(loaded: Loaded, path: str) -> None:
    """Raise SettingsError where the settings at `path` name a command, and others could have written it there."""
    for number, item in enumerate(loaded.settings.detect.sources):
        if isinstance(item, OwnSource) and item.command:
            from ddns.host import ownership

            why = ownership.refusal(path)
            if why:
                key = f"detect.sources[{number}].command"
                place = loaded.origins[key].where if key in loaded.origins else os.path.basename(path)
                raise SettingsError(
                    f"a command in {path} is not run",
                    (f"{place}: {key}: a command is only taken from settings that nobody else can change: {why}",),
                    advice="Let only administrators, or this account alone, write the settings and their folder.",
                )


def away(networks: tuple[str, ...]) -> Callable[[], str]:
    """Why nothing is published from the network that this machine is on; "" where it may, or where none is named."""
    if not networks:
        return lambda: ""
    return lambda: where_we_are(
        networks, [route.source_address(family.value) for family in Family], _gateway, _gateways_mac, _profile
    )


def where_we_are(
    networks: tuple[str, ...],
    local: list[str],
    gateway: Callable[[], str],
    its_mac: Callable[[str], str],
    its_profile: Callable[[str], tuple[str, str]],
) -> str:
    """The sentence of `away`. `local`: the addresses that packets leave from; the router is asked only if need be."""
    addresses = [ip_address(text) for text in local if text]
    profiles = {asked for asked in map(profile, networks) if asked is not None}
    nets: list[IPv4Network | IPv6Network] = [
        ip_network(text) for text in networks if not mac(text) and profile(text) is None
    ]
    if any(address.version == net.version and address in net for address in addresses for net in nets):
        return ""
    wanted = {mac(text) for text in networks} - {""}
    called = ""
    if wanted or profiles:
        router = gateway()
        found = its_mac(router) if router else ""
        if found in wanted:
            return ""
        name, category = its_profile(found) if profiles else ("", "")
        if {("name", name.casefold()), ("category", category)} & profiles:
            return ""
        called = f" ({foreign(name, 60)}, {category})" if name else ""
    return f"this machine is on another network{called} than those of [detect] networks"


def _profile(router: str) -> tuple[str, str]:
    from ddns.host import profiles

    return profiles.behind(router)


def _gateways_mac(address: str) -> str:
    from ddns.host import gateways

    try:
        return gateways.mac(address)
    except OSError:
        return ""
