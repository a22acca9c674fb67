"""What only the gateway's client does: its clock, its sequence, its nonces, and whom it believes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ddns import protocol
from ddns.address import Family
from ddns.errors import (
    BadCredentials,
    ClockSkew,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SettingsError,
    Transport,
)
from ddns.gateway import operators
from ddns.model import Applied, AppliedState, Change, Observed, Reason, RecordKey, RecordType, RRset
from ddns.ports import Deadline, HttpRequest, HttpResponse, Provider, Tools
from ddns.protocol import Identity
from ddns.providers import gateway as client
from ddns.providers.enrolment import Enrolled, enrol, new_key
from ddns.secret import Secret, SecretRef
from providers.cast import addresses
from unit.gateway.stand import MACHINE, NAME, Clock, Stand, outage, stand

URL = "https://gw.example.test"
KEY = RecordKey("gw", NAME, RecordType.A)
IDENTITY = Identity("h1", bytes(range(32)), "gw.example.test")


@dataclass
class Wire:
    """A network that leads to the application, or to whatever a test puts there. `sent` is what left."""

    answer: Callable[[HttpRequest], HttpResponse]
    sent: list[HttpRequest] = field(default_factory=list)

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        self.sent.append(request)
        return self.answer(request)

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        raise AssertionError

    def signed(self) -> list[protocol.Signed]:
        """The signed fields of what left."""
        return [protocol.parse(request.headers["Authorization"])[0] for request in self.sent]


def to(gateway: Stand) -> Callable[[HttpRequest], HttpResponse]:
    """Leads to the application."""

    def answer(request: HttpRequest) -> HttpResponse:
        target = request.url.removeprefix(URL)
        got = gateway.ask(request.method, target, body=request.content, headers=request.headers)
        return HttpResponse(got.status, dict(got.headers), got.text.encode())

    return answer


@dataclass
class Machine:
    """A client with its own clock, enrolled at a gateway."""

    gateway: Stand
    wire: Wire
    clock: Clock
    provider: Provider
    warnings: list[str]

    def see(self) -> Observed | ProviderError:
        return self.provider.observe([KEY], self.deadline())[KEY]

    def rrset(self) -> RRset | None:
        seen = self.see()
        assert isinstance(seen, Observed), seen
        return seen.rrset

    def write(self, before: RRset | None, *after: str, id_: str = "c1", seq: int = 0) -> Applied | ProviderError:
        wanted = addresses(*after, ttl=60) if after else None
        change = Change(id_, KEY, before, wanted, Reason.ADDRESS, seq)
        ((done, result),) = self.provider.apply([change], self.deadline())
        assert done is change
        return result

    def deadline(self) -> Deadline:
        return Deadline(self.clock, 30)


def provider_on(
    wire: Wire,
    clock: Clock,
    identity: Identity = IDENTITY,
    warnings: list[str] | None = None,
    machine: str = MACHINE,
) -> Provider:
    """The provider under test."""
    tools = Tools(
        wire,
        clock,
        lambda _ref: Secret(identity.text()),
        gateway_url=URL,
        gateway_ca_file="ca.pem",
        trace_id="trace-1",
        machine=lambda: machine,
        warn=(warnings if warnings is not None else []).append,
    )
    return client.connect(client.Settings(token=SecretRef("env:TOKEN")), tools)


@contextmanager
def machine_at(folder: Path, *, wait: float = 2.0) -> Iterator[Machine]:
    """A gateway, and a machine that enrolled there."""
    with stand(folder, wait=wait) as gateway:
        clock, warnings = Clock(), list[str]()
        wire = Wire(to(gateway))
        enrolled = enrolled_at(gateway, wire, clock, gateway.code(), bytes(range(32)))
        wire.sent.clear()
        yield Machine(gateway, wire, clock, provider_on(wire, clock, enrolled.identity, warnings), warnings)


def enrolled_at(gateway: Stand, wire: Wire, clock: Clock, code: str, key: bytes) -> Enrolled:
    """Enrol by the client's function."""
    return enrol(URL, code, MACHINE, key, net=wire, deadline=Deadline(clock, 30), now=clock.now())


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with machine_at(tmp_path) as made:
        yield made


def test_a_machine_enrols_writes_and_reads(machine: Machine) -> None:
    assert machine.rrset() is None
    assert machine.write(None, "192.0.2.1") == Applied()
    assert machine.rrset() == addresses("192.0.2.1", ttl=60)
    assert machine.gateway.dns.values() == ["192.0.2.1"]
    assert {request.ca_file for request in machine.wire.sent} == {"ca.pem"}
    assert machine.gateway.audit()[-1]["trace_id"] == "trace-1"


def test_a_clock_that_is_off_costs_one_request_and_is_told(machine: Machine) -> None:
    machine.clock.sleep(-4000)
    assert machine.write(None, "192.0.2.1") == Applied()
    assert len(machine.wire.sent) == 2
    assert machine.warnings == [
        "this machine's clock is 4000 s behind the gateway's; the request was signed with the gateway's time"
    ]
    machine.see()
    assert len(machine.wire.sent) == 3, "the offset is remembered"


def test_a_gateway_that_never_likes_the_time_is_a_block_with_the_skew(machine: Machine) -> None:
    body = {"type": protocol.problem_type("clock-skew"), "server_time": machine.clock.now() + 77, "detail": "late"}
    wire = Wire(lambda _request: HttpResponse(401, {"content-type": protocol.PROBLEM_JSON}, json.dumps(body).encode()))
    seen = provider_on(wire, machine.clock).observe([KEY], machine.deadline())[KEY]
    assert isinstance(seen, ClockSkew)
    assert (seen.seconds, len(wire.sent)) == (77, 2)


@pytest.mark.parametrize(
    "time",
    ["1e999", "-1e999", "NaN", "1" + "0" * 400, "-1", "1e17", "true", '"now"', "null"],
    ids=lambda text: text[:6],
)
def test_a_time_that_is_none_is_not_signed_with(machine: Machine, time: str) -> None:
    body = f'{{"type": "{protocol.problem_type("clock-skew")}", "server_time": {time}, "detail": "late"}}'.encode()
    wire = Wire(lambda _request: HttpResponse(401, {"content-type": protocol.PROBLEM_JSON}, body))
    provider = provider_on(wire, machine.clock)
    assert isinstance(provider.observe([KEY], machine.deadline())[KEY], ClockSkew)
    assert [signed.ts for signed in wire.signed()] == [machine.clock.now()]


def test_every_request_has_its_own_nonce_and_a_retry_its_first_key(machine: Machine) -> None:
    machine.see()
    machine.write(None, "192.0.2.1")
    machine.write(None, "192.0.2.1")
    read, first, again = machine.wire.signed()
    assert len({read.nonce, first.nonce, again.nonce}) == 3
    assert (first.idem, again.idem) == ("c1", "c1")
    assert (read.seq, first.seq, again.seq) == (0, 1, 2)


def test_the_sequence_of_the_machine_is_used_where_it_is_ahead(machine: Machine) -> None:
    machine.write(None, "192.0.2.1", seq=40)
    assert machine.wire.signed()[-1].seq == 40
    entry = machine.gateway.parts.ledger.entry(NAME, RecordType.A)
    assert entry is not None
    assert entry.seq == 40


def test_a_machine_that_lost_its_sequence_learns_it(machine: Machine) -> None:
    machine.write(None, "192.0.2.1", seq=40)
    forgetful = replace(machine, provider=provider_on(machine.wire, machine.clock, _identity(machine)))
    assert forgetful.write(addresses("192.0.2.1"), "192.0.2.2", id_="c2") == Applied()
    assert [signed.seq for signed in machine.wire.signed()] == [40, 1, 41]


def _identity(machine: Machine) -> Identity:
    (host,) = machine.gateway.parts.ledger.hosts()
    return Identity(host.id, bytes(range(32)), "gw.example.test")


def test_a_record_that_changed_meanwhile_is_a_conflict(machine: Machine) -> None:
    machine.gateway.dns.put(NAME, "A", "192.0.2.66")
    result = machine.write(None, "192.0.2.1")
    assert isinstance(result, Conflict)
    assert machine.gateway.dns.values() == ["192.0.2.66"]


def test_queued_and_held_are_told_apart_from_applied(tmp_path: Path) -> None:
    with machine_at(tmp_path, wait=0.05) as machine:
        machine.write(None, "192.0.2.1")
        machine.gateway.dns.down = outage()
        before = addresses("192.0.2.1")
        assert machine.write(before, "192.0.2.2", id_="c2") == Applied(AppliedState.QUEUED)
        operators.freeze(machine.gateway.parts.ledger, machine.gateway.parts.audit, "pc1", frozen=True)
        assert machine.write(before, "192.0.2.3", id_="c3") == Applied(AppliedState.HELD)
        unreadable = machine.see()
        assert isinstance(unreadable, ServerSide)
        assert "can't be read" in unreadable.message


def test_what_is_held_is_seen_as_held_and_in_dns_as_soon_as_it_is_released(machine: Machine) -> None:
    """A release by another process is not told to the publisher, who looks every 15 s: a read makes it look."""
    parts = machine.gateway.parts
    machine.write(None, "192.0.2.1")
    operators.freeze(parts.ledger, parts.audit, "pc1", frozen=True)
    before = addresses("192.0.2.1", ttl=60)
    assert machine.write(before, "192.0.2.2", id_="c2") == Applied(AppliedState.HELD)
    held = machine.see()
    assert isinstance(held, Observed)
    assert (held.rrset, held.held) == (before, True)
    operators.freeze(parts.ledger, parts.audit, "pc1", frozen=False)
    released = machine.see()
    assert isinstance(released, Observed)
    assert (released.rrset, released.held) == (addresses("192.0.2.2", ttl=60), False)


def test_a_revoked_machine_is_told_to_enrol_again(machine: Machine) -> None:
    operators.revoke(machine.gateway.parts.ledger, machine.gateway.parts.audit, machine.gateway.clock, "pc1")
    seen = machine.see()
    assert isinstance(seen, BadCredentials)
    assert "ddns enroll" in seen.advice


def test_a_clone_is_refused_and_told_to_enrol_again(machine: Machine) -> None:
    """It carries the key of its original, on a machine of another identity."""
    machine.write(None, "192.0.2.1")
    identity = _identity(machine)
    clone = replace(machine, provider=provider_on(machine.wire, machine.clock, identity, machine="machine-identity-2"))
    refused = clone.write(addresses("192.0.2.1"), "192.0.2.2", id_="c2")
    assert isinstance(refused, BadCredentials)
    assert "copy of another" in refused.advice
    assert machine.gateway.dns.values() == ["192.0.2.1"]


def problem(slug: str, status: int) -> HttpResponse:
    """A refusal in the gateway's words."""
    body = {"type": protocol.problem_type(slug), "status": status, "detail": "said\x1b[2J so"}
    return HttpResponse(status, {"content-type": "application/problem+json"}, json.dumps(body).encode())


def plain(status: int, body: bytes = b"<html>portal</html>", **headers: str) -> HttpResponse:
    """An answer of somebody else."""
    return HttpResponse(status, {"content-type": "text/html", **headers}, body)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (problem("bad-signature", 401), BadCredentials),
        (problem("replayed", 401), Transport),
        (problem("not-your-name", 403), NotPermitted),
        (problem("no-zone", 404), NoSuchZone),
        (problem("conflict", 409), Conflict),
        (problem("idempotency", 409), Rejected),
        (problem("too-large", 413), Rejected),
        (problem("not-allowed", 422), Rejected),
        (problem("throttled", 429), RateLimited),
        (problem("dns-unreachable", 503), ServerSide),
        (problem("what is this", 418), Rejected),
        (plain(401), Malformed),
        (plain(403), Malformed),
        (plain(404), Malformed),
        (plain(302), Malformed),
        (plain(200), Malformed),
        (plain(200, b"[]"), Malformed),
        (plain(200, b'{"state": "applied?"}'), Malformed),
        (plain(202, b'{"state": "confirmed"}'), Malformed),
        (plain(200, b'{"state": "queued"}'), Malformed),
        (plain(502), ServerSide),
        (plain(429), RateLimited),
    ],
)
def test_each_answer_is_the_error_it_stands_for(response: HttpResponse, kind: type[ProviderError]) -> None:
    clock = Clock()
    provider = provider_on(Wire(lambda _request: response), clock)
    change = Change("c1", KEY, None, addresses("192.0.2.1"), Reason.CREATE)
    ((_, result),) = provider.apply([change], Deadline(clock, 30))
    assert isinstance(result, kind)
    assert result.message.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        b'{"values": [], "ttl": 60, "seq": 1}',
        b'{"values": ["2001:db8::1"], "ttl": 60, "seq": 1}',
        b'{"values": "192.0.2.1", "ttl": 60, "seq": 1}',
        b'{"values": [1], "ttl": 60, "seq": 1}',
        b'{"values": null, "ttl": "60", "seq": 1}',
        b'{"values": null, "ttl": 60}',
        b'{"values": ["192.0.2.1"], "ttl": 60, "se',
    ],
)
def test_a_record_that_is_not_worded_right_is_malformed(body: bytes) -> None:
    clock = Clock()
    provider = provider_on(Wire(lambda _request: plain(200, body)), clock)
    assert isinstance(provider.observe([KEY], Deadline(clock, 30))[KEY], Malformed)


@pytest.mark.parametrize("text", ["", "not a token", "h1:short:gw"])
def test_a_secret_that_is_no_identity_is_said_without_repeating_it(text: str) -> None:
    clock, wire = Clock(), Wire(lambda _request: plain(200))
    tools = Tools(wire, clock, lambda _ref: Secret(text), gateway_url=URL)
    provider = client.connect(client.Settings(token=SecretRef("env:TOKEN")), tools)
    seen = provider.observe([KEY], Deadline(clock, 30))[KEY]
    assert isinstance(seen, BadCredentials)
    assert not text or text not in seen.message
    assert wire.sent == []


@pytest.mark.parametrize("url", ["", "http://gw.example.test", "https://user:pass@gw.example.test"])
def test_a_gateway_is_asked_over_tls_only(url: str) -> None:
    tools = Tools(Wire(lambda _request: plain(200)), Clock(), lambda _ref: Secret(""), gateway_url=url)
    with pytest.raises(SettingsError):
        client.connect(client.Settings(token=SecretRef("env:TOKEN")), tools)


def test_an_enrolment_whose_answer_is_lost_is_repeated_to_the_same_end(tmp_path: Path) -> None:
    with stand(tmp_path) as gateway:
        clock, key, code = Clock(), new_key(), gateway.code()
        lost = Wire(to(gateway))

        def cut(request: HttpRequest) -> HttpResponse:
            to(gateway)(request)
            raise Transport("the connection broke", ambiguous=True)

        lost.answer = cut
        with pytest.raises(Transport):
            enrolled_at(gateway, lost, clock, code, key)
        enrolled = enrolled_at(gateway, Wire(to(gateway)), clock, code, key)
        assert (enrolled.label, enrolled.names) == ("pc1", (NAME,))
        assert Identity.parse(enrolled.identity.text()) == enrolled.identity
        assert [host.id for host in gateway.parts.ledger.hosts()] == [enrolled.identity.host]


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (problem("code-expired", 403), BadCredentials),
        (problem("other-machine", 409), NotPermitted),
        (problem("malformed", 400), Rejected),
        (problem("throttled", 429), RateLimited),
        (problem("unavailable", 503), ServerSide),
        (plain(403), Malformed),
        (plain(200), Malformed),
        (plain(200, b"[]"), Malformed),
        (plain(200, b'{"host": "h 1", "gateway": "gw", "names": [], "label": "l"}'), Malformed),
        (plain(200, b'{"host": "h1", "gateway": "gw", "names": "n", "label": "l"}'), Malformed),
        (plain(200, b'{"host": "h1", "gateway": "gw", "names": []}'), Malformed),
    ],
)
def test_each_answer_to_an_enrolment_is_the_error_it_stands_for(
    response: HttpResponse, kind: type[ProviderError]
) -> None:
    clock = Clock()
    with pytest.raises(kind) as caught:
        enrol(
            URL, "code", MACHINE, new_key(), net=Wire(lambda _: response), deadline=Deadline(clock, 9), now=clock.now()
        )
    assert caught.value.message.isprintable()
