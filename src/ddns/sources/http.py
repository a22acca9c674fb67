"""Sources asked over HTTP: echo services, Cloudflare's trace, the own gateway, own URLs."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Mapping

import msgspec

from ddns import http_time
from ddns.address import Address, Family, Network
from ddns.errors import CaptivePortal, Intercepted, ProviderError, SourceError, Untrusted, foreign
from ddns.ports import Deadline, HttpRequest, HttpResponse, Net
from ddns.sources.pick import pick

#: Bytes of an answer.
LIMIT = 4096
#: "Network Authentication Required", of portals that say so (RFC 6585 section 6).
_LOG_IN = 511
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|meta|script|\?xml)", re.IGNORECASE)


class HttpSource(msgspec.Struct, frozen=True):
    """A URL that answers with the caller's address.

    `form`: ``text`` (the whole body is the address), ``trace`` (key=value lines with ``ip`` and ``h``), and those of
    `pick`. `urls` by family: services have a host name for each. An address in a network of `exits` is that of a
    tunnel or a relay of the operator, and not the caller's.
    """

    name: str
    operator: str
    urls: Mapping[Family, str]
    form: str = "text"
    suffices: bool = False
    ca_file: str = ""
    exits: tuple[Network, ...] = ()

    @property
    def authenticated(self) -> bool:
        """Over TLS the answer can't be forged on the way."""
        return all(url.startswith("https://") for url in self.urls.values())

    @property
    def families(self) -> frozenset[Family]:
        """The families that there is a URL for."""
        return frozenset(self.urls)

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:
        """The address in the answer: status 2xx, at most 4 KiB, exactly one address. Raises SourceError."""
        request = HttpRequest("GET", self.urls[family], {"accept": "*/*"}, ca_file=self.ca_file)
        try:
            response = net.http(request, family=family, limit=LIMIT, deadline=deadline)
        except Untrusted as error:
            kind = CaptivePortal if error.authority else SourceError
            raise kind(f"{self.name}: {error.message}. {error.advice.removesuffix('.')}") from error
        except Intercepted as error:
            raise CaptivePortal(f"{self.name}: {error.message}") from error
        except ProviderError as error:
            raise SourceError(f"{self.name}: {error.message}") from error
        self._refuse(response, self.urls[family])
        try:
            address = ipaddress.ip_address(self._text(response.body))
        except (ValueError, RecursionError) as error:  # the latter: JSON that is nested a thousand deep
            said = foreign(response.body[:80].decode("utf-8", "replace"), 40)
            raise SourceError(f'{self.name}: the answer is not one address: "{said}"') from error
        refuse_exit(self.name, self.operator, address, self.exits)
        return address

    def _refuse(self, response: HttpResponse, url: str) -> None:
        """Raise what the answer means if it is no answer of such a service."""
        if 300 <= response.status < 400:
            raise self._redirected(response, url)
        if response.status == _LOG_IN:
            raise CaptivePortal(f"{self.name}: this network wants a log-in first (status {_LOG_IN})")
        if not 200 <= response.status < 300:
            raise SourceError(
                f"{self.name}: answered with status {response.status}",
                retry_after=http_time.retry_after(response.headers),
            )
        if self.form != "text" and self.form.startswith("regex:"):
            return  # whoever sets a pattern may want it of a page
        if "html" in response.headers.get("content-type", "").lower() or _MARKUP.match(response.body):
            raise CaptivePortal(f"{self.name}: a web page came in place of an address; a captive portal or a filter?")

    def _redirected(self, response: HttpResponse, url: str) -> SourceError:
        try:
            target = urllib.parse.urljoin(url, response.headers.get("location", ""))
            to, here = urllib.parse.urlsplit(target).hostname or "", urllib.parse.urlsplit(url).hostname
        except ValueError:
            to, here = "", ""
        told = f"{self.name}: answered with a redirect (status {response.status})"
        if to == here:
            return SourceError(f"{told}; redirects are not followed")
        return CaptivePortal(f"{told} to {foreign(to, 60) or 'nowhere'}; a captive portal or a filter?")

    def _text(self, body: bytes) -> str:
        if self.form == "text":
            return body.decode("ascii").strip()
        if self.form != "trace":
            return pick(self.form, body)
        return self._trace(dict(line.partition("=")[::2] for line in body.decode("ascii").strip().splitlines()))

    def _trace(self, fields: dict[str, str]) -> str:
        """The address, if the trace is of the host that was asked and not of a tunnel's exit."""
        hosts = {url.split("/")[2] for url in self.urls.values()}
        if fields.get("h", "") not in hosts:
            raise SourceError(f"{self.name}: the trace is not of {', '.join(sorted(hosts))}")
        if fields.get("warp", "off") != "off":
            raise SourceError(f"{self.name}: the connection goes through a WARP tunnel")
        return fields.get("ip", "")


def refuse_exit(name: str, operator: str, address: Address, exits: tuple[Network, ...]) -> None:
    """Raise SourceError for an address that is the operator's own."""
    if any(address.version == net.version and address in net for net in exits):
        raise SourceError(f"{name}: answered {address}, which is {operator}'s own: a tunnel or relay is on the way")
