"""deSEC beyond what all providers owe: only what differs is sent, the apex, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.errors import Conflict, Malformed, NotPermitted, ProviderError, Rejected
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import HttpRequest, HttpResponse, Provider
from ddns.providers.desec import Settings
from ddns.secret import SecretRef
from providers.cast import FIRST, HOME, SECOND, addresses
from providers.stage import connect, deadline

DOMAIN = [{"name": "example.com", "minimum_ttl": 900}]
APEX = RecordKey("main", "example.com", RecordType.A)


class Canned:
    """A `Net` whose answers come from a list, the last one for ever; it keeps the requests."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self._answers = list(answers)
        self.requests: list[HttpRequest] = []

    def http(self, request: HttpRequest, **_how: object) -> HttpResponse:
        self.requests.append(request)
        status, body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return HttpResponse(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())

    def udp(self, data: bytes, to: tuple[str, int], **_how: object) -> bytes:
        raise AssertionError

    @property
    def last(self) -> tuple[str, str, Any]:
        request = self.requests[-1]
        return request.method, request.url, json.loads(request.content or b"null")


def provider(net: Canned) -> Provider:
    return connect("desec", Settings(token=SecretRef("env:TOKEN")), {"env:TOKEN": "canary"}, net)


def write(net: Canned, before: RRset | None, after: RRset | None, key: RecordKey = HOME) -> Applied | ProviderError:
    ((_, result),) = provider(net).apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def rrset(*records: str, ttl: object = 3600) -> dict[str, object]:
    return {"records": list(records), "ttl": ttl}


def test_a_ttl_alone_is_sent_alone() -> None:
    net = Canned((200, DOMAIN), (200, rrset(FIRST)), (200, rrset(FIRST, ttl=900)))
    assert write(net, addresses(FIRST), addresses(FIRST, ttl=900)) == Applied()
    assert net.last == ("PATCH", "https://desec.io/api/v1/domains/example.com/rrsets/home/A/", {"ttl": 900})


def test_the_domain_itself_and_its_least_ttl() -> None:
    net = Canned((200, DOMAIN), (404, {"detail": "Not found."}), (201, rrset(FIRST, ttl=900)))
    assert write(net, None, addresses(FIRST), APEX) == Applied()
    assert net.requests[1].url.endswith("/domains/example.com/rrsets/@/A/")
    assert net.last[2] == {"subname": "", "type": "A", "ttl": 900, "records": [FIRST]}


def test_what_somebody_else_wrote_stays() -> None:
    net = Canned((200, DOMAIN), (200, rrset("192.0.2.99")))
    assert isinstance(write(net, addresses(FIRST), addresses(SECOND)), Conflict)
    assert [request.method for request in net.requests] == ["GET", "GET"]


def test_a_refusal_in_its_words() -> None:
    words = {"ttl": ["Ensure this value is greater than or equal to 3600."]}
    result = write(Canned((200, DOMAIN), (200, rrset(FIRST)), (400, words)), addresses(FIRST), addresses(FIRST, ttl=60))
    assert isinstance(result, Rejected)
    assert "greater than or equal to 3600" in result.message


def test_a_token_without_the_right() -> None:
    words = {"detail": "You do not have permission to perform this action."}
    result = write(Canned((200, DOMAIN), (200, rrset(FIRST)), (403, words)), addresses(FIRST), addresses(SECOND))
    assert isinstance(result, NotPermitted)


@pytest.mark.parametrize(
    "answer",
    [
        (200, rrset(FIRST)),
        (200, rrset("2001:db8::1")),
        (200, rrset()),
        (200, rrset(SECOND, ttl=None)),
        (200, b"<html>"),
    ],
)
def test_an_answer_that_is_not_our_rrset(answer: tuple[int, object]) -> None:
    result = write(Canned((200, DOMAIN), (200, rrset(FIRST)), answer), addresses(FIRST), addresses(SECOND))
    assert isinstance(result, Malformed)
    assert result.in_doubt


def test_a_removal_that_a_portal_answers() -> None:
    result = write(Canned((200, DOMAIN), (200, rrset(FIRST)), (200, b"<html>")), addresses(FIRST), None)
    assert isinstance(result, Malformed)


def test_a_missing_record_that_a_portal_reports() -> None:
    seen = provider(Canned((200, DOMAIN), (404, b"<html>"))).observe([HOME], deadline())[HOME]
    assert isinstance(seen, Malformed), "only deSEC's own 404 says that there is no record"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([FIRST, "example.com"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "records", "ttl", "minimum_ttl"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.tuples(st.sampled_from([200, 201, 204, 400, 404, 500]), _JSON | st.binary(max_size=20)),
        min_size=1,
        max_size=4,
    )
)
def test_any_answers_end_in_a_value_or_a_typed_error(answers: list[tuple[int, object]]) -> None:
    for first in ([], [(200, DOMAIN)]):
        seen = provider(Canned(*first, *answers)).observe([HOME], deadline())[HOME]
        assert isinstance(seen, Observed | ProviderError)
        result = write(Canned(*first, *answers), addresses(FIRST), addresses(SECOND))
        assert isinstance(result, Applied | ProviderError)
