"""What a status comes to: what is wrong, and what to do about it. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ddns import errors
from ddns.cli.exits import meaning
from ddns.cli.value import Value
from ddns.cli.view import Record, View
from ddns.errors import DdnsError, Exit
from ddns.wording import local, span

_HOUR = 3600.0
#: How often runs come where the last ones don't tell.
_USUAL = 600.0
#: Seconds that a clock may be off before it is worth a word.
_CLOCK = 300.0

_FINE = {"unchanged", "proven", "updated", "repaired", "removed", "yielded"}
_WAITING = {"accepted", "deferred"}
#: Runs of one hour that may find the fleet's lease taken before it is worth a word.
_CONTENTIONS = 5
#: Codes of a held record that somebody else releases: the gateway's operator.
_RELEASED = {"", "provider.held"}

#: What an error's code means for the record, in words.
_WORDS = {
    "address.unknown": "the public address is not known",
    "provider.unreachable": "the provider can't be reached",
    "provider.untrusted": "the server's certificate is not trusted",
    "provider.rate_limited": "the provider asks us to wait",
    "provider.server_side": "the provider fails on its side",
    "provider.malformed": "the provider's answer can't be understood",
    "provider.held": "held by the gateway until an operator releases it",
    "provider.deferred": "put off to a later run",
    "provider.conflict": "somebody else keeps changing the record",
    "provider.rejected": "the record is refused as it is asked for",
    "provider.bad_credentials": "the credentials are not accepted",
    "provider.not_permitted": "the credentials lack a right",
    "provider.no_such_zone": "no zone of the account holds the name",
    "provider.banned": "this client is shut out",
    "provider.clock_skew": "this machine's clock is wrong",
    "lease.unavailable": "the fleet's lock server grants no lease",
    "lease.taken": "another machine of the fleet writes",
}


class Trouble(Value):
    """One thing that is wrong, and what to do, a sentence each."""

    what: str
    advice: str


def words(code: str) -> str:
    """An error's code in words."""
    return _WORDS.get(code) or code.rpartition(".")[2].replace("_", " ")


def standing(record: Record) -> str:
    """How a record stands: ``fine``, ``waiting``, ``failed``, or ``new`` when no run has looked at it."""
    if record.outcome in _FINE:
        return "fine"
    if record.outcome in _WAITING or (record.outcome == "held" and record.code in _RELEASED):
        return "waiting"
    return "failed" if record.outcome else "new"


def run_mark(code: int) -> str:
    """How a run stands by its exit code: ``fine``, ``waiting`` (a later one tries again), ``failed``."""
    if code == Exit.FINE:
        return "fine"
    return "waiting" if code in (Exit.UNREACHABLE, Exit.ADDRESS, Exit.BUSY) else "failed"


def troubles(view: View, now: float) -> list[Trouble]:
    """All that is wrong, the worst first; empty when all is well. Being paused or retired is not wrong.

    A retired machine is asked for nothing but to leave nothing behind: neither records nor runs are missed.
    """
    if view.retired_at is not None:
        return list(_left(view))
    all_ = [*_run(view), *_none(view, now), *_blocks(view, now), *_records(view), *_lease(view, now), *_age(view, now)]
    found = list({(trouble.what, trouble.advice): trouble for trouble in all_}.values())  # the same is told once
    if not found and view.exit != Exit.FINE:
        told = meaning(view.exit)
        found.append(Trouble(told.wrong, told.advice))
    return found


def left(view: View) -> list[Record]:
    """What a retired machine still publishes."""
    return [record for record in view.records if record.address]


def _left(view: View) -> Iterator[Trouble]:
    for record in left(view):
        why = f": {words(record.code)}" if record.code else ""
        advice = record.advice if record.code == errors.Conflict.code else ""  # another owner's to take away
        yield Trouble(f"{record.name} {record.type} is still published{why}", advice or "Go on with: ddns remove --all")


def _run(view: View) -> Iterator[Trouble]:
    """What stopped the last run as a whole."""
    if view.exit in (Exit.STATE, Exit.SETTINGS, Exit.CRASH):
        told = meaning(view.exit)
        # A run that can't use its state leaves its reason, with the advice, as the only note.
        code, colon, advice = view.notes[-1].partition(": ") if view.notes else ("", "", "")
        named = view.exit == Exit.STATE and colon and code.startswith("state")
        yield Trouble(f"{told.wrong} (exit code {view.exit})", advice if named and advice else told.advice)


def _none(view: View, now: float) -> Iterator[Trouble]:
    """Settings that keep no record: runs are fine and of no use."""
    paused = view.paused_until is not None and view.paused_until > now
    if not view.records and view.exit == Exit.FINE and not paused:
        yield Trouble("no records are set", "Add a [[record]] to the settings, then: ddns run")


def _blocks(view: View, now: float) -> Iterator[Trouble]:
    for block in view.blocks:
        kind = next((kind for kind in errors.Block.__subclasses__() if kind.code == block.code), errors.Block)
        advice = kind.default_advice or meaning(Exit.REFUSED).advice
        said = next((record.advice for record in view.records if record.code == block.code and record.advice), advice)
        since = f" since {local(block.since, now)}" if block.since else ""
        again = f"; asked again {local(block.retry_at, now)}" if block.retry_at else ""
        yield Trouble(f"{block.provider}: {words(block.code)}{since}{again}", said)


def _records(view: View) -> Iterator[Trouble]:
    blocked = {(block.provider, block.code) for block in view.blocks}
    for record in view.records:
        if record.outcome == "accepted" or not record.code or standing(record) in ("fine", "new"):
            continue
        if (record.provider, record.code) not in blocked:
            kind = _kind(record.code)
            advice = record.advice or (kind.default_advice if kind else "") or "See `ddns run --full`."
            yield Trouble(f"{record.name} {record.type}: {words(record.code)}", advice)


def _lease(view: View, now: float) -> Iterator[Trouble]:
    """Whether this machine keeps waiting for the fleet's lease."""
    if view.contentions > _CONTENTIONS and view.contended_at is not None and 0 <= now - view.contended_at < _HOUR:
        yield Trouble(
            f"another machine held the fleet lease in {view.contentions} runs of an hour",
            "See which machines share this lock, and whether they write the same names; give others a name of their"
            " own in [lock].",
        )


def _kind(code: str) -> type[DdnsError] | None:
    waiting: list[type[DdnsError]] = [DdnsError]
    while waiting:
        kind = waiting.pop()
        if kind.code == code:
            return kind
        waiting += kind.__subclasses__()
    return None


def _age(view: View, now: float) -> Iterator[Trouble]:
    """Whether runs still come."""
    if view.written_at is None:
        yield Trouble("the status does not tell when it was written", "Write it anew: ddns run --full")
        return
    age = now - view.written_at
    if age < -_CLOCK:
        yield Trouble(
            f"the last run ended {span(-age)} in the future: a clock was wrong, then or now",
            "Set this machine's clock (w32tm /resync, or timedatectl), then: ddns run --full",
        )
    usual = interval(view)
    if age > usual + _HOUR:
        yield Trouble(
            f"the last run ended {span(age)} ago, though one comes about every {span(usual)}",
            "The scheduled task may not run: see that it is there and enabled (Get-DdnsTask, or systemctl list-timers),"
            " or run by hand: ddns run",
        )


def interval(view: View) -> float:
    """How often runs come, in seconds: the usual gap between the last ones, at most a day."""
    starts = [run.started for run in view.runs if run.started is not None]
    gaps = sorted(after - before for before, after in itertools.pairwise(starts) if after > before)
    if not gaps:
        return _USUAL
    median = (gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2  # the module statistics takes longer than the rest
    return min(max(median, _USUAL), 86400.0)
