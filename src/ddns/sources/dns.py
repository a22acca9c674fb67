"""Sources asked over DNS: the whoami names of public resolvers. UDP, so never authenticated."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import msgspec

from ddns.address import Address, Family, Network
from ddns.errors import ProviderError, SourceError
from ddns.net import wire
from ddns.ports import Deadline, HttpRequest, Net
from ddns.sources.http import refuse_exit

#: Seconds; a lost datagram must not cost the whole run.
_PATIENCE = 2.0


class ProbeSource(msgspec.Struct, frozen=True):
    """A probe of the cheap path, asked as one voice of the quorum."""

    name: str
    operator: str
    probes: Mapping[Family, wire.Probe]
    suffices: bool = False
    authenticated: bool = False
    exits: tuple[Network, ...] = ()

    @property
    def families(self) -> frozenset[Family]:
        """The families that there is a probe for."""
        return frozenset(self.probes)

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:
        """The address that the probe tells."""
        probe = self.probes[family]
        try:
            address = ipaddress.ip_address(self._answer(probe, family, net, deadline.within(_PATIENCE)))
        except (ProviderError, wire.WireError, ValueError) as error:
            text = error.message if isinstance(error, ProviderError) else str(error)
            raise SourceError(f"{self.name}: {text}") from error
        refuse_exit(self.name, self.operator, address, self.exits)
        return address

    @staticmethod
    def _answer(probe: wire.Probe, family: Family, net: Net, deadline: Deadline) -> str:
        if probe.kind == "dns":
            query = wire.question(probe)
            return wire.answer(net.udp(query, (probe.host, probe.port), deadline=deadline), query, probe, family)
        where = f"[{probe.host}]" if ":" in probe.host else probe.host
        request = HttpRequest("GET", f"http://{where}:{probe.port}{probe.question}", {"accept": "text/plain"})
        response = net.http(request, family=family, limit=4096, deadline=deadline)
        if response.status != 200:
            raise wire.WireError(f"answered with status {response.status}")
        return wire.canonical(response.body.strip().decode("ascii", "replace"), family)
