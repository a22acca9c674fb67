"""Mistakes that other programs of this kind made (docs/design/lessons.md), where no other test holds them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import dns.rdatatype
import pytest

import ddns
from ddns.model import RecordType
from ddns.net import resolver
from ddns.net.exchange import Server
from ddns.net.resolver import Authority
from providers.cast import addresses
from providers.doubles.dns import DnsServer
from providers.doubles.zone import MemoryZone
from unit.test_resolver import NAME, Recursive, soon, system

TASKS = sorted((Path(__file__).resolve().parents[1] / "powershell/one/golden").glob("*.xml"))
_NS = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def test_a_split_dns_is_not_asked_for_the_record() -> None:
    """An office's resolver tells the inner address of a name: whoever compares with that, updates for ever."""
    inner, outer = Recursive(), MemoryZone()
    inner.put(NAME, "A", "10.0.0.5")
    outer.put(NAME, "A", "192.0.2.1", ttl=300)
    with DnsServer(inner) as office, DnsServer(outer) as primary:

        def find(zone: object, deadline: object) -> tuple[Server, ...]:
            assert resolver.find_servers(resolver.parse_name(NAME), soon(), system(office))
            return (Server.parse(primary.address),)

        assert Authority(find=find).read(NAME, RecordType.A, soon()) == (
            addresses("192.0.2.1", ttl=300),
            primary.address,
        )
        asked = [(one.question[0].name, one.question[0].rdtype) for one in office.messages]
    assert asked
    assert (resolver.parse_name(NAME), dns.rdatatype.A) not in asked


def test_certificates_are_checked_wherever_there_are_any() -> None:
    """No setting, and no way around a missing root, leads to a connection that believes anybody."""
    loose = re.compile(r"CERT_NONE|CERT_OPTIONAL|check_hostname = False|verify=False|_create_unverified_context")
    source = Path(ddns.__file__).parent
    found = {
        path.relative_to(source).as_posix() for path in source.rglob("*.py") if loose.search(path.read_text("utf-8"))
    }
    assert found == {"net/server_clock.py"}, "which asks for the time only, and tells no secret"


@pytest.mark.parametrize("file", TASKS, ids=lambda file: file.stem)
def test_no_task_piles_up_hangs_is_forgotten_or_has_a_secret(file: Path) -> None:
    """Whatever is chosen; the golden texts may be written anew, these may not change with them."""
    task = ET.fromstring(file.read_bytes())

    def text(path: str) -> str:
        return task.findtext("/".join(f"t:{step}" for step in path.split("/")), "", _NS)

    assert text("Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert text("Settings/StartWhenAvailable") == "true"
    assert text("Settings/ExecutionTimeLimit") == "PT10M"
    assert text("Principals/Principal/UserId"), "who runs it is said, and never left to who registers it"
    assert text("Principals/Principal/LogonType") in ("", "Password", "S4U")
    assert text("Actions/Exec/Command").startswith('"'), "quoted, so that a blank in the path begins no argument"
    words = text("Actions/Exec/Arguments").split()
    assert words[0] == "run"
    assert set(words[1:]) <= {"--trial", "--data", '"D:\\my', 'data"'}


def test_the_usual_task_starts_by_clock_boot_network_and_resume_and_not_all_machines_at_once() -> None:
    triggers = ET.fromstring((TASKS[0].parent / "default.xml").read_bytes()).find("t:Triggers", _NS)
    assert triggers is not None
    assert [one.tag.partition("}")[2] for one in triggers] == ["TimeTrigger", "BootTrigger", "EventTrigger"]
    events = triggers.findtext("t:EventTrigger/t:Subscription", "", _NS)
    assert "NetworkProfile" in events
    assert "Kernel-Power" in events
    assert len(triggers.findall("*/t:Delay", _NS)) == 2
    assert not triggers.findtext("t:TimeTrigger/t:StartBoundary", "", _NS).endswith(":00:00"), "its own moment"
