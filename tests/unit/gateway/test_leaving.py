"""A host leaves, by its own wish or by an operator's: once, for good, and with nothing of it left in DNS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddns.errors import UsageError
from ddns.gateway import operators
from ddns.gateway.ledger import RecordState
from ddns.protocol import Identity
from unit.gateway.stand import NAME, Answer, Stand, outage, stand


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path) as made:
        yield made


def leave(gateway: Stand, host: Identity, body: Any = None, **signing: Any) -> Answer:
    raw = json.dumps({"remove_records": False} if body is None else body).encode()
    headers = gateway.sign(host, "POST", "/v1/revoke", raw, **signing)
    return gateway.ask("POST", "/v1/revoke", body=raw, headers=headers)


def retire(gateway: Stand, host: str) -> tuple[Any, ...]:
    parts = gateway.parts
    return operators.retire(parts.ledger, parts.audit, gateway.clock, host)[1]


def test_a_host_that_left_is_told_so_whatever_it_asks(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    left = leave(gateway, host)
    assert (left.status, left.body["state"], left.body["repeated"], left.body["removing"]) == (200, "revoked", False, 0)
    for answer in (gateway.update(host, seq=2), gateway.record(host)):
        assert (answer.status, answer.slug) == (403, "revoked")
    assert gateway.dns.values() == ["192.0.2.1"], "its records stay unless their removal is asked for"
    (line,) = [line for line in gateway.audit() if line["decision"] == "revoked"]
    assert (line["by"], line["host"], line["label"], line["names"]) == ("host", host.host, "pc1", [NAME])


def test_a_lost_answer_is_asked_for_again_and_counts_as_done(gateway: Stand) -> None:
    host = gateway.enrol()
    first, second = leave(gateway, host), leave(gateway, host)
    assert (first.body["repeated"], second.status, second.body["repeated"]) == (False, 200, True)


def test_its_records_go_with_it_where_it_asks(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    assert leave(gateway, host, {"remove_records": True}).body["removing"] == 1
    gateway.until_settled()
    assert gateway.dns.values() is None


def test_a_request_that_is_sent_again_by_somebody_else_is_refused(gateway: Stand) -> None:
    host = gateway.enrol()
    raw = b'{"remove_records":false}'
    headers = gateway.sign(host, "POST", "/v1/revoke", raw)
    assert gateway.ask("POST", "/v1/revoke", body=raw, headers=headers).status == 200
    again = gateway.ask("POST", "/v1/revoke", body=raw, headers=headers)
    assert (again.status, again.slug) == (401, "replayed")


def test_who_has_the_key_of_a_revoked_host_can_remove_nothing(gateway: Stand) -> None:
    """The machine was stolen, its operator revoked it and kept the records for the next one."""
    host = gateway.enrol()
    gateway.update(host, seq=1)
    operators.revoke(gateway.parts.ledger, gateway.parts.audit, gateway.clock, "pc1")
    assert leave(gateway, host, {"remove_records": True}).body == {
        "state": "revoked",
        "host": host.host,
        "repeated": True,
        "removing": 0,
    }
    gateway.parts.publisher.once()
    assert gateway.dns.values() == ["192.0.2.1"]


@pytest.mark.parametrize("body", [{}, {"remove_records": "yes"}, {"remove_records": True, "more": 1}, []])
def test_a_body_that_does_not_say_what_is_wanted_revokes_nothing(gateway: Stand, body: Any) -> None:
    host = gateway.enrol()
    before = gateway.untouched()
    refused = leave(gateway, host, body)
    assert (refused.status, refused.slug, gateway.untouched()) == (400, "malformed", before)


def test_another_key_revokes_nothing(gateway: Stand) -> None:
    host = gateway.enrol()
    before = gateway.untouched()
    refused = leave(gateway, Identity(host.host, bytes(32), host.gateway))
    assert (refused.status, refused.slug, gateway.untouched()) == (401, "bad-signature", before)


def test_what_an_operator_holds_does_not_go_on_the_hosts_word(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    operators.freeze(gateway.parts.ledger, gateway.parts.audit, "pc1", frozen=True)
    before = gateway.untouched()
    refused = leave(gateway, host, {"remove_records": True})
    assert (refused.status, refused.slug, gateway.untouched()) == (403, "frozen", before)
    assert leave(gateway, host).status == 200, "its key it may always give back"


def test_the_code_that_brings_the_machine_back_ends_it(gateway: Stand) -> None:
    host = gateway.enrol()
    leave(gateway, host)
    again = gateway.enrol(key=bytes(range(32)))
    assert again.host != host.host
    assert gateway.update(again, seq=1).status == 200
    assert gateway.record(host).slug == "revoked"


def test_an_operator_retires_a_host_that_went_without_a_word(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    assert [entry.name for entry in retire(gateway, "pc1")] == [NAME]
    gateway.until_settled()
    assert gateway.dns.values() is None
    assert retire(gateway, host.host) == ()
    assert gateway.record(host).slug == "revoked"
    with pytest.raises(UsageError, match="there is no host 'pc1'"):
        retire(gateway, "pc1")
    assert [line["decision"] for line in gateway.audit() if line["decision"] != "refused"][-1] == "retired"


def test_retiring_a_host_that_is_revoked_takes_the_records_that_were_left(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    leave(gateway, host)
    gateway.dns.down = outage()
    (left,) = retire(gateway, host.host)
    assert (left.state, gateway.dns.values()) == (RecordState.QUEUED, ["192.0.2.1"])
    gateway.dns.down = None
    gateway.clock.sleep(120)
    gateway.until_settled()
    assert gateway.dns.values() is None


def test_retiring_a_frozen_host_takes_what_was_held(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    operators.freeze(gateway.parts.ledger, gateway.parts.audit, "pc1", frozen=True)
    assert gateway.update(host, seq=2, expect=["192.0.2.1"], values=None).status == 202
    retire(gateway, "pc1")
    gateway.until_settled()
    assert gateway.dns.values() is None


def test_what_the_next_host_of_the_name_wrote_is_not_taken(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    leave(gateway, host)
    new = gateway.enrol(machine="another-machine", key=bytes(range(32)))
    assert retire(gateway, host.host) == ()
    assert gateway.dns.values() == ["192.0.2.1"]
    assert gateway.update(new, seq=2, expect=["192.0.2.1"], values=["192.0.2.2"]).status == 200
