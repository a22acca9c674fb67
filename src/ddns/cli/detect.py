"""`ddns detect`: what every source says of the public address."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.output import emit
from ddns.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddns.address import Family
    from ddns.detection import Detected
    from ddns.render import Cell, Part, Screen


@click.command(**options.examples("ddns detect", "ddns detect -6", "ddns detect --json"))
@options.data
@options.as_json
@click.option("-4", "four", is_flag=True, help="Ask for the IPv4 address.")
@click.option("-6", "six", is_flag=True, help="Ask for the IPv6 address.")
@click.pass_context
def detect(ctx: click.Context, *, data: str | None, as_json: bool, four: bool, six: bool) -> None:
    """Ask every source for the public address and show who said what.

    Asks for the families of the records, unless -4 or -6 say otherwise. Two operators must agree, one of them
    authenticated (TLS), unless the own gateway answers. Exit code 11 when an address is not known.
    """
    from ddns.address import Family
    from ddns.runtime import Start
    from ddns.runtime.looking import detect_all

    asked = [family for family, wanted in ((Family.V4, four), (Family.V6, six)) if wanted]
    families = [
        described(family, seen.detected, seen.resting) | {"clock": seen.skew or None}
        for family, seen in detect_all(Start(data), asked).items()
    ]
    if as_json:
        emit("detect", {"families": families})
    else:
        from ddns.render import Screen

        draw(Screen(), families, time.time())
    unknown = any(family["verdict"] == "unknown" for family in families)
    ctx.exit(int(Exit.ADDRESS if unknown else Exit.FINE))


def described(family: Family, detected: Detected, resting: Mapping[str, float] | None = None) -> dict[str, Any]:
    """A detection as JSON values. `resting`: until when a run would leave a source alone (UTC seconds)."""
    from ddns.detection import Absent, Available, Unknown
    from ddns.times import utc

    rests = resting or {}

    found = detected.detection
    return {
        "family": family.value,
        "verdict": type(found).__name__.lower(),
        "address": str(found.address) if isinstance(found, Available) else None,
        "agreed_by": list(found.agreed_by) if isinstance(found, Available) else [],
        "because": found.by if isinstance(found, Absent) else None,
        "causes": list(found.causes) if isinstance(found, Unknown) else [],
        "answers": [
            {
                "source": answer.source,
                "operator": answer.operator,
                "authenticated": answer.authenticated,
                "address": str(answer.address) if answer.address is not None else None,
                "problem": answer.problem or None,
                "ms": round(answer.seconds * 1000),
                "resting_until": utc(rests[answer.source]) if answer.source in rests else None,
            }
            for answer in detected.answers
        ],
    }


def draw(screen: Screen, families: list[dict[str, Any]], now: float) -> None:
    """A table and a verdict a family. `now` in UTC seconds."""
    from ddns.render import sign

    for number, family in enumerate(families):
        if number:
            screen.line()
        if family["answers"]:
            head = ("", "source", "operator", "TLS", "answer", "ms")
            ordered = sorted(family["answers"], key=lambda answer: _standing(answer, family["address"]))
            screen.table([_row(answer, family["address"], now) for answer in ordered], head=head, right=("ms",))
            screen.line()
        draw_verdict(screen, family)
        if family.get("clock"):
            screen.line(sign("waiting"), f" {family['clock']}", hang=2)


def draw_verdict(screen: Screen, family: dict[str, Any]) -> None:
    """What is known of a family, on a line."""
    from ddns.render import sign

    name = f" IPv{family['family']}  "
    if family["verdict"] == "available":
        by = ", ".join(family["agreed_by"])
        screen.line(sign("fine"), name, (family["address"], "address"), (f"  agreed by {by}", "dim"), hang=2)
    elif family["verdict"] == "absent":
        screen.line(sign("new"), name, "none", (f"  {family['because']}", "dim"), hang=2)
    elif family["verdict"] == "elsewhere":
        screen.line(sign("new"), name, "records stay", (f"  {family['because']}", "dim"), hang=2)
    else:
        unasked = (cause for cause in family["causes"] if cause.startswith("no source for "))
        why = next(unasked, "no two operators agree")
        screen.line(sign("failed"), name, ("not known", "failed"), f"  {why}; records stay", hang=2)
        if any("captive portal" in cause for cause in family["causes"][:1]):
            told = f" {family['causes'][0]}; log in to this network with a browser"
            screen.line(sign("waiting"), told, hang=2)


#: The signs in the order of their rows: who agrees, who says otherwise, who says nothing that counts.
_STANDINGS = ("fine", "failed", "new")


def _standing(answer: dict[str, Any], agreed: str | None) -> int:
    """A place in `_STANDINGS`. Where nothing is agreed on, who said something comes before who did not."""
    said = answer["address"]
    return (0 if said == agreed else 1) if said else 2


def _row(answer: dict[str, Any], agreed: str | None, now: float) -> list[Cell]:
    from ddns.render import sign
    from ddns.wording import local, seconds_of

    said = answer["address"]
    mark = sign(_STANDINGS[_standing(answer, agreed)] if agreed else "new")
    problem = (answer["problem"] or "no answer").removeprefix(f"{answer['source']}: ")
    told: list[Part] = [(said, "address") if said else (problem, "dim")]
    until = seconds_of(answer["resting_until"]) if answer.get("resting_until") else None
    if until is not None:
        told.append((f"  rests until {local(until, now)}", "waiting"))
    tls = "yes" if answer["authenticated"] else "no"
    return [mark, (answer["source"], "strong"), answer["operator"], tls, told, str(answer["ms"])]
