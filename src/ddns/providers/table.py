"""The registry of providers: a kind in the settings names a module here, and nothing else knows it.

A provider module holds `Settings` (a msgspec struct of the keys beside ``kind``), `connect(settings, tools)`, and for
lists of what there is its name, `WHO`, and what it can do by default, `CAPABILITIES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import msgspec

    from ddns.ports import Capabilities, Provider, Tools

MODULES = {
    "alidns": "ddns.providers.alidns",
    "cloudflare": "ddns.providers.cloudflare",
    "desec": "ddns.providers.desec",
    "digitalocean": "ddns.providers.digitalocean",
    "dnspod": "ddns.providers.dnspod",
    "dyndns2": "ddns.providers.dyndns2",
    "gateway": "ddns.providers.gateway",
    "godaddy": "ddns.providers.godaddy",
    "huaweicloud": "ddns.providers.huaweicloud",
    "porkbun": "ddns.providers.porkbun",
    "lexicon": "ddns.providers.lexicon",
    "powerdns": "ddns.providers.powerdns",
    "rfc2136": "ddns.providers.rfc2136",
    "route53": "ddns.providers.route53",
    "tencentcloud": "ddns.providers.tencentcloud",
    "webhook": "ddns.providers.webhook",
}


class ProviderModule(Protocol):
    """The shape of a provider's module."""

    WHO: str
    CAPABILITIES: Capabilities
    Settings: type[msgspec.Struct]
    connect: Callable[[msgspec.Struct, Tools], Provider]


def load(kind: str) -> ProviderModule:
    """Import the module of a kind; KeyError when there is none."""
    return cast("ProviderModule", importlib.import_module(MODULES[kind]))
