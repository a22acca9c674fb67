"""Signed updates and reads, through the application: what is acknowledged is in DNS, or will be."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from ddns.errors import ProviderError, Rejected
from ddns.gateway import operators
from ddns.gateway.ledger import RecordState
from ddns.gateway.reading import READ_LIMIT, SILENCE
from ddns.model import Observed, RecordKey, RecordType
from ddns.ports import Deadline
from unit.gateway.stand import MACHINE, NAME, Dns, Stand, outage, stand


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path) as made:
        yield made


def test_an_update_is_in_dns_when_it_is_answered(gateway: Stand) -> None:
    host = gateway.enrol()
    answer = gateway.update(host, seq=1)
    assert (answer.status, answer.body["state"], gateway.dns.values()) == (200, "confirmed", ["192.0.2.1"])
    told = gateway.record(host)
    assert told.status == 200
    assert told.body == {
        "values": ["192.0.2.1"],
        "ttl": 60,
        "state": "confirmed",
        "confirmed_at": gateway.clock.now(),
        "seq": 1,
    }


def test_a_record_is_changed_and_removed(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    assert gateway.update(host, seq=2, expect=["192.0.2.1"], values=["192.0.2.2"]).status == 200
    assert gateway.dns.values() == ["192.0.2.2"]
    assert gateway.update(host, seq=3, expect=["192.0.2.2"], values=None).status == 200
    assert gateway.dns.values() is None
    assert gateway.record(host).body["values"] is None


def test_both_families_have_their_own_sequence(gateway: Stand) -> None:
    host = gateway.enrol()
    assert gateway.update(host, seq=5, idem="a").status == 200
    assert gateway.update(host, seq=1, idem="b", type="AAAA", values=["2001:db8::0:1"]).status == 200
    assert gateway.dns.values(type_="AAAA") == ["2001:db8::1"]


def test_a_name_is_the_same_in_any_spelling(gateway: Stand) -> None:
    host = gateway.enrol()
    assert gateway.update(host, seq=1, name="PC1.Dyn.Example.TEST.").status == 200
    assert gateway.dns.values() == ["192.0.2.1"]


def test_the_comparison_is_with_dns_so_that_a_change_behind_the_back_is_noticed(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    gateway.dns.put(NAME, "A", "192.0.2.66")
    assert gateway.record(host).body["values"] == ["192.0.2.66"]
    refused = gateway.update(host, seq=2, expect=["192.0.2.1"], values=["192.0.2.2"])
    assert (refused.status, refused.slug, refused.body["current"]) == (409, "conflict", ["192.0.2.66"])
    assert gateway.update(host, seq=2, expect=["192.0.2.66"], values=["192.0.2.2"]).status == 200


def test_a_repeated_key_gets_the_stored_answer_and_writes_nothing(gateway: Stand) -> None:
    host = gateway.enrol()
    first = gateway.update(host, seq=1, idem="same")
    again = gateway.update(host, seq=9, idem="same")
    assert (again.status, again.body) == (first.status, first.body)
    assert gateway.dns.writes == 1
    assert [line["decision"] for line in gateway.audit()].count("accepted") == 1


def test_with_dns_down_an_update_is_acknowledged_as_queued_and_published_later(tmp_path: Path) -> None:
    with stand(tmp_path, wait=0.05) as gateway:
        host = gateway.enrol()
        assert gateway.update(host, seq=1).status == 200
        gateway.dns.down = outage()
        queued = gateway.update(host, seq=2, expect=["192.0.2.1"], values=["192.0.2.2"])
        assert (queued.status, queued.body["state"]) == (202, "queued")
        assert gateway.record(host).status == 503
        assert gateway.ask("GET", "/readyz").body["queued"] == 1
        gateway.dns.down = None
        gateway.clock.sleep(120)
        gateway.until_settled()
        assert gateway.dns.values() == ["192.0.2.2"]
        # The repeated request tells how far it got meanwhile.
        assert gateway.update(host, seq=2, expect=["192.0.2.1"], values=["192.0.2.2"]).status == 200


def test_with_dns_down_nothing_is_accepted_that_can_not_be_compared(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.dns.down = outage()
    refused = gateway.update(host, seq=1)
    assert (refused.status, refused.slug, refused.headers["retry-after"]) == (503, "dns-unreachable", "10")
    assert gateway.parts.ledger.entry(NAME, RecordType.A) is None


def test_of_several_queued_updates_only_the_newest_is_written(tmp_path: Path) -> None:
    with stand(tmp_path, wait=0.05) as gateway:
        host = gateway.enrol()
        gateway.dns.gate.clear()
        assert gateway.update(host, seq=1).status == 202
        assert gateway.update(host, seq=2, values=["192.0.2.2"]).status == 202
        assert gateway.update(host, seq=3, values=["192.0.2.3"]).status == 202
        gateway.dns.gate.set()
        gateway.until_settled()
        assert gateway.dns.values() == ["192.0.2.3"]
        assert gateway.dns.writes == 2  # the first was on its way already
        assert gateway.update(host, seq=2, values=["192.0.2.2"]).status == 200  # settled by the one that overtook it


def test_a_record_that_dns_refuses_is_told_and_not_tried_for_ever(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.dns.refuses[NAME] = Rejected("a CNAME stands there\x1b[2J")
    refused = gateway.update(host, seq=1)
    assert (refused.status, refused.slug) == (422, "refused-by-dns")
    entry = gateway.parts.ledger.entry(NAME, RecordType.A)
    assert entry is not None
    assert (entry.state, gateway.parts.ledger.queued(10)) == (RecordState.FAILED, [])
    del gateway.dns.refuses[NAME]
    assert gateway.update(host, seq=2).status == 200


def test_a_frozen_host_is_held_and_released(gateway: Stand) -> None:
    host = gateway.enrol()
    operators.freeze(gateway.parts.ledger, gateway.parts.audit, "pc1", frozen=True)
    held = gateway.update(host, seq=1)
    assert (held.status, held.body["state"], gateway.dns.values()) == (202, "held", None)
    operators.freeze(gateway.parts.ledger, gateway.parts.audit, "pc1", frozen=False)
    gateway.until_settled()
    assert gateway.dns.values() == ["192.0.2.1"]


def test_two_updates_of_one_moment_do_not_both_pass(tmp_path: Path) -> None:
    """Two copies of a machine, each with its own sequence, compare with the same state of DNS."""
    both = threading.Barrier(2)

    class Slow(Dns):
        def observe(
            self, keys: Sequence[RecordKey], deadline: Deadline
        ) -> Mapping[RecordKey, Observed | ProviderError]:
            seen = super().observe(keys, deadline)
            if threading.current_thread().name != "publisher":
                both.wait(10)
            return seen

    with stand(tmp_path, dns=Slow()) as gateway:
        host = gateway.enrol()
        answers: list[tuple[int, str]] = []

        def one(seq: int) -> None:
            answer = gateway.update(host, seq=seq, values=[f"192.0.2.{seq}"])
            answers.append((answer.status, answer.slug))

        threads = [threading.Thread(target=one, args=(seq,)) for seq in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert min(answers) == (200, "")
        assert max(answers)[0] == 409


def test_a_host_that_is_revoked_while_dns_is_asked_gets_nothing_accepted(tmp_path: Path) -> None:
    """The signature was right when it came; the answer of DNS may take seconds."""

    class Revoking(Dns):
        def observe(
            self, keys: Sequence[RecordKey], deadline: Deadline
        ) -> Mapping[RecordKey, Observed | ProviderError]:
            operators.revoke(made.parts.ledger, made.parts.audit, made.clock, "pc1")
            return super().observe(keys, deadline)

    with stand(tmp_path, dns=Revoking()) as made:
        refused = made.update(made.enrol(), seq=1)
        assert (refused.status, refused.slug) == (403, "revoked")
        assert made.parts.ledger.entry(NAME, RecordType.A) is None


def test_a_number_far_above_the_current_one_can_not_use_up_all_numbers(gateway: Stand) -> None:
    """A stolen key must not leave a record that nobody, however often enrolled again, can write any more."""
    host = gateway.enrol()
    gateway.update(host, seq=1)
    refused = gateway.update(host, seq=10**18 - 1, expect=["192.0.2.1"], values=["192.0.2.2"])
    assert (refused.status, refused.slug) == (422, "not-allowed")
    assert gateway.update(host, seq=1 + 2**32, expect=["192.0.2.1"], values=["192.0.2.2"]).status == 200


def test_a_dns_server_that_hangs_is_not_waited_for_by_each_request(tmp_path: Path) -> None:
    class Hanging(Dns):
        hangs = False

        def observe(
            self, keys: Sequence[RecordKey], deadline: Deadline
        ) -> Mapping[RecordKey, Observed | ProviderError]:
            if self.hangs and threading.current_thread().name != "publisher":
                made.clock.sleep(deadline.left())
                return dict.fromkeys(keys, outage())
            return super().observe(keys, deadline)

    dns = Hanging()
    with stand(tmp_path, dns=dns) as made:
        host = made.enrol()
        made.update(host, seq=1)
        dns.hangs, start = True, made.clock.now()
        assert {made.record(host).slug for _ in range(5)} == {"dns-unreachable"}
        assert made.clock.now() - start == READ_LIMIT
        made.clock.sleep(SILENCE)
        dns.hangs = False
        assert made.record(host).status == 200


def test_the_address_may_be_required_to_be_that_of_the_peer(tmp_path: Path) -> None:
    with stand(tmp_path, hosts={"must_match_peer": True}) as gateway:
        host = gateway.enrol()
        refused = gateway.update(host, seq=1, values=["192.0.2.1"], peer="192.0.2.2")
        assert (refused.status, refused.slug) == (422, "not-allowed")
        assert gateway.update(host, seq=1, values=["192.0.2.1"], peer="::ffff:192.0.2.1").status == 200


def test_revoking_ends_a_host_and_can_take_its_records_along(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    operators.revoke(gateway.parts.ledger, gateway.parts.audit, gateway.clock, "pc1", remove_records=True)
    gateway.until_settled()
    assert gateway.dns.values() is None
    assert gateway.record(host).slug == "revoked"
    again = gateway.enrol(machine="another-machine", key=bytes(range(32)))
    assert again.host != host.host
    told = gateway.record(again)
    assert gateway.update(again, seq=told.body["seq"] + 1).status == 200


def test_a_host_that_moved_has_its_records_from_the_start(gateway: Stand) -> None:
    """So that revoking it takes them along, also when the new machine has not written yet."""
    gateway.update(gateway.enrol(), seq=1)
    assert gateway.redeem(gateway.code(rebind=True), "another-machine", bytes(range(32))).status == 200
    operators.revoke(gateway.parts.ledger, gateway.parts.audit, gateway.clock, "pc1", remove_records=True)
    gateway.until_settled()
    assert gateway.dns.values() is None


def test_a_host_that_enrols_again_goes_on_with_its_records(gateway: Stand) -> None:
    host = gateway.enrol()
    gateway.update(host, seq=1)
    renewed = gateway.enrol(machine=MACHINE, key=bytes(range(32)))
    assert renewed.host == host.host
    assert gateway.record(host).slug == "bad-signature"  # the old key is void
    assert gateway.update(renewed, seq=2, expect=["192.0.2.1"], values=["192.0.2.2"]).status == 200


def test_each_decision_is_one_line_with_the_trace_of_the_client(gateway: Stand) -> None:
    host = gateway.enrol()
    body = b'{"name": "pc1.dyn.example.test", "type": "A", "values": ["192.0.2.1"], "ttl": 60, "absent": true}'
    headers = gateway.sign(host, "POST", "/v1/update", body, seq=1, idem="i") | {"DDNS-Trace": "trace-1"}
    gateway.ask("POST", "/v1/update", body=body, headers=headers)
    accepted, published = gateway.audit()[-2:]
    assert (accepted["decision"], published["decision"]) == ("accepted", "published")
    assert accepted["trace_id"] == published["trace_id"] == "trace-1"
    assert (accepted["old"], accepted["new"], accepted["peer"]) == ([], ["192.0.2.1"], "203.0.113.9")
    assert (published["name"], published["host"], published["new"]) == (NAME, host.host, ["192.0.2.1"])
