"""Mistakes that other clients of these services made (docs/design/lessons.md), where no other test holds them."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ddns.errors import ProviderError
from ddns.model import Applied, Change, Observed, Reason
from ddns.ports import HttpRequest
from ddns.providers import table
from ddns.providers.dyndns2 import Settings
from ddns.providers.signing.canonical import Key
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import FIRST, HOME, SECOND, addresses
from providers.doubles import cloudflare, services
from providers.doubles.services import PASSWORD
from providers.stage import connect, deadline, media
from providers.test_signing import SCHEMES

#: Kinds with a double that is asked over HTTP.
WEB = sorted(kind for kind in table.MODULES if "double" in media(kind) and kind not in ("rfc2136", "gateway"))
#: Seconds. In Shanghai a new day has begun, in Greenwich not.
LATE = 1551113065.0


@pytest.fixture
def requests(request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[Request]]]:
    """A double, and what one look and one update asked of it."""
    kind: str = request.param
    with importlib.import_module(f"providers.doubles.{kind}").serve() as double:
        double.zone.put(HOME.name, HOME.type, FIRST)
        on = connect(kind, double.settings, double.secrets, double.net, double.proof_servers)
        seen = on.observe([HOME], deadline())[HOME]
        assert isinstance(seen, Observed)
        ((_, done),) = on.apply([Change("1", HOME, seen.rrset, addresses(SECOND), Reason.ADDRESS)], deadline())
        assert isinstance(done, Applied)
        assert double.web.server.requests
        yield double, double.web.server.requests


def credentials(double: Any) -> set[str]:
    """Texts that identify the account: secrets whole and in part, and the names of keys."""
    whole = set(double.secrets.values()) | {
        str(value)
        for name, value in msgspec.structs.asdict(double.settings).items()
        if name in ("access_key_id", "secret_id", "api_key", "key", "username") and isinstance(value, str) and value
    }
    return whole | {part for text in whole for part in text.split(",")}


@pytest.mark.parametrize("requests", WEB, indirect=True)
def test_no_credential_and_no_key_id_is_in_a_url(requests: tuple[Any, list[Request]]) -> None:
    """URLs are in logs of proxies, of servers, and in messages of errors."""
    double, asked = requests
    texts = credentials(double)
    assert texts
    assert [(text, one.target) for text in texts for one in asked if text in one.target] == []


@pytest.mark.parametrize("requests", WEB, indirect=True)
def test_every_request_tells_who_asks(requests: tuple[Any, list[Request]]) -> None:
    """Services refuse, or ban, the name that an HTTP library gives itself."""
    if "lexicon" in type(requests[0].settings).__module__:
        return  # that library sends its own requests
    assert {one.headers["user-agent"].partition("/")[0] for one in requests[1]} == {"ddns-fleet"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_signature_has_the_date_of_greenwich(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The date in its scope is UTC's: with the machine's own, requests fail for some hours of each day."""
    sign, _ = SCHEMES[scheme]
    request = HttpRequest("POST", "https://dns.example.com/", {"Content-Type": "application/json"}, b"{}")
    made = []
    try:
        for zone in ("UTC0", "CST-8", "PST8"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            made.append(sign(request, Key("AKID", "secret"), LATE))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert made[0] == made[1] == made[2]


def test_a_token_is_tried_by_what_it_is_for() -> None:
    """The service's own page for checking a token refuses good ones; only the zone itself tells what a token may."""
    with cloudflare.serve() as api:
        api.put(HOME.name, "A", FIRST)
        on = connect("cloudflare", api.settings, api.secrets, api.net)
        on.observe([HOME], deadline())
        list(on.apply([Change("1", HOME, addresses(FIRST), addresses(SECOND), Reason.ADDRESS)], deadline()))
        assert api.get(HOME.name, "A") == {SECOND}
        assert all(one.target.startswith("/client/v4/zones") for one in api.web.server.requests)


@pytest.mark.parametrize(
    "body",
    [
        "<interface-response><ErrCount>1</ErrCount><Err2>No Records updated</Err2><Done>true</Done>%s",
        "<interface-response><ErrCount>2</ErrCount><Err1>Invalid IP</Err1><Err2>x</Err2><Done>true</Done>%s",
        "<interface-response><ErrCount>10</ErrCount><Done>true</Done>%s",
        "<interface-response><IP>192.0.2.2</IP><Done>true</Done>%s",
        "<html>&lt;ErrCount&gt;0&lt;/ErrCount&gt;%s",
    ],
    ids=["second error only", "two errors", "no text", "no count", "in a page"],
)
def test_the_count_of_errors_decides_and_not_the_status(body: str) -> None:
    """Namecheap answers 200 to everything."""
    made = Settings(service="namecheap", zone="example.com", password=SecretRef("env:P"))
    with services.serve("namecheap") as service:
        service.reply = Reply(200, (body % "</interface-response>").encode())
        on = connect("dyndns2", made, {"env:P": PASSWORD}, service, (service.dns.address,))
        ((_, result),) = on.apply([Change("1", HOME, None, addresses(SECOND), Reason.CREATE)], deadline())
    assert isinstance(result, ProviderError)
