"""What a full run tells the log: one line a record, with what was found, done, and why."""

from __future__ import annotations

from collections.abc import Sequence

from ddns.address import Family
from ddns.detection import Absent, Answer, Available, Detection, Unknown
from ddns.errors import DdnsError
from ddns.model import Kind, Outcome, RRset
from ddns.ports import Log

_LEVELS = {
    Kind.FAILED: "ERROR",
    Kind.CONTENDED: "ERROR",
    Kind.DEFERRED: "WARN",
    Kind.HELD: "WARN",
    Kind.YIELDED: "WARN",
}


def tell_outcome(log: Log, outcome: Outcome) -> None:
    """One record's end."""
    change = outcome.change
    log.write(
        _LEVELS.get(outcome.kind, "INFO"),
        f"{outcome.key}: {outcome.kind}",
        name=outcome.key.name,
        type=outcome.key.type.value,
        provider=outcome.key.provider,
        outcome=outcome.kind.value,
        old=_texts(change.before if change else None),
        new=_texts(change.after if change else outcome.rrset),
        reason=change.reason.value if change else None,
        change=change.id if change else None,
        observed_by=outcome.observed.by if outcome.observed else None,
        error=_error(outcome.cause),
        until=outcome.until,
        note=outcome.note or None,
    )


def outcome_line(outcome: Outcome) -> str:
    """One record's end as a line for people."""
    change, cause = outcome.change, outcome.cause
    text = f"{outcome.key}: {outcome.kind}"
    if change is not None:
        text += f" {change.before or 'none'} -> {change.after or 'none'}"
    elif outcome.rrset is not None:
        text += f" {outcome.rrset}"
    if outcome.kind is Kind.PROVEN and outcome.observed is not None:
        text += f" (by {outcome.observed.by})"
    if outcome.note:
        text += f" ({outcome.note})"
    return text + (f": {cause.message}. {cause.advice}" if cause else "")


def _texts(rrset: RRset | None) -> list[str] | None:
    return rrset.texts() if rrset else None


def _error(cause: DdnsError | None) -> dict[str, str] | None:
    return {"code": cause.code, "message": cause.message, "advice": cause.advice} if cause else None


def tell_detection(log: Log, family: Family, found: Detection, answers: Sequence[Answer]) -> None:
    """What is known of a family, and which sources said otherwise; of a refusal, which source said what."""
    address = found.address if isinstance(found, Available) else None
    liars = [a for a in answers if a.address is not None and address is not None and a.address != address]
    log.write(
        "INFO" if not liars and not isinstance(found, Unknown) else "WARN",
        f"IPv{family.value}: {address}" if address else f"IPv{family.value}: {type(found).__name__.lower()}",
        family=family.value,
        address=str(address) if address else None,
        agreed_by=list(found.agreed_by) if isinstance(found, Available) else None,
        disagree=[{"source": a.source, "address": str(a.address)} for a in liars],
        # Without a way to the Internet over a family nobody can answer: that is no news of any source.
        problems=[a.problem for a in answers if a.problem and not isinstance(found, Absent)],
        causes=list(found.causes) if isinstance(found, Unknown) else None,
        because=found.by if isinstance(found, Absent) else None,
    )


def skewed(seconds: float) -> str:
    """The sentence for a clock that is `seconds` behind (negative: ahead)."""
    side = "behind" if seconds > 0 else "ahead of"
    return f"this machine's clock is {abs(seconds):.0f} s {side} that of the sources; set it: signatures will fail"
