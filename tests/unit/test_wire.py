"""The cheap question: whatever comes back is one address, or a WireError."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from typing import Literal

import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddns.net import wire
from ddns.net.wire import AAAA, CHAOS, IN, TXT, A, Probe, WireError
from ground.echo import Echo, Fault
from ground.whoami import Fault as DnsFault
from ground.whoami import Whoami

PROBES = [
    Probe("a", "dns", "192.0.2.1", 53, "who.example", A),
    Probe("aaaa", "dns", "192.0.2.1", 53, "who.example", AAAA),
    Probe("txt", "dns", "192.0.2.1", 53, "who.example", TXT),
    Probe("chaos", "dns", "192.0.2.1", 53, "whoami.cloudflare", TXT, CHAOS),
]
FAMILY: dict[str, Literal[4, 6]] = {"a": 4, "aaaa": 6, "txt": 4, "chaos": 6}


def respond(query: bytes, *texts: str, alias: str = "") -> bytes:
    """What a real codec answers."""
    response = dns.message.make_response(dns.message.from_wire(query))
    question = response.question[0]
    name, kind = question.name, dns.rdatatype.to_text(question.rdtype)
    if alias:
        response.answer.append(dns.rrset.from_text(name, 60, question.rdclass, "CNAME", alias))
        name = dns.name.from_text(alias)
    quoted = [f'"{text}"' if kind == "TXT" else text for text in texts]
    response.answer.append(dns.rrset.from_text_list(name, 60, question.rdclass, kind, quoted))
    return response.to_wire()


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_question_is_a_dns_query(probe: Probe) -> None:
    message = dns.message.from_wire(wire.question(probe))
    asked = message.question[0]
    assert len(message.question) == 1
    assert (asked.name.to_text(), asked.rdclass, asked.rdtype) == (probe.question + ".", probe.rclass, probe.rtype)
    assert message.flags == 0x0100
    assert len({wire.question(probe)[:2] for _ in range(20)}) > 10


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
@given(data=st.data())
def test_what_a_server_tells_is_read(probe: Probe, data: st.DataObject) -> None:
    family = FAMILY[probe.name]
    address = data.draw(st.ip_addresses(v=family))
    alias = data.draw(st.sampled_from(["", "other.example."])) if probe.rclass == IN else ""
    query = wire.question(probe)
    told = wire.answer(respond(query, str(address), alias=alias), query, probe, family)
    assert ipaddress.ip_address(told) == address
    assert told == wire.canonical(str(address), family)


@given(st.binary(max_size=120), st.sampled_from(PROBES), st.sampled_from([4, 6]), st.booleans())
@example(b"", PROBES[0], 4, True)
@example(b"\xc0" * 3, PROBES[0], 4, True)
@example(b"\x3f", PROBES[2], 4, True)
def test_any_bytes_are_an_address_or_an_error(tail: bytes, probe: Probe, family: int, ours: bool) -> None:
    query = wire.question(probe)
    head = query[:2] + b"\x81\x80" + query[4:6] + b"\0\1\0\0\0\0" + query[12:] if ours else b""
    with contextlib.suppress(WireError):
        ipaddress.ip_address(wire.answer(head + tail, query, probe, family))


@given(st.data())
def test_a_damaged_answer_is_an_address_or_an_error(data: st.DataObject) -> None:
    probe = data.draw(st.sampled_from(PROBES))
    query = wire.question(probe)
    answer = bytearray(respond(query, "192.0.2.7" if FAMILY[probe.name] == 4 else "2001:db8::7"))
    for _ in range(data.draw(st.integers(1, 4))):
        answer[data.draw(st.integers(0, len(answer) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(answer)))
    with contextlib.suppress(WireError):
        ipaddress.ip_address(wire.answer(bytes(answer[:cut]), query, probe, FAMILY[probe.name]))


def flip(answer: bytes, at: int, value: int) -> bytes:
    return answer[:at] + bytes((value,)) + answer[at + 1 :]


@pytest.mark.parametrize(
    ("probe", "change", "message"),
    [
        (PROBES[0], lambda a: flip(a, 0, a[0] ^ 1), "the DNS answer is to another question"),
        (PROBES[0], lambda a: flip(a, 2, a[2] & 0x7F), "the DNS answer is to another question"),
        (PROBES[0], lambda a: flip(a, 13, a[13] ^ 1), "the DNS answer is to another question"),
        (PROBES[0], lambda a: flip(a, 2, a[2] | 2), "the DNS answer is cut or an error (code 0)"),
        (PROBES[0], lambda a: flip(a, 3, 0x83), "the DNS answer is cut or an error (code 3)"),
        (PROBES[0], lambda a: flip(a, 7, 0), "the DNS answer holds 0 values instead of one"),
        (PROBES[0], lambda a: flip(a, 7, 2) + a[-16:], "the DNS answer holds 2 values instead of one"),
        (PROBES[0], lambda a: a[:-1], "the DNS answer is cut short or malformed"),
        (PROBES[0], lambda a: a[:5], "the DNS answer is to another question"),
        (PROBES[0], lambda a: flip(a, len(a) - 13, 16), "the DNS answer holds records that were not asked for"),
        (PROBES[2], lambda a: flip(a, len(a) - 10, 200), "the DNS answer is not one text"),
        (PROBES[2], lambda a: flip(a, len(a) - 1, ord("x")), "the answer is not one IPv4 address"),
        (PROBES[2], lambda a: flip(a, len(a) - 1, 0xFF), "the DNS answer is cut short or malformed"),
    ],
)
def test_why_an_answer_is_not_used(probe: Probe, change: Callable[[bytes], bytes], message: str) -> None:
    query = wire.question(probe)
    with pytest.raises(WireError) as caught:
        wire.answer(change(respond(query, "192.0.2.7")), query, probe, 4)
    assert str(caught.value) == message


def test_an_address_of_the_other_family_is_none() -> None:
    query = wire.question(PROBES[0])
    with pytest.raises(WireError, match=r"^the DNS answer is not one IPv6 address$"):
        wire.answer(respond(query, "192.0.2.7"), query, PROBES[0], 6)


@given(st.text() | st.ip_addresses().map(str), st.sampled_from([4, 6]))
def test_canonical_is_one_spelling_or_an_error(text: str, family: int) -> None:
    with contextlib.suppress(WireError):
        told = wire.canonical(text, family)
        assert ipaddress.ip_address(told) == ipaddress.ip_address(text)
        assert ipaddress.ip_address(told).version == family
        assert wire.canonical(told, family) == told


@pytest.mark.parametrize(
    ("text", "family", "expected"),
    [
        ("dns://192.0.2.1:5353/who.example", 4, ("dns", "192.0.2.1", 5353, "who.example", A)),
        ("dns://192.0.2.1/who.example", 6, ("dns", "192.0.2.1", 53, "who.example", AAAA)),
        ("dns://[2001:db8::1]:5353/w", 6, ("dns", "2001:db8::1", 5353, "w", AAAA)),
        ("dns://[2001:db8::1]/w", 6, ("dns", "2001:db8::1", 53, "w", AAAA)),
        ("http://192.0.2.1:8080/", 4, ("http", "192.0.2.1", 8080, "/", A)),
        ("http://echo.example", 4, ("http", "echo.example", 80, "/", A)),
        ("http://echo.example/ip?x=1/2", 4, ("http", "echo.example", 80, "/ip?x=1/2", A)),
    ],
)
def test_own_probe(text: str, family: int, expected: tuple[str, str, int, str, int]) -> None:
    probe = wire.own_probe(text, family)
    assert (probe.kind, probe.host, probe.port, probe.question, probe.rtype) == expected
    assert probe.name == text


@pytest.mark.parametrize(
    "text",
    [
        "", "opendsn", "https://echo.example/", "dns://192.0.2.1", "dns://192.0.2.1/", "dns:///name", "http://",
        "http://:80/", "http://h:0/", "http://h:65536/", "http://h:99999999999/", "http://h:٣/", "dns://2001:db8::1/w",
        "dns://[2001:db8::1/w", "dns://[192.0.2.1]:53/w",
    ],
)  # fmt: skip
def test_what_is_no_probe(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected dns://IP:PORT/NAME or http://HOST:PORT/PATH, found ") as caught:
        wire.own_probe(text, 4)
    assert str(caught.value).endswith(f'found "{text}"')


@given(st.text())
def test_any_text_is_a_probe_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 < wire.own_probe(text, 4).port < 65536


PLAIN = st.text(st.characters(codec="ascii", exclude_characters='"\\', min_codepoint=32, max_codepoint=126))


@given(
    PLAIN,
    st.sampled_from(["probe4 = {}", "probe4={}", "probe4   =\t{}", "probe4 = {}\r", "probe6 = 'x'\nprobe4 = {}"]),
    st.sampled_from(["", "# probe4 = none\n", "\n\n", "timeout = '5s'\r\n", " probe40 = 1\n"]),
)
def test_a_plain_line_means_what_toml_says(value: str, form: str, before: str) -> None:
    text = f'[detect]\n{before}{form.format(chr(34) + value + chr(34))}\n[log]\nlevel = "INFO"\n'
    assert wire.written(text.encode(), "probe4") == tomllib.loads(text)["detect"]["probe4"]


@pytest.mark.parametrize(
    "text",
    [
        "", "probe4 = 'x'", ' probe4 = "x"', 'probe4 = "x" # why', 'probe4 = "x', 'probe4 = "', "probe4 = x", "probe4",
        'probe4 = "a\\u0062"', 'probe4 = """x"""', 'probe4 = "a"\nprobe4 = "b"', 'probe44 = "x"', 'probe4.a = "x"',
        '"probe4" = "x"', 'detect.probe4 = "x"',
    ],
)  # fmt: skip
def test_anything_but_one_plain_line_is_no_probe(text: str) -> None:
    assert wire.written(text.encode(), "probe4") == ""


@given(st.binary() | st.text('probe4="x\\\n= \r', max_size=40).map(str.encode))
def test_any_settings_give_a_text(settings: bytes) -> None:
    assert isinstance(wire.written(settings, "probe4"), str)


# -- the sockets


def dns_probe(server: Whoami, rtype: int = A) -> Probe:
    return Probe("own", "dns", "127.0.0.1", server.port, "who.example", rtype)


@pytest.mark.parametrize(
    ("rtype", "family", "address"), [(A, 4, "198.51.100.7"), (AAAA, 6, "2001:db8::7"), (TXT, 4, "198.51.100.7")]
)
def test_ask_over_dns(whoami: Callable[..., Whoami], rtype: int, family: int, address: str) -> None:
    assert wire.ask(dns_probe(whoami(address), rtype), family, 5.0) == address


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (DnsFault.SILENCE, "timed out"),
        (DnsFault.SERVER_FAILURE, "the DNS answer is cut or an error (code 2)"),
        (DnsFault.NO_ANSWER, "the DNS answer holds 0 values instead of one"),
        (DnsFault.WRONG_ID, "the DNS answer is to another question"),
        (DnsFault.OTHER_QUESTION, "the DNS answer is to another question"),
        (DnsFault.TWO_ADDRESSES, "the DNS answer holds 2 values instead of one"),
        (DnsFault.GARBAGE, None),
    ],
)
def test_bad_answers_over_dns(whoami: Callable[..., Whoami], fault: DnsFault, message: str | None) -> None:
    server = whoami("198.51.100.7")
    server.fault = fault
    with pytest.raises(WireError) as caught:
        wire.ask(dns_probe(server), 4, 0.05 if fault is DnsFault.SILENCE else 5.0)
    assert message is None or str(caught.value) == message


def http_probe(port: int) -> Probe:
    return Probe("own", "http", "127.0.0.1", port, "/ip", A)


def test_ask_over_http(echo: Callable[..., Echo]) -> None:
    server = echo("198.51.100.7", tls=False)
    assert wire.ask(http_probe(server.port), 4, 5.0) == "198.51.100.7"
    request = server.requests[0]
    assert (request.method, request.target) == ("GET", "/ip")
    assert dict(request.headers) == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "ddns-fleet",
        "accept": "text/plain",
        "connection": "close",
    }


PAGE = "the answer is not a short page with status 200"
NOT_ONE = "the answer is not one IPv4 address"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.HTML, NOT_ONE),
        (Fault.TWO_ADDRESSES, NOT_ONE),
        (Fault.WRONG_FAMILY, NOT_ONE),
        (Fault.HALF_A_BODY, None),
        (Fault.NOTHING, NOT_ONE),
        (Fault.UNAVAILABLE, PAGE),
        (Fault.REDIRECT, PAGE),
        (Fault.HUGE, PAGE),
        (Fault.RESET, "[Errno 104] Connection reset by peer"),
        (Fault.SILENCE, "timed out"),
    ],
)
def test_bad_answers_over_http(echo: Callable[..., Echo], fault: Fault, message: str | None) -> None:
    server = echo("198.51.100.7", tls=False)
    server.fault = fault
    with pytest.raises(WireError) as caught:
        wire.ask(http_probe(server.port), 4, 0.05 if fault is Fault.SILENCE else 5.0)
    assert message is None or str(caught.value) == message


@contextlib.contextmanager
def raw(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with its one connection what it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                connection.recv(4096)
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n198.51.100.7\r\n", None),
        (b"HTTP/1.0 200\r\n\r\n198.51.100.7", None),
        (b"198.51.100.7", PAGE),
        (b"HTTP/1.0\r\n\r\n198.51.100.7", PAGE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n198.51.100.7\r\n0\r\n\r\n", PAGE),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 4097 + b"198.51.100.7", PAGE),
        (b"HTTP/1.0 200 OK\r\n\r\n198.51.100.7\x1b[0m", NOT_ONE),
        (b"HTTP/1.0 200 OK\r\n\r\n198.51.100.7\0", NOT_ONE),
        (b"", PAGE),
    ],
)
def test_pages(reply: bytes, message: str | None) -> None:
    with raw(lambda connection: connection.sendall(reply)) as port:
        if message is None:
            assert wire.ask(http_probe(port), 4, 5.0) == "198.51.100.7"
            return
        with pytest.raises(WireError) as caught:
            wire.ask(http_probe(port), 4, 5.0)
        assert str(caught.value) == message


def test_an_answer_in_drops_ends_in_time() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while not over.wait(0.02):
            connection.sendall(b" ")

    with raw(drip) as port:
        began = time.monotonic()
        with pytest.raises(WireError, match=r"^(the answer did not end in time|timed out)$"):
            wire.ask(http_probe(port), 4, 0.2)
        took = time.monotonic() - began
        over.set()
    assert took < 2.0


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(WireError, match="refused"):
        wire.ask(http_probe(port), 4, 1.0)
    with pytest.raises(WireError, match="refused"):
        wire.ask(Probe("own", "dns", "127.0.0.1", port, "who.example"), 4, 1.0)


#: An address of this machine, one of another, the interface; and where the question comes from.
LEAVING = [("127.0.0.9", "", "127.0.0.9"), ("192.0.2.9", "", "127.0.0.1"), ("", "lo", "127.0.0.1"),
           ("127.0.0.9", "lo", "127.0.0.9"), ("", "gone0", "127.0.0.1")]  # fmt: skip


@pytest.mark.parametrize(("source", "interface", "peer"), LEAVING)
def test_a_question_leaves_by_what_is_named(
    whoami: Callable[..., Whoami], echo: Callable[..., Echo], source: str, interface: str, peer: str
) -> None:
    dns_server, http_server = whoami("198.51.100.7"), echo("198.51.100.7", tls=False)
    for probe in (dns_probe(dns_server), http_probe(http_server.port)):
        assert wire.ask(probe.leaving(source, interface), 4, 5.0) == "198.51.100.7"
    assert (dns_server.peers, [request.peer for request in http_server.requests]) == ([peer], [peer])


@pytest.mark.parametrize(("source", "interface"), [("192.0.2.9", ""), ("", "gone0")])
@pytest.mark.parametrize("kind", ["dns", "http"])
def test_what_a_question_can_not_leave_by_is_no_answer(kind: str, source: str, interface: str) -> None:
    far = Probe("far", kind, "192.0.2.53", 53, "who.example").leaving(source, interface)
    with pytest.raises(WireError, match=r"Cannot assign requested address|No such device"):
        wire.ask(far, 4, 0.1)


def test_built_in_probes_are_known_by_position() -> None:
    assert {family: [probe.name for probe in probes] for family, probes in wire.PROBES.items()} == {
        4: ["opendns", "google", "cloudflare"],
        6: ["opendns", "google", "cloudflare"],
    }
