"""DNSPod's token API beyond what all providers owe: the rules for clients, lines, what is kept, each status code."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator

import msgspec
import pytest

from ddns.errors import (
    BadCredentials,
    Banned,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
)
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Provider
from ddns.providers.dnspod import Settings
from ground.http import Reply
from providers.cast import FIRST, HOME, SECOND, ZONE, addresses
from providers.doubles import dnspod
from providers.stage import connect, deadline

APEX = RecordKey("main", ZONE, RecordType.A)


@pytest.fixture
def api() -> Iterator[dnspod.Api]:
    with dnspod.serve() as double:
        yield double


def provider(api: dnspod.Api) -> Provider:
    return connect("dnspod", api.settings, api.secrets, api.net)


def see(api: dnspod.Api, key: RecordKey = HOME) -> Observed | ProviderError:
    return provider(api).observe([key], deadline())[key]


def write(api: dnspod.Api, before: RRset | None, after: RRset | None, key: RecordKey = HOME) -> Applied | ProviderError:
    ((_, result),) = provider(api).apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def written(api: dnspod.Api) -> list[tuple[str, dict[str, str]]]:
    """Calls that write, without what all calls have."""
    return [
        (
            request.target,
            {
                name: value
                for name, value in urllib.parse.parse_qsl(request.body.decode())
                if name not in ("login_token", "format", "lang", "error_on_empty", "domain_id")
            },
        )
        for request in api.web.server.requests
        if not request.target.endswith((".Info", ".List"))
    ]


def test_ttl_weight_and_remark_stay(api: dnspod.Api) -> None:
    number = api.add(name="home", type="A", value=FIRST, ttl="900", weight="20", remark="the router's")
    assert write(api, addresses(FIRST), addresses(SECOND)) == Applied()
    fields = {
        "record_id": number, "sub_domain": "home", "record_type": "A", "record_line": "默认", "value": SECOND,
        "ttl": "900", "weight": "20",
    }  # fmt: skip
    assert written(api) == [("/Record.Modify", fields)]
    assert api.records[number]["remark"] == "the router's"


def test_nothing_is_written_that_is_so_already(api: dnspod.Api) -> None:
    """A refresh without change is abuse by DNSPod's rules, and shuts the account out."""
    api.put(HOME.name, "A", SECOND)
    assert write(api, addresses(FIRST), addresses(SECOND)) == Applied()
    assert (written(api), api.idle) == ([], 0)


def test_the_user_agent_is_as_the_rules_want_it(api: dnspod.Api) -> None:
    see(api)
    agents = {request.headers["user-agent"] for request in api.web.server.requests}
    (agent,) = agents
    assert agent.startswith("ddns-fleet/")
    assert agent.endswith(" (dns@example.com)")


@pytest.mark.parametrize("contact", ["", "nobody", "a b@example.com"])
def test_a_contact_is_required(contact: str) -> None:
    raw = {"token": "env:T", "contact": contact}
    with pytest.raises(msgspec.ValidationError, match="contact"):
        msgspec.convert(raw, Settings, dec_hook=lambda kind, text: kind(text))


@pytest.mark.parametrize("token", ["canary6b5976c6", "13490,", ",canary", "name,canary", ""])
def test_a_token_that_is_none_is_not_tried(api: dnspod.Api, token: str) -> None:
    """Thirty wrong logins in five minutes lock the account for an hour."""
    api.secrets = {"env:TOKEN": token}
    seen = see(api)
    assert isinstance(seen, BadCredentials)
    assert "comma" in seen.advice
    assert not token or token not in seen.message
    assert api.web.server.hits == 0


def test_a_wrong_token_is_tried_once(api: dnspod.Api) -> None:
    api.secrets = {"env:TOKEN": "13490,canary-other"}
    assert isinstance(see(api), BadCredentials)
    assert api.wrong_logins == 1


def test_other_lines_are_left_alone(api: dnspod.Api) -> None:
    other = api.add(name="home", type="A", value="192.0.2.50", line="电信", line_id="10=0")
    api.add(name="home", type="A", value=FIRST)
    seen = see(api)
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=600)
    assert write(api, addresses(FIRST), addresses(SECOND)) == Applied()
    assert api.records[other]["value"] == "192.0.2.50"


def test_the_line_of_the_other_site(api: dnspod.Api) -> None:
    api.settings = msgspec.structs.replace(api.settings, line="default")
    api.add(name="home", type="A", value=FIRST, line="Default")
    seen = see(api)
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=600)


def test_a_paused_record_is_not_there_and_in_the_way(api: dnspod.Api) -> None:
    api.add(name="home", type="A", value=SECOND, enabled="0")
    seen = see(api)
    assert isinstance(seen, Observed)
    assert seen.rrset is None
    result = write(api, None, addresses(SECOND))
    assert isinstance(result, Rejected)
    assert "paused" in result.message


def test_every_page_is_read(api: dnspod.Api) -> None:
    many = [f"192.0.2.{number}" for number in range(250)]
    api.put(HOME.name, "A", *many)
    seen = see(api)
    assert isinstance(seen, Observed)
    assert seen.rrset is not None
    assert seen.rrset.texts() == sorted(many)


def test_the_zone_itself_and_its_least_ttl(api: dnspod.Api) -> None:
    assert write(api, None, addresses(FIRST), APEX) == Applied()
    seen = see(api, APEX)
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, ttl=600)
    assert provider(api).capabilities.min_ttl == 600


def test_what_somebody_else_wrote_stays(api: dnspod.Api) -> None:
    api.put(HOME.name, "A", "192.0.2.99")
    assert isinstance(write(api, addresses(FIRST), addresses(SECOND)), Conflict)
    assert written(api) == []


def said(code: int, **more: object) -> Reply:
    return Reply(200, json.dumps({"status": {"code": str(code), "message": "as documented"}, **more}).encode())


@pytest.mark.parametrize(
    ("code", "expected", "advice"),
    [
        (-1, BadCredentials, "comma"),
        (-2, RateLimited, "hour"),
        (-7, NotPermitted, "main account"),
        (-8, Banned, "hour"),
        (-15, NotPermitted, "Unlock"),
        (-99, ServerSide, ""),
        (3, ServerSide, ""),
        (83, Banned, "hour"),
        (85, NotPermitted, "elsewhere"),
        (6, NoSuchZone, ""),
        (8, NoSuchZone, ""),
        (104, Malformed, ""),
        (12345, Rejected, "Change what"),
    ],
)
def test_codes_of_any_call(api: dnspod.Api, code: int, expected: type[ProviderError], advice: str) -> None:
    api.web.limited = said(code)
    seen = see(api)
    assert isinstance(seen, expected)
    if not isinstance(seen, NoSuchZone):
        assert "as documented" in seen.message
    if isinstance(seen, RateLimited):
        assert seen.retry_after == 3600, "the documented ban"
    else:
        assert advice in seen.advice


@pytest.mark.parametrize(
    ("code", "expected", "advice"),
    [(7, NotPermitted, "main account"), (21, Rejected, "Unlock"), (31, Rejected, "CNAME"), (32, Rejected, "ttl"),
     (34, Rejected, "Change what"), (82, Rejected, "Change what"), (8, Conflict, "writer"), (104, Conflict, "writer")],
)  # fmt: skip
def test_codes_of_a_write(api: dnspod.Api, code: int, expected: type[ProviderError], advice: str) -> None:
    api.put(HOME.name, "A", FIRST)
    honest = api.web._answer
    api.web._answer = lambda request: said(code) if "Modify" in request.target else honest(request)
    result = write(api, addresses(FIRST), addresses(SECOND))
    assert isinstance(result, expected)
    assert advice in result.advice


def test_an_empty_list_as_a_code(api: dnspod.Api) -> None:
    honest = api.web._answer
    api.web._answer = lambda request: said(10) if "List" in request.target else honest(request)
    seen = see(api)
    assert isinstance(seen, Observed)
    assert seen.rrset is None


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"status":{}}', b'{"status":{"code":"one"}}', b'{"status":{"code":"1"}}']
)
def test_answers_that_are_none(api: dnspod.Api, body: bytes) -> None:
    api.web.limited = Reply(200, body)
    assert isinstance(see(api), Malformed)
