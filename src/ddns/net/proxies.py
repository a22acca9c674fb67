"""Through which proxy a URL is asked: the one that the settings name, the system's, or none.

A proxy is only a way: TLS to the server goes through it by CONNECT (RFC 9110 section 9.3.6) and is verified as without
it. What goes to this machine itself never takes one. Sources take none: they would tell the proxy's address.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Callable

import msgspec

from ddns.errors import BadCredentials, Transport, foreign
from ddns.net.urls import loopback
from ddns.secret import Secret

SYSTEM, NONE = "system", "none"
_CHECK = "Check [proxy] of the settings."


class Hop(msgspec.Struct, frozen=True):
    """A proxy: its URL without user, and user and password where it wants them."""

    url: str
    login: tuple[bytes, bytes] | None = None

    def __repr__(self) -> str:
        return f"Hop({str(self)!r})"  # without the password

    def __str__(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc


class Proxies(msgspec.Struct, frozen=True):
    """`[proxy]`. `url`: ``none``, ``system``, or ``http://HOST:PORT``; `password` opens the secret when it is used."""

    url: str = NONE
    user: str = ""
    password: Callable[[], Secret] | None = None
    no_proxy: tuple[str, ...] = ()

    def hop(self, url: str) -> Hop | None:
        """The proxy on the way to `url`, None for a direct way. Raises Transport when it can't be used."""
        host = urllib.parse.urlsplit(url).hostname or ""
        if self.url == NONE or loopback(host) or excepted(host, self.no_proxy):
            return None
        if self.url == SYSTEM:
            return _system(host, urllib.parse.urlsplit(url).scheme)
        return Hop(self.url, self._login())

    def _login(self) -> tuple[bytes, bytes] | None:
        if not self.user:
            return None
        try:
            password = self.password().reveal() if self.password is not None else ""
        except BadCredentials as error:  # of the proxy: the provider's own are not blamed
            raise Transport(f"the proxy's password can't be opened: {error.message}", advice=error.advice) from error
        return self.user.encode(), password.encode()


def excepted(host: str, names: tuple[str, ...]) -> bool:
    """Whether a host is one of `names`, lies below one, or in one that is a network; ``*`` is every host."""
    host = host.lower().rstrip(".")
    for name in names:
        plain = name.lower().strip().removeprefix("*").strip(".")
        if not plain or host == plain or host.endswith(f".{plain}") or _in_network(host, name):
            return True
    return False


def _in_network(host: str, name: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _system(host: str, scheme: str) -> Hop | None:
    """As the environment says (HTTPS_PROXY, NO_PROXY) or, on Windows without it, the user's Internet options."""
    import urllib.request  # noqa: PLC0415 - 30 ms, for who asks for it

    if urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies()
    text = found.get(scheme) or found.get("all") or ""
    if not text:
        return None
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or 80
    except ValueError:
        raise Transport("the system's proxy is not a URL", advice=_CHECK) from None
    if parts.scheme != "http" or not parts.hostname:
        kind = foreign(parts.scheme, 20)
        raise Transport(f"the system's proxy is of a kind that is not spoken here: {kind}", advice=_CHECK)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = None
    if parts.username:
        login = tuple(urllib.parse.unquote(part).encode() for part in (parts.username, parts.password or ""))
    return Hop(f"http://{name}:{port}", (login[0], login[1]) if login else None)
