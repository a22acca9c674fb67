"""A jump to another network: seen, told once everywhere it is told, and in a state that never heard of one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pytest

from ddns.address import Address, Family
from ddns.memory import Published
from ddns.model import RRset
from ddns.moves import Move, moved
from ddns.report.eventids import Event
from ddns.runtime import RunRequest, Start
from ddns.runtime.compose import Seams
from ddns.runtime.full import full_run
from ddns.runtime.history import history
from ddns.times import utc
from faults.stage import Stage
from unit.fakes import START, UNREACHABLE, in_turn
from unit.terminal import HOUR, NOW, ddns, put, record, status

AWAY = "198.18.7.9"
SAID = "IPv4: moved to another network: 203.0.0.0/16 -> 198.18.0.0/16"


def address(text: str) -> Address:
    return ip_address(text)


def was(*texts: str, since: float = START) -> Published:
    return Published(RRset(frozenset(map(ip_address, texts))), since)


@pytest.mark.parametrize(
    ("new", "before", "told"),
    [
        ("1.2.3.4", [was("1.3.0.1")], "IPv4: moved to another network: 1.3.0.0/16 -> 1.2.0.0/16"),
        ("1.2.3.4", [was("9.9.0.1"), was("1.3.0.1", "1.3.9.9")],
         "IPv4: moved to another network: 1.3.0.0/16, 9.9.0.0/16 -> 1.2.0.0/16"),
        ("1.2.3.4", [was("1.2.255.255")], ""),
        ("1.2.3.4", [was("9.9.0.1"), was("1.2.0.1")], ""),
        ("1.2.3.4", [was("2001:4860::1")], ""),
        ("1.2.3.4", [Published(RRset(frozenset({"a text"})), START)], ""),
        ("1.2.3.4", [], ""),
        ("2001:4860:9::1", [was("2001:4860:8::1")], ""),
        ("2001:4861::1", [was("2001:4860::1")], "IPv6: moved to another network: 2001:4860::/32 -> 2001:4861::/32"),
    ],
)  # fmt: skip
def test_what_is_another_network(new: str, before: list[Published], told: str) -> None:
    found = moved(address(new), before, (), START)
    assert (str(found) if found else "") == told


def test_a_move_is_told_again_only_after_something_else_was_published() -> None:
    known = [Move(Family.V4, ("1.3.0.0/16",), "1.2.0.0/16", START), Move(Family.V6, ("x",), "y", START + 5)]
    here = address("1.2.3.4")
    assert moved(here, [was("1.3.0.1", since=START - 60)], known, START + 600) is None
    assert moved(here, [was("1.3.0.1", since=START + 60)], known, START + 600) is not None
    assert moved(address("1.4.3.4"), [was("1.3.0.1", since=START - 60)], known, START + 600) is not None
    assert moved(here, [was("1.3.0.1", since=START - 60)], known, START - 1) is not None, "told in the future: a clock"


@pytest.fixture
def stage(tmp_path: Path, unset: None) -> Iterator[Stage]:
    with Stage(tmp_path / "machine") as made:
        file = made.folder / "ddns.toml"
        both = file.read_text().replace('["203.0.113.0/24"]', '["203.0.113.0/24", "198.18.0.0/15"]')
        file.write_text(both)
        yield made


def run(stage: Stage) -> list[tuple[int, str, str]]:
    """A full run; what it tells the event log."""
    told: list[tuple[int, str, str]] = []
    start = Start(str(stage.folder))
    start.started = stage.clock.now()
    seams = Seams(
        clock=stage.clock,
        net=lambda: stage.net,
        random=lambda: 0.5,
        gather=in_turn,
        report=lambda event, level, text: told.append((event, level, text)),
    )
    full_run(start, RunRequest(full=True), seams)
    stage.clock.tick(600)
    return [item for item in told if item[0] == Event.MOVED]


def test_a_move_is_told_once_on_every_way(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stage) == []
    stage.move(AWAY)
    capsys.readouterr()
    at = stage.clock.now()
    [(event, level, text)] = run(stage)
    assert (event, level) == (207, "warning")
    assert text.startswith(f"{SAID} (trace_id ")
    assert SAID in capsys.readouterr().out.splitlines()
    assert SAID in (stage.folder / "logs" / "ddns.jsonl").read_text()
    assert stage.published() == ((AWAY,),)
    moves = [{"at": utc(at), "family": 4, "from": ["203.0.0.0/16"], "to": "198.18.0.0/16"}]
    assert stage.status()["moves"] == moves
    assert stage.status()["notes"] == [], "nothing happened to the state itself"
    assert run(stage) == []
    assert stage.status()["moves"] == moves
    assert ("note", SAID) in [(entry.state, entry.detail) for entry in history(str(stage.folder), 10)]
    stage.clock.tick(8 * 86400)
    run(stage)
    assert "moves" not in stage.status()


def test_a_move_that_can_not_be_published_yet_is_told_once(stage: Stage) -> None:
    run(stage)
    stage.move(AWAY)
    api = stage.providers["one"]
    api.down = UNREACHABLE
    assert [len(run(stage)) for _ in range(3)] == [1, 0, 0]
    api.down = None
    stage.clock.tick(2 * HOUR)
    assert run(stage) == []
    assert stage.published() == ((AWAY,),)


def test_a_state_of_an_earlier_version(stage: Stage) -> None:
    run(stage)
    with closing(sqlite3.connect(stage.folder / "state" / "state.db")) as base, base:
        base.execute("DROP TABLE moves")
    assert history(str(stage.folder), 10)[0].change is not None
    stage.move(AWAY)
    assert len(run(stage)) == 1
    assert stage.sql("SELECT family, before, after FROM moves") == [(4, "203.0.0.0/16", "198.18.0.0/16")]


@pytest.mark.usefixtures("at_now")
def test_status_shows_the_last_move_of_each_family(tmp_path: Path) -> None:
    moves = [
        {"at": utc(NOW - 9000), "family": 4, "from": ["9.9.0.0/16"], "to": "1.3.0.0/16"},
        {"at": utc(NOW - 7200), "family": 4, "from": ["1.3.0.0/16", "1.4.0.0/16"], "to": "1.2.0.0/16"},
        {"at": utc(NOW - 3600), "family": 6, "from": ["2001:4860::/32"], "to": "2001:4861::/32"},
    ]
    done = ddns("status", "--data", put(tmp_path, status(record(), moves=moves)), width=80)
    assert done.code == 0, "a move is no trouble"
    assert done.lines[-2:] == [
        "· IPv4 moved to another network 2 h ago: 1.3.0.0/16, 1.4.0.0/16 → 1.2.0.0/16",
        "· IPv6 moved to another network 1 h ago: 2001:4860::/32 → 2001:4861::/32",
    ]


@pytest.mark.usefixtures("at_now")
@pytest.mark.parametrize("moves", [7, [7], [{}], [{"at": [], "family": "x", "from": {}, "to": 1}], [{"from": [1]}]])
def test_moves_that_anybody_wrote(tmp_path: Path, moves: object) -> None:
    assert ddns("status", "--data", put(tmp_path, status(record(), moves=moves)), width=80).code == 0
