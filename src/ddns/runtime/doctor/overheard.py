"""A network that remembers which servers were asked, over which trust, and what they said of the time."""

from __future__ import annotations

import threading
import urllib.parse
from dataclasses import dataclass

from ddns import http_time
from ddns.address import Family
from ddns.errors import ProviderError
from ddns.ports import Clock, Deadline, HttpRequest, HttpResponse, Net


@dataclass(frozen=True, slots=True)
class Heard:
    """One exchange. `skew`: seconds that the server's clock is ahead of ours, None when it did not tell the time.

    `needed`: runs fail without this server; of sources there are others.
    """

    host: str
    port: int
    secure: bool
    ca_file: str
    error: ProviderError | None
    skew: float | None
    needed: bool = True


class Overheard:
    """Implements `ports.Net` by another one."""

    def __init__(self, net: Net, clock: Clock) -> None:
        self._net = net
        self._clock = clock
        self._lock = threading.Lock()
        self.heard: list[Heard] = []
        #: Whether what is asked from now on is needed.
        self.needed = False

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        """See `ports.Net`."""
        began = self._clock.now()
        try:
            response = self._net.http(request, deadline=deadline, family=family, limit=limit)
        except ProviderError as error:
            self._keep(request, error, None)
            raise
        # Date has whole seconds: half of one more, as of the middle of the exchange.
        middle = (began + self._clock.now()) / 2
        self._keep(request, None, http_time.skew(response.headers, middle - 0.5))
        return response

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        """See `ports.Net`."""
        return self._net.udp(data, to, deadline=deadline)

    def _keep(self, request: HttpRequest, error: ProviderError | None, skew: float | None) -> None:
        try:
            url = urllib.parse.urlsplit(request.url)
            secure = url.scheme == "https"
            port = url.port or (443 if secure else 80)
            heard = Heard(url.hostname or "", port, secure, request.ca_file, error, skew, self.needed)
        except ValueError:
            return  # no URL, which the error says
        with self._lock:  # sources are asked in threads
            self.heard.append(heard)
