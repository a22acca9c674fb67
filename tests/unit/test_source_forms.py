"""Own URLs: where in an answer the address stands; and what was published wrongly elsewhere and is refused here."""

from __future__ import annotations

import contextlib
import json
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Address, Family
from ddns.detect import detect
from ddns.detection import Available, Unknown
from ddns.errors import CaptivePortal, SourceError, Untrusted
from ddns.ports import HttpResponse, Source
from ddns.sources.http import HttpSource
from ddns.sources.pick import pick
from ddns.sources.services import DNS, HTTP
from unit.fakes import FakeClock, FakeNet, FakeSource, in_turn

V4, V6 = Family.V4, Family.V6

#: The document of RFC 6901 section 5, with texts for values.
RFC = json.dumps(
    {"foo": ["bar", "baz"], "": "0", "a/b": "1", "c%d": "2", "e^f": "3", "g|h": "4", "i\\j": "5", 'k"l': "6",
     " ": "7", "m~n": "8"}
).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/foo/0", "bar"), ("/foo/1", "baz"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
        ("/g|h", "4"), ("/i\\j", "5"), ('/k"l', "6"), ("/ ", "7"), ("/m~0n", "8"), ("c%d", "2"),
    ],
)  # fmt: skip
def test_the_examples_of_rfc_6901(pointer: str, value: str) -> None:
    assert pick(f"json:{pointer}", RFC) == value


@pytest.mark.parametrize("pointer", ["/foo", "/foo/2", "/foo/-", "/foo/01", "/foo/x", "/foo/0/0", "/bar", "bar", "foo"])
def test_where_there_is_no_text(pointer: str) -> None:
    with pytest.raises(ValueError, match=r"no text there|no such item"):
        pick(f"json:{pointer}", RFC)


@pytest.mark.parametrize(
    ("pattern", "body", "found"),
    [
        ("ip=([0-9.]+)", b"ip=1.0.0.1", "1.0.0.1"),
        ("ip=([0-9.]+)", b"ip=1.0.0.1 and again ip=1.0.0.1", "1.0.0.1"),
        (r"<td>(\S+)</td>", b"<td>1.0.0.1</td>", "1.0.0.1"),
        ("ip=([0-9.]+)", b"ip=1.0.0.1 ip=1.0.0.2", None),
        ("ip=([0-9.]+)", b"nothing", None),
        ("ip=([0-9.]+)?", b"ip=", ""),
    ],
)
def test_a_pattern(pattern: str, body: bytes, found: str | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match="different texts"):
            pick(f"regex:{pattern}", body)
    else:
        assert pick(f"regex:{pattern}", body) == found


@given(st.binary(max_size=200), st.sampled_from(["json:/a/0", "json:a", r"regex:(\d+)"]))
def test_any_body_is_text_or_a_value_error(body: bytes, form: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(pick(form, body), str)


# -- what elsewhere was published wrongly


def told(response: HttpResponse, form: str = "text", url: str = "https://echo.test/ip") -> Address:
    source = HttpSource("echo", "Echo", {V4: url}, form)
    return source.ask(V4, FakeNet({"echo.test": response}), FakeClock().deadline())


CHALLENGE = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>"
    b'<svg><path d="M16 3a13 13 0 1 0 13 13 1.2.1.1.9"/></svg></body></html>'
)


@pytest.mark.parametrize(
    ("status", "kind"), [(200, CaptivePortal), (403, SourceError), (503, SourceError), (511, CaptivePortal)]
)
def test_a_page_of_a_bot_check_has_no_address_in_its_drawing(status: int, kind: type[SourceError]) -> None:
    with pytest.raises(kind) as caught:
        told(HttpResponse(status, {"content-type": "text/html"}, CHALLENGE))
    assert "1.2.1.1" not in caught.value.message


def test_even_a_pattern_takes_none_of_many_numbers() -> None:
    page = b"<html>version 1.2.1.1, you are 198.51.100.7</html>"
    with pytest.raises(SourceError, match="not one address"):
        told(HttpResponse(200, {"content-type": "text/html"}, page), r"regex:(\d+\.\d+\.\d+\.\d+)")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"location": "http://login.hotel.test/?to=x"}, "echo: answered with a redirect (status 302) to login"),
        ({"location": "https://echo.test/other"}, "echo: answered with a redirect (status 302); redirects are not"),
        ({"location": "//[bad"}, "echo: answered with a redirect (status 302); redirects are not followed"),
        ({}, "echo: answered with a redirect (status 302); redirects are not followed"),
    ],
)  # fmt: skip
def test_where_a_redirect_leads_is_told(headers: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        told(HttpResponse(302, headers, b"1.0.0.1"))
    assert caught.value.message.startswith(message)
    assert isinstance(caught.value, CaptivePortal) == ("hotel" in caught.value.message)


TUNNEL = "172.68.1.2"


@pytest.mark.parametrize("name", ["icanhazip", "trace"])
def test_the_exit_of_a_tunnel_is_not_this_machine(name: str) -> None:
    """The trace says so itself, but only of one of the operator's tunnels."""
    source = HTTP[name]
    host = source.urls[V4].split("/")[2]
    body = TUNNEL if name == "icanhazip" else f"h={host}\nip={TUNNEL}\nwarp=off\n"
    with pytest.raises(SourceError, match="which is Cloudflare's own: a tunnel or relay is on the way"):
        source.ask(V4, FakeNet({host: body}), FakeClock().deadline())


def test_nor_over_dns() -> None:
    with pytest.raises(SourceError, match="Cloudflare's own"):
        DNS["cloudflare"].ask(V4, FakeNet({"1.1.1.1:53": TUNNEL}), FakeClock().deadline())


def test_a_portal_is_named_before_all_else() -> None:
    clock = FakeClock()
    net = FakeNet(
        {
            "a.test": HttpResponse(302, {"location": "http://login.hotel.test/"}, b""),
            "b.test": Untrusted("b.test: its certificate is not trusted: self-signed certificate"),
        }
    )
    sources = [HttpSource(name, name, {V4: f"https://{name}.test/"}) for name in "ab"]
    found = detect(V4, sources, net=net, clock=clock, deadline=clock.deadline(), gather=in_turn)
    assert isinstance(found.detection, Unknown)
    assert (
        found.detection.causes[0] == "a captive portal, or a proxy that inspects TLS, answers in place of the sources"
    )
    assert [answer.portal for answer in found.answers] == [True, True]


def test_one_bad_service_is_no_portal() -> None:
    clock = FakeClock()
    net = FakeNet({"a.test": HttpResponse(302, {"location": "http://elsewhere.test/"}, b"")})
    sources: list[Source] = [HttpSource("a", "a", {V4: "https://a.test/"}), FakeSource("b", "B", "1.0.0.1")]
    found = detect(V4, sources, net=net, clock=clock, deadline=clock.deadline(), gather=in_turn)
    assert isinstance(found.detection, Unknown)
    assert "captive portal, or" not in found.detection.causes[0]


def test_a_machine_that_starts_before_its_network_recovers_with_the_next_run() -> None:
    """No verdict of the start is kept: the same sources, asked again, are believed."""
    clock = FakeClock()
    sources = [FakeSource("a", "A", "no answer"), FakeSource("b", "B", "no answer")]

    def now() -> object:
        return detect(V4, sources, net=FakeNet(), clock=clock, deadline=clock.deadline(), gather=in_turn).detection

    assert isinstance(now(), Unknown)
    for source in sources:
        source.says = "1.0.0.1"
    assert now() == Available(IPv4Address("1.0.0.1"), ("A", "B"))
