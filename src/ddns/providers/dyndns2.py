"""The dyndns2 protocol: one GET per name, answered by one word. Many services and routers speak it.

It can't be read, so a record is observed at the zone's authoritative servers (or those of `[proof] servers`), and its
TTL is the service's own affair. It can't remove. Source: https://help.dyn.com/remote-access-api/ (return codes).
"""

from __future__ import annotations

import base64
import ipaddress
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.address import Address
from ddns.errors import (
    BadCredentials,
    Banned,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SettingsError,
    foreign,
)
from ddns.model import Applied, Change, HttpRequest, HttpResponse, Observed, RecordKey, RecordType
from ddns.net.exchange import Server
from ddns.net.resolver import Authority
from ddns.ports import Capabilities, Deadline, Provider, Tools
from ddns.providers import answers, items
from ddns.secret import SecretRef

DONE = frozenset({"good", "nochg"})
#: What each refusal means, and what to do.
REFUSALS: Mapping[str, tuple[type[ProviderError], str, str]] = {
    "badauth": (BadCredentials, "user name or password is not accepted", BadCredentials.default_advice),
    "!donator": (NotPermitted, "the account's plan lacks this function", "Change the plan, or what is asked for."),
    "!yours": (NotPermitted, "the host belongs to another account", "Check the record's name and the user name."),
    "nohost": (NoSuchZone, "the account has no such host", "Create the host at the service, or correct the name."),
    "notfqdn": (Rejected, "the name is not a full host name", "Correct the record's name."),
    "numhost": (Rejected, "too many hosts, or the wrong number of them", "Update fewer names with this account."),
    "badagent": (Banned, "the service refuses this client", Banned.default_advice),
    "abuse": (Banned, "the host is blocked for abuse", Banned.default_advice),
    "911": (ServerSide, "the service has a problem", ServerSide.default_advice),
    "dnserr": (ServerSide, "the service's DNS has a problem", ServerSide.default_advice),
    "badsys": (ServerSide, "the service does not know the system parameter", ServerSide.default_advice),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``dyndns2``."""

    url: Annotated[
        str,
        Meta(
            pattern="^https?://",
            description="The update URL, such as https://members.dyndns.org/nic/update; http only to this machine.",
        ),
    ]
    username: Annotated[str, Meta(min_length=1, description="The account's, or the host's, user name.")]
    password: Annotated[SecretRef, Meta(description="Where the password lies.")]
    ipv6_parameter: Annotated[
        str,
        Meta(pattern="^[A-Za-z0-9_-]+$", description="The parameter that carries an IPv6 address, such as myipv6."),
    ] = "myip"

    def __post_init__(self) -> None:
        """Refuse a URL that the password must not be sent to, and a user name that HTTP can't carry."""
        answers.refuse_url(self.url)
        if ":" in self.username:
            raise ValueError("username must not hold a colon (HTTP Basic, RFC 7617)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of an answer: a code of the protocol, and the addresses that follow it."""

    code: str
    addresses: tuple[Address, ...] = ()


def parse(body: bytes) -> tuple[Answer, ...]:
    """The lines of an answer, one for each host that was asked for.

    Raises Malformed unless every line is of the protocol: a whole known code, and after ``good`` and ``nochg``
    addresses or nothing.
    """
    try:
        lines = [line for line in body.decode("ascii").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise Malformed(f"the answer is not of the dyndns2 protocol: {answers.excerpt(body)}") from error
    if not lines:
        raise Malformed("the answer is empty")
    return tuple(map(_line, lines))


def _line(line: str) -> Answer:
    code, *rest = line.replace(",", " ").split() or [""]
    if code in REFUSALS:
        return Answer(code)  # what follows is for people
    try:
        if code in DONE:
            return Answer(code, tuple(map(ipaddress.ip_address, rest)))
    except ValueError:
        pass
    raise Malformed(f"the answer is not of the dyndns2 protocol: {foreign(line, 80)}")


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet. Raises SettingsError."""
    try:
        servers = tuple(map(Server.parse, tools.proof_servers))
    except ValueError as error:
        raise SettingsError(f"proof.servers: {error}") from error
    return Dyndns2(settings.url.rstrip("/"), settings, tools, Authority(servers))


class Dyndns2:
    """The provider."""

    capabilities = Capabilities(read=False)

    def __init__(self, url: str, settings: Settings, tools: Tools, authority: Authority) -> None:
        self._url = url
        self._who = urllib.parse.urlsplit(url).hostname or url
        self._settings = settings
        self._tools = tools
        self._authority = authority

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Ask the zone's authoritative servers; without TTL, which is not ours to set."""

        def read(key: RecordKey) -> Observed:
            rrset, by = self._authority.read(key.name, key.type, deadline)
            plain = None if rrset is None else replace(rrset, ttl=None)
            return Observed(key, plain, by, self._tools.clock.now())

        return items.observed(keys, read)

    def apply(self, changes: Sequence[Change], deadline: Deadline) -> Iterator[tuple[Change, Applied | ProviderError]]:
        """Send one request a record."""
        return items.applied(changes, lambda change: self._write(change, deadline))

    def _write(self, change: Change, deadline: Deadline) -> None:
        if change.after is None:
            raise Rejected(f"{change.key}: dyndns2 can't remove a record", advice="Remove it at the service.")
        if len(change.after.values) != 1:
            raise Rejected(
                f"{change.key}: dyndns2 keeps one address a name, not {len(change.after.values)}",
                advice="Leave one address to this name, or give it to a provider that keeps several.",
            )
        (address,) = change.after.values
        request = self._request(change.key, str(address))
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT), limit=16 * 1024)
        self._judge(response, change.key, address)

    def _request(self, key: RecordKey, address: str) -> HttpRequest:
        parameter = self._settings.ipv6_parameter if key.type is RecordType.AAAA else "myip"
        query = urllib.parse.urlencode({"hostname": answers.ascii_name(key.name), parameter: address}, safe=":")
        password = self._tools.resolve(self._settings.password).reveal()
        basic = base64.b64encode(f"{self._settings.username}:{password}".encode()).decode()
        return HttpRequest(
            "GET",
            f"{self._url}{'&' if '?' in self._url else '?'}{query}",
            {"Authorization": f"Basic {basic}", "User-Agent": answers.USER_AGENT},
        )

    def _judge(self, response: HttpResponse, key: RecordKey, asked: object) -> None:
        """Return when the service has the address that was asked for; raise what else it says."""
        problem = answers.status_problem(response, self._who, self._tools.clock.now())
        if isinstance(problem, RateLimited):
            raise problem
        try:
            lines = parse(response.body)
        except Malformed as error:
            raise problem or Malformed(f"{self._who}: {error}") from error
        if len(lines) != 1:
            raise problem or Malformed(f"{self._who}: {len(lines)} answers to a request for one host")
        (answer,) = lines
        if answer.code in REFUSALS:
            kind, meaning, advice = REFUSALS[answer.code]
            raise kind(f"{self._who}: {answer.code} for {key.name}: {meaning}", advice=advice)
        if problem is not None:
            raise problem
        if answer.addresses and asked not in answer.addresses:
            told = ", ".join(map(str, answer.addresses))
            if told == "127.0.0.1":
                raise Banned(f"{self._who}: {answer.code} 127.0.0.1 for {key.name}: the service ignores this client")
            raise Malformed(f"{self._who}: {answer.code} for {told}, but {asked} was asked for")
