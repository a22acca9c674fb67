"""Draws a status on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ddns.cli.paste import pasted
from ddns.cli.verdict import Trouble, left, run_mark, standing, words
from ddns.cli.view import Record, View
from ddns.errors import Exit
from ddns.render import Part, Screen, sign, width_of
from ddns.wording import endless, local, relative, span

#: Columns that a record's line needs beside its name: sign, type, the longest IPv4 address.
_BESIDE_NAME = 27
#: Columns of the sign, the type and the gaps between columns.
_SIGN_TYPE = 12
_DOT = " · "
_OWNERS = {"machine": "this machine", "user": "this user"}


def draw(screen: Screen, seen: View, wrong: Sequence[Trouble], whose: str, log: str, now: float) -> None:
    """One screen: the verdict, each record, the last runs, what to do; `log` is where the whole words are."""
    _headline(screen, seen, wrong, whose, now)
    records = seen.records if seen.retired_at is None else left(seen)
    if records or seen.retired_at is None:
        screen.line()
        _draw_records(screen, records, now)
    if seen.runs:
        screen.line()
        _draw_runs(screen, seen, now)
    for move in seen.moves:
        when = f" {relative(move.at, now)}" if move.at is not None else ""
        said = f" IPv{move.family} moved to another network{when}: {move.before} → {move.after}"
        screen.line(sign("note"), said, hang=2)
    for note in seen.notes if seen.exit != Exit.STATE else ():
        screen.line(sign("note"), (f" {note}", "dim"), hang=2)
    if wrong:
        screen.line()
    for trouble in wrong:
        screen.line(sign("failed"), (f" {_sentence(trouble.what)}", "strong"), hang=2)
        screen.line("→ ", pasted(trouble.advice), indent=2, hang=2)
    if wrong:
        # Everybody reads status.json, so what a provider said stands in the log only.
        screen.line()
        run, trace = ("last run", f", trace {seen.trace_id}") if seen.trace_id else ("last full run", "")
        screen.whole((f"What the {run} said is in {log}{trace}", "dim"))


def _sentence(text: str) -> str:
    """A sentence that begins and ends as one, unless it begins with a name."""
    first = text.split(" ", 1)[0]
    return (text if "." in first or ":" in first else text[:1].upper() + text[1:]) + "."


def _headline(screen: Screen, seen: View, wrong: Sequence[Trouble], whose: str, now: float) -> None:
    retired = seen.retired_at is not None
    paused = not retired and seen.paused_until is not None and seen.paused_until > now
    if wrong:
        verdict: list[Part] = [sign("failed"), (f" {len(wrong)} thing{'s' * (len(wrong) > 1)} to look at", "failed")]
    elif paused:
        verdict = [sign("waiting"), (" paused", "waiting")]
    elif retired:
        verdict = [sign("waiting"), (" retired", "waiting")]
    else:
        verdict = [sign("fine"), (" all is well", "fine")]
    about = [f"ddns {seen.version}".strip(), _OWNERS.get(whose, whose)]
    if seen.written_at:
        about.append(f"checked {relative(seen.written_at, now)}")
    screen.line((seen.host or "this machine", "strong"), "  ", *verdict, ("  " + " · ".join(about), "dim"), hang=2)
    if seen.retired_at is not None:
        what = "" if left(seen) else "; nothing is published from this machine"
        screen.line(sign("waiting"), f" Retired {_moment(seen.retired_at, now)}{what}", hang=2)
        screen.line("→ ", pasted("To start again: ddns resume"), indent=2, hang=2)
    if paused and seen.paused_until is not None:
        ends = "" if endless(seen.paused_until) else f" until {_moment(seen.paused_until, now)}"
        screen.line(sign("waiting"), pasted(f" Runs change nothing{ends}; end the pause with: ddns resume"), hang=2)


def _moment(moment: float, now: float) -> str:
    return f"{local(moment, now)} ({relative(moment, now)})"


def _draw_records(screen: Screen, records: Sequence[Record], now: float) -> None:
    if not records:
        screen.line(("No record: the settings name none, or no run has looked at them yet.", "dim"))
        return
    room = screen.width - _BESIDE_NAME
    name = max((w for record in records if (w := width_of(record.name)) <= room), default=0)
    address = max(width_of(record.address or "none") for record in records)
    kind = max(4, *(len(record.type) for record in records))
    told = [list(_facts(record, now)) for record in records]
    longest = max(width_of(_DOT.join(facts)) for facts in told)
    wide = screen.width >= name + address + longest + _SIGN_TYPE
    for record, facts in zip(records, told, strict=True):
        head: list[Part] = [sign(standing(record)), " "]
        if width_of(record.name) > room:
            screen.folded(record.name, lead=head, role="strong")
            head = ["    "]
        else:
            head += [(record.name, "strong"), " " * (name - width_of(record.name)), "  "]
        head += [f"{record.type:<{kind}}  ", (record.address, "address") if record.address else ("none", "dim")]
        if wide:
            padding = " " * (address - width_of(record.address or "none") + 2)
            screen.line(*head, padding, (_DOT.join(facts), "dim"), hang=4)
            continue
        used = 4 + (4 if width_of(record.name) > room else name + 4)  # `line` breaks where its hang must fit, too
        if record.since and standing(record) != "fine" and used + _beside(record, facts[0]) <= screen.width:
            head += [(f"  {facts.pop(0)}", "dim")]  # the address' age, which is not that of the trouble below
        screen.line(*head, hang=4)
        screen.flow([(fact, "dim") for fact in facts], indent=4)


def _beside(record: Record, fact: str) -> int:
    """Columns of type, address and a fact on one line."""
    return 6 + width_of(record.address or "none") + 2 + width_of(fact)


def _facts(record: Record, now: float) -> Iterator[str]:
    """What there is to say: of the address, of the trouble, of proofs, of what comes next."""
    stands = standing(record)
    if record.since:
        age = now - record.since
        yield f"since {local(record.since, now)} ({span(age) if age >= 60 else 'just now'})"
    if record.outcome == "accepted":
        yield "sent, not yet seen in DNS"
    elif record.outcome == "held" and not record.code:
        yield "held by the gateway"
    elif record.code and stands != "fine":
        yield words(record.code)
    if record.proven_at:
        by = f" by {record.proven_by}" if record.proven_by else ""
        yield f"proven {relative(record.proven_at, now)}{by}"
    elif record.outcome:
        yield "not yet proven"
    yield from _next(record, now)


def _next(record: Record, now: float) -> Iterator[str]:
    """When it is proven or tried next. A record that a person holds back by the adoption rule is not tried."""
    stands = standing(record)
    waits_for_a_person = record.outcome == "held" and record.code
    if record.next_at is None and (stands in ("fine", "new") or waits_for_a_person):
        return
    when = local(record.next_at, now) if record.next_at and record.next_at > now else "with the next run"
    yield f"{'next proof' if stands == 'fine' else 'next attempt'} {when}"


def _draw_runs(screen: Screen, seen: View, now: float) -> None:
    strip: list[Part] = []
    for run in seen.runs:
        strip += [sign(run_mark(run.exit)), " "]
    fine = sum(run.exit == Exit.FINE for run in seen.runs)
    changed = sum(run.changed for run in seen.runs)
    told = [f" {fine} of {len(seen.runs)} fine", f"{changed or 'nothing'} changed"]
    last = seen.runs[-1].started
    if last:
        told.append(f"last {local(last, now)}")
    screen.line("runs  ", *strip, (", ".join(told), "dim"), hang=6)
