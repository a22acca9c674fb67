"""Every fault at every kind of source: no wrong address comes of it, and each says what is wrong in its own name."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.message
import dns.rcode
import dns.rrset
import pytest

from ddns.address import Address, Family
from ddns.detect import detect
from ddns.detection import Available, Detected
from ddns.errors import CaptivePortal, SourceError
from ddns.net import wire
from ddns.net.client import Client
from ddns.ports import Deadline, Source
from ddns.runtime.clock import SystemClock
from ddns.sources.command import CommandSource
from ddns.sources.dns import ProbeSource
from ddns.sources.http import HttpSource
from ddns.sources.local import InterfaceSource
from ddns.sources.router import RouterSource
from ddns.sources.whoami import Question, WhoamiSource
from ground import coverage, matrix
from ground.http import Ending, Reply, Request, Server
from ground.igd import Igd
from ground.matrix import ANSWERS, ERROR, FAULTS, MATRIX, NONE, PAGE, PORTAL, RESTS, SUBJECTS
from ground.packets import HALF, RESET, SLOW, Tls, Udp
from ground.tls import Authority
from unit.fakes import FakeSource, in_turn

V4 = Family.V4
TRUTH, OTHER, PRIVATE, WIDE = "1.0.0.1", "9.9.9.9", "192.168.1.20", "2606:4700::1111"
WAIT = 120
#: Seconds for a source that never ends its answer, and for all others.
SHORT, LONG = 0.4, 10.0
#: What the addresses are that a fault brings.
TOLD = {"wrong family": (WIDE,), "private address": (PRIVATE,), "two addresses": (TRUTH, OTHER)}
STATUS = {"401": 401, "403": 403, "404": 404, "429, Retry-After": 429, "503": 503}
GARBAGE = b"\x00\xff\xfe garbage"

Player = Callable[[str, Authority, ExitStack], Source]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# -- HTTP


def page(text: str) -> bytes:
    return b"<!DOCTYPE html><html><body>Please log in. " + text.encode() + b"</body></html>"


def spoiled(fault: str, right: Callable[[tuple[str, ...]], bytes], media: str) -> Reply:
    """The reply of an HTTP service under a fault; `right` words an answer."""
    body = right(TOLD.get(fault, (TRUTH,)))
    headers = {"Content-Type": media}
    if fault in STATUS:
        return Reply(STATUS[fault], body, headers | ({"Retry-After": str(WAIT)} if fault.startswith("429") else {}))
    return {
        "reset": Reply(ending=Ending.RESET),
        "slow": Reply(body=body, ending=Ending.SLOW),
        "half a body": Reply(body=body, ending=Ending.HALF_A_BODY),
        "garbage": Reply(body=GARBAGE, headers=headers),
        "wrong content type": Reply(body=body, headers={"Content-Type": "image/png"}),
        "huge body": Reply(body=body.ljust(1 << 20), headers=headers),
        "redirect": Reply(302, body, headers | {"Location": "http://portal.test/login"}),
        "web page": Reply(body=page(TRUTH), headers={"Content-Type": "text/html"}),
    }.get(fault, Reply(body=body, headers=headers))


@contextmanager
def web(
    fault: str, right: Callable[[tuple[str, ...], Request], bytes], media: str, ca: Authority | None
) -> Iterator[str]:
    """The root of a service with the fault."""

    def answer(request: Request) -> Reply:
        return spoiled(fault, lambda told: right(told, request), media)

    if fault == "refused":
        yield f"https://127.0.0.1:{free_port()}/"
        return
    with Server(answer, ca.server() if ca else None) as server:
        yield server.url


def plain(told: tuple[str, ...], _request: Request) -> bytes:
    return ", ".join(told).encode()


def trace(told: tuple[str, ...], request: Request) -> bytes:
    return f"fl=1\nh={request.headers['host']}\nip={', '.join(told)}\nwarp=off\n".encode()


def trusted(fault: str, ca: Authority) -> str:
    """The CA file; the system's under the fault of another certificate."""
    return "" if fault == "other certificate" else str(ca.file)


def http(form: str, right: Callable[[tuple[str, ...], Request], bytes], *, suffices: bool = False) -> Player:
    def made(fault: str, ca: Authority, stack: ExitStack) -> Source:
        url = stack.enter_context(web(fault, right, "text/plain", ca))
        return HttpSource("it", "It", {V4: url}, form, suffices, trusted(fault, ca))

    return made


def bare(fault: str, _ca: Authority, stack: ExitStack) -> Source:
    return HttpSource("it", "It", {V4: stack.enter_context(web(fault, plain, "text/plain", None))})


# -- DNS

QUESTION = Question("whoami.test", text=True, chaos=True)
RCODES = {"403": dns.rcode.REFUSED, "404": dns.rcode.NXDOMAIN, "503": dns.rcode.SERVFAIL}


def dns_answer(fault: str, packet: bytes) -> bytes | None:
    """A DNS message under a fault."""
    query = dns.message.from_wire(packet)
    response = dns.message.make_response(query)
    question = response.question[0]
    told = [f"192.0.2.{n}" for n in range(200)] if fault == "huge body" else TOLD.get(fault, (TRUTH,))
    values = [f'"{text}"' for text in told]
    response.answer.append(dns.rrset.from_text_list(question.name, 0, question.rdclass, "TXT", values))
    if fault in RCODES:
        response.set_rcode(RCODES[fault])
    if fault == "wrong content type":
        other = dns.message.make_query("elsewhere.test", question.rdtype, question.rdclass)
        response.question = other.question
    if fault == "slow":
        return None
    whole = response.to_wire()
    return {"half a body": whole[: len(whole) // 2], "garbage": GARBAGE}.get(fault, whole)


def over_https(fault: str, ca: Authority, stack: ExitStack) -> Source:
    url = stack.enter_context(web(fault, _message, "application/dns-message", ca))
    return WhoamiSource("it", "It", QUESTION, {V4: url}, ca_file=trusted(fault, ca))


def _message(told: tuple[str, ...], request: Request) -> bytes:
    fault = next((name for name, values in TOLD.items() if values == told), "")
    answer = dns_answer(fault, request.body)
    assert answer is not None
    return answer


def over_tls(fault: str, ca: Authority, stack: ExitStack) -> Source:
    how = {"reset": RESET, "slow": SLOW, "half a body": HALF}.get(fault)
    quiet = "" if how else fault
    port = free_port()
    if fault != "refused":
        port = stack.enter_context(Tls(lambda packet: dns_answer(quiet, packet), ca.server(), how)).port
    return WhoamiSource("it", "It", QUESTION, {V4: f"127.0.0.1:{port}"}, "127.0.0.1", ca_file=trusted(fault, ca))


def over_udp(fault: str, _ca: Authority, stack: ExitStack) -> Source:
    port = free_port()
    if fault != "refused":
        port = stack.enter_context(Udp(lambda packet: dns_answer(fault, packet))).port
    probe = wire.Probe("it", "dns", "127.0.0.1", port, "whoami.test", wire.TXT, wire.CHAOS)
    return ProbeSource("it", "It", {V4: probe})


# -- router


def nat_pmp_answer(fault: str) -> bytes | None:
    code = {"403": 2, "404": 5, "503": 3}.get(fault, 0)
    told = IPv4Address(TOLD.get(fault, (TRUTH,))[0]).packed
    kind = 129 if fault == "wrong content type" else 128
    whole = bytes((0, kind)) + code.to_bytes(2, "big") + bytes(4) + told
    faulty = {"half a body": whole[:8], "garbage": GARBAGE, "huge body": whole + bytes(2000), "slow": None}
    return faulty.get(fault, whole)


def nat_pmp(fault: str, _ca: Authority, stack: ExitStack) -> Source:
    port = free_port()
    if fault != "refused":
        port = stack.enter_context(Udp(lambda _packet: nat_pmp_answer(fault))).port
    nowhere = f"http://127.0.0.1:{free_port()}/root.xml"
    return RouterSource(lambda: "127.0.0.1", nowhere, port, name="it")


def upnp(fault: str, _ca: Authority, stack: ExitStack) -> Source:
    if fault == "refused":
        return RouterSource(lambda: "", f"http://127.0.0.1:{free_port()}/root.xml", name="it")
    device = stack.enter_context(Igd(", ".join(TOLD.get(fault, (TRUTH,)))))
    if fault not in TOLD and fault:
        reply = spoiled(fault, lambda _told: device.told(), "text/xml")
        # The library looks at no status, and a device that refuses tells no address.
        told = b"refused" if reply.status >= 300 else reply.body
        device.fault = Reply(reply.status, told, reply.headers, reply.ending)
    return RouterSource(lambda: "", device.description, name="it")


# -- this machine


def adapter(fault: str, _ca: Authority, _stack: ExitStack) -> Source:
    def find(_family: Family) -> Address | None:
        if fault == "refused":
            raise OSError(errno.EPERM, "Operation not permitted")
        return None if fault in ("404", "two addresses") else ip_address(TOLD.get(fault, (TRUTH,))[0])

    return InterfaceSource(find, name="it")


SCRIPTS = {
    "reset": "kill -9 $$",
    "slow": f"echo {TRUTH}; sleep 60",
    "half a body": "printf 1.0.",
    "garbage": r"printf '\000\377 garbage'",
    "403": "",
    "404": "exit 3",
    "huge body": f"echo {TRUTH}; yes '' | head -c 1000000",
    "web page": f"echo '<html>{TRUTH}</html>'",
}


def command(fault: str, _ca: Authority, _stack: ExitStack) -> Source:
    script = SCRIPTS.get(fault, f"printf '%s\\n' {' '.join(TOLD.get(fault, (TRUTH,)))}")
    program = {"refused": "/nowhere/program", "403": "/etc/hostname"}.get(fault, "/bin/sh")
    return CommandSource("it", "It", (program, "-c", script), frozenset({V4}))


PLAYERS: dict[str, Player] = {
    "echo, https": http("text", plain),
    "Cloudflare trace": http("trace", trace),
    "own gateway": http(
        "json:address", lambda told, _: json.dumps({"address": ", ".join(told)}).encode(), suffices=True
    ),
    "own URL, http": bare,
    "own URL, pattern": http(
        "regex:address: ([^;]*);", lambda told, _: "".join(f"address: {t};" for t in told).encode()
    ),
    "own URL, JSON": http("json:/net/0", lambda told, _: json.dumps({"net": [", ".join(told)]}).encode()),
    "DNS over HTTPS": over_https,
    "DNS over TLS": over_tls,
    "DNS": over_udp,
    "router, NAT-PMP": nat_pmp,
    "router, UPnP": upnp,
    "adapter": adapter,
    "command": command,
}


def ask(source: Source, seconds: float) -> Detected:
    """Detection with one honest voice beside it, which is no quorum alone."""
    clock, net = SystemClock(), Client()
    honest = FakeSource("honest", "Honest", TRUTH)
    try:
        return detect(
            V4,
            [source, honest],
            net=net,
            clock=clock,
            deadline=Deadline(clock, seconds),
            gather=in_turn,
            ask_all=True,
        )
    finally:
        net.close()


CELLS = [pytest.param(*cell, id=f"{cell[0]}: {cell[1]}") for cell, expected in MATRIX.items() if expected != NONE]


@pytest.mark.parametrize(("subject", "fault"), CELLS)
def test_a_fault(subject: str, fault: str, ca: Authority) -> None:
    expected = MATRIX[subject, fault]
    with ExitStack() as stack:
        source = PLAYERS[subject](fault, ca, stack)
        found = ask(
            source, 2 * SHORT if fault == "slow" and subject == "own gateway" else SHORT if fault == "slow" else LONG
        )
        answer = next(answer for answer in found.answers if answer.source == "it")
        if expected == ANSWERS:
            assert answer.address == ip_address(TRUTH), answer
            return
        assert answer.address is None
        assert answer.problem.startswith("it: ")
        assert answer.portal == (expected == PORTAL), answer.problem
        assert answer.retry_after == (WAIT if expected == RESTS else None)
        assert not isinstance(found.detection, Available)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_without_a_fault_it_answers(subject: str, ca: Authority) -> None:
    """Else a test above might pass because nothing works."""
    with ExitStack() as stack:
        found = ask(PLAYERS[subject]("", ca, stack), LONG)
        assert [answer.address for answer in found.answers] == [IPv4Address(TRUTH)] * 2


def test_no_cell_is_empty() -> None:
    assert set(MATRIX) == {(subject, fault) for subject in PLAYERS for fault in FAULTS}
    assert set(MATRIX.values()) == {ERROR, PORTAL, RESTS, ANSWERS, NONE}
    assert {ERROR: SourceError.__name__, PORTAL: CaptivePortal.__name__} == {ERROR: ERROR, PORTAL: PORTAL}


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    table = text.partition(matrix.BEGIN)[2].partition(matrix.END)[0].strip().splitlines()
    assert table == [*matrix.HEAD, *map(matrix.line, SUBJECTS)], (
        "write the page anew: PYTHONPATH=src:tests:packaging python -m ground.matrix"
    )
    assert IPv6Address(WIDE).version == 6


def test_the_page_of_what_is_covered_is_up_to_date() -> None:
    text = coverage.PAGE.read_text("utf-8")
    told = text.partition(coverage.BEGIN)[2].partition(coverage.END)[0].strip().splitlines()
    assert told == coverage.table(), "write the page anew: PYTHONPATH=src:tests:packaging python -m ground.coverage"
