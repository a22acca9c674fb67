"""Record by record: what providers share whose calls carry one record each. An error is that record's alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ddns.errors import ProviderError
from ddns.model import Applied, Change, Observed, RecordKey


def observed(
    keys: Sequence[RecordKey], read: Callable[[RecordKey], Observed]
) -> dict[RecordKey, Observed | ProviderError]:
    """Read each record; every key is in the answer."""
    seen: dict[RecordKey, Observed | ProviderError] = {}
    for key in keys:
        try:
            seen[key] = read(key)
        except ProviderError as error:
            seen[key] = error
    return seen


def applied(
    changes: Sequence[Change], write: Callable[[Change], Applied | None]
) -> Iterator[tuple[Change, Applied | ProviderError]]:
    """Write each change; yields it with its result as it comes. What `write` says nothing about is in DNS."""
    for change in changes:
        try:
            yield change, write(change) or Applied()
        except ProviderError as error:
            yield change, error
