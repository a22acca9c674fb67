"""This machine's clock against that of the sources: told where two operators say the same, and it matters."""

from __future__ import annotations

import email.utils
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family
from ddns.detect import detect
from ddns.detection import Answer
from ddns.http_time import SKEW_TOLD
from ddns.ports import HttpResponse
from ddns.report.events import skewed
from ddns.skew import told
from ddns.sources.http import HttpSource
from faults.stage import ALPHA, BETA, FIRST, Stage
from unit.fakes import START, FakeClock, FakeNet, in_turn


def said(operator: str, skew: float | None, *, authenticated: bool = True, suffices: bool = False) -> Answer:
    return Answer(operator.lower(), operator, authenticated, suffices, IPv4Address("1.0.0.1"), skew=skew)


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([said("A", 300.0), said("B", 301.0)], 301.0),
        ([said("A", -300.0), said("B", -301.0)], -300.0),
        ([said("A", 300.0), said("A", 300.0)], None),
        ([said("A", 300.0)], None),
        ([said("A", 300.0, suffices=True)], 300.0),
        ([said("A", 300.0), said("B", 300.0, authenticated=False)], None),
        ([said("A", 30.0), said("B", 31.0)], None),
        ([said("A", 300.0), said("B", 9000.0)], None),
        ([said("A", 300.0), said("B", 301.0), said("C", 9000.0)], 301.0),
        ([said("A", None), said("B", None)], None),
        ([], None),
    ],
    ids=[
        "behind", "ahead", "one operator", "one voice", "own gateway", "in the clear", "little", "they differ",
        "one is wrong itself", "nobody says", "nobody",
    ],
)  # fmt: skip
def test_what_is_told(answers: list[Answer], seconds: float | None) -> None:
    assert told(answers) == seconds


def response(text: str) -> HttpResponse:
    return HttpResponse(200, {"date": text}, b"1.0.0.1")


def skew(text: str, *, url: str = "https://echo.test/") -> float | None:
    clock = FakeClock()
    found = detect(
        Family.V4,
        [HttpSource("echo", "Echo", {Family.V4: url})],
        net=FakeNet({"echo.test": response(text)}),
        clock=clock,
        deadline=clock.deadline(),
        gather=in_turn,
    )
    return found.answers[0].skew


@given(st.integers(-(10**8), 10**8))
def test_the_date_of_an_answer(seconds: int) -> None:
    assert skew(email.utils.formatdate(START + seconds, usegmt=True)) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "Thu, 99 Jan 2027 08:00:00 GMT", "\ud800", "0" * 5000])
def test_a_date_that_is_none(text: str) -> None:
    assert skew(text) is None


def test_in_the_clear_anybody_may_say_the_time() -> None:
    assert skew(email.utils.formatdate(START + 300, usegmt=True), url="http://echo.test/") is None


def test_the_sentence() -> None:
    assert skewed(312.4) == ("this machine's clock is 312 s behind that of the sources; set it: signatures will fail")
    assert skewed(-61.0).startswith("this machine's clock is 61 s ahead of that of the sources")


def test_a_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(tmp_path / "machine") as stage:
        date = email.utils.formatdate(stage.clock.now() + 2 * SKEW_TOLD, usegmt=True)
        stage.net.says.update(dict.fromkeys((ALPHA, BETA), HttpResponse(200, {"date": date}, FIRST.encode())))
        assert stage.run() == 0
    assert "this machine's clock is 120 s behind that of the sources" in capsys.readouterr().out
