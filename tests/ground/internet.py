"""An internet of its own: the real names and addresses of public services lead to doubles, and to nothing else.

Namespaces of Linux (network, mounts, users; no rights are needed where a user may make them). Whoever is started by
`command` calls `inside` first; then it can bind the addresses that it asked for, also at ports below 1024.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ground import NotHere

_UNSHARE = ("unshare", "--map-root-user", "--net", "--mount")
#: netdevice(7)
_SIOCSIFFLAGS, _SIOCSIFADDR, _IFF_UP = 0x8914, 0x8916, 0x1


def command(*arguments: str) -> tuple[str, ...]:
    """The command line that starts a program in namespaces of its own. Raises NotHere."""
    try:
        tried = subprocess.run(
            (*_UNSHARE, "true"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as missing:
        raise NotHere("unshare (util-linux) is not installed") from missing
    if tried.returncode:
        raise NotHere(f"this system makes no namespaces for this user: {tried.stderr.strip()}")
    return (*_UNSHARE, *arguments)


def inside(names: Iterable[str], addresses: Iterable[str], folder: Path) -> None:
    """Bring loopback up with these addresses, and have these names lead to 127.0.0.1 by a hosts file in `folder`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))
        for number, address in enumerate(addresses):
            held = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(handle, _SIOCSIFADDR, struct.pack("16s16s8x", f"lo:{number}".encode(), held))
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in names))
    subprocess.run(("mount", "--bind", str(hosts), "/etc/hosts"), check=True)


def trust(authority: Path) -> None:
    """Have programs of this system, and Windows programs under Wine, trust this authority (PEM) and no other."""
    subprocess.run(("mount", "--bind", str(authority), "/etc/ssl/certs/ca-certificates.crt"), check=True)
