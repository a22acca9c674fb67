"""The services that are known by name: each is asked as it describes, and each of its answers is understood."""

from __future__ import annotations

import re
import traceback
import urllib.parse
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pytest

from ddns.address import Family
from ddns.compare import Rules, compare
from ddns.detection import Available
from ddns.errors import (
    BadCredentials,
    Banned,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
)
from ddns.memory import Memory
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset, Run, Target
from ddns.ports import Provider
from ddns.providers.dyndns2 import Settings
from ddns.providers.presets import SERVICES
from ddns.secret import SecretRef
from ground.http import Reply
from providers.cast import FIRST, SECOND, addresses
from providers.doubles import services
from providers.doubles.services import ASKED, PASSWORD, USER, Service
from providers.stage import connect, deadline

NAMES = sorted(SERVICES)
V6 = "2001:db8::25"
XML = '<?xml version="1.0"?><interface-response><ErrCount>1</ErrCount><Err1>%s</Err1></interface-response>'
GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/providers.md"


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with services.serve(request.param) as double:
        yield double


def settings(name: str) -> Settings:
    known = SERVICES[name]
    return Settings(
        service=name,
        username=USER if known.needs("username") else "",
        zone="example.com" if known.needs("zone") else "",
        password=SecretRef("env:P"),
    )


def provider(service: Service, name: str, password: str = PASSWORD) -> Provider:
    return connect("dyndns2", settings(name), {"env:P": password}, service, (service.dns.address,))


def write(on: Provider, host: str, address: str) -> Applied | ProviderError:
    rtype = RecordType.AAAA if ":" in address else RecordType.A
    change = Change("1", RecordKey("main", host, rtype), None, addresses(address), Reason.CREATE)
    ((_, result),) = on.apply([change], deadline())
    if isinstance(result, ProviderError):
        said = "".join(traceback.format_exception(result))
        assert PASSWORD not in said
        assert urllib.parse.quote(PASSWORD, safe="") not in said
        assert result.message
        assert result.advice
    return result


def test_there_are_enough_and_each_has_a_double() -> None:
    assert len(SERVICES) >= 25
    assert sorted(ASKED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_each(name: str) -> None:
    known = SERVICES[name]
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert all(url.startswith("https://") for url in (known.url, known.page))
    row = f"| `{name}` | [{known.title}]({known.page}) | {'A, AAAA' if known.v6 else 'A'} |"
    assert row in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("service", "name"), [(name, name) for name in NAMES], indirect=["service"])
def test_an_update_and_its_proof(service: Service, name: str) -> None:
    on, host = provider(service, name), service.asked.host
    assert write(on, host, SECOND) == Applied()
    assert service.zone.get(host, "A") == {SECOND}
    key = RecordKey("main", host, RecordType.A)
    seen = on.observe([key], deadline())[key]
    assert isinstance(seen, Observed)
    assert (seen.rrset, seen.by) == (RRset(addresses(SECOND).values), service.dns.address)
    assert (RecordType.AAAA in on.capabilities.types) == bool(service.asked.v6)
    assert not on.capabilities.read


@pytest.mark.parametrize(("service", "name"), [(name, name) for name in NAMES], indirect=["service"])
def test_an_update_of_ipv6_leaves_ipv4(service: Service, name: str) -> None:
    host = service.asked.host
    service.zone.put(host, "A", FIRST)
    result = write(provider(service, name), host, V6)
    if service.asked.v6:
        assert result == Applied()
        assert service.zone.get(host, "AAAA") == {V6}
    else:
        assert isinstance(result, Rejected)
        assert "IPv6" in result.message
        assert service.web.server.hits == 0
    assert service.zone.get(host, "A") == {FIRST}


@pytest.mark.parametrize(("service", "name"), [(name, name) for name in NAMES], indirect=["service"])
def test_nothing_is_sent_without_a_change(service: Service, name: str) -> None:
    """Services ban who updates without one: what stands at the name servers decides, with nothing known from before."""
    on, host = provider(service, name), service.asked.host
    target = Target(RecordKey("main", host, RecordType.A), Family.V4, None)

    def run(address: str) -> int:
        """How often the service is asked, with the machine at the address."""
        before = service.web.server.hits
        seen = on.observe([target.key], deadline())
        says = {Family.V4: Available(IPv4Address(address), ("A", "B"))}
        plan = compare(Run("trace", "schedule", 1e6), [target], says, seen, Memory({}, {}), 1e6, Rules())
        assert all(result == Applied() for _, result in on.apply(plan.changes, deadline()))
        return service.web.server.hits - before

    assert [run(address) for address in (FIRST, FIRST, SECOND, SECOND)] == [1, 0, 1, 0]


@pytest.mark.parametrize(("service", "name"), [(name, name) for name in NAMES], indirect=["service"])
def test_a_wrong_secret(service: Service, name: str) -> None:
    assert isinstance(write(provider(service, name, "canary, but wrong"), service.asked.host, SECOND), BadCredentials)
    assert not service.zone.get(service.asked.host, "A")


@pytest.mark.parametrize(("service", "name"), [(name, name) for name in NAMES], indirect=["service"])
@pytest.mark.parametrize(
    "reply",
    [Reply(200, b"<!DOCTYPE html><html><body>Welcome. good OK 192.0.2.2</body></html>"), Reply(200, b""), Reply(302)],
    ids=["portal", "nothing", "redirect"],
)
def test_an_answer_that_is_none(service: Service, name: str, reply: Reply) -> None:
    service.reply = reply
    assert isinstance(write(provider(service, name), service.asked.host, SECOND), Malformed)


@pytest.mark.parametrize(("service", "name"), [(name, name) for name in NAMES], indirect=["service"])
def test_too_many_calls(service: Service, name: str) -> None:
    service.web.limit(b"slow down")
    result = write(provider(service, name), service.asked.host, SECOND)
    assert isinstance(result, RateLimited)
    assert result.retry_after == 7


@pytest.mark.parametrize(
    ("service", "name", "status", "body", "expected"),
    [(name, name, status, body, expected) for name, status, body, expected in [
        ("namecheap", 200, XML % "Domain name not found", NoSuchZone),
        ("namecheap", 200, XML % "No Records updated. A record not Found;", NoSuchZone),
        ("namecheap", 200, XML % "Invalid IP", Rejected),
        ("easydns", 200, "NO_ACCESS", BadCredentials),
        ("easydns", 200, "TOOSOON", RateLimited),
        ("easydns", 200, "NO_SERVICE", NotPermitted),
        ("easydns", 200, "ILLEGAL INPUT", Rejected),
        ("zoneedit", 200, '<ERROR CODE="702" TEXT="Minimum 600 seconds between requests" ZONE="z">', RateLimited),
        ("zoneedit", 200, '<ERROR CODE="709" TEXT="Invalid hostname" ZONE="z">', NoSuchZone),
        ("changeip", 200, "422 Invalid hostname", NoSuchZone),
        ("changeip", 200, "402 Premium DNS required", NotPermitted),
        ("domeneshop", 404, "{}", NoSuchZone),
        ("selfhost", 409, "", NoSuchZone),
        ("selfhost", 410, "", NotPermitted),
        ("selfhost", 412, "", Rejected),
        ("selfhost", 200, "abuse", Banned),
        ("infomaniak", 400, "nohost", NoSuchZone),
        ("infomaniak", 200, "abuse", Banned),
        ("infomaniak", 200, "good 192.0.2.9", Malformed),
        ("noip", 200, "abuse", Banned),
        ("noip", 200, "badagent", Banned),
        ("noip", 200, "911", RateLimited),
        ("desec", 200, "nohost", NoSuchZone),
        ("freedns", 200, "ERROR: Invalid update URL (2)", BadCredentials),
        ("goip", 200, "other.goip.de (192.0.2.2)", Malformed),
    ]],
    indirect=["service"],
)  # fmt: skip
def test_its_own_refusals(service: Service, name: str, status: int, body: str, expected: type[ProviderError]) -> None:
    service.reply = Reply(status, body.encode())
    result = write(provider(service, name), service.asked.host, SECOND)
    assert isinstance(result, expected)
    if name in ("easydns", "zoneedit") and isinstance(result, RateLimited):
        assert result.retry_after == 600


@pytest.mark.parametrize(
    ("service", "name", "status", "body"),
    [(name, name, status, body) for name, status, body in [
        ("selfhost", 204, ""),
        ("freedns", 200, "ERROR: Address 192.0.2.2 has not changed."),
        ("regfish", 200, "success|101|no update needed at this time.."),
        ("dynv6", 200, "addresses unchanged"),
        ("infomaniak", 200, "no_change 192.0.2.2"),
        ("noip", 200, "nochg 192.0.2.2"),
        ("zoneedit", 200, '<SUCCESS CODE="201" TEXT="No need to update" ZONE="z">'),
    ]],
    indirect=["service"],
)  # fmt: skip
def test_what_was_so_already_is_no_failure(service: Service, name: str, status: int, body: str) -> None:
    service.reply = Reply(status, body.encode())
    assert write(provider(service, name), service.asked.host, SECOND) == Applied()


@pytest.mark.parametrize("service", ["namecheap"], indirect=True)
def test_names_that_a_zone_has_not(service: Service) -> None:
    assert isinstance(write(provider(service, "namecheap"), "home.example.net", SECOND), NoSuchZone)
    assert service.web.server.hits == 0


@pytest.mark.parametrize("service", ["duckdns"], indirect=True)
def test_names_that_are_not_the_services(service: Service) -> None:
    result = write(provider(service, "duckdns"), "home.example.com", SECOND)
    assert isinstance(result, Rejected)
    assert ".duckdns.org" in result.advice


@pytest.mark.parametrize("service", ["noip"], indirect=True)
def test_the_contact_is_in_the_user_agent(service: Service) -> None:
    made = msgspec.structs.replace(settings("noip"), contact="dns@example.com")
    write(connect("dyndns2", made, {"env:P": PASSWORD}, service), "home.example.com", SECOND)
    (request,) = service.web.server.requests
    assert request.headers["user-agent"].endswith(" (dns@example.com)")


@pytest.mark.parametrize("service", ["noip"], indirect=True)
def test_a_service_at_an_address_of_ones_own(service: Service) -> None:
    made = msgspec.structs.replace(settings("nsupdate"), url="https://dynupdate.no-ip.com/nic/update")
    wrong = connect("dyndns2", made, {"env:P": PASSWORD}, service)
    assert isinstance(write(wrong, "home.example.com", SECOND), BadCredentials), "asked there, as nsupdate.info is"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"service": "noipp", "username": "u"}, r'service "noipp" is not known; .* ddns providers'),
        ({}, "service or url is required"),
        ({"service": "noip"}, "username is required for service noip"),
        ({"url": "https://svc.example.org/u"}, "username is required$"),
        ({"service": "namecheap"}, "zone is required for service namecheap"),
        ({"service": "noip", "username": "u", "ipv6_parameter": "x"}, "ipv6_parameter goes with a url"),
        ({"service": "noip", "username": "u", "url": "http://dynupdate.no-ip.com/"}, "in the clear"),
    ],
)
def test_settings_that_can_not_be(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(password=SecretRef("env:P"), **given)


@pytest.mark.parametrize("contact", ["me", "me@example.com\r\nX: y", "a b@example.com", "x(y)@example.com"])
def test_contacts_that_are_none(contact: str) -> None:
    raw = {"service": "noip", "username": "u", "password": "env:P", "contact": contact}
    with pytest.raises(msgspec.ValidationError, match="contact"):
        msgspec.convert(raw, Settings, dec_hook=lambda kind, text: kind(text))
