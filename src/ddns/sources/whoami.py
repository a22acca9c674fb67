"""DNS whoami over TLS (RFC 7858) and over HTTPS (RFC 8484): the answer can't be forged on the way.

The messages are dnspython's. Each question goes to the service itself: a resolver in between would tell its own
address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import msgspec

from ddns import http_time
from ddns.address import Address, Family, Network
from ddns.errors import CaptivePortal, Intercepted, ProviderError, SourceError, Untrusted
from ddns.net import dot
from ddns.net.exchange import Server
from ddns.ports import Deadline, HttpRequest, Net
from ddns.sources.http import LIMIT, refuse_exit

# After `exchange`, which makes dnspython cheap to import.
# isort: split
import dns.exception
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

_MEDIA = "application/dns-message"


class Question(msgspec.Struct, frozen=True):
    """A name whose answer is the asker's address. `text`: it is a TXT record, else an A or AAAA one."""

    name: str
    text: bool = False
    chaos: bool = False

    def message(self, family: Family) -> dns.message.QueryMessage:
        """The query; its id is drawn by dnspython."""
        kind = "TXT" if self.text else "A" if family is Family.V4 else "AAAA"
        return dns.message.make_query(self.name, kind, "CH" if self.chaos else "IN", use_edns=False)


class WhoamiSource(msgspec.Struct, frozen=True):
    """A whoami service behind TLS.

    `where` by family: ``ip:port`` with the server's `host` in its certificate, or a URL (``https://``).
    """

    name: str
    operator: str
    question: Question
    where: Mapping[Family, str]
    host: str = ""
    exits: tuple[Network, ...] = ()
    ca_file: str = ""
    suffices: bool = False

    @property
    def authenticated(self) -> bool:
        """Always over TLS."""
        return True

    @property
    def families(self) -> frozenset[Family]:
        """The families that it is reached over."""
        return frozenset(self.where)

    def ask(self, family: Family, net: Net, deadline: Deadline) -> Address:
        """The address that the service tells. Raises SourceError."""
        query = self.question.message(family)
        where = self.where[family]
        try:
            if where.startswith("https://"):
                answer = self._over_https(query, where, family, net, deadline)
            else:
                answer = dot.ask(query, Server.parse(where), deadline, host=self.host, ca_file=self.ca_file)
        except Untrusted as error:
            kind = CaptivePortal if error.authority else SourceError
            raise kind(f"{self.name}: {error.message}") from error
        except Intercepted as error:
            raise CaptivePortal(f"{self.name}: {error.message}") from error
        except ProviderError as error:
            raise SourceError(f"{self.name}: {error.message}") from error
        address = self._address(answer, query)
        refuse_exit(self.name, self.operator, address, self.exits)
        return address

    def _over_https(
        self, query: dns.message.QueryMessage, url: str, family: Family, net: Net, deadline: Deadline
    ) -> dns.message.Message:
        query.id = 0  # as RFC 8484 section 4.1 wants it
        headers = {"accept": _MEDIA, "content-type": _MEDIA}
        request = HttpRequest("POST", url, headers, query.to_wire(), self.ca_file)
        response = net.http(request, family=family, limit=LIMIT, deadline=deadline)
        if 300 <= response.status < 400 or "html" in response.headers.get("content-type", "").lower():
            raise CaptivePortal(f"{self.name}: a web page or a redirect came in place of DNS; a captive portal?")
        if response.status != 200 or response.headers.get("content-type", "").partition(";")[0].strip() != _MEDIA:
            told = f"{self.name}: answered with status {response.status}, not with a DNS message"
            raise SourceError(told, retry_after=http_time.retry_after(response.headers))
        try:
            return dns.message.from_wire(response.body)
        except dns.exception.DNSException as error:
            raise SourceError(f"{self.name}: not a valid DNS answer ({type(error).__name__})") from error

    def _address(self, answer: dns.message.Message, query: dns.message.QueryMessage) -> Address:
        if not query.is_response(answer):
            raise SourceError(f"{self.name}: the DNS answer is to another question")
        if answer.rcode() != dns.rcode.NOERROR:
            raise SourceError(f"{self.name}: the DNS answer is an error ({dns.rcode.to_text(answer.rcode())})")
        kind = query.question[0].rdtype
        values = [item.to_text().strip('"') for rrset in answer.answer if rrset.rdtype == kind for item in rrset]
        if len(values) != 1:
            raise SourceError(f"{self.name}: the DNS answer holds {len(values)} values instead of one")
        try:
            return ipaddress.ip_address(values[0])
        except ValueError as error:
            raise SourceError(f"{self.name}: the DNS answer is not one address") from error
