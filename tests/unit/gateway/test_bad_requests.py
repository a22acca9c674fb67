"""Requests that are refused: what each is told, and that neither ledger nor DNS changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ddns import protocol
from ddns.errors import StateUnwritable
from ddns.protocol import Identity
from unit.gateway.stand import NAME, Answer, Stand, stand


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Scene:
    """A gateway with two hosts; the first has one record at sequence 5."""

    gateway: Stand
    host: Identity
    other: Identity

    def signed(self, **wish: Any) -> tuple[bytes, dict[str, str]]:
        """An update that would be accepted, and its headers."""
        body = {"name": NAME, "type": "A", "values": ["192.0.2.2"], "ttl": 60, "expect": ["192.0.2.1"], **wish}
        raw = json.dumps({name: value for name, value in body.items() if value != "left out"}).encode()
        return raw, self.gateway.sign(self.host, "POST", "/v1/update", raw, seq=6, idem="i6")

    def send(self, raw: bytes, headers: dict[str, str]) -> Answer:
        """Send it."""
        return self.gateway.ask("POST", "/v1/update", body=raw, headers=headers)

    def update(self, **wish: Any) -> Answer:
        """Sign and send."""
        return self.send(*self.signed(**wish))


@pytest.fixture
def scene(gateway: Stand) -> Scene:
    host = gateway.enrol()
    other = gateway.enrol("pc2", machine="machine-identity-2", key=bytes(range(32)))
    assert gateway.update(host, seq=5).status == 200
    return Scene(gateway, host, other)


def unsigned(scene: Scene) -> Answer:
    return scene.send(scene.signed()[0], {})


def another_scheme(scene: Scene) -> Answer:
    return scene.send(scene.signed()[0], {"Authorization": "Bearer abc"})


def forged(scene: Scene) -> Answer:
    raw, _ = scene.signed()
    stolen = Identity(scene.host.host, bytes(range(32)), scene.host.gateway)
    return scene.send(raw, scene.gateway.sign(stolen, "POST", "/v1/update", raw, seq=6, idem="i6"))


def unknown_host(scene: Scene) -> Answer:
    raw, _ = scene.signed()
    nobody = Identity("hnobody", scene.host.key, scene.host.gateway)
    return scene.send(raw, scene.gateway.sign(nobody, "POST", "/v1/update", raw, seq=6, idem="i6"))


def for_another_gateway(scene: Scene) -> Answer:
    raw, _ = scene.signed()
    elsewhere = Identity(scene.host.host, scene.host.key, "gw2.example.test")
    return scene.send(raw, scene.gateway.sign(elsewhere, "POST", "/v1/update", raw, seq=6, idem="i6"))


def altered_body(scene: Scene) -> Answer:
    raw, headers = scene.signed()
    return scene.send(raw.replace(b"192.0.2.2", b"192.0.2.9"), headers)


def altered_sequence(scene: Scene) -> Answer:
    raw, headers = scene.signed()
    return scene.send(raw, {"Authorization": headers["Authorization"].replace("seq=6", "seq=7")})


def altered_path(scene: Scene) -> Answer:
    raw, headers = scene.signed()
    return scene.gateway.ask("POST", "/v1/update?x=1", body=raw, headers=headers)


def replayed(scene: Scene) -> Answer:
    raw, headers = scene.signed(expect=["192.0.2.77"])
    assert scene.send(raw, headers).status == 409
    return scene.send(raw, headers)


def late(scene: Scene) -> Answer:
    raw, headers = scene.signed()
    scene.gateway.clock.sleep(301)
    return scene.send(raw, headers)


def early(scene: Scene) -> Answer:
    raw, headers = scene.signed()
    scene.gateway.clock.sleep(-301)
    return scene.send(raw, headers)


def out_of_sequence(scene: Scene) -> Answer:
    return scene.gateway.update(scene.host, seq=5, idem="new", expect=["192.0.2.1"], values=["192.0.2.2"])


def sequence_zero(scene: Scene) -> Answer:
    return scene.gateway.update(scene.host, seq=0, idem="new", type="AAAA", values=["2001:db8::1"])


def key_used_for_something_else(scene: Scene) -> Answer:
    return scene.gateway.update(scene.host, seq=6, idem="i5", expect=["192.0.2.1"], values=["192.0.2.2"])


def somebody_elses_name(scene: Scene) -> Answer:
    return scene.update(name="pc2.dyn.example.test")


def nobodys_name(scene: Scene) -> Answer:
    return scene.update(name="www.example.test")


def in_no_zone(scene: Scene) -> Answer:
    return scene.update(name="pc1.elsewhere.test")


def oversized(scene: Scene) -> Answer:
    raw, _ = scene.signed(name="x" * protocol.MAX_BODY)
    return scene.send(raw, scene.gateway.sign(scene.host, "POST", "/v1/update", raw, seq=6, idem="i6"))


def not_json(scene: Scene) -> Answer:
    return scene.send(b"{half", scene.gateway.sign(scene.host, "POST", "/v1/update", b"{half", seq=6, idem="i6"))


def not_text(scene: Scene) -> Answer:
    raw = b"\xff\xfe\x00"
    return scene.send(raw, scene.gateway.sign(scene.host, "POST", "/v1/update", raw, seq=6, idem="i6"))


def no_key(scene: Scene) -> Answer:
    raw, _ = scene.signed()
    return scene.send(raw, scene.gateway.sign(scene.host, "POST", "/v1/update", raw, seq=6, idem=""))


def wish(**change: Any) -> Callable[[Scene], Answer]:
    """An update that is wrong in one field."""
    return lambda scene: scene.update(**change)


REFUSED: dict[str, tuple[Callable[[Scene], Answer], int, str]] = {
    "unsigned": (unsigned, 401, "unsigned"),
    "another scheme": (another_scheme, 401, "unsigned"),
    "forged": (forged, 401, "bad-signature"),
    "unknown host": (unknown_host, 401, "bad-signature"),
    "for another gateway": (for_another_gateway, 401, "bad-signature"),
    "altered body": (altered_body, 401, "bad-signature"),
    "altered sequence": (altered_sequence, 401, "bad-signature"),
    "altered path": (altered_path, 401, "bad-signature"),
    "replayed": (replayed, 401, "replayed"),
    "late": (late, 401, "clock-skew"),
    "early": (early, 401, "clock-skew"),
    "out of sequence": (out_of_sequence, 409, "stale-sequence"),
    "sequence zero": (sequence_zero, 409, "stale-sequence"),
    "key used for something else": (key_used_for_something_else, 409, "idempotency"),
    "expectation wrong": (wish(expect=["192.0.2.9"]), 409, "conflict"),
    "expected absent": (wish(expect="left out", absent=True), 409, "conflict"),
    "expectation is no address": (wish(expect=["\x1b[2J"]), 409, "conflict"),
    "somebody else's name": (somebody_elses_name, 403, "not-your-name"),
    "nobody's name": (nobodys_name, 403, "not-your-name"),
    "in no zone": (in_no_zone, 404, "no-zone"),
    "oversized": (oversized, 413, "too-large"),
    "not JSON": (not_json, 400, "malformed"),
    "not text": (not_text, 400, "malformed"),
    "no idempotency key": (no_key, 400, "malformed"),
    "no values": (wish(values="left out"), 400, "malformed"),
    "no name": (wish(name="left out"), 400, "malformed"),
    "unknown field": (wish(proxied=True), 400, "malformed"),
    "values is a text": (wish(values="192.0.2.2"), 400, "malformed"),
    "no expectation": (wish(expect="left out"), 400, "malformed"),
    "two expectations": (wish(absent=True), 400, "malformed"),
    "no address": (wish(values=["\x1b[31mred"]), 422, "not-allowed"),
    "empty values": (wish(values=[]), 422, "not-allowed"),
    "too many values": (wish(values=[f"192.0.2.{n}" for n in range(9)]), 422, "not-allowed"),
    "wrong family": (wish(values=["2001:db8::1"]), 422, "not-allowed"),
    "private address": (wish(values=["10.0.0.1"]), 422, "not-allowed"),
    "loopback": (wish(values=["127.0.0.1"]), 422, "not-allowed"),
    "scoped address": (wish(type="AAAA", values=["fe80::1%eth0"]), 422, "not-allowed"),
    "unknown type": (wish(type="MX"), 422, "not-allowed"),
    "a type that is not for hosts": (wish(type="TXT", values=["hello"]), 422, "not-allowed"),
    "not a name": (wish(name="a..b"), 422, "not-allowed"),
    "control characters in the name": (wish(name="\x1b[2J.example.test"), 422, "not-allowed"),
    "ttl zero": (wish(ttl=0), 422, "not-allowed"),
    "ttl of years": (wish(ttl=10**9), 422, "not-allowed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_request_is_refused_and_changes_nothing(scene: Scene, case: str) -> None:
    act, status, slug = REFUSED[case]
    before = scene.gateway.untouched()
    answer = act(scene)
    assert (answer.status, answer.slug) == (status, slug)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert answer.body["title"]
    assert answer.body["detail"].isprintable()
    assert scene.gateway.untouched() == before
    line = scene.gateway.audit()[-1]
    assert (line["decision"], line["reason"], line["peer"]) == ("refused", slug, "203.0.113.9")


def test_the_request_of_the_table_is_good_as_it_stands(scene: Scene) -> None:
    assert scene.update().status == 200


def test_an_unknown_host_and_a_wrong_signature_look_the_same(scene: Scene) -> None:
    one, other = forged(scene), unknown_host(scene)
    assert (one.status, one.body, dict(one.headers)) == (other.status, other.body, dict(other.headers))


def test_clock_skew_names_the_time_and_the_sequence_names_the_current_one(scene: Scene) -> None:
    assert out_of_sequence(scene).body["current_seq"] == 5
    assert late(scene).body["server_time"] == scene.gateway.clock.now()


@pytest.mark.parametrize("offset", [-300, 300])
def test_the_window_is_300_seconds_to_both_sides(scene: Scene, offset: int) -> None:
    raw, headers = scene.signed()
    scene.gateway.clock.sleep(offset)
    assert scene.send(raw, headers).status == 200


def test_a_nonce_is_known_after_a_restart_and_for_as_long_as_its_time_is_accepted(tmp_path: Path) -> None:
    target = f"/v1/record?name={NAME}&type=A"
    with stand(tmp_path) as gateway:
        host = gateway.enrol()
        # Signed by a clock that is 300 s ahead: its time is accepted for 600 s.
        headers = gateway.sign(host, "GET", target, ts=gateway.clock.now() + 300)
        assert gateway.ask("GET", target, headers=headers).status == 200
        clock = gateway.clock
    with stand(tmp_path, clock=clock) as gateway:
        assert gateway.ask("GET", target, headers=headers).slug == "replayed"
        clock.sleep(599)
        assert gateway.ask("GET", target, headers=headers).slug == "replayed"
        clock.sleep(2)
        assert gateway.ask("GET", target, headers=headers).slug == "clock-skew"


def test_a_body_that_is_too_large_is_not_read_to_its_end(scene: Scene) -> None:
    """Chunked, so that no length warns: reading stops with the chunk that is too much."""
    chunks = 0

    async def receive() -> dict[str, Any]:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": b"x" * 4096, "more_body": chunks < 1000}

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/update",
        "raw_path": b"/v1/update",
        "query_string": b"",
        "headers": [],
        "client": ("203.0.113.9", 1),
    }
    asyncio.run(scene.gateway.app(scope, receive, send))
    assert (sent[0]["status"], chunks) == (413, 5)


def test_reading_is_refused_in_the_same_words(scene: Scene) -> None:
    assert scene.gateway.record(scene.host, "pc2.dyn.example.test").slug == "not-your-name"
    assert scene.gateway.record(scene.host, type_="MX").slug == "not-allowed"
    assert scene.gateway.ask("GET", f"/v1/record?name={NAME}&type=A").slug == "unsigned"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/v1/update", 405), ("POST", "/ip", 405)]
)
def test_what_is_not_there_is_a_problem_document_too(scene: Scene, method: str, path: str, status: int) -> None:
    answer = scene.gateway.ask(method, path)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")


def test_guessing_is_stopped_while_hosts_at_the_same_address_go_on(tmp_path: Path) -> None:
    """A site shares one address: a clone there, or a neighbour's malice, must not keep the others from updating."""
    with stand(tmp_path, limits={"guess": "3/hour"}) as gateway:
        scene = Scene(gateway, gateway.enrol(), gateway.enrol("pc2", "machine-identity-2", bytes(range(32))))
        assert [forged(scene).status for _ in range(4)] == [401, 401, 401, 429]
        stopped = forged(scene)
        assert (stopped.slug, 0 < int(stopped.headers["retry-after"]) <= 3600) == ("throttled", True)
        assert len([line for line in gateway.audit() if line["decision"] == "refused"]) == 3
        assert gateway.redeem("aaaa").status == 429
        assert gateway.update(scene.host, seq=1).status == 200
        assert gateway.record(scene.host).status == 200


def test_one_customer_of_ipv6_is_a_whole_network(tmp_path: Path) -> None:
    with stand(tmp_path, limits={"address": "2/hour"}) as gateway:
        peers = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
        assert [gateway.ask("GET", "/ip", peer=peer).status for peer in peers] == [200, 200, 429, 200]


def test_one_host_and_one_address_may_ask_only_so_often(tmp_path: Path) -> None:
    with stand(tmp_path, limits={"host": "2/hour", "address": "4/hour"}) as gateway:
        host = gateway.enrol()  # the first request from this address
        assert [gateway.record(host).status for _ in range(3)] == [200, 200, 429]
        assert gateway.ask("GET", "/ip").body["limited"] == "address"
        assert gateway.ask("GET", "/ip", peer="203.0.113.10").status == 200
        # An address that floods can't fill the audit log, a host that asks too often is named in it.
        assert [line["reason"] for line in gateway.audit() if line["decision"] == "refused"] == ["throttled"]


def test_an_audit_log_that_can_not_be_written_is_no_silent_loss(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is told that it is done; what the ledger took meanwhile is the same update when it is sent again."""

    def full(*_: object, **__: object) -> None:
        raise StateUnwritable("the audit log can't be written: No space left")

    with monkeypatch.context() as patch:
        patch.setattr(scene.gateway.parts.audit, "write", full)
        assert scene.update().slug == "unavailable"
        assert unsigned(scene).slug == "unavailable"
        assert "No space left" in caplog.text
    scene.gateway.clock.sleep(60)
    assert scene.update().status == 200
    assert scene.gateway.dns.values() == ["192.0.2.2"]
    (line,) = [line for line in scene.gateway.audit() if line["decision"] == "repeated"]
    assert (line["host"], line["new"], line["seq"]) == (scene.host.host, ["192.0.2.2"], 6)


def test_a_full_disk_acknowledges_nothing(tmp_path: Path) -> None:
    with stand(tmp_path, limits={"host": "10000/minute"}) as gateway:
        scene = Scene(gateway, gateway.enrol(), gateway.enrol("pc2", "machine-identity-2", bytes(range(32))))
        gateway.update(scene.host, seq=5)
        ledger: Any = gateway.parts.ledger
        before = gateway.untouched()
        pages = ledger._engine.call(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        ledger._engine.call(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchall())
        # Each request stores a nonce, until no page is left.
        answers = (gateway.record(scene.host) for _ in range(1000))
        full = next(answer for answer in answers if answer.status != 200)
        assert (full.status, full.slug) == (503, "unavailable")
        refused = scene.update()
        assert (refused.status, refused.slug, refused.headers["retry-after"]) == (503, "unavailable", "10")
        assert gateway.untouched() == before
        ledger._engine.call(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchall())
        assert scene.update().status == 200


def test_a_path_with_a_slash_too_many_is_not_sent_elsewhere(scene: Scene) -> None:
    """A redirect would name the host of a header that anybody may write."""
    answer = scene.gateway.ask("GET", "/v1/record/?name=x", headers={"Host": "elsewhere.test"})
    assert (answer.status, answer.slug) == (404, "not-found")
