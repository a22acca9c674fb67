"""What is ours: records that were there before this machine, or came beside it, and what `remove` makes of them."""

from __future__ import annotations

import pytest

from ddns.host import route as routing
from ddns.model import Kind, RecordType, RRset
from ddns.ports import Capabilities
from ddns.runtime import RunRequest, pausing, removing
from ddns.runtime.removing import Removal, Wish
from faults.effects import Effects
from faults.stage import FIRST, LIE, SECOND, SETTLE, Stage
from unit.fakes import FakeProvider
from unit.terminal import ddns

NAME = "one.example.test"
TXT = RecordType.TXT
PROVE = RunRequest(prove=True)


@pytest.fixture
def texts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A machine whose record is the text "ours"."""
    monkeypatch.setattr(FakeProvider, "capabilities", Capabilities(types=frozenset(RecordType)))
    path = stage.folder / "ddns.toml"
    path.write_text(path.read_text().replace("ttl = 60", 'ttl = 60\ntypes = ["TXT"]\nvalue = "ours"'))
    return stage


def put(stage: Stage, *values: str) -> None:
    """Somebody else writes the texts."""
    stage.dns.put(NAME, TXT, RRset(frozenset(values), 60), "somebody")


def remove(stage: Stage) -> Removal:
    stage.clock.tick(SETTLE)
    done = removing.remove(str(stage.folder), Wish(everything=True), stage.seams(Effects()))
    pausing.pause(str(stage.folder), None)
    return done


@pytest.mark.parametrize("before", [("ours",), ("ours", "theirs")], ids=["alone", "beside others"])
def test_a_text_that_stood_there_before_stays_its_owner_s(texts: Stage, before: tuple[str, ...]) -> None:
    put(texts, *before)
    assert texts.run() == 0
    assert texts.run(PROVE) == 0
    assert texts.dns.writes[1:] == []
    dry = ddns("remove", "--all", "--dry-run", "--data", texts.folder)
    done = remove(texts)
    assert (done.exit, [(o.kind, o.note) for o in done.outcomes]) == (
        0,
        [(Kind.PROVEN, "it stood there before this machine, and stays")],
    )
    assert set(texts.dns.texts(NAME, TXT)) == set(before)
    assert "would stay" in dry.text
    assert remove(texts).outcomes == ()


def test_a_text_that_was_made_beside_others_goes_alone(texts: Stage) -> None:
    put(texts, "theirs")
    assert texts.run() == 0
    assert set(texts.dns.texts(NAME, TXT)) == {"ours", "theirs"}
    assert texts.run(PROVE) == 0
    assert [o.kind for o in remove(texts).outcomes] == [Kind.REMOVED]
    assert texts.dns.texts(NAME, TXT) == ("theirs",)


def test_a_text_that_was_written_again_is_ours(texts: Stage) -> None:
    put(texts, "ours", "theirs")
    assert texts.run() == 0
    texts.clock.tick(SETTLE)
    put(texts, "theirs")
    assert texts.run(PROVE) == 0
    assert set(texts.dns.texts(NAME, TXT)) == {"ours", "theirs"}
    assert [o.kind for o in remove(texts).outcomes] == [Kind.REMOVED]


def test_a_text_that_somebody_makes_after_its_removal_is_theirs(texts: Stage) -> None:
    assert texts.run() == 0
    assert [o.kind for o in remove(texts).outcomes] == [Kind.REMOVED]
    put(texts, "ours")
    texts.clock.tick(600)
    assert texts.run() == 0
    assert [o.kind for o in remove(texts).outcomes] == [Kind.PROVEN]
    assert texts.dns.texts(NAME, TXT) == ("ours",)


def test_an_address_that_stood_there_before_is_taken_over_and_goes(stage: Stage) -> None:
    """The rule of adoption: one value. A machine whose state was lost takes back what it published so."""
    stage.dns.alter(NAME, FIRST)
    assert stage.run() == 0
    assert [write.by for write in stage.dns.writes if write.by != "somebody else"] == []
    assert [o.kind for o in remove(stage).outcomes] == [Kind.REMOVED]
    assert stage.published() == ((),)


def test_several_addresses_are_not_taken_over_though_ours_is_one_of_them(stage: Stage) -> None:
    stage.dns.alter(NAME, FIRST, LIE)
    assert stage.run() == 12
    assert remove(stage).outcomes == ()
    assert set(stage.dns.texts(NAME)) == {FIRST, LIE}


@pytest.mark.parametrize("theirs", [(LIE,), (LIE, SECOND)], ids=["one", "two"])
def test_what_takes_the_place_of_an_absent_family_s_record_is_theirs(
    stage: Stage, theirs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.run() == 0
    stage.clock.tick(SETTLE)
    stage.dns.alter(NAME, *theirs)
    with monkeypatch.context() as away:
        away.setattr(routing, "source_address", lambda _family: "")
        stage.move("")
        assert stage.run(PROVE) == 0
        assert set(stage.dns.texts(NAME)) == set(theirs)
    assert stage.status()["records"][0]["address"] is None
    assert remove(stage).outcomes == ()
    assert set(stage.dns.texts(NAME)) == set(theirs)
    stage.move(FIRST)
    assert stage.run() == (12 if len(theirs) > 1 else 0), "the rule of adoption, as for any record of others"
    assert set(stage.dns.texts(NAME)) == (set(theirs) if len(theirs) > 1 else {FIRST})
