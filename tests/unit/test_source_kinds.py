"""DNS behind TLS, the router and commands: what they ask and how, beside what the fault matrix plays."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family
from ddns.errors import CaptivePortal, SourceError, Transport
from ddns.net.client import Client
from ddns.ports import Deadline, HttpRequest, HttpResponse, Source
from ddns.runtime.clock import SystemClock
from ddns.sources import table
from ddns.sources.command import CommandSource
from ddns.sources.router import Refused, RouterSource, external_address
from ddns.sources.secure import SECURE_DNS
from ddns.sources.services import CLOUDFLARE
from ddns.sources.whoami import Question, WhoamiSource
from ground.http import Reply, Server
from ground.igd import Igd
from ground.packets import Tls, Udp
from ground.tls import Authority
from unit.fakes import FakeClock, FakeNet

V4, V6 = Family.V4, Family.V6
MYIP = Question("myip.test")
WHOAMI = Question("whoami.test", text=True, chaos=True)


def soon(seconds: float = 10.0) -> Deadline:
    return Deadline(SystemClock(), seconds)


# -- DNS behind TLS


def answered(text: str) -> Callable[[bytes], bytes]:
    """A server that tells this address, whatever is asked."""

    def answer(packet: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(packet))
        question = response.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        told = f'"{text}"' if kind == "TXT" else text
        response.answer.append(dns.rrset.from_text_list(question.name, 0, question.rdclass, kind, [told]))
        return response.to_wire()

    return answer


@pytest.mark.parametrize(
    ("question", "family", "asked"),
    [
        (MYIP, V4, "myip.test. IN A"),
        (MYIP, V6, "myip.test. IN AAAA"),
        (WHOAMI, V4, "whoami.test. CH TXT"),
        (WHOAMI, V6, "whoami.test. CH TXT"),
    ],
)
def test_what_is_asked_over_tls(ca: Authority, question: Question, family: Family, asked: str) -> None:
    address = "1.0.0.1" if family is V4 else "2a00::1"
    with Tls(answered(address), ca.server()) as server:
        source = WhoamiSource(
            "it", "It", question, {family: f"127.0.0.1:{server.port}"}, "127.0.0.1", ca_file=str(ca.file)
        )
        assert str(source.ask(family, Client(), soon())) == address
    (query,) = map(dns.message.from_wire, server.packets)
    assert query.question[0].to_text() == asked
    assert query.flags & dns.flags.RD


def test_over_https_the_message_has_no_id_and_its_media_type(ca: Authority) -> None:
    """So RFC 8484 wants it."""
    media = {"Content-Type": "application/dns-message"}
    tell = answered("1.0.0.1")
    with Server(lambda request: Reply(body=tell(request.body), headers=media), ca.server()) as server:
        source = WhoamiSource("it", "It", MYIP, {V4: f"{server.url}dns-query"}, ca_file=str(ca.file))
        client = Client()
        try:
            assert source.ask(V4, client, soon()) == IPv4Address("1.0.0.1")
        finally:
            client.close()
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/dns-query")
    assert request.headers["content-type"] == request.headers["accept"] == "application/dns-message"
    assert dns.message.from_wire(request.body).id == 0


def test_a_certificate_for_another_name_is_no_portal_and_no_answer(ca: Authority) -> None:
    with Tls(answered("1.0.0.1"), ca.server("other.test")) as server:
        source = WhoamiSource("it", "It", MYIP, {V4: f"127.0.0.1:{server.port}"}, "resolver.test", ca_file=str(ca.file))
        with pytest.raises(SourceError, match="Hostname mismatch") as caught:
            source.ask(V4, Client(), soon())
    assert not isinstance(caught.value, CaptivePortal)
    assert server.packets == []


def test_what_is_built_in_behind_tls() -> None:
    assert tuple(SECURE_DNS) == ("opendns-tls", "opendns-https", "cloudflare-tls", "cloudflare-https")
    for name, source in SECURE_DNS.items():
        assert source.families == {V4, V6}
        assert source.authenticated
        assert source.operator == table.DNS[name.partition("-")[0]].operator, "one operator counts once"
        assert source.exits == (CLOUDFLARE if source.operator == "Cloudflare" else ())
        https = name.endswith("-https")
        assert all(where.startswith("https://") == https for where in source.where.values())
        assert bool(source.host) != https


@given(st.binary(max_size=80))
def test_any_body_over_https_is_an_address_or_a_source_error(body: bytes) -> None:
    source = WhoamiSource("it", "It", MYIP, {V4: "https://dns.test/dns-query"})
    net = FakeNet({"dns.test": HttpResponse(200, {"content-type": "application/dns-message"}, body)})
    with pytest.raises(SourceError, match=r"^it: "):
        source.ask(V4, net, FakeClock().deadline())


# -- router


def test_a_datagram_that_is_lost_is_sent_again() -> None:
    packets = iter([None, bytes((0, 128, 0, 0)) + bytes(4) + IPv4Address("1.0.0.1").packed])
    with Udp(lambda _packet: next(packets)) as server:
        source = RouterSource(lambda: "127.0.0.1", "http://127.0.0.1:9/", server.port)
        assert source.ask(V4, Client(), soon()) == IPv4Address("1.0.0.1")
    assert server.packets == [b"\0\0", b"\0\0"]


def test_where_nat_pmp_answers_upnp_is_not_asked() -> None:
    answer = bytes((0, 128, 0, 0)) + bytes(4) + IPv4Address("1.0.0.1").packed
    with Udp(lambda _packet: answer) as server, Igd("9.9.9.9") as device:
        source = RouterSource(lambda: "127.0.0.1", device.description, server.port)
        assert source.ask(V4, Client(), soon()) == IPv4Address("1.0.0.1")
    assert device.hits == 0


def test_upnp_asks_for_the_outer_address_and_changes_nothing() -> None:
    with Igd("1.0.0.1") as device:
        source = RouterSource(lambda: "", device.description)
        assert source.ask(V4, Client(), soon()) == IPv4Address("1.0.0.1")
    actions = [request.headers["soapaction"].strip('"').partition("#")[2] for request in device.requests[1:]]
    assert set(actions) <= {"GetExternalIPAddress", "GetStatusInfo"}


def test_what_both_protocols_came_to_is_told() -> None:
    with Igd("") as device:
        source = RouterSource(lambda: "", device.description)
        with pytest.raises(SourceError, match=r"^router: NAT-PMP: there is no default gateway; UPnP: "):
            source.ask(V4, Client(), soon())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "the router's answer is not one of NAT-PMP"),
        (bytes((2, 128, 0, 0)), "the router's answer is not one of NAT-PMP"),
        (bytes((0, 128, 0, 1)), "the router does not speak this version (code 1)"),
        (bytes((0, 128, 0, 3)) + bytes(8), "the router has no connection to the Internet yet (code 3)"),
        (bytes((0, 128, 1, 1)), "the router fails (code 257)"),
        (bytes((0, 128, 0, 0)), "the router's answer has 4 bytes instead of 12"),
    ],
)
def test_answers_of_nat_pmp_without_an_address(answer: bytes, message: str) -> None:
    with pytest.raises(Refused) as caught:
        external_address(answer)
    assert str(caught.value) == message


@given(st.binary(max_size=20))
def test_any_datagram_is_an_address_or_refused(answer: bytes) -> None:
    try:
        found = external_address(answer)
    except Refused:
        return
    assert found.packed == answer[8:]


# -- command


def command(script: str, *more: str) -> CommandSource:
    return CommandSource("own", "Own", ("/bin/sh", "-c", script, *more), frozenset({V4, V6}))


def test_arguments_are_no_shell() -> None:
    source = command('test "$1" = "\\$(echo 9.9.9.9) ; *" && echo 1.0.0.1', "sh", "$(echo 9.9.9.9) ; *")
    assert source.ask(V4, FakeNet(), soon()) == IPv4Address("1.0.0.1")


def test_it_is_told_the_family_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_TOKEN", "hunter2")
    script = 'test -z "$CLOUDFLARE_TOKEN" || exit 9; test "$DDNS_FAMILY" = 6 && echo 2a00::1 || echo 1.0.0.1'
    assert command(script).ask(V4, FakeNet(), soon()) == IPv4Address("1.0.0.1")
    assert command(script).ask(V6, FakeNet(), soon()) == IPv6Address("2a00::1")


def test_after_its_time_it_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/own; wait"
    with pytest.raises(SourceError, match=r"^own: did not end in time$"):
        command(script).ask(V4, FakeNet(), soon(0.5))
    for name in ("own", "child"):
        number = int((tmp_path / name).read_text())
        until = time.monotonic() + 10
        while _runs(number) and time.monotonic() < until:
            os.sched_yield()
        assert not _runs(number)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 1.0.0.1; exit 3", "own: ended with code 3"),
        ("kill -9 $$", f"own: ended with code {-signal.SIGKILL}"),
        ("echo 1.0.0.1 9.9.9.9", 'own: the output is not one address: "1.0.0.1 9.9.9.9"'),
        ("printf '\\033[2J'", 'own: the output is not one address: "[2J"'),
        ("yes", "own: printed more than 4096 bytes"),
        ("exec >&-; sleep 300", "own: did not end in time"),
        ("true", 'own: the output is not one address: ""'),
    ],
)
def test_what_is_no_answer(script: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        command(script).ask(V4, FakeNet(), soon(0.5 if "sleep" in script else 10.0))
    assert caught.value.message == message


def test_a_program_that_is_not_there() -> None:
    source = CommandSource("own", "Own", ("/nowhere/program",), frozenset({V4}))
    with pytest.raises(SourceError, match=r"^own: /nowhere/program can't be run: No such file or directory$"):
        source.ask(V4, FakeNet(), soon())


# -- requests


def test_each_request_of_an_echo_service_forces_the_family_and_has_a_limit() -> None:
    class Noting(FakeNet):
        def http(
            self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
        ) -> HttpResponse:
            noted.append((request.url.split("/")[2], family, limit))
            raise Transport("noted")

    noted: list[tuple[str, Family | None, int]] = []
    sources: list[Source] = [*table.HTTP.values(), *SECURE_DNS.values()]
    for source in sources:
        if source.name.endswith("-tls"):
            continue  # its addresses are of a family each
        for family in source.families:
            with pytest.raises(SourceError):
                source.ask(family, Noting(), FakeClock().deadline())
            assert noted[-1][1:] == (family, 4096)
