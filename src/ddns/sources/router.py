"""What the router says of its own outer address: NAT-PMP (RFC 6886 section 3.2), else UPnP IGD (miniupnpc).

Neither is authenticated: any device of the local network may answer.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable

import miniupnpc
import msgspec

from ddns.address import Address, Family
from ddns.errors import ProviderError, SourceError, foreign
from ddns.ports import Deadline, Net

_PORT = 5351
_REQUEST = bytes((0, 0))
_ANSWER = 128
#: Seconds between a question and its repetition (section 3.1: 250 ms, doubling); routers answer at once or never.
_PAUSES = (0.25, 0.5, 1.0)
#: Milliseconds that UPnP devices get to announce themselves.
_DISCOVERY = 2000
_RESULTS = {
    1: "does not speak this version",
    2: "refuses",
    3: "has no connection to the Internet yet",
    4: "is out of resources",
    5: "does not know the question",
}


class Refused(Exception):
    """The router answered, but not with an address; the message says what."""


class RouterSource(msgspec.Struct, frozen=True):
    """The router's outer IPv4 address.

    `gateway` gives the default gateway's address, "" when there is none. `description` is the URL of an IGD's root
    description; empty: it is discovered by multicast.
    """

    gateway: Callable[[], str]
    description: str = ""
    port: int = _PORT
    name: str = "router"
    operator: str = "router"
    suffices: bool = False
    authenticated: bool = False
    families: frozenset[Family] = frozenset({Family.V4})

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:  # noqa: ARG002 - the port's signature
        """The outer address. Raises SourceError, with what both protocols came to."""
        try:
            return self._nat_pmp(net, deadline)
        except (Refused, ProviderError) as error:
            told = error.message if isinstance(error, ProviderError) else str(error)
        try:
            return _igd(self.description, deadline)
        except Refused as error:
            raise SourceError(f"{self.name}: NAT-PMP: {told}; UPnP: {error}") from error

    def _nat_pmp(self, net: Net, deadline: Deadline) -> Address:
        gateway = self.gateway()
        if not gateway:
            raise Refused("there is no default gateway")
        last: ProviderError | None = None
        for pause in _PAUSES:
            try:
                return external_address(net.udp(_REQUEST, (gateway, self.port), deadline=deadline.within(pause)))
            except ProviderError as error:
                last = error
        assert last is not None
        raise last


def external_address(answer: bytes) -> ipaddress.IPv4Address:
    """The address in a NAT-PMP answer to the question for it. Raises Refused."""
    if len(answer) < 4 or answer[0] != 0 or answer[1] != _ANSWER:
        raise Refused("the router's answer is not one of NAT-PMP")
    code = int.from_bytes(answer[2:4], "big")
    if code:
        raise Refused(f"the router {_RESULTS.get(code, 'fails')} (code {code})")
    if len(answer) != 12:
        raise Refused(f"the router's answer has {len(answer)} bytes instead of 12")
    return ipaddress.IPv4Address(answer[8:12])


def _igd(description: str, deadline: Deadline) -> Address:
    """The address that an Internet gateway device tells. The library has no time limit, so that it gets a thread."""
    found: list[str] = []
    wrong: list[str] = []

    def look() -> None:
        try:
            device = miniupnpc.UPnP(discoverdelay=_DISCOVERY)
            if description:
                device.selectigd(description)
            else:
                device.discover()
                device.selectigd()
            found.append(device.externalipaddress() or "")
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            wrong.append(foreign(str(error), 80) or type(error).__name__)

    thread = threading.Thread(target=look, name="upnp", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not found:
        raise Refused(wrong[0] if wrong else "no answer in time")
    try:
        return ipaddress.IPv4Address(found[0])
    except ValueError as error:
        raise Refused(f'the router told no address: "{foreign(found[0], 40)}"') from error
