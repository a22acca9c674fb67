"""Enrolment: one code, one machine, one key; and what happens when an answer is lost or a machine is a copy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddns.errors import SettingsError, StateError, UsageError
from ddns.gateway import operators
from ddns.gateway.enrolment import code_digest, new_code
from ddns.gateway.seal import Sealer, new_master_key
from ddns.secret import Secret
from unit.gateway.stand import MACHINE, MASTER, NAME, Stand, stand

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Stand]:
    with stand(tmp_path) as made:
        yield made


def test_a_code_makes_a_host_with_the_name_of_the_template(gateway: Stand) -> None:
    answer = gateway.redeem(gateway.code(), key=KEY)
    assert answer.status == 200
    assert answer.body == {"host": answer.body["host"], "label": "pc1", "names": [NAME], "gateway": "gw.example.test"}
    (host,) = operators.list_hosts(gateway.parts.ledger)
    assert (host.id, host.label, host.names, host.has_password) == (answer.body["host"], "pc1", (NAME,), False)


def test_a_lost_answer_is_told_again_even_when_the_code_is_too_old_by_then(gateway: Stand) -> None:
    code = gateway.code(seconds=60)
    first = gateway.redeem(code, key=KEY)
    gateway.clock.sleep(3600)
    assert gateway.redeem(code, key=KEY).body == first.body


def test_a_code_is_good_once(gateway: Stand) -> None:
    code = gateway.code()
    gateway.redeem(code, key=KEY)
    for machine, key in ((MACHINE, OTHER_KEY), ("machine-identity-2", KEY)):
        refused = gateway.redeem(code, machine, key)
        assert (refused.status, refused.slug) == (403, "code-used")


def test_a_code_expires_to_the_second(gateway: Stand) -> None:
    code = gateway.code(seconds=60)
    gateway.clock.sleep(60)
    refused = gateway.redeem(code)
    assert (refused.status, refused.slug, gateway.parts.ledger.hosts()) == (403, "code-expired", [])


def test_an_unknown_code_is_refused_and_guessing_is_slowed_down(tmp_path: Path) -> None:
    with stand(tmp_path, limits={"guess": "3/hour"}) as gateway:
        good = gateway.code()
        assert [gateway.redeem(new_code()).slug for _ in range(3)] == ["code-invalid"] * 3
        assert gateway.redeem(good).status == 429
        assert gateway.redeem(good, peer="203.0.113.10").status == 200


def test_a_clone_is_refused_and_told_what_to_do_and_does_not_use_up_the_code(gateway: Stand) -> None:
    first = gateway.enrol(key=KEY)
    code = gateway.code()
    refused = gateway.redeem(code, "machine-identity-2", OTHER_KEY)
    assert (refused.status, refused.slug) == (409, "other-machine")
    assert "enrol it again" in refused.body["detail"]
    assert gateway.redeem(code, MACHINE, OTHER_KEY).body["host"] == first.host


def test_a_new_machine_takes_over_with_a_code_that_says_so(gateway: Stand) -> None:
    first = gateway.enrol(key=KEY)
    answer = gateway.redeem(gateway.code(rebind=True), "machine-identity-2", OTHER_KEY)
    assert answer.status == 200
    assert answer.body["host"] != first.host
    assert answer.body["names"] == [NAME]
    assert gateway.record(first).slug == "revoked"


def test_the_same_machine_gets_a_new_key_and_stays_the_same_host(gateway: Stand) -> None:
    first = gateway.enrol(key=KEY)
    second = gateway.enrol(key=OTHER_KEY)
    assert second.host == first.host
    assert gateway.record(first).slug == "bad-signature"
    assert gateway.record(second).status == 200


def test_the_code_of_a_revoked_host_does_not_bring_it_back(gateway: Stand) -> None:
    code = gateway.code()
    gateway.redeem(code, key=KEY)
    operators.revoke(gateway.parts.ledger, gateway.parts.audit, gateway.clock, "pc1")
    assert gateway.redeem(code, key=KEY).slug == "code-used"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"code": 1, "machine": "machine-1", "key": "x"}',
        b'{"code": "c", "machine": "machine-1", "key": "short"}',
        b'{"code": "c", "machine": "m", "key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
        b'{"code": "c", "machine": "machine-1", "key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "more": 1}',
    ],
)
def test_a_malformed_enrolment_is_refused(gateway: Stand, body: bytes) -> None:
    refused = gateway.ask("POST", "/v1/enroll", body=body)
    assert (refused.status, refused.slug) == (400, "malformed")


@pytest.mark.parametrize("label", ["", "www", "WWW", "-pc", "pc_1", "a.b", "pc1;", "é", "a" * 64, "ab--c", "*"])
def test_a_label_that_dns_or_the_settings_do_not_allow_gets_no_code(gateway: Stand, label: str) -> None:
    with pytest.raises(UsageError, match="host"):
        gateway.code(label)


def test_a_code_is_random_enough_and_stored_as_a_hash_only(gateway: Stand) -> None:
    code = gateway.code()
    assert len(code.replace("-", "")) * 5 >= 128
    stored = (Path(gateway.parts.settings.data) / "ledger.db-wal").read_bytes()
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored
    assert code_digest(f" {code.upper().replace('-', ' ')}\n") == code_digest(code)
    assert code not in json.dumps(gateway.audit())


def test_a_key_is_stored_sealed_for_its_host_only(gateway: Stand) -> None:
    host = gateway.enrol(key=KEY)
    kept = gateway.parts.ledger.host(host.host)
    assert kept is not None
    assert kept.key is not None
    assert KEY not in kept.key
    assert host.key not in kept.key
    sealer = Sealer(Secret(MASTER))
    assert sealer.open(host.host, kept.key) == host.key
    for other, name in ((sealer, "hsomebody"), (Sealer(Secret(new_master_key())), host.host)):
        with pytest.raises(StateError, match="does not open"):
            other.open(name, kept.key)


@pytest.mark.parametrize("text", ["", "short", "A" * 44, "not base64!"])
def test_a_master_key_of_another_form_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SettingsError, match="32 bytes") as caught:
        Sealer(Secret(text))
    assert not text or text not in str(caught.value)


def test_the_gateway_does_not_start_with_another_master_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand(tmp_path) as gateway:
        gateway.enrol()
    monkeypatch.setattr("unit.gateway.stand.MASTER", new_master_key())
    with pytest.raises(StateError, match="does not open"), stand(tmp_path):
        pass


def test_operators_name_a_host_by_label_or_id_and_hear_when_there_is_none(gateway: Stand) -> None:
    host = gateway.enrol()
    assert operators.find(gateway.parts.ledger, "PC1").id == host.host
    assert operators.find(gateway.parts.ledger, host.host).label == "pc1"
    with pytest.raises(UsageError, match="no host 'pc9'"):
        operators.find(gateway.parts.ledger, "pc9")


def test_each_act_of_an_operator_is_audited(gateway: Stand) -> None:
    gateway.enrol()
    ledger, audit = gateway.parts.ledger, gateway.parts.audit
    operators.set_dyndns2_password(ledger, audit, "pc1")
    operators.freeze(ledger, audit, "pc1", frozen=True)
    operators.freeze(ledger, audit, "pc1", frozen=False)
    operators.revoke(ledger, audit, gateway.clock, "pc1")
    told = [line["decision"] for line in gateway.audit()]
    assert told == ["code", "enrolled", "password", "frozen", "thawed", "revoked"]


def test_revoking_a_host_withdraws_the_codes_that_were_minted_for_it(gateway: Stand) -> None:
    """One may lie on the machine that was stolen."""
    spare, other = gateway.code(rebind=True), gateway.code("pc2")
    gateway.enrol()
    operators.revoke(gateway.parts.ledger, gateway.parts.audit, gateway.clock, "pc1")
    assert gateway.redeem(spare, "another-machine").slug == "code-expired"
    assert gateway.redeem(other, "another-machine").status == 200
    assert gateway.redeem(gateway.code(), "a-third-machine").status == 200
