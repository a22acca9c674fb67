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
from ddns.net.options import Options, server
from ddns.net.options import excepted as listed
from ddns.net.urls import loopback
from ddns.secret import Secret

SYSTEM, NONE = "system", "none"
_CHECK = "Check [proxy] of the settings."
_NAME = "Name the proxy that it chooses in [proxy] url, or set that to none."
#: What to do about a proxy that is no HTTP proxy.
UNSPOKEN = "Put a local HTTP forwarder in front of it, and name that: [proxy] url = http://127.0.0.1:PORT"


class Hop(msgspec.Struct, frozen=True):
    """A proxy: its URL without user, and user and password where it wants them."""

    url: str
    login: tuple[bytes, bytes] | None = None

    def __repr__(self) -> str:
        return f"Hop({str(self)!r})"  # without the password

    def __str__(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc


class Proxies(msgspec.Struct, frozen=True):
    """`[proxy]`. `url`: ``none``, ``system``, or ``http://HOST:PORT``; `password` opens the secret when it is used.

    `system` reads what the system says beside the environment.
    """

    url: str = NONE
    user: str = ""
    password: Callable[[], Secret] | None = None
    no_proxy: tuple[str, ...] = ()
    system: Callable[[], Options] = Options

    def hop(self, url: str) -> Hop | None:
        """The proxy on the way to `url`, None for a direct way. Raises Transport when it can't be used."""
        host = urllib.parse.urlsplit(url).hostname or ""
        if self.url == NONE or loopback(host) or excepted(host, self.no_proxy):
            return None
        if self.url == SYSTEM:
            return _system(url, self.system)
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


def _system(url: str, read: Callable[[], Options]) -> Hop | None:
    """As the environment says (HTTPS_PROXY, NO_PROXY) or, without it, the system's own options."""
    import urllib.request  # noqa: PLC0415 - 30 ms, for who asks for it

    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = urllib.request.getproxies_environment()
    if found:
        text = found.get(parts.scheme) or found.get("all") or ""
        return _hop(text) if text and not urllib.request.proxy_bypass(host) else None
    said = read()
    text = server(said.servers, parts.scheme)
    if text:
        return None if listed(host, port, said.exceptions) else _hop(text)
    if said.script and not said.servers:
        raise Transport(
            f"the system's proxy is chosen by a script (PAC), which is not run here: {_shown(said.script)}",
            advice=_NAME,
        )
    return None


def _hop(text: str) -> Hop:
    """The proxy that is written so. Raises Transport."""
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or 80
    except ValueError:
        raise Transport("the system's proxy is not a URL", advice=_CHECK) from None
    if parts.scheme != "http" or not parts.hostname:
        raise Transport(f"the system's proxy is of a kind that is not spoken here: {_shown(text)}", advice=UNSPOKEN)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = None
    if parts.username:
        login = tuple(urllib.parse.unquote(part).encode() for part in (parts.username, parts.password or ""))
    return Hop(f"http://{name}:{port}", (login[0], login[1]) if login else None)


def _shown(url: str) -> str:
    """A URL without what may be a secret: user, password, query."""
    scheme, _, rest = url.partition("://")
    return foreign(f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}", 80)
