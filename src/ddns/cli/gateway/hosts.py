"""`ddns gateway hosts`: what each host wants, and what DNS has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.gateway.common import config, extra
from ddns.cli.output import emit
from ddns.cli.paste import pasted

if TYPE_CHECKING:
    from ddns.gateway.operators import HostView
    from ddns.render import Part


@click.command(**options.examples("ddns gateway hosts", "ddns gateway hosts --json"))
@options.data
@config
@options.as_json
def hosts(*, data: str | None, config: str | None, as_json: bool) -> None:
    """List the hosts in force, with their names and records."""
    with extra():
        from ddns.runtime import serving
    listed = [_described(view) for view in serving.hosts(serving.load(data, config))]
    if as_json:
        emit("gateway hosts", {"hosts": listed})
    else:
        _draw(listed)


def _described(view: HostView) -> dict[str, Any]:
    from ddns.times import utc

    return {
        "id": view.id,
        "label": view.label,
        "names": list(view.names),
        "created_at": utc(view.created_at),
        "last_seen": utc(view.last_seen) if view.last_seen is not None else None,
        "frozen": view.frozen,
        "has_password": view.has_password,
        "records": [
            {
                "name": entry.name,
                "type": entry.type.value,
                "wanted": sorted(entry.values) if entry.values is not None else None,
                "confirmed": sorted(entry.confirmed) if entry.confirmed is not None else None,
                "state": entry.state.value,
                "problem": entry.problem or None,
                "confirmed_at": utc(entry.confirmed_at) if entry.confirmed_at is not None else None,
            }
            for entry in view.records
        ],
    }


def _draw(listed: list[dict[str, Any]]) -> None:
    import time

    from ddns.render import Cell, Screen, sign
    from ddns.wording import relative, seconds_of

    screen, now = Screen(), time.time()
    if not listed:
        screen.line(pasted("No host is enrolled yet; mint a code with: ddns gateway code HOST"))
        return
    rows: list[list[Cell]] = []
    for host in listed:
        seen = seconds_of(host["last_seen"])
        rows.append(
            [
                sign(_standing(host)),
                (host["label"], "strong"),
                ", ".join(host["names"]),
                _addresses(host["records"]),
                (f"seen {relative(seen, now)}" if seen else "never seen", "dim"),
                "frozen" if host["frozen"] else "",
            ]
        )
    screen.table(rows, head=("", "host", "name", "address", "", ""))
    for host in listed:
        for entry in host["records"]:
            if entry["problem"]:
                screen.line(sign("failed"), f" {entry['name']} {entry['type']}: {entry['problem']}", hang=2)
    screen.line((f"{len(listed)} host{'s' * (len(listed) > 1)}", "dim"))


#: What a record's state says of values that are not in DNS.
_NOT_YET = {"held": ("held", "waiting"), "queued": ("on its way", "waiting"), "failed": ("refused", "failed")}


def _addresses(records: list[dict[str, Any]]) -> list[Part]:
    """What DNS has, as it was confirmed last; and what is wanted instead, where that is something else."""
    values = [text for entry in records for text in entry["confirmed"] or []]
    told: list[Part] = [(", ".join(values) or "none", "address" if values else "dim")]
    for entry in records:
        if entry["state"] in _NOT_YET and entry["wanted"] != entry["confirmed"]:
            word, role = _NOT_YET[entry["state"]]
            told.append((f" {word}: {', '.join(entry['wanted'] or ['removal'])}", role))
    return told


def _standing(host: dict[str, Any]) -> str:
    states = {entry["state"] for entry in host["records"]}
    if "failed" in states:
        return "failed"
    if host["frozen"] or states - {"confirmed"}:
        return "waiting"
    return "fine" if states else "new"
