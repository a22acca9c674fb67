"""The default gateway and its MAC address, asked of the kernel by rtnetlink (pyroute2)."""

from __future__ import annotations

import errno
import socket
import sys
import time

assert sys.platform != "win32"

#: Any public address: the kernel is asked for its route, nothing is sent.
_ANYWHERE = "198.41.0.4"
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
#: UDP port "discard", tries and seconds between them: a router answers ARP at once.
_DISCARD, _TRIES, _PAUSE = 9, 5, 0.1


def default() -> str:
    """As `host.gateways` says."""
    from pyroute2 import IPRoute  # noqa: PLC0415 - 0.1 s and 15 MB, for who looks for the router only
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 - 0.1 s and 15 MB, for few runs

    try:
        with IPRoute() as kernel:
            found = [route.get("gateway") for route in kernel.route("get", dst=_ANYWHERE, family=socket.AF_INET)]
    except NetlinkError as error:
        if error.code in _NO_ROUTE:
            return ""
        raise OSError(error.code, "the kernel refuses to tell the route") from error
    return next((str(address) for address in found if address), "")


def mac(address: str) -> str:
    """As `host.gateways` says. Where the kernel has forgotten it, one empty datagram makes it ask."""
    for attempt in range(_TRIES):
        known = _known(address)
        if known:
            return known
        if attempt == 0:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.sendto(b"", (address, _DISCARD))
        time.sleep(_PAUSE)
    return ""


def _known(address: str) -> str:
    from pyroute2 import IPRoute  # noqa: PLC0415 - 0.1 s and 15 MB, for few runs
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 - 0.1 s and 15 MB, for few runs

    try:
        with IPRoute() as kernel:
            found = [entry.get("lladdr") for entry in kernel.get_neighbours(socket.AF_INET, dst=address)]
    except NetlinkError as error:
        raise OSError(error.code, "the kernel refuses to list neighbours") from error
    return next((str(one).lower() for one in found if one and one != "00:00:00:00:00:00"), "")
