"""Takes out of a text what a helper must not see: secrets, account ids, what URLs carry, addresses."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ddns.runtime import shaping

SECRET = "***"  # noqa: S105 - what stands in the place of one
#: Shorter texts are in every other word, and no secret.
_SHORTEST = 3
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>\\]+")
#: As a command's arguments or a template may have it, pasted.
_HEADER = re.compile(r"(\bauthorization: *[\w-]+ +)(?!\{)[^\s\"'\\]+", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{0,4}|(?:\d{1,3}\.){3}\d{1,3})(?![\w:])")
#: This machine, its own networks, and those behind a carrier's NAT: they tell nobody apart.
_NEAR = tuple(
    map(
        ip_network,
        (
            *("127.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
            *("100.64.0.0/10", "::1/128", "::/128", "fe80::/10", "fc00::/7"),
        ),
    )
)
_NOBODY = _NEAR[0], _NEAR[1], _NEAR[7], _NEAR[8]


class Redactor:
    """Remembers what to take out, and under which name it is told apart: the same text has the same name everywhere.

    `addresses`: take out this machine's own, and those of its networks, too.
    """

    def __init__(self, *, addresses: bool = False) -> None:
        self._all = addresses
        self._texts: dict[str, str] = {}
        self._paths: set[str] = set()
        self._known: set[IPv4Address | IPv6Address] = set()
        self._names: dict[IPv4Address | IPv6Address, str] = {}
        self._accounts = 0

    def secret(self, text: str) -> None:
        """Take this out, as it is and as JSON, URLs and headers spell it."""
        text = text.strip()
        if len(text) < _SHORTEST:
            return
        coded = base64.b64encode(text.encode(errors="surrogateescape")).decode()
        forms = {text, json.dumps(text)[1:-1], urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text)}
        for form in (*forms, coded, coded.rstrip("="), coded.translate({43: "-", 47: "_"}).rstrip("=")):
            self._texts[form] = SECRET

    def path(self, text: str) -> None:
        """Take out a URL's path where it stands without its URL, of which the shape stays."""
        self._paths.add(text)

    def account(self, text: str) -> None:
        """Take out what names an account; each gets a number."""
        if len(text) >= _SHORTEST and text not in self._texts:
            self._accounts += 1
            self._texts[text] = f"<account {self._accounts}>"

    def known(self, text: str) -> None:
        """The addresses in a text are this machine's own, or of its settings: not somebody else's."""
        _each_address(text, self._remember)

    def _remember(self, address: IPv4Address | IPv6Address) -> None:
        self._known.add(address)

    def clean(self, text: str) -> str:
        """The text without all that."""
        for path in sorted(self._paths, key=len, reverse=True):
            text = re.sub(rf"(?<![\w\]]){re.escape(path)}", SECRET, text)
        for form in sorted(self._texts, key=len, reverse=True):  # one may be part of another
            text = text.replace(form, self._texts[form])
        text = _HEADER.sub(r"\1***", _URL.sub(lambda match: shaping.url(match[0]), text))
        return _each_address(text, self._name)

    def _name(self, address: IPv4Address | IPv6Address) -> str | None:
        if _within(address, _NOBODY) or (not self._all and (address in self._known or _within(address, _NEAR))):
            return None
        if address not in self._names:
            whose = "own " if address in self._known else ""
            self._names[address] = f"<{whose}IPv{address.version} {len(self._names) + 1}>"
        return self._names[address]


def _within(address: IPv4Address | IPv6Address, networks: Iterable[object]) -> bool:
    return any(address in network for network in networks)  # type: ignore[operator]  # a network of either family


def _each_address(text: str, act: Callable[[IPv4Address | IPv6Address], str | None]) -> str:
    """The text with every address replaced by what `act` gives for it, None: left."""

    def one(match: re.Match[str]) -> str:
        try:
            found = act(ip_address(match[0]))
        except ValueError:
            return match[0]
        return match[0] if found is None else found

    return _IPV4.sub(one, _IPV6.sub(one, text))
