"""Proxies and exceptions as Windows writes them: in the Internet options, and for services (netsh winhttp). Pure.

A list is separated by semicolons or blanks. Source: learn.microsoft.com, WINHTTP_PROXY_INFO and "Setting and Retrieving
Internet Options" (INTERNET_PROXY_INFO).
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: An entry of a list that stands for names without a period.
_LOCAL = "<local>"


class Options(NamedTuple):
    """What the system says: `servers` and `exceptions` are lists, `script` is the URL of a script that would choose."""

    servers: str = ""
    exceptions: str = ""
    script: str = ""


def server(servers: str, scheme: str) -> str:
    """The proxy of a list for URLs of a scheme, "" for none: ``proxy:3128``, or ``http=a:80;https=b:443;socks=c:1``."""
    found: dict[str, str] = {}
    for entry in _entries(servers):
        name, equals, where = entry.rpartition("=")
        found.setdefault(name.lower() if equals else "", where)
    if "socks" in found and not {scheme, ""} & found.keys():
        return f"socks://{found['socks']}"
    return found.get(scheme) or found.get("", "")


def excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether a host is reached directly: ``*`` stands for any text, ``<local>`` for every name without a period.

    An entry may begin with a scheme, which says nothing here, and end with the port that it is for.
    """
    name = host.lower().rstrip(".")
    for entry in map(str.lower, _entries(exceptions)):
        if entry == _LOCAL:
            if "." not in name and ":" not in name:
                return True
            continue
        pattern, its_port = _parted(entry.rpartition("://")[2])
        if its_port in ("", str(port)) and re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL):
            return True
    return False


def _entries(text: str) -> list[str]:
    return [entry for entry in re.split(r"[;\s]+", text) if entry]


def _parted(entry: str) -> tuple[str, str]:
    """Host pattern and port, "" where it names none. An IPv6 address with a port stands in brackets."""
    if entry.startswith("["):
        pattern, _, rest = entry[1:].partition("]")
        return pattern, rest.removeprefix(":")
    if entry.count(":") == 1:
        pattern, _, port = entry.partition(":")
        return pattern, port
    return entry, ""
