"""Moments as HTTP headers tell them (RFC 9110 section 5.6.7)."""

from __future__ import annotations

import datetime as dt
import email.utils


def parse(text: str) -> float | None:
    """UTC seconds since the epoch, None when the text is not a date. One without a zone is UTC."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
