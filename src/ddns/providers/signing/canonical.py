"""What the signature schemes share: a request's parts in the one form that both sides hash, and the hashes."""

from __future__ import annotations

import hashlib
import hmac
import time
import urllib.parse
from collections.abc import Iterable

import msgspec

from ddns.ports import HttpRequest


class Key(msgspec.Struct, frozen=True):
    """An access key: its public id, and the secret that signs. Only the id shows.

    `token`: what goes with a temporary key, where a scheme knows such; "" for a lasting one.
    """

    id: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Key({self.id!r}, ***)"


class Parts(msgspec.Struct, frozen=True):
    """A URL as signatures see it. `query` is sorted and percent-encoded, `path` as it is sent."""

    host: str
    path: str
    query: str


def parts(request: HttpRequest) -> Parts:
    """Take a request's URL apart."""
    split = urllib.parse.urlsplit(request.url)
    return Parts(split.netloc, split.path or "/", query(urllib.parse.parse_qsl(split.query, keep_blank_values=True)))


def query(pairs: Iterable[tuple[str, str]]) -> str:
    """A query, sorted and percent-encoded by RFC 3986: what is sent and what is signed are the same text."""
    return "&".join(f"{escape(name)}={escape(value)}" for name, value in sorted(pairs))


def escape(text: str) -> str:
    """Percent-encode all but the unreserved characters of RFC 3986."""
    return urllib.parse.quote(text, safe="~")


def digest(data: bytes | str | None) -> str:
    """SHA-256 in hex; of nothing for None."""
    return hashlib.sha256(_bytes(data or b"")).hexdigest()


def mac(key: bytes | str, text: str) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(_bytes(key), text.encode(), hashlib.sha256).digest()


def lines(*items: str) -> str:
    """One item a line, without a final line feed."""
    return "\n".join(items)


def header_lines(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Headers as lines ``name:value``, by name, and their names; lower case, values without outer spaces."""
    named = sorted((name.lower(), value.strip()) for name, value in headers)
    return "".join(f"{name}:{value}\n" for name, value in named), ";".join(name for name, _ in named)


def stamp(now: float, form: str) -> str:
    """A moment in UTC by `time.strftime`'s form."""
    return time.strftime(form, time.gmtime(now))


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data
