"""What the headers of an HTTP answer say of time: its date, the wait that it asks for. Header names are lower case."""

from __future__ import annotations

import datetime as dt
import email.utils
from collections.abc import Mapping

#: Seconds by which a clock must be off to be worth a word. Less may be the network's and the header's own rounding;
#: signatures and tokens of providers fail beyond a few minutes.
SKEW_TOLD = 60.0
#: Seconds: a server that asks for a longer wait is believed no longer than this.
LONGEST_WAIT = 86400.0


def skew(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the server's clock is ahead of `now` (UTC seconds), by its ``Date`` (RFC 9110 section 6.6.1).

    None where it does not tell.
    """
    theirs = _date(headers.get("date", ""))
    return None if theirs is None else theirs - now


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait by ``Retry-After``: whole seconds or a date (RFC 9110 section 10.2.3).

    A date counts from `now` (UTC seconds), or from the answer's own ``Date`` where `now` is None. None when nothing
    usable is asked; never negative, at most a day.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    until, since = _date(text), _date(headers.get("date", "")) if now is None else now
    return None if until is None or since is None else min(max(until - since, 0.0), LONGEST_WAIT)


def _date(text: str) -> float | None:
    """UTC seconds since the epoch (RFC 9110 section 5.6.7); None when the text is no date. Without a zone it is UTC."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
