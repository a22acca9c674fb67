"""What providers' writes share: the TTL of new records, and whether a record, read again, is what was supposed."""

from __future__ import annotations

from collections.abc import Callable

from ddns.errors import Conflict, ProviderError
from ddns.model import Applied, AppliedState, Change, RRset
from ddns.ports import Clock, Deadline

#: The TTL of a record that is new where the settings ask for none.
DEFAULT_TTL = 120
#: Seconds before each question whether an accepted change is on all name servers; after the last one it is `queued`.
PAUSES = (0.0, 1.0, 2.0, 4.0)


def check(change: Change, now: RRset | None) -> None:
    """Raise Conflict when the record's values are neither those that were read before nor ours."""
    if not change.done(now) and not change.untouched(now):
        raise conflict(change, now)


def conflict(change: Change, now: RRset | None) -> Conflict:
    """The error for a record that somebody else changed."""
    return Conflict(f"{change.key} is not as it was read: expected {_text(change.before)}, found {_text(now)}")


def _text(rrset: RRset | None) -> str:
    return "no record" if rrset is None else str(rrset)


def watched(is_done: Callable[[], bool], clock: Clock, deadline: Deadline) -> Applied:
    """Ask a few times whether an accepted change is in DNS. That it can't be asked does not undo it."""
    try:
        for pause in PAUSES:
            if deadline.left() <= pause:
                break
            clock.sleep(pause)
            if is_done():
                return Applied()
    except ProviderError:
        pass
    return Applied(AppliedState.QUEUED)
