"""`ddns gateway`: serve a gateway, and what its operator does."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.enroll import enroll
from ddns.cli.output import Group, emit
from ddns.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddns.gateway.operators import HostView
    from ddns.render import Part

_CONFIG = click.option("--config", metavar="FILE", help="The gateway's settings, instead of gateway.toml in its place.")


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Turn the lack of the gateway's packages into what to do about it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ddns.runtime"):
            raise
        raise UsageError(
            f"this installation has no gateway: {error.name} is missing",
            advice='Install it with: pip install "ddns-fleet[gateway]"',
        ) from error


@click.group(cls=Group, **options.examples("ddns gateway serve --config gateway.toml", "ddns gateway code pc7"))
def gateway() -> None:
    """Serve a fleet's gateway, and manage its hosts."""


gateway.add_command(enroll)


@gateway.command(**options.examples("ddns gateway serve", "ddns gateway serve --config gateway.toml --verbose"))
@options.data
@_CONFIG
@click.option("--verbose", is_flag=True, help="Tell refusals and enrolments on standard error, as they happen.")
def serve(*, data: str | None, config: str | None, verbose: bool) -> None:
    """Serve until Ctrl-C or SIGTERM. The first line on standard output is the URL.

    Every decision is written to the audit log, which the second line names. Only one gateway can serve from a data
    folder.
    """
    import logging
    import signal

    with _extra():
        from ddns.runtime import serving

    if verbose:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger = logging.getLogger("ddns.gateway")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)

    def ready(url: str, audit_log: str) -> None:
        print(f"serving on {url}\naudit log  {audit_log}", flush=True)  # noqa: T201 - as echo, flushed

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end the same way: requests first, then the ledger
    with contextlib.suppress(KeyboardInterrupt):
        serving.run(serving.load(data, config), ready)


@gateway.command(
    **options.examples("ddns gateway code pc7", "ddns gateway code pc7 --valid 1h", "ddns gateway code pc7 --rebind")
)
@options.data
@_CONFIG
@options.as_json
@click.option("--valid", default="24h", show_default=True, metavar="DURATION", help="How long the code is good.")
@click.option("--rebind", is_flag=True, help="The host may move from the machine that has it to another one.")
@click.argument("host")
def code(*, data: str | None, config: str | None, as_json: bool, valid: str, rebind: bool, host: str) -> None:
    """Mint a one-time enrolment code for HOST, a label such as pc7."""
    import time

    from ddns.wording import until

    now = time.time()
    try:
        seconds = until(valid, now) - now
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--valid") from None
    with _extra():
        from ddns.runtime import serving
    minted = serving.mint_code(serving.load(data, config), host, seconds=seconds, rebind=rebind)
    if as_json:
        emit("gateway code", {"host": host, "code": minted})
    else:
        click.echo(minted)


@gateway.command(**options.examples("ddns gateway add router1", "ddns gateway add router1 --json"))
@options.data
@_CONFIG
@options.as_json
@click.argument("host")
def add(*, data: str | None, config: str | None, as_json: bool, host: str) -> None:
    """Add HOST without enrolment, for a router or an old client that speaks dyndns2. Its password is shown once."""
    with _extra():
        from ddns.runtime import serving
    added, made = serving.add_host(serving.load(data, config), host)
    if as_json:
        told = {"id": added.id, "label": added.label, "names": list(added.names), "user": added.label, "password": made}
        emit("gateway add", told)
        return
    click.echo(f"added {added.label} ({added.id})")
    for name in added.names:
        click.echo(f"  {name}")
    click.echo(f"\nuser name  {added.label}\npassword   {made}")


@gateway.command(**options.examples("ddns gateway hosts", "ddns gateway hosts --json"))
@options.data
@_CONFIG
@options.as_json
def hosts(*, data: str | None, config: str | None, as_json: bool) -> None:
    """List the hosts in force, with their names and records."""
    with _extra():
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
        screen.line("No host is enrolled yet; mint a code with: ddns gateway code HOST")
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


@gateway.command(**options.examples("ddns gateway revoke pc7", "ddns gateway revoke pc7 --remove-records"))
@options.data
@_CONFIG
@options.as_json
@click.option("--remove-records", is_flag=True, help="Take its records out of DNS, too.")
@click.argument("host")
def revoke(*, data: str | None, config: str | None, as_json: bool, remove_records: bool, host: str) -> None:
    """Take HOST's key away for good. Its records stay in DNS unless their removal is asked for."""
    with _extra():
        from ddns.runtime import serving
    found = serving.revoke(serving.load(data, config), host, remove_records=remove_records)
    if as_json:
        emit("gateway revoke", {"id": found.id, "label": found.label, "remove_records": remove_records})
    else:
        click.echo(f"revoked {found.label} ({found.id})" + ("; its records go" if remove_records else ""))


@gateway.command(**options.examples("ddns gateway freeze pc7"))
@options.data
@_CONFIG
@click.argument("host")
def freeze(*, data: str | None, config: str | None, host: str) -> None:
    """Hold HOST's updates: they are acknowledged as held, and wait."""
    _freeze(data, config, host, frozen=True)


@gateway.command(**options.examples("ddns gateway thaw pc7"))
@options.data
@_CONFIG
@click.argument("host")
def thaw(*, data: str | None, config: str | None, host: str) -> None:
    """Release HOST's updates."""
    _freeze(data, config, host, frozen=False)


def _freeze(data: str | None, config: str | None, host: str, *, frozen: bool) -> None:
    with _extra():
        from ddns.runtime import serving
    found = serving.freeze(serving.load(data, config), host, frozen=frozen)
    click.echo(f"{'held' if frozen else 'released'}: {found.label}")


@gateway.command(**options.examples("ddns gateway password router1"))
@options.data
@_CONFIG
@options.as_json
@click.argument("host")
def password(*, data: str | None, config: str | None, as_json: bool, host: str) -> None:
    """Make a new dyndns2 password for HOST, for routers and old clients. It is shown once."""
    with _extra():
        from ddns.runtime import serving
    made = serving.set_password(serving.load(data, config), host)
    if as_json:
        emit("gateway password", {"user": host, "password": made})
    else:
        click.echo(made)


@gateway.command(
    **options.examples("ddns gateway audit", "ddns gateway audit --limit 100", "ddns gateway audit --json")
)
@options.data
@_CONFIG
@options.as_json
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many lines to show.")
def audit(*, data: str | None, config: str | None, as_json: bool, limit: int) -> None:
    """Show the last lines of the audit log, and check that no line of it was altered, taken out or put in.

    Exit code 20 when one was.
    """
    with _extra():
        from ddns.runtime import serving
    found = serving.read_audit(serving.load(data, config), limit)
    if as_json:
        problem = found.broken.message if found.broken else None
        emit("gateway audit", {"file": found.file, "lines": found.lines, "problem": problem, "entries": found.entries})
    else:
        import time

        from ddns.cli.audit import draw
        from ddns.render import Screen

        draw(Screen(), found.entries, found.lines, time.time())
    if found.broken:
        raise found.broken
