"""`ddns config`: write, check, show and describe the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.init import init
from ddns.cli.output import Group, emit
from ddns.cli.paste import pasted
from ddns.wording import visible

if TYPE_CHECKING:
    from ddns.config.load import Loaded


@click.group(cls=Group, **options.examples("ddns config init", "ddns config validate", "ddns config show"))
def config() -> None:
    """Write, check, show and describe the settings."""


config.add_command(init)


@config.command(**options.examples("ddns config validate", "ddns config validate --json"))
@options.data
@options.as_json
@click.pass_context
def validate(ctx: click.Context, *, data: str | None, as_json: bool) -> None:
    """Check the settings and name every problem. Exit code 10 when there is one.

    What is valid and can't work yet, such as a secret that is not stored, is a warning.
    """
    from ddns import host
    from ddns.errors import SettingsError
    from ddns.runtime import loading

    places = host.places(data)
    file = places.config_file
    loaded: Loaded | None = None
    problems: tuple[str, ...] = ()
    warnings: list[str] = []
    advice = ""
    try:
        loaded, _ = loading.load(places)
        warnings = loading.warnings(loaded, places)
    except SettingsError as error:
        problems = error.problems or (error.message,)
        advice = "" if error.problems else error.advice
    if as_json:
        told = {"file": file, "valid": loaded is not None, "problems": list(problems), "warnings": warnings}
        emit("config validate", told)
    elif loaded is not None:
        records, providers = len(loaded.settings.record), len(loaded.settings.provider)
        click.echo(f"{file} is valid; records: {records}, providers: {providers}")
    else:
        click.echo("\n".join(problems))
        if advice:
            click.echo(visible(pasted(advice)))
    for warning in () if as_json else warnings:
        click.echo(f"warning: {visible(pasted(warning))}", err=True)
    if loaded is None:
        ctx.exit(int(SettingsError.exit))


@config.command(**options.examples("ddns config show", "ddns config show --json"))
@options.data
@options.as_json
def show(*, data: str | None, as_json: bool) -> None:
    """Show every value in force, and where it comes from. Secrets are references only."""
    from ddns import host
    from ddns.config.words import dotted
    from ddns.runtime import loading

    places = host.places(data)
    loaded, _ = loading.load(places)
    values = {dotted(path): value for path, value in loaded.values.items()}
    if as_json:
        origins = {key: {"layer": origin.layer, "where": origin.where} for key, origin in loaded.origins.items()}
        emit(
            "config show",
            {"file": places.config_file, "values": {k: {"value": v, **origins[k]} for k, v in values.items()}},
        )
    else:
        _draw(loaded, values)


def _draw(loaded: Loaded, values: dict[str, Any]) -> None:
    from ddns.config import toml_text
    from ddns.render import Cell, Screen

    rows: list[list[Cell]] = []
    for key, value in values.items():
        origin = loaded.origins[key]
        where = f"{origin.layer} ({origin.where})" if origin.where not in ("", origin.layer) else origin.layer
        role = "dim" if origin.layer == "default" else "strong"
        rows.append([(key, role), (toml_text.value(value), role), (where, "dim")])
    Screen().table(rows, head=("key", "value", "origin"))


@config.command(**options.examples("ddns config schema > ddns.schema.json"))
@click.option("--json", "as_json", is_flag=True, help="Wrap it as the JSON of other commands is.")
@click.option("--markdown", is_flag=True, help="Print the reference page instead.")
def schema(*, as_json: bool, markdown: bool) -> None:
    """Print the JSON Schema of the settings file, for editors."""
    import json

    from ddns.config.reference import page
    from ddns.config.schema_json import json_schema
    from ddns.providers import table

    types = {kind: table.load(kind).Settings for kind in table.MODULES}
    if markdown:
        click.echo(page(types), nl=False)
        return
    described = json_schema(types)
    if as_json:
        emit("config schema", described)
    else:
        click.echo(json.dumps(described, indent=2))
