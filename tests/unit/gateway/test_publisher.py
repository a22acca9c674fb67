"""The publisher, pass by pass: what is queued gets into DNS, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ddns.errors import Conflict, ProviderError, Rejected, StateUnwritable
from ddns.gateway.audit import Audit
from ddns.gateway.ledger import Entry, Receipt, RecordState, Update, Values
from ddns.gateway.ledger.sqlite import SqliteLedger
from ddns.gateway.publisher import LONGEST_PAUSE, Publisher, Settled
from ddns.gateway.settings import Zone, Zones
from ddns.model import RecordType
from ddns.ports import Capabilities
from unit.gateway.stand import NAME, ONE_TRY, Clock, Dns, outage


@dataclass
class Works:
    """A ledger, a publisher that is moved by hand, and the DNS behind it."""

    ledger: SqliteLedger
    publisher: Publisher
    dns: Dns
    clock: Clock
    folder: Path

    def want(self, values: Values | None = ("192.0.2.1",), name: str = NAME, **more: object) -> Receipt:
        """Queue a wish."""
        entry = self.ledger.entry(name, RecordType.A)
        seen = 0 if entry is None else entry.revision
        wish = Update("h", name, RecordType.A, values, 60, f"i{name}{seen}", "d", None, seen, "t", self.clock.now())
        receipt = self.ledger.accept(wish)
        assert isinstance(receipt, Receipt)
        return receipt

    def entry(self, name: str = NAME) -> Entry:
        """The record."""
        entry = self.ledger.entry(name, RecordType.A)
        assert entry is not None
        return entry


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    clock, dns = Clock(), Dns()
    ledger, audit = SqliteLedger(tmp_path / "ledger.db"), Audit(tmp_path / "audit.jsonl", clock)
    yield Works(ledger, made(ledger, audit, dns, clock), dns, clock, tmp_path)
    ledger.close()
    audit.close()


def made(ledger: SqliteLedger, audit: Audit, dns: Dns, clock: Clock) -> Publisher:
    """A publisher for one zone."""
    zones = Zones((Zone(name="dyn.example.test", provider="dns"),))
    return Publisher(ledger, zones, {"dns": dns}, audit, clock=clock, policy=ONE_TRY, random=lambda: 0.5)


def test_what_is_queued_is_written_and_confirmed(works: Works) -> None:
    works.want()
    works.want(("192.0.2.2",), "pc2.dyn.example.test")
    works.publisher.once()
    assert (works.dns.values(), works.dns.values("pc2.dyn.example.test")) == (["192.0.2.1"], ["192.0.2.2"])
    entry = works.entry()
    assert (entry.state, entry.confirmed, entry.confirmed_at) == (
        RecordState.CONFIRMED,
        ("192.0.2.1",),
        works.clock.now(),
    )


def test_an_outage_is_sat_out_with_growing_pauses(works: Works) -> None:
    works.want()
    works.dns.down = outage()
    pauses = []
    for _ in range(9):
        pauses.append(works.publisher.once())
        assert works.publisher.once() == pauses[-1]  # not due yet: DNS is left alone
        works.clock.sleep(pauses[-1])
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert "does not answer" in works.publisher.problem
    works.dns.down = None
    works.publisher.once()
    assert (works.dns.values(), works.publisher.problem) == (["192.0.2.1"], "")


def test_a_clock_that_goes_back_does_not_prolong_a_pause(works: Works) -> None:
    works.want()
    works.dns.down = outage()
    works.publisher.once()
    works.dns.down = None
    works.clock.time -= 86400
    works.publisher.once()
    assert works.dns.values() == ["192.0.2.1"]


def test_a_newer_wish_is_tried_at_once_though_the_older_one_failed(works: Works) -> None:
    works.want()
    works.dns.down = outage()
    works.publisher.once()
    works.dns.down = None
    works.want(("192.0.2.2",))
    works.publisher.once()
    assert works.dns.values() == ["192.0.2.2"]


def test_one_record_that_fails_does_not_stop_the_others(works: Works) -> None:
    works.dns.refuses["bad.dyn.example.test"] = outage()
    works.want(name="bad.dyn.example.test")
    works.want()
    works.publisher.once()
    assert works.dns.values() == ["192.0.2.1"]
    assert [entry.name for entry in works.ledger.queued(10)] == ["bad.dyn.example.test"]


@pytest.mark.parametrize("error", [Conflict("somebody was faster"), ProviderError("odd")])
def test_a_write_that_does_not_get_through_stays_queued(works: Works, error: ProviderError) -> None:
    works.dns.refuses[NAME] = error
    works.want()
    works.publisher.once()
    assert works.entry().state is RecordState.QUEUED
    del works.dns.refuses[NAME]
    works.clock.sleep(60)
    works.publisher.once()
    assert works.entry().state is RecordState.CONFIRMED


def test_a_foreign_value_is_replaced_because_the_update_was_acknowledged(works: Works) -> None:
    works.want()
    works.dns.put(NAME, "A", "192.0.2.66")
    works.publisher.once()
    assert works.dns.values() == ["192.0.2.1"]


def test_what_is_right_already_is_confirmed_without_a_write(works: Works) -> None:
    works.dns.put(NAME, "A", "192.0.2.1", ttl=60)
    works.want()
    works.publisher.once()
    assert (works.dns.writes, works.entry().state) == (0, RecordState.CONFIRMED)
    assert '"decision": "confirmed"' in (works.folder / "audit.jsonl").read_text()


def test_only_the_ttl_differs(works: Works) -> None:
    works.dns.put(NAME, "A", "192.0.2.1", ttl=300)
    works.want()
    works.publisher.once()
    assert works.dns.records[NAME, "A"].ttl == 60


def test_a_ttl_below_what_the_provider_takes_is_raised(works: Works) -> None:
    works.dns.capabilities = Capabilities(compare_and_set=True, min_ttl=120)
    works.want()
    works.publisher.once()
    assert works.dns.records[NAME, "A"].ttl == 120
    works.want()  # the same again: it is right as it is
    works.publisher.once()
    assert (works.dns.writes, works.entry().state) == (1, RecordState.CONFIRMED)


def test_a_record_that_is_gone_is_not_removed_again(works: Works) -> None:
    works.want(None)
    works.publisher.once()
    assert (works.dns.writes, works.entry().state) == (0, RecordState.CONFIRMED)


@pytest.mark.parametrize(("place", "lines"), [("audit", 1), ("ledger", 2)])
def test_a_kill_between_the_write_and_its_note_is_made_up_for(
    works: Works, monkeypatch: pytest.MonkeyPatch, place: str, lines: int
) -> None:
    """The write got out, its note did not: the next publisher finds it done, and its line says from what."""
    works.dns.put(NAME, "A", "192.0.2.9")
    works.want()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Audit, "write", killed) if place == "audit" else patch.setattr(works.ledger, "confirm", killed)
        with pytest.raises(KeyboardInterrupt):
            works.publisher.once()
    assert (works.dns.values(), works.entry().state) == (["192.0.2.1"], RecordState.QUEUED)
    audit = Audit(works.folder / "audit.jsonl", works.clock)
    made(works.ledger, audit, works.dns, works.clock).once()
    audit.close()
    assert (works.entry().state, works.dns.writes) == (RecordState.CONFIRMED, 1)
    told = (works.folder / "audit.jsonl").read_text().splitlines()
    assert ['"published"' in line and '"old": ["192.0.2.9"]' in line for line in told] == [True] * lines


def test_a_name_outside_every_zone_waits_for_the_settings(works: Works) -> None:
    works.want(name="pc1.elsewhere.test")
    works.publisher.once()
    assert "no zone in the settings holds" in works.publisher.problem
    assert works.entry("pc1.elsewhere.test").state is RecordState.QUEUED


def test_who_watches_is_told_of_this_revision_or_a_later_one(works: Works) -> None:
    first = works.want()
    watched = works.publisher.watch(NAME, RecordType.A, first.revision)
    second = works.want(("192.0.2.2",))
    later = works.publisher.watch(NAME, RecordType.A, second.revision + 1)
    assert not watched.done()
    works.publisher.once()
    assert watched.result(0) == Settled(RecordState.CONFIRMED)
    assert not later.done()
    already = works.publisher.watch(NAME, RecordType.A, second.revision)
    assert already.result(0) == Settled(RecordState.CONFIRMED)


def test_who_watches_hears_that_dns_refuses(works: Works) -> None:
    works.dns.refuses[NAME] = Rejected("a CNAME stands there")
    watched = works.publisher.watch(NAME, RecordType.A, works.want().revision)
    works.publisher.once()
    assert watched.result(0) == Settled(RecordState.FAILED, "a CNAME stands there")
    assert works.publisher.watch(NAME, RecordType.A, 1).result(0).problem == "a CNAME stands there"


def test_a_ledger_that_can_not_be_written_is_noted_and_the_thread_goes_on(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_limit: int) -> list[Entry]:
        works.publisher._stopping = True  # one round is enough
        works.publisher.notify()
        raise StateUnwritable("the disk is full")

    monkeypatch.setattr(works.ledger, "queued", full)
    works.publisher.start()
    works.publisher._thread.join(10)
    assert works.publisher.problem == "the disk is full"
