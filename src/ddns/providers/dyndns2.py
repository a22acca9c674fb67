"""The dyndns2 protocol, and those near it: one GET per name, answered by a word. Many services and routers speak it.

It can't be read, so a record is observed at the zone's authoritative servers (or those of `[proof] servers`), and its
TTL is the service's own affair. It can't remove. Services that are known by name are in `presets`.
Source: https://help.dyn.com/remote-access-api/perform-update/
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.errors import NoSuchZone, ProviderError, Rejected
from ddns.model import Applied, Change, Observed, RecordKey, RecordType
from ddns.ports import Capabilities, Deadline, HttpRequest, Provider, Tools
from ddns.providers import answers, items
from ddns.providers.presets import PLAIN, SERVICES, Service
from ddns.providers.writeonly import Observer
from ddns.providers.zones import Zone
from ddns.secret import SecretRef

WHO = "Update services (dyndns2)"
CAPABILITIES = Capabilities(read=False)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``dyndns2``."""

    password: Annotated[SecretRef, Meta(description="Where the password, key or token lies.")]
    service: Annotated[
        str,
        Meta(
            extra_json_schema={"enum": ["", *sorted(SERVICES)]},
            description="A service that is known by name, such as noip; `ddns providers` lists them.",
            extra={"asked": "always"},
        ),
    ] = ""
    url: Annotated[
        str,
        Meta(
            pattern="^(https?://|$)",
            description="The update URL, such as https://members.dyndns.org/nic/update; http only to this machine.",
            extra={"asked": "!service"},
        ),
    ] = ""
    username: Annotated[
        str, Meta(description="The account's, or the host's, user name.", extra={"asked": "always"})
    ] = ""
    zone: Annotated[str, Meta(description="The zone that holds the names, for services that want it apart.")] = ""
    contact: Annotated[
        str,
        Meta(
            pattern=answers.CONTACT,
            description="A mail address for the User-Agent; some services (No-IP) ask clients for one.",
        ),
    ] = ""
    ipv6_parameter: Annotated[
        str,
        Meta(pattern="^[A-Za-z0-9_-]+$", description="The parameter that carries an IPv6 address, such as myipv6."),
    ] = "myip"

    def __post_init__(self) -> None:
        """Refuse what can't be sent, lacks what the service wants, or would send the password in the clear."""
        if self.service and self.service not in SERVICES:
            raise ValueError(f'service "{self.service[:40]}" is not known; those that are: ddns providers')
        if not self.service and not self.url:
            raise ValueError("service or url is required")
        if self.url:
            answers.refuse_url(self.url)
        if self.service and self.ipv6_parameter != "myip":
            raise ValueError(f"ipv6_parameter goes with a url of your own; service {self.service} has one of its own")
        service = _service(self)
        for key in ("username", "zone"):
            if not getattr(self, key) and service.needs(key):
                raise ValueError(f"{key} is required" + (f" for service {self.service}" if self.service else ""))
        if ":" in self.username:
            raise ValueError("username must not hold a colon (HTTP Basic, RFC 7617)")


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet. Raises SettingsError."""
    return Dyndns2(_service(settings), settings, tools, Observer(tools))


def capabilities(service: Service) -> Capabilities:
    """What a service can do through this provider."""
    types = {RecordType.A, RecordType.AAAA} if service.v6 else {RecordType.A}
    return replace(CAPABILITIES, types=frozenset(types))


def _service(settings: Settings) -> Service:
    """The service of the settings, at their URL where they have one."""
    if not settings.service:
        v6 = PLAIN.replace("myip=", f"{settings.ipv6_parameter}=")
        return Service(title=urllib.parse.urlsplit(settings.url).hostname or "", url=settings.url, page="", v6=v6)
    known = SERVICES[settings.service]
    return replace(known, url=settings.url, url6="") if settings.url else known


class Dyndns2:
    """The provider."""

    def __init__(self, service: Service, settings: Settings, tools: Tools, observer: Observer) -> None:
        self.capabilities = capabilities(service)
        self._service = service
        self._who = urllib.parse.urlsplit(service.url).hostname or service.title
        self._settings = settings
        self._tools = tools
        self._observer = observer

    def observe(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Observed | ProviderError]:
        """Ask the zone's authoritative servers."""
        return self._observer.observed(keys, deadline)

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
        assert not isinstance(address, str)  # the schema lets only A and AAAA through
        name = answers.ascii_name(change.key.name)
        request = self._request(name, change.key.type, str(address))
        response = self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT), limit=16 * 1024)
        self._service.form.judge(response, self._who, name, address, self._tools.clock.now())

    def _request(self, name: str, rtype: RecordType, address: str) -> HttpRequest:
        service, password = self._service, self._tools.resolve(self._settings.password).reveal()
        v6 = rtype is RecordType.AAAA
        query = service.v6 if v6 else service.v4
        if not query:
            raise Rejected(
                f"{name} {rtype}: {service.title} takes no IPv6 address, as far as is known",
                advice='Remove "AAAA" from the record\'s types, or give the name to another provider.',
            )
        fill = {**self._names(name), "address": address, "username": self._settings.username, "password": password}
        url = service.url6 if v6 and service.url6 else service.url
        headers = {"User-Agent": answers.user_agent(self._settings.contact)}
        if service.user:
            basic = base64.b64encode(f"{_filled(service.user, fill)}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        quoted = {key: urllib.parse.quote(value, safe=":") for key, value in fill.items()}
        return HttpRequest("GET", f"{url}{'&' if '?' in url else '?'}{_filled(query, quoted)}", headers)

    def _names(self, name: str) -> Mapping[str, str]:
        """A name in the parts that services ask for. Raises Rejected for one that does not have them."""
        zone, suffix = self._settings.zone, self._service.suffix
        if suffix and not name.endswith(suffix):
            raise Rejected(f"{name} is not a name of {self._service.title}", advice=f"Its names end in {suffix}.")
        if not zone:
            return {"name": name, "label": name.removesuffix(suffix)}
        parent = answers.ascii_name(zone)
        if name != parent and not name.endswith("." + parent):
            raise NoSuchZone(f"{name} does not lie in the zone {parent}")
        return {"name": name, "label": name.removesuffix(suffix), "zone": parent, "left": Zone(parent).relative(name)}


def _filled(template: str, fill: Mapping[str, str]) -> str:
    """A template with its placeholders filled in, in one pass: what is filled in is not looked at again."""
    return re.sub(r"\{(\w+)\}", lambda found: fill[found[1]], template)
