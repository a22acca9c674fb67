"""`ddns doctor`: everything that a run needs, looked at once, with what to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.output import emit
from ddns.cli.paste import pasted
from ddns.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ddns.render import Cell, Screen
    from ddns.runtime.doctor import Finding

_SIGNS = {"ok": "fine", "warning": "waiting", "problem": "failed"}
#: How the areas follow each other.
_AREAS = ("settings", "network", "addresses", "time", "credentials", "permissions", "state", "schedule")


@click.command(**options.examples("ddns doctor", "ddns doctor --json", "ddns doctor --data ./demo"))
@options.data
@options.as_json
@click.pass_context
def doctor(ctx: click.Context, *, data: str | None, as_json: bool) -> None:
    """Look at everything that a run needs, and say what to do.

    Settings, network, public address, clock, credentials, rights, state, schedule. Records are read where they are
    published, and the fleet's lock is reached but not taken; nothing is written anywhere. It needs no rights: what this
    account may not see is told as that. Exit code 20 when there is a problem.
    """
    from ddns.render import Screen

    screen = Screen()
    with screen.working(shown=not as_json) as tell:
        told = examined(data, tell)
    if as_json:
        emit("doctor", told)
    else:
        draw(screen, told)
    ctx.exit(int(Exit.DEGRADED if told["verdict"] == "problem" else Exit.FINE))


def examined(data: str | None, tell: Any) -> dict[str, Any]:
    """All findings as JSON values: ``verdict``, the worst one, and ``checks``, by area."""
    from ddns.runtime.doctor import examine

    checks = [_described(finding) for finding in examine(data, tell)] + list(_runs(data))
    checks.sort(key=lambda check: _AREAS.index(check["area"]))
    verdicts = [check["verdict"] for check in checks]
    return {
        "verdict": next((verdict for verdict in ("problem", "warning") if verdict in verdicts), "ok"),
        "checks": checks,
    }


def _described(finding: Finding) -> dict[str, Any]:
    return _check(finding.area, finding.what, finding.verdict.value, finding.says, finding.advice)


def _check(area: str, what: str, verdict: str, says: str, advice: str = "") -> dict[str, Any]:
    return {"area": area, "what": what, "verdict": verdict, "says": pasted(says), "advice": pasted(advice) or None}


def _runs(data: str | None) -> Iterable[dict[str, Any]]:
    """What status.json tells of the last runs: that they come, and how they end."""
    from ddns.cli.verdict import troubles
    from ddns.cli.view import view
    from ddns.runtime import reading
    from ddns.wording import local, relative

    now = time.time()
    try:
        seen = view(reading.status(data).document)
    except reading.NoStatus as error:
        yield _check("schedule", "last run", "warning", error.message, error.advice)
        return
    if seen.retired_at is not None:
        says = f"this machine is retired since {local(seen.retired_at, now)}: runs do nothing"
        yield _check("schedule", "runs", "warning", says, "To start again: ddns resume")
    wrong = troubles(seen, now)
    for trouble in wrong:
        yield _check("schedule", "last run", "problem", trouble.what, trouble.advice)
    if not wrong and seen.retired_at is None:
        ended = relative(seen.written_at, now) if seen.written_at else "some time ago"
        yield _check("schedule", "last run", "ok", f"the last run ended {ended}, and all was well")


def draw(screen: Screen, told: dict[str, Any]) -> None:
    """A table of what was looked at, then what to do about each thing that is not well, the worst first."""
    checks: list[dict[str, Any]] = told["checks"]
    screen.table(_rows(checks))
    for verdict in ("problem", "warning"):
        for check in checks:
            if check["verdict"] == verdict:
                _explain(screen, check)
    screen.line()
    screen.line(*_summary(checks))


def _rows(checks: Sequence[dict[str, Any]]) -> Iterable[list[Cell]]:
    from ddns.render import sign

    before = ""
    for check in checks:
        area = check["area"] if check["area"] != before else ""
        before = check["area"]
        role = "dim" if check["verdict"] == "ok" else "strong"
        yield [sign(_SIGNS[check["verdict"]]), (area, "strong"), check["what"], (check["says"], role)]


def _explain(screen: Screen, check: dict[str, Any]) -> None:
    from ddns.render import sign

    screen.line()
    screen.line(sign(_SIGNS[check["verdict"]]), (f" {check['says']}", "strong"), hang=2)
    if check["advice"]:
        screen.line("→ ", check["advice"], indent=2, hang=2)


def _summary(checks: Sequence[dict[str, Any]]) -> list[Any]:
    numbers = [(word, sum(check["verdict"] == word for check in checks)) for word in ("problem", "warning")]
    wrong = ", ".join(f"{number} {word}{'s' * (number != 1)}" for word, number in numbers if number)
    return [(f"{len(checks)} checks, {wrong or 'all is well'}. ", "strong"), "Nothing was written."]
