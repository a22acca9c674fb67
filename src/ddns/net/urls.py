"""Which URLs a secret may be sent to."""

from __future__ import annotations

import ipaddress
import urllib.parse


def base_url(url: str) -> str:
    """A base URL without its final slash. Raises ValueError unless it is https, or http to this machine."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, user, _ = parts.hostname or "", parts.username, parts.port
    except ValueError as error:
        raise ValueError("not a URL") from error
    if user is not None or not host:
        raise ValueError("expected https://HOST/PATH without user name and password")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(host)):
        raise ValueError(f"the secret would travel in the clear; use https, not {parts.scheme or 'http'}")
    return url.rstrip("/")


def loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
