"""What HTTP providers share: status codes, URLs that may carry a secret."""

from __future__ import annotations

import pytest

from ddns.errors import (
    BadCredentials,
    Malformed,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SettingsError,
)
from ddns.ports import HttpResponse
from ddns.providers import answers

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, None),
        (204, None),
        (301, Malformed),
        (302, Malformed),
        (400, Malformed),
        (401, BadCredentials),
        (403, NotPermitted),
        (404, Malformed),
        (408, ServerSide),
        (429, RateLimited),
        (500, ServerSide),
        (502, ServerSide),
        (503, ServerSide),
        (599, ServerSide),
    ],
)
def test_status(status: int, expected: type[ProviderError] | None) -> None:
    problem = answers.status_problem(HttpResponse(status, {}, b"\x1b[31mwords\x07"), "svc", NOW)
    assert (type(problem) if problem else None) is expected
    if problem is not None:
        assert f"HTTP {status}" in problem.message
        assert problem.message.isprintable()
        assert problem.advice


def test_a_rate_limit_says_how_long() -> None:
    response = HttpResponse(429, {"retry-after": "30"}, b"")
    problem = answers.status_problem(response, "svc", NOW)
    assert isinstance(problem, RateLimited)
    assert problem.retry_after == 30
    assert "asks to wait 30 s" in problem.message


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v4", "https://api.example.com/v4/", "http://127.0.0.1:8080/x", "http://[::1]/x"]
)
def test_urls_that_may_carry_a_secret(url: str) -> None:
    assert answers.checked_url(url, "x: url") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://api.example.com/", "ftp://x/", "https:///x", "https://user:canary@x/", "api.example.com", "https://[::1"],
)
def test_urls_that_may_not(url: str) -> None:
    with pytest.raises(SettingsError, match="x: url") as caught:
        answers.checked_url(url, "x: url")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Home.Example.com.", "home.example.com"),
        ("straße.example.com", "strasse.example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert answers.ascii_name(name) == expected


def test_what_is_no_name() -> None:
    with pytest.raises(Rejected):
        answers.ascii_name("ü" * 70 + ".de")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        answers.parsed(body, "svc")
