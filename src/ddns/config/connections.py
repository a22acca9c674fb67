"""Rules for the tables about other machines than providers: where a lease is kept, and the ways of the network.

As in `rules`, what is not of the right type is passed over: `convert` has reported it.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Mapping
from typing import Any

from ddns.config.convert import Report
from ddns.config.schema import Duration
from ddns.config.words import quoted
from ddns.net.urls import base_url, loopback

_SHORTEST, _LONGEST = Duration("30s"), Duration("10m")
#: Proxies that are none of HTTP's, by the scheme of their URL.
_UNSPOKEN = {
    **dict.fromkeys(("socks", "socks4", "socks4a", "socks5", "socks5h"), "a SOCKS proxy"),
    "https": "TLS to the proxy itself",
}
_FORWARDER = "Put a local HTTP forwarder in front of it, and name that: http://127.0.0.1:PORT"
_SCHEMES = {"redis": ("redis", "rediss"), "etcd": ("https", "http")}


def check_lock(merged: Mapping[str, Any], report: Report) -> None:
    """Report what is wrong between the keys of `[lock]`."""
    lock = merged.get("lock")
    if not isinstance(lock, dict):
        return
    kind = lock.get("kind")
    if kind == "gateway":
        _at_the_gateway(merged, lock, report)
    elif kind in _SCHEMES:
        wrong = _url(kind, lock)
        if wrong:
            report(("lock", "url"), wrong)
    if kind == "etcd" and bool(lock.get("user")) != ("secret" in lock):
        report(("lock", "secret" if lock.get("user") else "user"), "user and secret go together")
    if lock.get("key_file") and not lock.get("cert_file"):
        report(("lock", "key_file"), "it is the key of cert_file, which is not set")
    try:
        ttl = Duration(lock["ttl"]) if isinstance(lock.get("ttl"), str) else None
    except ValueError:
        return
    if ttl is not None and not _SHORTEST.seconds <= ttl.seconds <= _LONGEST.seconds:
        report(("lock", "ttl"), f"expected {_SHORTEST} to {_LONGEST}, found {ttl}: a write must end before its lease")


def _at_the_gateway(merged: Mapping[str, Any], lock: Mapping[str, Any], report: Report) -> None:
    if "gateway" not in merged:
        report(("lock", "kind"), '"gateway" keeps the lease at the own gateway, but there is no table [gateway]')
    if "secret" not in lock:
        report(("lock", "secret"), "required key is missing (the identity that `ddns enroll` stored)")
    for key in ("url", "user", "ca_file", "cert_file", "key_file"):
        if lock.get(key):
            report(("lock", key), "not of a lease at the gateway: [gateway] says where that is")


def _url(kind: str, lock: Mapping[str, Any]) -> str | None:
    text = lock.get("url")
    if text is None or text == "":
        return f"required key is missing (where {kind} is)"
    if not isinstance(text, str):
        return None
    try:
        parts = urllib.parse.urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"expected a URL, found {quoted(text)}"
    wanted = " or ".join(f"{scheme}://HOST:PORT" for scheme in _SCHEMES[kind])
    if parts.scheme not in _SCHEMES[kind] or not host:
        return f"expected {wanted}"  # what was found may hold a password
    if "@" in parts.netloc:
        return "expected no user and password in it: set user, and secret"
    if kind == "etcd":
        try:
            base_url(text)
        except ValueError as error:
            return str(error)
        return None
    if parts.path.strip("/") and not (parts.path[1:].isascii() and parts.path[1:].isdigit()):
        return f"expected a database number after the host, found {quoted(parts.path)}"
    if parts.scheme == "redis" and "secret" in lock and not loopback(host):
        return "the secret would travel in the clear; use rediss, not redis"
    return None


def check_ways(merged: Mapping[str, Any], report: Report) -> None:
    """Report what is wrong in `[proxy]` and `[network]`."""
    proxy, network = merged.get("proxy"), merged.get("network")
    if isinstance(proxy, dict):
        wrong = _proxy(proxy.get("url"))
        if wrong:
            report(("proxy", "url"), wrong)
        named = isinstance(proxy.get("url"), str) and proxy["url"] not in ("none", "system")
        for key in ("user", "password"):
            if proxy.get(key) and not named:
                report(("proxy", key), "it goes with the url of a proxy")
        if ("password" in proxy) and not proxy.get("user"):
            report(("proxy", "user"), "it is missing beside the password")
    if isinstance(network, dict):
        for family in (4, 6):
            text = network.get(f"source{family}")
            if isinstance(text, str) and text and not _is_address(text, family):
                report(("network", f"source{family}"), f"expected an IPv{family} address, found {quoted(text)}")
        name = network.get("interface")
        if isinstance(name, str) and (len(name) > 256 or "/" in name or not name.isprintable()):
            report(("network", "interface"), f"expected the name of an interface, found {quoted(name)}")


def _proxy(text: object) -> str | None:
    if not isinstance(text, str) or text in ("none", "system"):
        return None
    try:
        parts = urllib.parse.urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urllib.parse.urlsplit("")
    if "@" in parts.netloc or "@" in text:
        return "expected no user and password in it: set user, and password"
    if parts.scheme in _UNSPOKEN:
        return f"{_UNSPOKEN[parts.scheme]} is not spoken here: {quoted(text)}. {_FORWARDER}"
    if parts.scheme == "http" and parts.path.lower().endswith((".pac", ".dat")):
        return f"a script (PAC) is not run here: {quoted(text)}; name the proxy that it chooses, as http://HOST:PORT"
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query:
        return f'expected http://HOST:PORT, "system" or "none", found {quoted(text.partition("?")[0])}'
    return None


def _is_address(text: str, family: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == family
    except ValueError:
        return False
