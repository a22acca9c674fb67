"""Whole runs of records whose value the settings say: no address is asked for, and no change costs no question."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ddns.model import RecordType
from ddns.ports import Capabilities
from ddns.runtime import RunRequest
from faults.stage import Stage
from unit.fakes import FakeProvider

NOTE = "one.example.test"


@pytest.fixture
def stage(tmp_path: Path, unset: None) -> Iterator[Stage]:
    with Stage(tmp_path / "machine") as made:
        path = made.folder / "ddns.toml"
        path.write_text(path.read_text().replace("ttl = 60", 'ttl = 60\ntypes = ["TXT"]\nvalue = "ours"'))
        yield made


def test_nobody_is_asked_for_an_address(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeProvider, "capabilities", Capabilities(types=frozenset(RecordType)))
    assert stage.run() == 0
    assert stage.dns.texts(NOTE, RecordType.TXT) == ("ours",)
    stage.clock.tick(600)
    reads = len(stage.providers["one"].reads)
    assert stage.run() == 0
    assert (stage.net.asked, len(stage.providers["one"].reads)) == ([], reads)
    assert stage.status()["run"]["full"] is False


def test_the_cheap_run_has_no_address_to_tell(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeProvider, "capabilities", Capabilities(types=frozenset(RecordType)))
    stage.run()
    stage.clock.tick(600)
    capsys.readouterr()
    stage.run()
    assert capsys.readouterr().out == "nothing changed\n"


def test_a_provider_that_keeps_no_texts_is_told_by_name_and_asked_nothing(stage: Stage) -> None:
    assert stage.run() == 12
    assert (stage.providers["one"].reads, stage.providers["one"].sent) == ([], [])
    (record,) = stage.status()["records"]
    assert record["error"]["code"] == "provider.rejected"
    text = (stage.folder / "logs" / "ddns.jsonl").read_text()
    assert f"one can't keep records of the type TXT ({NOTE})" in text
    assert stage.run(RunRequest(full=True)) == 12
