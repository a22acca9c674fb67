"""The short watch after a write: how long it takes until DNS shows it, as an interval (`[proof] watch`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ddns.beside import again
from ddns.cycle import World
from ddns.errors import ProviderError
from ddns.memory import Visibility
from ddns.model import Change, Observed, Outcome, RecordKey
from ddns.ports import Clock, Deadline, Tools
from ddns.providers.writeonly import Observer

#: Asks for records; as `ports.Provider.observe`.
Ask = Callable[[Sequence[RecordKey], Deadline], Mapping[RecordKey, Observed | ProviderError]]

#: Seconds between two looks, at first and at last.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0


def asking(world: World, outcomes: Sequence[Outcome], tools: Tools) -> Ask:
    """Who is asked: the zone's authoritative servers; of a proxied record, which DNS does not show, its provider."""
    hidden = {outcome.key for outcome in outcomes if _proxied(outcome)}
    servers = Observer(tools)

    def ask(keys: Sequence[RecordKey], deadline: Deadline) -> dict[RecordKey, Observed | ProviderError]:
        seen = dict(servers.observed([key for key in keys if key not in hidden], deadline))
        for key in hidden.intersection(keys):
            seen |= world.providers[key.provider].observe([key], deadline)
        return seen

    return ask


def _proxied(outcome: Outcome) -> bool:
    change = outcome.change
    rrsets = (change.after, change.before) if change is not None else ()
    return any(rrset is not None and rrset.extra.get("proxied") is True for rrset in rrsets)


def watch(
    outcomes: Sequence[Outcome], ask: Ask, *, seconds: float, clock: Clock, deadline: Deadline
) -> Iterator[Visibility]:
    """Look again and again for at most so many seconds; yields one interval a record that was written.

    A server that does not answer tells nothing: neither that the record is there, nor that it is not.
    """
    waiting = {outcome.key: outcome for outcome in outcomes if _written(outcome) is not None}
    lower = dict.fromkeys(waiting, 0.0)
    within, pause = deadline.within(seconds), _FIRST_PAUSE
    while waiting:
        seen = ask(list(waiting), within)
        now = clock.now()
        for key, outcome in list(waiting.items()):
            found, change = seen.get(key), _written(outcome)
            if not isinstance(found, Observed) or change is None:
                continue
            delay = max(0.0, now - outcome.at)
            change, found = again(change, found)
            if change.done(found.rrset):
                yield Visibility(key, now, min(lower[key], delay), delay)
                del waiting[key]
            else:
                lower[key] = delay
        if not waiting or pause >= within.left():
            break
        clock.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    now = clock.now()
    yield from (Visibility(key, now, lower[key], None) for key in waiting)


def _written(outcome: Outcome) -> Change | None:
    """The change that is to be seen; None where nothing was written, or it was taken away."""
    change = outcome.change if outcome.kind.wrote else None
    return change if change is not None and change.after is not None else None
