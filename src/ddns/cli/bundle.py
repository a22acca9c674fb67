"""`ddns support-bundle`: what helpers ask for in one file, without what they must not see."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ddns.cli import complete, options
from ddns.cli.output import emit
from ddns.errors import DdnsError, StateUnwritable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ddns.runtime.redaction import Redactor

_CHANGES = 200
_README = """ddns support bundle, made {at} by ddns {version}

What is in here:
{parts}

Taken out: secrets, the accounts that settings name, what paths and queries of URLs, bodies, headers and arguments of
commands carry, and the addresses of others{more}.
Names of records and hosts, paths and messages are in here as they are: look before you send it.
"""


@click.command(
    **options.examples(
        "ddns support-bundle", "ddns support-bundle -o bundle.zip", "ddns support-bundle --redact-addresses --json"
    )
)
@options.data
@options.as_json
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=complete.files,
    help="The file to make, which must not be there.  [default: ddns-support-TIME.zip here]",
)
@click.option("--redact-addresses", is_flag=True, help="Take out this machine's own addresses, too.")
def bundle(*, data: str | None, as_json: bool, output: str | None, redact_addresses: bool) -> None:
    """Gather what helpers ask for in a zip file that only you can read.

    Settings in force, status, the end of the log, the last changes, what `ddns doctor` finds, versions, and the shape
    of the state. Secrets, account names and the addresses of others are taken out of all of it.
    """
    import os

    from ddns.render import Screen
    from ddns.runtime import bundling

    path = os.path.abspath(output or time.strftime("ddns-support-%Y%m%d-%H%M%S.zip"))
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already", advice="Name another file with: -o FILE")
    screen = Screen()
    with screen.working(shown=not as_json) as tell:
        made = bundling.parts(data) | {
            "history.json": lambda: _history(data),
            "doctor.json": lambda: _doctor(data, tell),
        }
        content = _texts(made, lambda: bundling.redactor(data, addresses=redact_addresses), addresses=redact_addresses)
    try:
        bundling.keep(path, _zip(content))
    except OSError as error:
        raise StateUnwritable(
            f"{path} can't be written: {error.strerror}", advice="Name a file in another folder with: -o FILE"
        ) from error
    if as_json:
        emit("support-bundle", {"file": path, "parts": sorted(content)})
    else:
        click.echo(f"{path}\n\nIt holds {', '.join(sorted(content))}.")
        click.echo("Look before you send it: README.txt says what was taken out.")


def _texts(
    made: Mapping[str, Callable[[], Any]], redactor: Callable[[], Redactor], *, addresses: bool
) -> dict[str, str]:
    """Each part as text, redacted. What is gathered first tells which addresses are our own."""
    import json

    from ddns import __version__
    from ddns.times import utc

    found = {name: make() for name, make in made.items()}
    texts = {
        name: content if isinstance(content, str) else json.dumps(content, indent=2, default=str)
        for name, content in found.items()
    }
    clean = redactor()
    for own in _own(found):
        clean.known(own)
    texts["README.txt"] = _README.format(
        at=utc(time.time()),
        version=__version__,
        parts="\n".join(f"  {name}" for name in sorted(texts)),
        more=", and this machine's own" if addresses else "",
    )
    return {name: clean.clean(text) for name, text in texts.items()}


def _own(found: Mapping[str, Any]) -> Iterator[str]:
    """Where this machine's own addresses stand: what was found now, and what it wrote."""
    doctor, history = found["doctor.json"], found["history.json"]
    for check in doctor.get("checks", ()):
        if check["area"] == "addresses" and check["verdict"] == "ok":
            yield check["says"]
    for entry in history if isinstance(history, list) else ():
        yield " ".join(entry.get("to") or ())


def _history(data: str | None) -> Any:
    from ddns.cli.history import described
    from ddns.runtime.history import history

    try:
        return [described(entry) for entry in history(data, _CHANGES)]
    except DdnsError as error:
        return {"error": error.code, "message": error.message}


def _doctor(data: str | None, tell: Callable[[str], None]) -> Any:
    from ddns.cli.doctor import examined

    try:
        return examined(data, tell)
    except DdnsError as error:
        return {"error": error.code, "message": error.message}


def _zip(content: Mapping[str, str]) -> bytes:
    import io
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(content.items()):
            archive.writestr(f"ddns-support/{name}", text)
    return file.getvalue()
