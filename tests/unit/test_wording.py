"""How moments, lengths of time and foreign text are worded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.times import utc
from ddns.wording import FOR_EVER, endless, local, pasteable, readable, relative, seconds_of, span, until, visible
from unit.terminal import HOUR, NOW

DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (2 * HOUR + 300, "2 h 5 min"),
        (11 * HOUR + 300, "11 h"),
        (DAY, "1 day"),
        (2 * DAY + 5 * HOUR, "2 days 5 h"),
        (8 * DAY + 5 * HOUR, "8 days"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (0.5, "just now"),
        (-59, "59 s ago"),
        (-61, "1 min ago"),
        (3599, "in 1 h"),
        (-7500, "2 h ago"),
        (5 * HOUR - 1, "in 5 h"),
        (DAY, "in 1 day"),
        (-1.6 * DAY, "2 days ago"),
    ],
)
def test_relative(away: float, text: str) -> None:
    assert relative(NOW + away, NOW) == text


@pytest.mark.parametrize(
    ("away", "text"), [(0, "18:00"), (-DAY, "21 Nov 18:00"), (-400 * DAY, "18 Oct 2025")], ids=["today", "day", "year"]
)
def test_local(at_now: None, away: float, text: str) -> None:
    assert local(NOW + away, NOW) == text


@pytest.mark.parametrize("text", ["", "x", "2026-11-22", "2026-11-22T18:00:00", "0001-01-01T00:00:00Z", None, 7, []])
def test_what_is_no_moment(text: object) -> None:
    assert seconds_of(text) is None


@given(st.floats(NOW - 30 * 365 * DAY, FOR_EVER))
def test_moments_come_back(moment: float) -> None:
    assert abs((seconds_of(utc(moment)) or 0) - moment) < 0.0011


def test_the_end_of_time_is_endless() -> None:
    assert endless(FOR_EVER)
    assert not endless(NOW)
    assert utc(FOR_EVER) == "9999-12-31T00:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "away"),
    [
        ("90s", 90),
        ("2h", 2 * HOUR),
        (" 1.5 h ", 1.5 * HOUR),
        ("3d", 3 * DAY),
        ("2w", 14 * DAY),
        ("19:30", 1.5 * HOUR),
        ("17:30", 23.5 * HOUR),
        ("18:00", DAY),
        ("2026-11-24", 1.25 * DAY),
        ("2026-11-22 20:00", 2 * HOUR),
        ("2026-11-22T20:00+01:00", HOUR),
    ],
)
def test_until(at_now: None, text: str, away: float) -> None:
    assert until(text, NOW) == NOW + away


@pytest.mark.parametrize("text", ["", "soon", "2 parsecs", "0s", "2020-01-01", "25:00", "-1h", "2026-11-22", "\x1b[2J"])
def test_until_nothing(at_now: None, text: str) -> None:
    with pytest.raises(ValueError) as raised:
        until(text, NOW)
    assert str(raised.value).isprintable()


@given(st.text())
def test_visible_text_moves_no_cursor(text: str) -> None:
    seen = visible(text)
    assert all(line.isprintable() for line in seen.split("\n"))
    assert seen == text or not text.isprintable()
    seen.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("home.example.com", "home.example.com"),
        ("xn--bcher-kva.example.com", "bücher.example.com"),
        ("*.xn--r8jz45g.xn--zckzah", "*.例え.テスト"),
        ("xn--.example.com", "xn--.example.com"),
        ("xn--a.example.com", "xn--a.example.com"),
        ("xn--99999999999.example", "xn--99999999999.example"),
        ("xn--abc-.example", "xn--abc-.example"),
        ("xn--ab-h4t.example", "xn--ab-h4t.example"),  # a mark of writing direction
    ],
)
def test_names_are_shown_in_their_own_script(name: str, shown: str) -> None:
    assert readable(name) == shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Start one with: ddns run", "Start one with: ddns run --data /d"),
        ("then: ddns run --now", "then: ddns run --data /d --now"),
        (
            "Store it with `ddns secret set`, then: ddns run",
            "Store it with `ddns secret set --data /d`, then: ddns run --data /d",
        ),
        (
            "store it with: ddns secret set main-token --data /d, then: ddns plan",
            "store it with: ddns secret set main-token --data /d, then: ddns plan --data /d",
        ),
        ("Its operator: ddns gateway thaw HOST", "Its operator: ddns gateway thaw HOST"),
        ("the account that runs ddns may run it", "the account that runs ddns may run it"),
        ("As an administrator: ddns service start", "As an administrator: ddns service start"),
    ],
)
def test_advice_means_the_folder_of_the_command_that_gives_it(text: str, told: str) -> None:
    assert pasteable(text, " --data /d") == told
    assert pasteable(text, "") == text
    assert pasteable(told, " --data /d") == told


def test_advice_to_a_gateways_operator_means_its_settings() -> None:
    text = "mint one with: ddns gateway code HOST, and look with: ddns status"
    told = "mint one with: ddns gateway code --config /g.toml HOST, and look with: ddns status"
    assert pasteable(text, " --config /g.toml", gateway=True) == told


def test_a_windows_folder_is_no_escape() -> None:
    assert pasteable("ddns run", r' --data "C:\new data\1"') == r'ddns run --data "C:\new data\1"'
