"""The addresses of this machine's adapters, asked of the kernel by rtnetlink(7)."""

from __future__ import annotations

import socket
import sys

from ddns.host.addresses import LocalAddress
from ddns.host.linux import netlink

assert sys.platform != "win32"

_SECONDS = 5.0
_LARGEST = 1 << 16
#: IFF_UP, as /sys tells it.
_UP = 0x1


def read() -> list[LocalAddress]:
    """Every IPv4 and IPv6 address, the loopback's among them. Raises OSError."""
    found: list[LocalAddress] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.sendto(netlink.dump_request(), (0, 0))
        while True:
            for kind, body in netlink.messages(kernel.recv(_LARGEST)):
                if kind == netlink.DONE:
                    return found
                if kind == netlink.NEW_ADDRESS:
                    address = netlink.address(body, _adapter)
                    if address is not None:
                        found.append(address)


def _adapter(index: int) -> tuple[str, bool]:
    try:
        name = socket.if_indextoname(index)
        with open(f"/sys/class/net/{name}/flags", encoding="ascii") as file:
            return name, bool(int(file.read(), 16) & _UP)
    except (OSError, ValueError):  # it went away, or a container hides it
        return str(index), True
