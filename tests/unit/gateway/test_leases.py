"""The lease at the own gateway: its endpoint, and the client that takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddns.errors import BadCredentials, LeaseTaken, LeaseUnavailable, Transport
from ddns.lease.gateway import GatewayLock
from ddns.lease.place import Place
from ddns.ports import Deadline, HttpResponse
from ddns.protocol import Identity
from unit.gateway.stand import NAME, Answer, Clock, Stand, stand

SHARED = [
    {"name": "ddns", "hosts": ["*"]},
    {"name": "given", "hosts": ["PC1", "pc2"]},
    {"name": "office", "hosts": ["pc1"]},
]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path, clock=Clock(), lease=SHARED) as made:
        yield made


def lease(gateway: Stand, host: Identity, action: str = "take", **wish: Any) -> Answer:
    body = json.dumps({"name": "ddns", "action": action, "ttl": 60.0, **wish}).encode()
    return gateway.ask("POST", "/v1/lease", body=body, headers=gateway.sign(host, "POST", "/v1/lease", body))


def lock(gateway: Stand, host: Identity) -> GatewayLock:
    def exchange(path: str, body: bytes, deadline: Deadline) -> HttpResponse:
        answer = gateway.ask("POST", path, body=body, headers=gateway.sign(host, "POST", path, body))
        return HttpResponse(answer.status, dict(answer.headers), answer.text.encode())

    return GatewayLock(Place("gateway", "", "ddns", 60.0), gateway.clock, exchange)


def soon(gateway: Stand) -> Deadline:
    return Deadline(gateway.clock, 10.0)


def turn(gateway: Stand, seconds: float) -> None:
    gateway.clock.sleep(seconds)


def test_one_host_at_a_time_and_the_token_grows(gateway: Stand) -> None:
    one, two = gateway.enrol("pc1"), gateway.enrol("pc2", machine="machine-2")
    taken = lease(gateway, one)
    assert (taken.status, taken.body) == (200, {"token": 1, "ttl": 60.0})
    refused = lease(gateway, two)
    assert (refused.status, refused.slug) == (409, "lease-taken")
    assert (refused.body["holder"], refused.body["remaining"]) == ("pc1", 60.0)
    assert lease(gateway, two, name="given").body["token"] == 1, "another name is another lease"
    turn(gateway, 60.0)
    assert lease(gateway, two).body["token"] == 2
    assert lease(gateway, one, "renew", token=1).slug == "lease-taken"
    turn(gateway, 60.0)
    assert lease(gateway, one, "renew", token=1).slug == "lease-over"
    assert lease(gateway, two, "renew", token=2).slug == "lease-over"


def test_renewed_and_given_back(gateway: Stand) -> None:
    one, two = gateway.enrol("pc1"), gateway.enrol("pc2", machine="machine-2")
    lease(gateway, one)
    turn(gateway, 50.0)
    assert lease(gateway, one, "renew", token=1).body == {"token": 1, "ttl": 60.0}
    turn(gateway, 50.0)
    assert lease(gateway, two).slug == "lease-taken"
    assert lease(gateway, two, "release", token=1).slug == "lease-taken", "it is not theirs to give"
    assert lease(gateway, one, "release", token=1).status == 200
    assert lease(gateway, two).body["token"] == 2
    assert lease(gateway, one, "release", token=1).slug == "lease-taken"


def test_the_same_host_takes_it_anew(gateway: Stand) -> None:
    """It lost the first answer, or died: it need not wait for itself."""
    one = gateway.enrol("pc1")
    assert [lease(gateway, one).body["token"] for _ in range(2)] == [1, 2]
    assert lease(gateway, one, "renew", token=1).slug == "lease-over"


def test_a_gateway_that_starts_again_lets_a_lease_last(tmp_path: Path) -> None:
    clock = Clock()
    with stand(tmp_path, clock=clock, lease=SHARED) as before:
        one, two = before.enrol("pc1"), before.enrol("pc2", machine="machine-2")
        lease(before, one)
        lease(before, one, name="given")
        lease(before, one, "release", name="given", token=1)
    clock.time += 59.0
    with stand(tmp_path, clock=clock, lease=SHARED) as after:
        after._nonce = 100
        assert lease(after, two, name="given").body["token"] == 2
        assert lease(after, two).body["remaining"] == 60.0
        assert lease(after, one, "renew", token=1).status == 200
        clock.time += 60.0
        assert lease(after, two).body["token"] == 2


@pytest.mark.parametrize(
    ("wish", "status", "slug"),
    [
        ({"ttl": 0}, 400, "malformed"),
        ({"ttl": 601}, 400, "malformed"),
        ({"action": "steal"}, 400, "malformed"),
        ({"more": 1}, 400, "malformed"),
        ({"name": "a b"}, 400, "malformed"),
        ({"name": "ddns\n"}, 400, "malformed"),
        ({"name": ""}, 400, "malformed"),
    ],
)
def test_what_is_no_request_for_a_lease(gateway: Stand, wish: dict[str, Any], status: int, slug: str) -> None:
    answer = lease(gateway, gateway.enrol(), **wish)
    assert (answer.status, answer.slug) == (status, slug)


def test_only_hosts_get_one(gateway: Stand) -> None:
    host = gateway.enrol()
    assert gateway.ask("POST", "/v1/lease", body=b"{}").slug == "unsigned"
    stranger = Identity(host.host, bytes(32), host.gateway)
    assert lease(gateway, stranger).slug == "bad-signature"


@pytest.mark.parametrize("action", ["take", "renew", "release"])
def test_a_host_gets_only_what_the_operator_lists_it_for(gateway: Stand, action: str) -> None:
    one, two = gateway.enrol("pc1"), gateway.enrol("pc2", machine="machine-2")
    token = lease(gateway, one, name="office").body["token"]
    told = [lease(gateway, two, action, name=name, token=token) for name in ("office", "nobody-s")]
    assert [(answer.status, answer.slug) for answer in told] == [(403, "not-your-lease")] * 2
    assert "pc1" not in told[0].text, "who has it is not told to others"
    assert told[0].text.replace("office", "nobody-s") == told[1].text, "nor whether there is one"
    assert lease(gateway, one, "renew", name="office", token=token).status == 200
    assert gateway.parts.ledger.lease("nobody-s") is None
    assert gateway.audit()[-1]["reason"] == "not-your-lease"


def test_without_a_list_nobody_gets_one(tmp_path: Path) -> None:
    with stand(tmp_path) as gateway:
        host = gateway.enrol()
        assert [lease(gateway, host, name=name).slug for name in ("ddns", "pc1", NAME)] == ["not-your-lease"] * 3


def test_the_audit_log_tells_who_had_it(gateway: Stand) -> None:
    host = gateway.enrol()
    lease(gateway, host)
    line = gateway.audit()[-1]
    assert (line["decision"], line["host"], line["lease"], line["token"]) == ("leased", host.host, "ddns", 1)


# -- the client


def test_the_client_takes_renews_and_gives_back(gateway: Stand) -> None:
    one = lock(gateway, gateway.enrol("pc1"))
    two = lock(gateway, gateway.enrol("pc2", machine="machine-2"))
    first = one.acquire(soon(gateway))
    assert (first.token, 59 < first.remaining() < 60) == (1, True)
    turn(gateway, 50.0)
    first.renew(soon(gateway))
    assert first.remaining() > 59
    with pytest.raises(LeaseTaken, match=r"^pc1 holds the fleet lease ddns for another 60\.0 s$"):
        two.acquire(soon(gateway))
    first.release(soon(gateway))
    second = two.acquire(soon(gateway))
    assert second.token == 2
    with pytest.raises(LeaseTaken):
        first.renew(soon(gateway))
    turn(gateway, 61.0)
    with pytest.raises(LeaseUnavailable, match="ended before it was renewed"):
        second.renew(soon(gateway))


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(200, {}, b'{"token": "1", "ttl": 60}'),
        HttpResponse(200, {}, b'{"token": 1, "ttl": 9999}'),
        HttpResponse(200, {}, b"<html>"),
        HttpResponse(500, {}, b""),
        HttpResponse(404, {}, b'{"type": "about:blank"}'),
    ],
)
def test_an_answer_that_grants_nothing(answer: HttpResponse) -> None:
    made = GatewayLock(Place("gateway", "", "ddns", 60.0), Clock(), lambda *_: answer)
    with pytest.raises(LeaseUnavailable):
        made.acquire(Deadline(Clock(), 10.0))


def test_errors_on_the_way(gateway: Stand) -> None:
    def fail(error: Exception) -> GatewayLock:
        def exchange(_path: str, _body: bytes, _deadline: Deadline) -> HttpResponse:
            raise error

        return GatewayLock(Place("gateway", "", "ddns", 60.0), Clock(), exchange)

    with pytest.raises(LeaseUnavailable, match=r"grants no lease: gw: no answer$"):
        fail(Transport("gw: no answer", ambiguous=True)).acquire(soon(gateway))
    with pytest.raises(BadCredentials):
        fail(BadCredentials("no")).acquire(soon(gateway))
