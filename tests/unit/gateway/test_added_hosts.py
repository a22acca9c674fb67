"""Hosts without enrolment: they have a password and no key."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest

from ddns.errors import StateError, UsageError
from ddns.gateway import operators
from ddns.gateway.ledger import Host
from ddns.gateway.seal import new_master_key
from ddns.protocol import Identity
from unit.gateway.stand import NAME, Answer, Stand, stand


def add(gateway: Stand, label: str = "pc1", template: str = "{host}.dyn.example.test") -> tuple[Host, str]:
    hosts = msgspec.structs.replace(gateway.parts.settings.hosts, template=template)
    return operators.add_host(gateway.parts.ledger, gateway.parts.audit, gateway.clock, hosts, label)


def update(gateway: Stand, password: str) -> Answer:
    headers = {"Authorization": "Basic " + base64.b64encode(f"pc1:{password}".encode()).decode()}
    return gateway.ask("GET", f"/nic/update?hostname={NAME}&myip=192.0.2.1", headers=headers)


def test_an_added_host_may_publish_its_name_and_nobody_may_sign_for_it(tmp_path: Path) -> None:
    with stand(tmp_path) as gateway:
        host, password = add(gateway, "PC1")

        assert update(gateway, "wrong").text == "badauth\n"
        assert (update(gateway, password).text, gateway.dns.values()) == ("good 192.0.2.1\n", ["192.0.2.1"])
        forged = gateway.update(Identity(host.id, bytes(32), "gw.example.test"), seq=2)
        assert (forged.status, forged.slug) == (401, "bad-signature")
        assert gateway.audit()[0] | {"at": 0} == {
            "at": 0,
            "decision": "added",
            "host": host.id,
            "label": "pc1",
            "names": [NAME],
            "prev": "0" * 64,
        }


def test_a_gateway_starts_with_added_hosts_and_still_knows_a_wrong_master_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand(tmp_path) as gateway:
        _, password = add(gateway)
    with stand(tmp_path) as gateway:
        assert update(gateway, password).text == "good 192.0.2.1\n"
        gateway.enrol("pc2")
    monkeypatch.setattr("unit.gateway.stand.MASTER", new_master_key())
    with pytest.raises(StateError, match="does not open"), stand(tmp_path):
        raise AssertionError


def test_neither_a_label_nor_a_name_is_given_twice(tmp_path: Path) -> None:
    with stand(tmp_path) as gateway:
        gateway.enrol("pc1")
        before, lines = gateway.untouched(), len(gateway.audit())

        with pytest.raises(UsageError, match="host 'pc1' exists already") as caught:
            add(gateway)
        assert "ddns gateway password pc1" in caught.value.advice
        with pytest.raises(UsageError, match=f"the name {NAME}, of host 'pc1', exists already"):
            add(gateway, "dyn", "pc1.{host}.example.test")

        assert (gateway.untouched(), len(gateway.audit())) == (before, lines)


def test_a_machine_takes_an_added_host_over_only_where_the_code_says_so(tmp_path: Path) -> None:
    with stand(tmp_path) as gateway:
        _, password = add(gateway)

        assert gateway.redeem(gateway.code()).slug == "other-machine"
        assert update(gateway, password).text == "good 192.0.2.1\n"
        assert gateway.redeem(gateway.code(rebind=True)).status == 200
        assert update(gateway, password).text == "badauth\n"
