"""`ddns remove`: take away the records that this machine published."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import complete, options
from ddns.cli.output import emit
from ddns.cli.paste import pasted
from ddns.wording import readable

if TYPE_CHECKING:
    from ddns.model import Change, Keep, Outcome, RecordKey
    from ddns.runtime.farewell import Farewell
    from ddns.runtime.removing import Removal

_TYPES = ("A", "AAAA", "CNAME", "TXT")


@click.command(
    **options.examples(
        "ddns remove home.example.com",
        "ddns remove home.example.com --type AAAA --dry-run",
        "ddns remove --all --yes",
        "ddns remove --all --revoke --yes --json",
    )
)
@options.data
@options.as_json
@click.option("--all", "everything", is_flag=True, help="Everything, for good: runs do nothing until `ddns resume`.")
@click.option("--type", "types", multiple=True, type=click.Choice(_TYPES), help="Only records of this type.")
@click.option("--revoke", is_flag=True, help="With --all: then give this machine's key back at its gateway.")
@click.option("--dry-run", is_flag=True, help="Read and tell, but change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete.record_names)
@click.pass_context
def remove(
    ctx: click.Context,
    *,
    data: str | None,
    as_json: bool,
    everything: bool,
    types: tuple[str, ...],
    revoke: bool,
    dry_run: bool,
    yes: bool,
    names: tuple[str, ...],
) -> None:
    """Take away records that this machine published and that are still as it wrote them.

    A record that somebody else changed is left alone (exit code 12), and so is a NAME of which this machine owns
    nothing. Where a provider or the gateway can't be reached: exit code 13, and nothing is deleted here; the same
    command goes on later. Nothing owned with --all: exit code 0. With 0, nothing is left of what was asked for.

    A NAME that the settings still ask for is published again by the next run: take it out of the settings first.
    With --all, before the first record goes, this machine is retired: runs do nothing and end with 0, even with --now,
    until `ddns resume`. With --revoke, after the last record is gone, this machine's key is revoked at the gateway,
    which also removes what it still has of this machine, and only then deleted here.

    In the JSON, `records` have name, type, provider, values, outcome (removed, accepted: the gateway will, proven: gone
    already, or not ours as `note` says, contended, deferred, failed, held), note, error and in_settings;
    `gateways` have provider, url, gateway, host (the id for `ddns gateway retire`), state (enrolled, revoked, absent:
    no key here, failed) and error; beside them stand host, dry_run, retired and exit.
    """
    from ddns.model import RecordType
    from ddns.runtime import removing

    if bool(names) == everything:
        raise click.UsageError("Name the records to remove, or give --all.")
    if revoke and not everything:
        raise click.UsageError("--revoke needs --all.")
    if everything and types:
        raise click.UsageError("--type chooses among names; --all is everything.")
    wish = removing.Wish(names, tuple(map(RecordType, types)), everything, revoke)
    if not (dry_run or yes):
        _confirm(removing.preview(data, wish))
    found = removing.preview(data, wish) if dry_run else removing.remove(data, wish)
    told = described(found, dry_run=dry_run)
    if as_json:
        emit("remove", told)
    else:
        draw(told)
    ctx.exit(int(found.exit))


def _confirm(found: Removal) -> None:
    """Ask a person. Raises click.UsageError where there is none, click.Abort for a no."""
    import sys

    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here; give --yes, or --dry-run to see what would go.")
    draw(described(found, dry_run=True))
    click.confirm("Remove them?", abort=True)


def described(found: Removal, *, dry_run: bool) -> dict[str, Any]:
    """As JSON values."""
    records = [_outcome(outcome, found) for outcome in found.outcomes]
    if found.plan is not None:
        planned: list[Change | Keep] = [*found.plan.changes, *found.plan.unchanged]
        records += [_planned(item, found) for item in planned]
    return {
        "host": socket.gethostname(),
        "dry_run": dry_run,
        "retired": found.retired,
        "records": records,
        "gateways": [_gateway(item) for item in found.gateways],
        "exit": int(found.exit),
    }


def _record(key: RecordKey, found: Removal) -> dict[str, Any]:
    wanted = key in found.wanted and not found.retired
    return {"name": key.name, "type": key.type.value, "provider": key.provider or None, "in_settings": wanted}


def _planned(item: Change | Keep, found: Removal) -> dict[str, Any]:
    from ddns.model import Change, Keep

    seen = item.observed if isinstance(item, Keep) else None
    stands = item.before if isinstance(item, Change) else seen.rrset if seen is not None else None
    outcome = "would be removed" if isinstance(item, Change) else "would stay" if stands else "is gone"
    return _record(item.key, found) | {
        "values": stands.texts() if stands else [],
        "outcome": outcome,
        "note": item.note if isinstance(item, Keep) and stands else None,
        "error": None,
    }


def _outcome(outcome: Outcome, found: Removal) -> dict[str, Any]:
    seen, change = outcome.observed, outcome.change
    stands = change.before if change is not None else seen.rrset if seen is not None else None
    return _record(outcome.key, found) | {
        "values": stands.texts() if stands else [],
        "outcome": outcome.kind.value,
        "note": outcome.note or None,
        "error": _error(outcome.cause),
    }


def _gateway(item: Farewell) -> dict[str, Any]:
    return {
        "provider": item.provider,
        "url": item.url,
        "gateway": item.gateway or None,
        "host": item.host or None,
        "state": item.state,
        "error": _error(item.error),
    }


def _error(cause: Any) -> dict[str, Any] | None:
    return {"code": cause.code, "message": cause.message, "advice": pasted(cause.advice)} if cause is not None else None


_FINE = {"removed", "proven", "accepted", "would be removed", "would stay", "is gone", "revoked", "enrolled", "absent"}
_GATEWAYS = {"revoked": "the key is revoked and forgotten", "absent": "no key is here"}


def draw(told: dict[str, Any]) -> None:
    """A line a record, then what is left to do."""
    from ddns.render import Screen, sign

    screen = Screen()
    if not told["records"]:
        screen.line("This machine owns no record.")
    for item in told["records"]:
        mark = sign("fine" if item["outcome"] in _FINE else "failed")
        words = {"proven": item["note"] or "gone already", "accepted": "will be removed by the gateway"}
        values = f" ({', '.join(item['values'])})" if item["values"] else ""
        outcome = words.get(item["outcome"], item["outcome"])
        kind = f" {item['type']}" if item["provider"] else ""  # of a name that is not ours nobody knows a type
        screen.line(mark, f" {readable(item['name'])}{kind}{values} ", (outcome, "strong"), hang=2)
        _draw_error(screen, item["error"])
    for item in told["gateways"]:
        if item["state"] == "enrolled":
            continue
        said = _GATEWAYS.get(item["state"], "the key is not revoked")
        screen.line(sign("fine" if item["state"] in _FINE else "failed"), f" gateway {item['url']}: {said}", hang=2)
        _draw_error(screen, item["error"])
    if told["retired"]:
        screen.line(pasted("Runs do nothing from now on; `ddns resume` publishes the records again."))
    again = [readable(item["name"]) for item in told["records"] if item["in_settings"]]
    if again and not told["dry_run"]:
        screen.line(f"→ The settings still ask for {', '.join(again)}: the next run publishes that again.", hang=2)
    if told["dry_run"]:
        screen.line("Nothing was changed.")


def _draw_error(screen: Any, error: dict[str, Any] | None) -> None:
    if error is not None:
        screen.line(error["message"], indent=2)
        if error["advice"]:
            screen.line("→ ", error["advice"], indent=2, hang=2)
