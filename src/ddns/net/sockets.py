"""Sockets that leave by the address or interface that the settings name: for HTTP, DNS and the lock server alike.

What goes to this machine itself (a local resolver, a proxy beside us) is bound only to what is this machine's own
loopback. SO_BINDTODEVICE is Linux's: socket(7); elsewhere `runtime` turns an interface into its addresses.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys

from ddns.address import Family
from ddns.net import ways
from ddns.ports import Deadline

_KINDS = {None: socket.AF_UNSPEC, Family.V4: socket.AF_INET, Family.V6: socket.AF_INET6}
#: What says only that one family is missing here, and hides the better error of the other one.
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
#: A name, or an address, that has none of the family: getaddrinfo(3); Windows' WSANO_DATA.
_NO_ADDRESS = {getattr(socket, "EAI_ADDRFAMILY", -9), socket.EAI_NODATA, 11004} - {socket.EAI_NONAME}
#: Seconds that one address may take while others wait.
_CONNECT_SECONDS = 5.0


def bind(sock: socket.socket, host: str) -> None:
    """Bind a socket that will be connected to `host`, an IP address. Raises OSError that names what it can't leave by.

    A family that the settings name no address for is left to the routing table.
    """
    via = ways.current()
    far = not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    if via.interface and (far or via.interface == "lo"):
        _to_interface(sock, via.interface)
    source = via.source4 if sock.family == socket.AF_INET else via.source6
    if source and (far or ipaddress.ip_address(source).is_loopback):
        try:
            sock.bind((source, 0))
        except OSError as error:
            raise OSError(error.errno, f"{source} is not an address to leave by: {error.strerror}") from error


def _to_interface(sock: socket.socket, name: str) -> None:
    if sys.platform == "linux":
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
        except OSError as error:
            raise OSError(error.errno, f"{name} is not an interface to leave by: {error.strerror}") from error


def connect(host: str, port: int, deadline: Deadline, family: Family | None = None) -> socket.socket:
    """A TCP connection to the first address of `host` that takes one; each gets its share of the time.

    Raises OSError: of several, the one that says most. The socket's time limit is what is left of the deadline.
    """
    # ASCII bytes keep getaddrinfo from importing the IDNA codec; httpx hands names over in that form.
    asked = host.encode("ascii") if host.isascii() else host
    try:
        found = socket.getaddrinfo(asked, port, _KINDS[family], socket.SOCK_STREAM)
    except socket.gaierror as error:
        if family is not None and error.errno in _NO_ADDRESS:
            raise OSError(f"it has no IPv{family.value} address") from error
        raise
    worst: OSError = TimeoutError("timed out")
    for position, (kind, type_, proto, _, address) in enumerate(found):
        share = deadline.within(min(_CONNECT_SECONDS, deadline.left() / (len(found) - position)))
        if share.left() <= 0:
            raise TimeoutError("timed out")
        sock = socket.socket(kind, type_, proto)
        try:
            sock.settimeout(share.left())
            bind(sock, str(address[0]))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(deadline.left(), 0.001))
        except OSError as error:
            sock.close()
            if position == 0 or worst.errno in _NO_WAY or error.errno not in _NO_WAY:
                worst = error
            continue
        return sock
    raise worst
