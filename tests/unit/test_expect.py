"""The expectation: what ends a run cheaply, and everything that does not."""

from __future__ import annotations

import pytest

from ddns.expect import LONGEST, OWN_PROBE, Ask, End, Expectation, Expected, Full, end, expect

NOW = 1000.0
V4, V6 = Expected(4, 0, "1.0.0.1"), Expected(6, OWN_PROBE, "2606:4700::1")


def made(
    fingerprint: str = "abc", since: float = NOW, until: float = NOW + 600, expected: tuple[Expected, ...] = (V4, V6)
) -> Expectation:
    return Expectation(fingerprint, since, until, expected, 12, ())


@pytest.mark.parametrize("now", [NOW, NOW + 1, NOW + 600])
def test_ask_while_it_is_believed(now: float) -> None:
    verdict = expect("abc", made(), now)
    assert isinstance(verdict, Ask)
    assert verdict.expected == (V4, V6)


@pytest.mark.parametrize(
    ("expectation", "now", "why"),
    [
        pytest.param(None, NOW, "the last run left something open", id="none"),
        pytest.param(made("abd"), NOW, "settings, secret, program or network changed", id="fingerprint"),
        pytest.param(made(), NOW + 600.1, "a proof or a retry is due", id="too late"),
        pytest.param(made(), NOW - 0.1, "a proof or a retry is due", id="the clock was set back"),
        pytest.param(made(until=NOW + LONGEST + 1), NOW, "a proof or a retry is due", id="forged: for too long"),
        pytest.param(made(since=0.0, until=1e12), NOW, "a proof or a retry is due", id="forged: for ever"),
        pytest.param(made(until=float("nan")), NOW, "a proof or a retry is due", id="forged: not a number"),
    ],
)
def test_the_full_way_and_why(expectation: Expectation | None, now: float, why: str) -> None:
    verdict = expect("abc", expectation, now)
    assert isinstance(verdict, Full)
    assert verdict.why == why


def test_the_expected_answers_end_the_run_with_the_last_exit_code() -> None:
    verdict = end(made(), {4: "1.0.0.1", 6: "2606:4700::1"})
    assert isinstance(verdict, End)
    assert verdict.exit == 12


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({4: "1.0.0.2", 6: "2606:4700::1"}, "the IPv4 probe says 1.0.0.2"),
        ({4: "1.0.0.1"}, "the IPv6 probe gave no usable answer"),
        ({4: "1.0.0.1", 6: ""}, "the IPv6 probe gave no usable answer"),
        ({}, "the IPv4 probe gave no usable answer"),
    ],
)
def test_any_other_answer_goes_the_full_way(answers: dict[int, str], why: str) -> None:
    verdict = end(made(), answers)
    assert isinstance(verdict, Full)
    assert verdict.why == why


def test_an_expectation_shows_what_it_expects() -> None:
    assert repr(V6) == "Expected(6, -1, '2606:4700::1')"
