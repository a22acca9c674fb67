"""The update services that are known by name, as their pages (`presets.Service.page`) describe what they are asked.

`ASKED` is written from those pages, and from what several independent clients send, not from `presets`. A double is
one service: it takes exactly the documented host, path and query, and the credential in its place.
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from ddns.net.client import Client
from ddns.ports import Deadline, HttpRequest, HttpResponse
from ground.http import Reply, Request
from providers.doubles.dns import DnsServer
from providers.doubles.web import Web
from providers.doubles.zone import MemoryZone

USER, PASSWORD = "fleet", "canary&pa ss/wörd"


@dataclass(frozen=True)
class Asked:
    """What a service is asked: the whole URL for each family ("" where it takes none), and the Basic user name."""

    v4: str
    v6: str = ""
    user: str = USER
    good: str = "good {address}"
    status: int = 200
    wrong: tuple[int, str] = (401, "badauth")
    host: str = "home.example.com"


_DYNDNS = "?hostname=home.example.com&myip={address}"


def _same(url: str, **more: Any) -> Asked:
    """A service that takes IPv6 as IPv4."""
    return Asked(f"{url}{_DYNDNS}", f"{url}{_DYNDNS}", **more)


ASKED = {
    "allinkl": Asked(
        "https://dyndns.kasserver.com/?host=home.example.com&myip={address}",
        "https://dyndns.kasserver.com/?host=home.example.com&myip6={address}",
    ),
    "changeip": Asked(
        "https://nic.changeip.com/nic/update?hostname=home.example.com&ip={address}",
        good="200 Successful Update",
        wrong=(200, "401 Access Denied"),
    ),
    "dd24": Asked(
        "https://dynamicdns.key-systems.net/update.php?hostname=home.example.com&password={password}&ip={address}",
        user="",
        good="[RESPONSE]\ncode = 200\ndescription = Command completed successfully\nEOF\n",
        wrong=(200, "[RESPONSE]\ncode = 530\ndescription = Authorization failed\nEOF\n"),
    ),
    "ddnss": Asked(
        "https://www.ddnss.de/upd.php?user=fleet&pwd={password}&host=home.example.com&ip={address}",
        "https://www.ddnss.de/upd.php?user=fleet&pwd={password}&host=home.example.com&ip6={address}",
        user="",
        good="<html><head><title>DDNSS</title></head><body>\nUpdated 1 hostname.\n</body></html>",
        wrong=(200, "<html><body>badauth</body></html>"),
    ),
    "desec": Asked(
        "https://update.dedyn.io/?hostname=home.example.com&myipv4={address}&myipv6=preserve",
        "https://update.dedyn.io/?hostname=home.example.com&myipv6={address}&myipv4=preserve",
        good="good",
    ),
    "dnsomatic": Asked(
        f"https://updates.dnsomatic.com/nic/update{_DYNDNS}&wildcard=NOCHG&mx=NOCHG&backmx=NOCHG",
    ),
    "domeneshop": _same("https://api.domeneshop.no/v0/dyndns/update", good="", status=204),
    "dondominio": Asked(
        "https://dondns.dondominio.com/json/?user=fleet&apikey={password}&host=home.example.com&ip={address}",
        user="",
        good='{"success": true, "messages": ["home.example.com"]}',
        wrong=(200, '{"success": false, "messages": ["Wrong user or key"]}'),
    ),
    "duckdns": Asked(
        "https://www.duckdns.org/update?domains=home&token={password}&ip={address}",
        "https://www.duckdns.org/update?domains=home&token={password}&ipv6={address}",
        user="",
        good="OK",
        wrong=(200, "KO"),
        host="home.duckdns.org",
    ),
    "dyn": _same("https://members.dyndns.org/v3/update"),
    "dynrs": Asked(f"https://dyn.rs/v3/update{_DYNDNS}"),
    "dynu": Asked(
        "https://api.dynu.com/nic/update?hostname=home.example.com&myip={address}&myipv6=no",
        "https://api.dynu.com/nic/update?hostname=home.example.com&myip=no&myipv6={address}",
        good="good",
    ),
    "dynv6": Asked(
        "https://dynv6.com/api/update?zone=home.example.com&token={password}&ipv4={address}",
        "https://dynv6.com/api/update?zone=home.example.com&token={password}&ipv6={address}",
        user="",
        good="addresses updated",
        wrong=(401, "unauthorized"),
    ),
    "easydns": Asked(f"https://api.cp.easydns.com/dyn/generic.php{_DYNDNS}", good="NOERROR", wrong=(200, "NOACCESS")),
    "freedns": Asked(
        "https://freedns.afraid.org/dynamic/update.php?{password}&address={address}",
        "https://freedns.afraid.org/dynamic/update.php?{password}&address={address}",
        user="",
        good="Updated home.example.com to {address} in 0.326 seconds",
        wrong=(200, "ERROR: Unable to locate this record (changed password recently? deleted and re-created?)"),
    ),
    "freemyip": Asked(
        "https://freemyip.com/update?token={password}&domain=home.example.com&myip={address}",
        user="",
        good="OK",
        wrong=(200, "ERROR"),
    ),
    "goip": Asked(
        "https://www.goip.de/setip?username=fleet&password={password}&subdomain=home.example.com"
        "&ip={address}&shortResponse=true",
        "https://www.goip.de/setip?username=fleet&password={password}&subdomain=home.example.com"
        "&ip6={address}&shortResponse=true",
        user="",
        good="home.example.com ({address})",
        wrong=(200, "Zugriff verweigert!"),
    ),
    "henet": _same("https://dyn.dns.he.net/nic/update", user="home.example.com"),
    "infomaniak": _same("https://infomaniak.com/nic/update", wrong=(400, "badauth")),
    "inwx": Asked(
        f"https://dyndns.inwx.com/nic/update{_DYNDNS}",
        "https://dyndns.inwx.com/nic/update?hostname=home.example.com&myipv6={address}",
    ),
    "ipv64": Asked(
        "https://ipv64.net/nic/update?domain=home.example.com&ip={address}",
        "https://ipv64.net/nic/update?domain=home.example.com&ip6={address}",
        user="none",
        good='{"info":"good"}',
        wrong=(401, '{"info":"Unauthorized"}'),
    ),
    "loopia": Asked(f"https://dyndns.loopia.se/{_DYNDNS}", good="good"),
    "namecheap": Asked(
        "https://dynamicdns.park-your-domain.com/update?host=home&domain=example.com&password={password}&ip={address}",
        user="",
        good='<?xml version="1.0" encoding="utf-16"?>\n<interface-response><Command>SETDNSHOST</Command>'
        "<IP>{address}</IP><ErrCount>0</ErrCount><errors /><Done>true</Done></interface-response>",
        wrong=(
            200,
            "<interface-response><ErrCount>1</ErrCount><Err1>Passwords do not match</Err1></interface-response>",
        ),
    ),
    "njalla": Asked(
        "https://njal.la/update/?h=home.example.com&k={password}&a={address}",
        "https://njal.la/update/?h=home.example.com&k={password}&aaaa={address}",
        user="",
        good='{"status": 200, "message": "record updated", "value": {"A": "{address}"}}',
        wrong=(401, '{"status": 401, "message": "invalid host or key"}'),
    ),
    "noip": _same("https://dynupdate.no-ip.com/nic/update"),
    "nowdns": _same("https://now-dns.com/update", good="good", wrong=(400, "badauth")),
    "nsupdate": Asked(
        f"https://ipv4.nsupdate.info/nic/update{_DYNDNS}",
        f"https://ipv6.nsupdate.info/nic/update{_DYNDNS}",
        user="home.example.com",
    ),
    "ovh": Asked(
        "https://www.ovh.com/nic/update?system=dyndns&hostname=home.example.com&myip={address}",
        "https://www.ovh.com/nic/update?system=dyndns&hostname=home.example.com&myip={address}",
    ),
    "regfish": Asked(
        "https://dyndns.regfish.de/?fqdn=home.example.com.&ipv4={address}&forcehost=1&authtype=secure&token={password}",
        "https://dyndns.regfish.de/?fqdn=home.example.com.&ipv6={address}&forcehost=1&authtype=secure&token={password}",
        user="",
        good="success|100|update succeeded!",
        wrong=(200, "error|401|authentication failed"),
    ),
    "selfhost": Asked(f"https://carol.selfhost.de/nic/update{_DYNDNS}", wrong=(401, "")),
    "spdyn": Asked(f"https://update.spdyn.de/nic/update{_DYNDNS}"),
    "strato": Asked(f"https://dyndns.strato.com/nic/update{_DYNDNS}"),
    "variomedia": _same("https://dyndns.variomedia.de/nic/update"),
    "zoneedit": Asked(
        f"https://api.cp.zoneedit.com/dyn/generic.php{_DYNDNS}",
        good='<SUCCESS CODE="200" TEXT="home.example.com updated to {address}" ZONE="example.com">',
        wrong=(200, '<ERROR CODE="708" TEXT="Failed Login: fleet" ZONE="home.example.com">'),
    ),
}


class Service:
    """One service, on loopback; it is the `Net` of its client, which leads its host here and no other anywhere."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.zone = MemoryZone(origin=asked.host.partition(".")[2])
        self.dns = DnsServer(self.zone)
        self.web = Web(self._answer, lambda _request: True)
        self.reply: Reply | None = None
        self._client = Client()
        self._host = ""

    def http(self, request: HttpRequest, *, deadline: Deadline, family: object = None, limit: int = 0) -> HttpResponse:
        del family, limit
        scheme, rest = request.url.split("://")
        self._host, _, target = rest.partition("/")
        assert scheme == "https"
        here = HttpRequest(request.method, f"{self.web.root}/{target}", request.headers, request.content)
        return self._client.http(here, deadline=deadline)

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        raise AssertionError

    def _answer(self, request: Request) -> Reply:
        if self.reply is not None:
            return self.reply
        for template, rtype in ((self.asked.v4, "A"), (self.asked.v6, "AAAA")):
            pattern = re.escape(template).replace(r"\{password\}", "(?P<password>[^&]*)")
            pattern = pattern.replace(r"\{address\}", "(?P<address>[^&]*)")
            found = re.fullmatch(pattern, f"https://{self._host}{request.target}")
            if found is None or (":" in found["address"]) != (rtype == "AAAA"):
                continue
            if request.method != "GET" or not request.headers.get("user-agent", "").startswith("ddns-fleet/"):
                return Reply(200, b"badagent")
            if not self._is_ours(found.groupdict().get("password"), request.headers.get("authorization")):
                return Reply(self.asked.wrong[0], self.asked.wrong[1].encode())
            self.zone.put(self.asked.host, rtype, found["address"], ttl=60)
            return Reply(self.asked.status, self.asked.good.replace("{address}", found["address"]).encode())
        return Reply(404, b"<html>Not Found</html>")

    def _is_ours(self, in_query: str | None, header: str | None) -> bool:
        if not self.asked.user:
            return header is None and in_query == urllib.parse.quote(PASSWORD, safe="")
        expected = base64.b64encode(f"{self.asked.user}:{PASSWORD}".encode()).decode()
        return in_query is None and header == f"Basic {expected}"

    def __enter__(self) -> Self:
        self.dns.__enter__()
        self.web.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.web.__exit__(kind, error, trace)
        self.dns.__exit__(kind, error, trace)


@contextmanager
def serve(name: str) -> Iterator[Service]:
    """A double of this service, running."""
    with Service(ASKED[name]) as double:
        yield double
