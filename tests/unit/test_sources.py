"""Sources: one whole answer is one address; anything else is told in a sentence that names the source."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddns.address import Family
from ddns.detect import detect
from ddns.detection import Available
from ddns.errors import Malformed, SourceError, Transport
from ddns.net import wire
from ddns.net.client import Client
from ddns.ports import Deadline, HttpResponse, Source
from ddns.runtime.clock import SystemClock
from ddns.sources import table
from ddns.sources.dns import ProbeSource
from ddns.sources.http import HttpSource
from ddns.sources.table import Own, build
from ground.echo import Echo, Fault
from ground.tls import Authority
from ground.whoami import Fault as DnsFault
from ground.whoami import Whoami
from unit.fakes import FakeClock, FakeNet, in_turn

V4, V6 = Family.V4, Family.V6
HOST = "echo.example"


def source(form: str = "text", url: str = f"https://{HOST}/ip") -> HttpSource:
    return HttpSource("echo", "Echo", {V4: url, V6: url}, form)


def told(body: bytes, form: str = "text", status: int = 200) -> IPv4Address | IPv6Address:
    net = FakeNet({HOST: HttpResponse(status, {}, body)})
    return source(form).ask(V4, net, FakeClock().deadline())


TRACE = b"fl=123\nh=echo.example\nip=198.51.100.7\nts=1\nwarp=off\n"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("text", b"198.51.100.7"),
        ("text", b" 198.51.100.7\r\n"),
        ("trace", TRACE),
        ("trace", TRACE.replace(b"\n", b"\r\n").replace(b"warp=off\r\n", b"")),
        ("json:address", b'{"address": "198.51.100.7", "other": [1]}'),
        ("json:a b", b'{"a b":"198.51.100.7"}'),
    ],
)
def test_an_address(form: str, body: bytes) -> None:
    assert told(body, form) == IPv4Address("198.51.100.7")


@pytest.mark.parametrize("status", [200, 203, 299])
def test_any_success(status: int) -> None:
    assert told(b"198.51.100.7", status=status) == IPv4Address("198.51.100.7")


NOT_ONE = 'echo: the answer is not one address: "{}"'


@pytest.mark.parametrize(
    ("form", "body", "message"),
    [
        ("text", b"", NOT_ONE.format("")),
        ("text", b"198.51.100.7 198.51.100.8", NOT_ONE.format("198.51.100.7 198.51.100.8")),
        ("text", b"198.51.100.07", NOT_ONE.format("198.51.100.07")),
        ("text", b"3325256711", NOT_ONE.format("3325256711")),
        ("text", b"198.51.100.7/32", NOT_ONE.format("198.51.100.7/32")),
        ("text", "１９８.51.100.7".encode(), NOT_ONE.format("１９８.51.100.7")),
        ("text", b"\x1b]0;owned\x07\xff", NOT_ONE.format("]0;owned \ufffd")),
        ("text", b"x" * 100, NOT_ONE.format("x" * 39 + "…")),
        ("trace", b"h=echo.example\nip=\n", NOT_ONE.format("h=echo.example ip=")),
        ("trace", TRACE.replace(b"h=echo", b"h=elsewhere"), "echo: the trace is not of echo.example"),
        ("trace", b"198.51.100.7", "echo: the trace is not of echo.example"),
        ("trace", TRACE.replace(b"warp=off", b"warp=on"), "echo: the connection goes through a WARP tunnel"),
        ("json:address", b"198.51.100.7", NOT_ONE.format("198.51.100.7")),
        ("json:address", b'"198.51.100.7"', NOT_ONE.format('"198.51.100.7"')),
        ("json:address", b'{"ip": "198.51.100.7"}', NOT_ONE.format('{"ip": "198.51.100.7"}')),
        ("json:address", b'{"address": 3325256711}', NOT_ONE.format('{"address": 3325256711}')),
        ("json:address", b"[" * 4000, NOT_ONE.format("[" * 39 + "…")),
    ],
)  # fmt: skip
def test_anything_else(form: str, body: bytes, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        told(body, form)
    assert caught.value.message == message


@given(
    st.binary(max_size=200) | st.text(max_size=60).map(str.encode), st.sampled_from(["text", "trace", "json:address"])
)
@example(b"{" * 4096, "json:address")
@example(b'{"address": "fe80::1%\\u001b"}', "json:address")
def test_any_body_is_an_address_or_a_source_error(body: bytes, form: str) -> None:
    with contextlib.suppress(SourceError):
        told(body, form)


@given(st.ip_addresses())
def test_every_address_is_read(address: IPv4Address | IPv6Address) -> None:
    assert told(str(address).encode()) == address
    assert told(json.dumps({"address": str(address)}).encode(), "json:address") == address
    assert told(b"h=echo.example\nip=" + address.exploded.encode(), "trace") == address


def test_an_error_of_the_network_names_the_source() -> None:
    net = FakeNet({HOST: Transport("echo.example: can't connect: refused")})
    with pytest.raises(SourceError, match=r"^echo: echo\.example: can't connect: refused$"):
        source().ask(V4, net, FakeClock().deadline())


def test_only_tls_is_authenticated() -> None:
    assert source().authenticated
    assert not source(url="http://echo.example/").authenticated
    assert source().families == {V4, V6}


# -- DNS


def probe_source(*families: Family) -> ProbeSource:
    probes = {family: wire.own_probe("dns://192.0.2.1:5353/who.example", family.value) for family in families}
    return ProbeSource("who", "Who", probes)


@given(st.ip_addresses())
def test_a_dns_probe(address: IPv4Address | IPv6Address) -> None:
    family = Family.of(address)
    net = FakeNet({"192.0.2.1:5353": str(address)})
    made = probe_source(family)
    assert made.ask(family, net, FakeClock().deadline()) == address
    assert (made.families, made.authenticated, made.suffices) == (frozenset({family}), False, False)


@pytest.mark.parametrize(
    ("says", "message"),
    [
        (HttpResponse(0, {}, b"garbage"), "who: the DNS answer is to another question"),
        (Transport("192.0.2.1:5353: no answer in time"), "who: 192.0.2.1:5353: no answer in time"),
    ],
    ids=["garbage", "silence"],
)
def test_a_dns_probe_that_fails(says: HttpResponse | Transport, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        probe_source(V4).ask(V4, FakeNet({"192.0.2.1:5353": says}), FakeClock().deadline())
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("says", "message"),
    [
        (HttpResponse(200, {}, b"198.51.100.7\n"), None),
        (HttpResponse(204, {}, b""), "own: answered with status 204"),
        (HttpResponse(200, {}, b"198.51.100.7, 198.51.100.8"), "own: the answer is not one IPv4 address"),
        (HttpResponse(200, {}, b"\xff"), "own: the answer is not one IPv4 address"),
        (
            Malformed("192.0.2.1: the answer is longer than 4096 bytes"),
            "own: 192.0.2.1: the answer is longer than 4096 bytes",
        ),
    ],
    ids=["one", "status", "two", "garbage", "huge"],
)
def test_an_http_probe(says: HttpResponse | Malformed, message: str | None) -> None:
    made = ProbeSource("own", "Own", {V4: wire.own_probe("http://192.0.2.1:8080/ip", 4)})
    net = FakeNet({"192.0.2.1:8080": says})
    if message is None:
        assert made.ask(V4, net, FakeClock().deadline()) == IPv4Address("198.51.100.7")
        return
    with pytest.raises(SourceError) as caught:
        made.ask(V4, net, FakeClock().deadline())
    assert caught.value.message == message


def test_an_http_probe_over_ipv6_has_its_host_in_brackets() -> None:
    made = ProbeSource("own", "Own", {V6: wire.own_probe("http://[2001:db8::1]:8080/ip", 6)})
    net = FakeNet({"[2001:db8::1]:8080": "2606:4700::1"})
    assert made.ask(V6, net, FakeClock().deadline()) == IPv6Address("2606:4700::1")


# -- the table


def shown(sources: list[Source]) -> list[tuple[str, str, bool]]:
    return [(made.name, made.operator, made.authenticated) for made in sources]


def test_the_names_of_settings() -> None:
    assert table.NAMES == (
        "gateway", "ipify", "aws", "ifconfig", "icanhazip", "trace", "ident", "ipsb", "ipw", "3322",
        "opendns", "google", "cloudflare", "opendns-tls", "opendns-https", "cloudflare-tls", "cloudflare-https",
        "interface", "router",
    )  # fmt: skip
    assert all(made.authenticated for made in table.HTTP.values())
    built_in: list[Source] = [*table.HTTP.values(), *table.DNS.values()]
    operators = sorted(made.operator for made in built_in)
    assert [one for one, other in pairwise(operators) if one == other] == ["Cloudflare", "Cloudflare"]


def test_built_in_sources() -> None:
    assert shown(build(["gateway", "ipify", "opendns"], probes={V4: "opendns"})) == [
        ("ipify", "ipify", True),
        ("opendns", "OpenDNS", False),
    ]


def test_the_probe_is_one_more_voice() -> None:
    assert shown(build(["ipify"], probes={V4: "google", V6: "google"})) == [
        ("ipify", "ipify", True),
        ("google", "Google", False),
    ]
    assert shown(build(["ipify"], probes={V4: "", V6: ""})) == [("ipify", "ipify", True)]


def test_the_own_gateway() -> None:
    made = build(["gateway"], probes={}, gateway_url="https://ddns.example/", gateway_ca_file="ca.pem")[0]
    assert isinstance(made, HttpSource)
    assert made == HttpSource(
        "gateway", "own gateway", dict.fromkeys((V4, V6), "https://ddns.example/ip"), "json:address", True, "ca.pem"
    )


OWN = Own("http://192.0.2.1:8080/ip", "Us", "text", frozenset({V4}))


def test_an_own_source_and_an_own_probe() -> None:
    made = build([OWN], probes={V4: "http://192.0.2.1:8081/", V6: "dns://[2001:db8::1]/who.example"})
    assert shown(made) == [
        ("Us", "Us", False),
        ("http://192.0.2.1:8081/", "Us", False),  # the same host is the same operator
        ("dns://[2001:db8::1]/who.example", "2001:db8::1", False),
    ]
    assert [set(one.families) for one in made] == [{V4}, {V4}, {V6}]


@pytest.mark.parametrize(
    ("url", "probe", "operator"),
    [
        ("https://[2001:db8::1]/ip", "dns://[2001:db8::1]/who.example", "Us"),
        ("https://user:word@echo.example/ip", "http://echo.example/", "Us"),
        ("https://Echo.Example/ip", "http://echo.example:8080/", "Us"),
        ("https://echo.example/ip", "dns://[2606:4700:4700::1111]:53/who.example", "Cloudflare"),
        ("https://echo.example/ip", "http://other.example/", "other.example"),
    ],
)
def test_one_host_is_one_operator_however_it_is_written(url: str, probe: str, operator: str) -> None:
    """Two voices of one operator would be a quorum of a single liar."""
    own = Own(url, "Us", "text", frozenset({V6}))
    assert build([own], probes={V6: probe})[1].operator == operator


def test_the_name_of_an_own_source_holds_no_password() -> None:
    own = Own("https://user:word@echo.example:8443/ip", "Us", "text", frozenset({V4}))
    assert [made.name for made in build([own, own], probes={})] == ["Us", "Us (echo.example:8443)"]


# -- what real services have been seen to answer: the message in full, and nothing is believed


def ask_all(sources: list[HttpSource | ProbeSource], seconds: float = 10.0) -> tuple[object, list[str]]:
    clock, net = SystemClock(), Client()
    try:
        found = detect(
            V4, sources, net=net, clock=clock, deadline=Deadline(clock, seconds), gather=in_turn, ask_all=True
        )
    finally:
        net.close()
    return found.detection, [answer.problem for answer in found.answers]


HALF = "peer closed connection without sending complete message body (received 3 bytes, expected 7)"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.HTML, "liar: a web page came in place of an address; a captive portal or a filter?"),
        (Fault.TWO_ADDRESSES, 'liar: the answer is not one address: "1.0.0.1, 198.51.100.77"'),
        (Fault.PRIVATE, "liar: answered 192.168.1.20, which is not a public address"),
        (Fault.WRONG_FAMILY, "liar: answered 2606:4700::1111, which is not an IPv4 address"),
        (Fault.UNAVAILABLE, "liar: answered with status 503"),
        (Fault.REDIRECT, "liar: answered with a redirect (status 302); redirects are not followed"),
        (Fault.HUGE, "liar: 127.0.0.1: the answer is longer than 4096 bytes"),
        (Fault.NOTHING, 'liar: the answer is not one address: ""'),
        (
            Fault.HALF_A_BODY,
            f"liar: 127.0.0.1: broke off or is not HTTP: {HALF}",
        ),
        (Fault.SILENCE, "liar: 127.0.0.1: no answer within 0.3 s"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_bad_answers_over_tls(echo: Callable[..., Echo], ca: Authority, fault: Fault, message: str) -> None:
    """Another honest voice is there: with a bad answer beside it, it is no quorum."""
    honest, liar = echo("1.0.0.1"), echo("1.0.0.1")
    liar.fault = fault
    sources: list[HttpSource | ProbeSource] = [
        HttpSource("honest", "A", {V4: honest.url}, ca_file=str(ca.file)),
        HttpSource("liar", "B", {V4: liar.url}, ca_file=str(ca.file)),
    ]
    detection, problems = ask_all(sources, 0.3 if fault is Fault.SILENCE else 10.0)
    assert problems == ["", message]
    assert not isinstance(detection, Available)
    assert honest.hits == liar.hits == 1


def test_a_source_that_is_not_trusted_says_what_to_do(echo: Callable[..., Echo], ca: Authority) -> None:
    urls = [{V4: echo("1.0.0.1").url} for _ in range(2)]
    _, problems = ask_all([HttpSource("own", "A", urls[0]), HttpSource("other", "B", urls[1])], 10.0)
    assert problems[0].startswith("own: 127.0.0.1: its certificate is not trusted: unable to get local issuer")
    assert "ca_file (of [gateway], or of the source)" in problems[0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (DnsFault.SERVER_FAILURE, "who: the DNS answer is cut or an error (code 2)"),
        (DnsFault.NO_ANSWER, "who: the DNS answer holds 0 values instead of one"),
        (DnsFault.WRONG_ID, "who: the DNS answer is to another question"),
        (DnsFault.TWO_ADDRESSES, "who: the DNS answer holds 2 values instead of one"),
    ],
    ids=lambda value: value.name if isinstance(value, DnsFault) else "",
)
def test_bad_answers_over_dns(whoami: Callable[..., Whoami], fault: DnsFault, message: str) -> None:
    server = whoami("1.0.0.1")
    server.fault = fault
    made = ProbeSource("who", "Who", {V4: wire.own_probe(f"dns://{server.server}/who.example", 4)})
    detection, problems = ask_all([made])
    assert problems == [message]
    assert not isinstance(detection, Available)


def test_two_honest_voices_over_tls_and_dns(
    echo: Callable[..., Echo], whoami: Callable[..., Whoami], ca: Authority
) -> None:
    probe = wire.own_probe(f"dns://{whoami('1.0.0.1').server}/who.example", 4)
    detection, _ = ask_all(
        [
            HttpSource("honest", "A", {V4: echo("1.0.0.1").url}, ca_file=str(ca.file)),
            ProbeSource("who", "B", {V4: probe}),
        ]
    )
    assert detection == Available(ip_address("1.0.0.1"), ("A", "B"))
