"""The addresses of this machine's adapters, asked of the kernel by rtnetlink (pyroute2)."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Mapping
from typing import Any

from ddns.host.addresses import LocalAddress

assert sys.platform != "win32"

#: IFA_F_* of if_addr.h, IFF_UP of if.h.
_TEMPORARY, _OPTIMISTIC, _DAD_FAILED, _DEPRECATED, _TENTATIVE = 0x01, 0x04, 0x08, 0x20, 0x40
_UP = 0x1
_FOR_EVER = 0xFFFFFFFF

#: Name of an adapter, and whether it is up, by its number.
Links = Mapping[int, tuple[str, bool]]


def read() -> list[LocalAddress]:
    """Every IPv4 and IPv6 address, the loopback's among them. Raises OSError."""
    from pyroute2 import IPRoute  # noqa: PLC0415 - 0.1 s and 15 MB, for who looks at adapters only
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 - 0.1 s and 15 MB, for few runs

    try:
        with IPRoute() as kernel:
            links = {link["index"]: (link.get("ifname"), bool(link["flags"] & _UP)) for link in kernel.get_links()}
            return [found for message in kernel.get_addr() if (found := address(message, links)) is not None]
    except NetlinkError as error:
        raise OSError(error.code, "the kernel refuses to list addresses") from error


def address(message: Any, links: Links) -> LocalAddress | None:
    """The address that a decoded message of the kernel (RTM_NEWADDR) tells, None for another family."""
    if message["family"] not in (socket.AF_INET, socket.AF_INET6):
        return None
    # Of a point-to-point link, ADDRESS is the other end.
    told = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    if told is None:
        return None
    flags = message.get_attr("IFA_FLAGS") or message["flags"]  # the latter has room for eight only
    lifetimes = message.get_attr("IFA_CACHEINFO") or {"ifa_preferred": _FOR_EVER}
    preferred = lifetimes["ifa_preferred"]
    adapter, up = links.get(message["index"], (str(message["index"]), True))  # it went away meanwhile
    return LocalAddress(
        adapter,
        ipaddress.ip_address(told),
        up=up,
        temporary=message["family"] == socket.AF_INET6 and bool(flags & _TEMPORARY),  # of IPv4: "secondary"
        tentative=bool(flags & (_TENTATIVE | _DAD_FAILED)) and not flags & _OPTIMISTIC,
        deprecated=bool(flags & _DEPRECATED),
        preferred=None if preferred == _FOR_EVER else float(preferred),
    )
