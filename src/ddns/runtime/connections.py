"""From settings to the ways out of this machine: the fleet's lock server, proxies, addresses to leave by."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable

from ddns.address import Family
from ddns.config.schema import Settings
from ddns.errors import SettingsError
from ddns.host import proxies as host_proxies
from ddns.host import route as routing
from ddns.lease import table as leases
from ddns.lease.place import Place
from ddns.net.options import Options
from ddns.net.proxies import Proxies
from ddns.net.ways import Ways
from ddns.ports import Deadline, HttpResponse, Lock, Log, Tools
from ddns.runtime.quick import leaves_by
from ddns.secret import Secret, SecretRef


def ways(settings: Settings, resolve: Callable[[SecretRef], Secret]) -> Ways:
    """How the network is used. Raises SettingsError for an interface that is not there."""
    proxy, network = settings.proxy, settings.network
    password = proxy.password
    proxies = Proxies(
        proxy.url,
        proxy.user,
        None if password is None else lambda: resolve(password),
        tuple(proxy.no_proxy),
        lambda: Options(*host_proxies.read()),
    )
    source4, source6 = network.source4, network.source6
    if network.interface and sys.platform != "linux":  # it can't be named for a socket: its addresses can
        from ddns.host import adapters

        found = [item.address for item in adapters.read() if item.adapter == network.interface and item.lasting]
        if not found:
            raise SettingsError(
                f"network.interface: there is no interface {network.interface} with an address",
                advice="Name it as the system does (Get-NetAdapter), or set network.source4 and source6.",
            )
        source4 = source4 or next((str(address) for address in found if address.version == 4), "")
        usable = [address for address in found if address.version == 6 and not address.is_link_local]
        source6 = source6 or next(map(str, usable), "")
    return Ways(source4, source6, network.interface, proxies, settings.tls.ca_file)


def route(settings: Settings) -> Callable[[Family], bool]:
    """Whether there is a way to the Internet by a family: a source address that is set, or the routing table's."""
    network = settings.network
    named = {Family.V4: network.source4, Family.V6: network.source6}
    return lambda family: bool(named[family] or routing.source_address(family.value))


#: The addresses of a machine whose IPv4 is made of IPv6 by itself (464XLAT, RFC 7335 section 4).
_TRANSLATED = ipaddress.ip_network("192.0.0.0/29")


def translated(settings: Settings) -> Callable[[Family], str]:
    """Why an answer over IPv4 is no address of this machine; "" where it may be one.

    Behind NAT64 sources see an address that the network's translator shares out, at which nobody reaches the machine.
    """

    def why(family: Family) -> str:
        source = settings.network.source4 or routing.source_address(4) if family is Family.V4 else ""
        if not source or ipaddress.ip_address(source) not in _TRANSLATED:
            return ""
        return "IPv4 is translated to IPv6 on this network (NAT64); what sources see is the translator's address"

    return why


def cheap(settings: Settings, data: bytes) -> bool:
    """Whether the cheap question of a run leaves as all else does; `data`: the settings file that it will look into.

    It does not where it finds other values by its plainer rule, and where an interface stands for its addresses.
    """
    network = settings.network
    if network.interface and sys.platform != "linux":
        return False
    wanted = ((network.source4, network.interface), (network.source6, network.interface))
    return (leaves_by(data, 4), leaves_by(data, 6)) == wanted


def lock(settings: Settings, tools: Tools, log: Log) -> Lock | None:
    """The fleet's lock, connected to when there is something to write."""
    table = settings.lock
    if table is None:
        return None
    place = Place(
        table.kind,
        table.url,
        table.name,
        table.ttl.seconds,
        user=table.user,
        secret=table.secret,
        ca_file=table.ca_file,
        cert_file=table.cert_file,
        key_file=table.key_file,
    )

    def exchange() -> Callable[[str, bytes, Deadline], HttpResponse]:
        from ddns.providers import gateway

        assert table.secret is not None, "config.connections sees to it"
        return gateway.connect(gateway.Settings(token=table.secret), tools).post

    return leases.Late(place, tools, log, exchange)
