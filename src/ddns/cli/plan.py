"""`ddns plan`: what a run would do now."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.detect import described, draw_verdict
from ddns.cli.output import emit
from ddns.cli.paste import pasted
from ddns.errors import AddressError, Deferred
from ddns.wording import readable

if TYPE_CHECKING:
    from ddns.cycle import Found
    from ddns.model import Keep, RRset
    from ddns.render import Cell, Screen


@click.command(**options.examples("ddns plan", "ddns plan --now", "ddns plan --json", "ddns plan --data ./demo"))
@options.data
@options.as_json
@click.option("--now", is_flag=True, help="Ask providers that are blocked, held or left alone, too.")
@click.pass_context
def plan(ctx: click.Context, *, data: str | None, as_json: bool, now: bool) -> None:
    """Show what a run would change, and change nothing.

    Every record is read where it is published. The exit code is that of a run that could do no more than this.
    """
    from ddns.runtime import RunRequest, Start
    from ddns.runtime.looking import plan as look

    start = Start(data)
    found = look(start, RunRequest(data, now=now))
    told = planned(found)
    if as_json:
        emit("plan", told)
    else:
        from ddns.render import Screen

        draw(Screen(), told, now=now)
    ctx.exit(exit_code(found, start.started))


def exit_code(found: Found, now: float) -> int:
    """As a run would end whose changes all succeed."""
    from ddns.errors import worst
    from ddns.model import Outcome

    held = [Outcome(hold.kind, hold.key, now, cause=hold.cause, until=hold.until) for hold in found.plan.held]
    return int(worst([outcome.exit for outcome in held]))


def planned(found: Found) -> dict[str, Any]:
    """The plan as JSON values: ``families``, ``changes``, ``unchanged``, ``held``."""
    from ddns.times import utc

    plan = found.plan
    return {
        "families": [described(family, detected) for family, detected in found.detected.items()],
        "changes": [
            _key(item.key) | {"from": _texts(item.before), "to": _texts(item.after), "reason": item.reason.value}
            for item in plan.changes
        ],
        "unchanged": [_key(item.key) | _kept(item) for item in plan.unchanged],
        "held": [
            _key(item.key)
            | {
                "outcome": item.kind.value,
                "code": item.cause.code,
                "message": item.cause.message,
                "advice": pasted(item.cause.advice),
                "until": utc(item.until) if item.until is not None else None,
            }
            for item in plan.held
        ],
    }


def _key(key: Any) -> dict[str, Any]:
    return {"name": key.name, "type": key.type.value, "provider": key.provider}


def _kept(item: Keep) -> dict[str, Any]:
    return {
        "values": _texts(item.rrset),
        "observed_by": item.observed.by if item.observed else None,
        "note": item.note or None,
    }


def _texts(rrset: RRset | None) -> list[str] | None:
    return rrset.texts() if rrset is not None else None


def draw(screen: Screen, told: dict[str, Any], *, now: bool = False) -> None:
    """The detections, then a line a record. `now`: nothing was left out for an earlier failure."""
    from ddns.render import sign

    for family in told["families"]:
        draw_verdict(screen, family)
    if not any(told[part] for part in ("changes", "unchanged", "held")):
        screen.line("No records are set; add a [[record]] to the settings.")
    else:
        screen.line()
        screen.table([*map(_change, told["changes"]), *map(_right, told["unchanged"]), *map(_held, told["held"])])
    for item in told["held"]:
        screen.line()
        # Why an address is not known stands above; `ddns detect` has what each source says.
        why = "the public address is not known" if item["code"] == AddressError.code else item["message"]
        named = "" if why.startswith(item["name"]) else f"{readable(item['name'])} {item['type']}: "
        screen.line(sign("failed"), (f" {named}{why}", "strong"), hang=2)
        if item["advice"]:
            screen.line("→ ", item["advice"], indent=2, hang=2)
    if not now and any(item["code"] == Deferred.code for item in told["held"]):
        screen.line()
        screen.line("→ ", pasted("Look all the same with: ddns plan --now"), hang=2)
    screen.line()
    end = pasted("Nothing was changed; `ddns run` does it.") if told["changes"] else "Nothing was changed."
    screen.line((", ".join(_counts(told)) + ". ", "strong"), end)


def _counts(told: dict[str, Any]) -> list[str]:
    """How many records stand how; of those that are left alone, each outcome by its name."""
    left = Counter(item["outcome"] for item in told["held"])
    others = [f"{left[name]} {name}" for name in sorted(left) if name != "held"]
    return [
        f"{len(told['changes'])} to change",
        f"{len(told['unchanged'])} right",
        f"{left['held']} held",
        *others,
    ]


def _lead(mark: tuple[str, str], item: dict[str, Any]) -> list[Cell]:
    return [mark, (readable(item["name"]), "strong"), item["type"]]


def _change(item: dict[str, Any]) -> list[Cell]:
    mark = "+" if item["from"] is None else "-" if item["to"] is None else "~"
    words: Cell = [(_joined(item["from"]), "old" if item["from"] else "dim"), " → ", (_joined(item["to"]), "fine")]
    return [*_lead((mark, "waiting"), item), words, (_REASONS.get(item["reason"], item["reason"]), "dim")]


def _right(item: dict[str, Any]) -> list[Cell]:
    by = f"seen by {item['observed_by']}" if item["observed_by"] else "not read"
    return [*_lead(("=", "fine"), item), _joined(item["values"]), (item["note"] or by, "dim")]


def _held(item: dict[str, Any]) -> list[Cell]:
    until = f"until {_local(item['until'])}" if item["until"] else ""
    return [*_lead(("!", "failed"), item), (item["outcome"], "failed"), (until, "dim")]


def _local(moment: str) -> str:
    from ddns.wording import local, seconds_of

    seconds = seconds_of(moment)
    return local(seconds, time.time()) if seconds is not None else moment


def _joined(values: list[str] | None) -> str:
    return ", ".join(values) if values else "none"


_REASONS = {
    "create": "is not there yet",
    "address": "the address changed",
    "drift": "somebody else changed it",
    "settings": "the settings changed",
    "remove": "is to go",
}
