"""Sources asked over HTTP: echo services, Cloudflare's trace, the own gateway, own URLs."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping

import msgspec

from ddns.address import Address, Family
from ddns.errors import ProviderError, SourceError, Untrusted, foreign
from ddns.model import HttpRequest
from ddns.ports import Deadline, Net

_LIMIT = 4096


class HttpSource(msgspec.Struct, frozen=True):
    """A URL that answers with the caller's address.

    `form`: ``text`` (the whole body is the address), ``trace`` (key=value lines with ``ip`` and ``h``), or
    ``json:KEY``. `urls` by family: services have a host name for each.
    """

    name: str
    operator: str
    urls: Mapping[Family, str]
    form: str = "text"
    suffices: bool = False
    ca_file: str = ""

    @property
    def authenticated(self) -> bool:
        """Over TLS the answer can't be forged on the way."""
        return all(url.startswith("https://") for url in self.urls.values())

    @property
    def families(self) -> frozenset[Family]:
        """The families that there is a URL for."""
        return frozenset(self.urls)

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:
        """The address in the answer: status 2xx, at most 4 KiB, exactly one address."""
        request = HttpRequest("GET", self.urls[family], {"accept": "*/*"}, ca_file=self.ca_file)
        try:
            response = net.http(request, family=family, limit=_LIMIT, deadline=deadline)
        except Untrusted as error:
            raise SourceError(f"{self.name}: {error.message}. {error.advice.removesuffix('.')}") from error
        except ProviderError as error:
            raise SourceError(f"{self.name}: {error.message}") from error
        if not 200 <= response.status < 300:
            raise SourceError(f"{self.name}: answered with status {response.status}")
        try:
            return ipaddress.ip_address(self._text(response.body.decode("ascii").strip()))
        except (ValueError, RecursionError) as error:  # the latter: JSON that is nested a thousand deep
            said = foreign(response.body[:80].decode("utf-8", "replace"), 40)
            raise SourceError(f'{self.name}: the answer is not one address: "{said}"') from error

    def _text(self, body: str) -> str:
        if self.form == "text":
            return body
        if self.form == "trace":
            return self._trace(dict(line.partition("=")[::2] for line in body.splitlines()))
        data = json.loads(body)
        value = data.get(self.form.removeprefix("json:")) if isinstance(data, dict) else None
        if not isinstance(value, str):
            raise ValueError("no such key")  # noqa: TRY004 - a bad answer, not a bad call
        return value

    def _trace(self, fields: dict[str, str]) -> str:
        """The address, if the trace is of the host that was asked and not of a tunnel's exit."""
        hosts = {url.split("/")[2] for url in self.urls.values()}
        if fields.get("h", "") not in hosts:
            raise SourceError(f"{self.name}: the trace is not of {', '.join(sorted(hosts))}")
        if fields.get("warp", "off") != "off":
            raise SourceError(f"{self.name}: the connection goes through a WARP tunnel")
        return fields.get("ip", "")
