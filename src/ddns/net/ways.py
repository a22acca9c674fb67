"""How this process uses the network: what its connections leave by, through which proxies, whom TLS trusts beside.

One value for the whole process, set once its settings are known: a socket that was not told would leave by another
address than the others, and what it finds out would be about that one.
"""

from __future__ import annotations

import msgspec

from ddns.net.proxies import Proxies


class Ways(msgspec.Struct, frozen=True):
    """`source4`, `source6`: addresses of this machine to leave by; `interface`: one of its interfaces (Linux).

    `beside`: a PEM file of authorities that are trusted beside the system's. "" leaves each to the system.
    """

    source4: str = ""
    source6: str = ""
    interface: str = ""
    proxies: Proxies = Proxies()
    beside: str = ""


class _Process:
    ways = Ways()


def use(ways: Ways) -> None:
    """From now on, this is how."""
    _Process.ways = ways


def current() -> Ways:
    """How it is done now."""
    return _Process.ways
