"""Whether somebody on the way answers in the server's place: the sign-in page of a guest network, a filter's page.

Such an answer says nothing about a record or a credential. It is told where a page comes though data was asked for.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

from ddns.errors import Intercepted, foreign
from ddns.ports import HttpRequest

SEEMS = "a captive portal seems to answer"
_ADVICE = (
    "On a guest network, sign in with a browser. Else a filter or proxy answers in the server's place: let this machine"
    " reach the server, or name the proxy in [proxy]."
)
#: "Network Authentication Required", RFC 6585 section 6.
_SIGN_IN = 511


def notice(
    request: HttpRequest, where: str, status: int, headers: Mapping[str, str], body: bytes
) -> Intercepted | None:
    """The error for an answer that a portal seems to give, None for any other.

    It may all the same come from the server, so the record is read before anything else.
    """
    found = _found(request, status, headers, body)
    return Intercepted(f"{where}: {SEEMS}: {found}", advice=_ADVICE) if found else None


def _found(request: HttpRequest, status: int, headers: Mapping[str, str], body: bytes) -> str:
    if status == _SIGN_IN:
        return f"HTTP {status}"
    if 300 <= status < 400:
        return _redirect(request, status, headers.get("location", ""))
    wanted = next((value for name, value in request.headers.items() if name.lower() == "accept"), "*/*")
    if 200 <= status < 300 and "html" not in wanted and "*/*" not in wanted and _is_page(headers, body):
        return f"HTTP {status} with a page, where data was asked for"
    return ""


def _redirect(request: HttpRequest, status: int, location: str) -> str:
    """A redirect to somewhere else, or out of TLS. A service that moved redirects to TLS, or within its own host."""
    asked, told = urllib.parse.urlsplit(request.url), _split(location)
    if told is None or not told.netloc or status in (301, 308, 304):
        down = told is not None and asked.scheme == "https" and told.scheme == "http"
        return f"HTTP {status}, a redirect out of TLS to {foreign(told.netloc, 80)}" if told and down else ""
    if asked.scheme == "https" and told.scheme == "http":
        return f"HTTP {status}, a redirect out of TLS to {foreign(told.netloc, 80)}"
    if told.hostname != asked.hostname:
        return f"HTTP {status}, a redirect to {foreign(told.netloc, 80)}"
    return ""


def _split(location: str) -> urllib.parse.SplitResult | None:
    try:
        parts = urllib.parse.urlsplit(location)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2])
    except ValueError:
        return None


def _is_page(headers: Mapping[str, str], body: bytes) -> bool:
    start = body[:200].lstrip().lower()
    return headers.get("content-type", "").startswith("text/html") and start.startswith(b"<")
