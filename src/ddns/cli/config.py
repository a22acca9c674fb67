"""`ddns config`: write, check, show and describe the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ddns.cli import complete, options
from ddns.cli.output import Group, emit
from ddns.wording import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from ddns.config.load import Loaded


@click.group(cls=Group, **options.examples("ddns config init", "ddns config validate", "ddns config show"))
def config() -> None:
    """Write, check, show and describe the settings."""


def _kinds(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from ddns.providers import table

    return complete.beginning(table.MODULES, incomplete)


@config.command(
    **options.examples(
        "ddns config init --name home.example.com --provider cloudflare",
        "ddns config init --name home.example.com --type A --type AAAA --provider rfc2136 --set server=192.0.2.53",
        "ddns config init --name pc7.dyn.example.com --gateway https://ddns.example.com",
    )
)
@options.data
@click.option("--name", "names", multiple=True, metavar="NAME", help="A full name to keep; may be repeated.")
@click.option("--type", "types", multiple=True, type=click.Choice(["A", "AAAA"]), help="A record type to keep.")
@click.option("--ttl", type=click.IntRange(1, 604800), help="Seconds that resolvers may keep the answer.")
@click.option(
    "--provider", "kind", metavar="KIND", shell_complete=_kinds, help="The kind of provider, such as cloudflare."
)
@click.option("--id", "ident", help="What the file calls the provider.  [default: main; fleet for a gateway]")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A key of the provider; may be repeated.")
@click.option("--gateway", metavar="URL", help="The fleet's gateway; the provider, too, unless another is given.")
@click.option(
    "--gateway-ca", metavar="FILE", shell_complete=complete.files, help="The CA that the gateway's certificate is of."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
def init(*, data: str | None, force: bool, **asked: Any) -> None:
    """Write a commented settings file."""
    import os

    from ddns import host

    file = host.places(data).config_file
    if os.path.lexists(file) and not force:
        raise click.UsageError(f"{file} exists; --force replaces it")
    text = _text(**asked)
    _check(text)
    _write(file, text.encode(), data)
    click.echo(f"wrote {file}")


def _text(
    *,
    names: tuple[str, ...],
    types: tuple[str, ...],
    ttl: int | None,
    kind: str | None,
    ident: str | None,
    pairs: tuple[str, ...],
    gateway: str | None,
    gateway_ca: str | None,
) -> str:
    import os

    from ddns.config.template import template

    if names and not (kind or gateway):
        raise click.UsageError("--name needs --provider, or --gateway")
    if gateway_ca and not gateway:
        raise click.UsageError("--gateway-ca needs --gateway")
    if gateway_ca and not os.path.isfile(gateway_ca):
        raise click.UsageError(f"--gateway-ca: there is no file {gateway_ca}")
    chosen = kind or ("gateway" if gateway else "cloudflare")
    ident = ident or ("fleet" if chosen == "gateway" else "main")
    provider_type = _provider_type(chosen)
    return template(
        kind=chosen,
        provider_type=provider_type,
        names=names,
        ident=ident,
        record=_given(types=list(types), ttl=ttl),
        provider=_provider_keys(provider_type, pairs, ident, needed=bool(names)),
        gateway=_given(url=gateway, ca_file=gateway_ca and os.path.abspath(gateway_ca)),
    )


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _check(text: str) -> None:
    """Refuse to write what `validate` would refuse. The lines of a file that isn't there are of no use to anybody."""
    from ddns.config.load import load
    from ddns.errors import SettingsError
    from ddns.providers import table
    from ddns.sources.table import NAMES

    try:
        load(
            text.encode(),
            "ddns.toml",
            provider_type=_provider_type,
            kinds=tuple(table.MODULES),
            sources=NAMES,
            environ={},
            policy={},
        )
    except SettingsError as error:
        problems = [problem.partition(": ")[2] for problem in error.problems]
        raise click.UsageError("\n  ".join(["these are not valid settings:", *problems])) from None


def _provider_type(kind: str) -> type[msgspec.Struct]:
    from ddns.config.near import hint
    from ddns.providers import table

    if kind not in table.MODULES:
        tail = hint(kind, table.MODULES) or f"; the kinds are {', '.join(sorted(table.MODULES))}"
        raise click.UsageError(f'unknown kind of provider "{kind}"{tail}')
    return table.load(kind).Settings


def _provider_keys(
    settings_type: type[msgspec.Struct], pairs: Sequence[str], ident: str, *, needed: bool
) -> dict[str, Any]:
    """The keys that `--set` gives, as the types ask for them; what must be given and has no good guess is asked for.

    A secret that may be left out is needed once its name is given: `key` by `key_name`.
    """
    from ddns.config import convert
    from ddns.config.layers import plain
    from ddns.secret import STORED, SecretRef

    known = convert.fields(settings_type)
    keys: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f'--set: expected KEY=VALUE, found "{pair}"')
        keys[key] = plain(value, known[key].type) if key in known else value
    for name, field in known.items():
        secret = SecretRef in convert.options(field.type)[0]
        if secret and f"{name}_name" in keys:
            keys.setdefault(name, f"{STORED}:{ident}-{name}")
        if needed and field.required and name not in keys and not secret:
            raise click.UsageError(f"this kind of provider needs a value: --set {name}=...")
    return keys


def _write(file: str, data: bytes, folder: str | None) -> None:
    import os

    from ddns import host
    from ddns.errors import SettingsError, StateUnwritable
    from ddns.runtime.storing import unwritable_advice

    advice = unwritable_advice(folder)
    try:
        host.private_folder(os.path.dirname(file))
        host.replace(file, data, mode=0o600)
    except StateUnwritable as error:
        raise SettingsError(f"the settings' folder can't be made: {error.message}", advice=advice) from error
    except OSError as error:
        raise SettingsError(f"the settings {file} can't be written: {error.strerror}", advice=advice) from error


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
    from ddns.runtime import compose

    places = host.places(data)
    file = places.config_file
    loaded: Loaded | None = None
    problems: tuple[str, ...] = ()
    warnings: list[str] = []
    try:
        loaded, _ = compose.load(places)
        warnings = compose.warnings(loaded, places)
    except SettingsError as error:
        problems = error.problems or (error.message,)
    if as_json:
        told = {"file": file, "valid": loaded is not None, "problems": list(problems), "warnings": warnings}
        emit("config validate", told)
    elif loaded is not None:
        records, providers = len(loaded.settings.record), len(loaded.settings.provider)
        click.echo(f"{file} is valid; records: {records}, providers: {providers}")
    else:
        click.echo("\n".join(problems))
    for warning in () if as_json else warnings:
        click.echo(f"warning: {visible(warning)}", err=True)
    if loaded is None:
        ctx.exit(int(SettingsError.exit))


@config.command(**options.examples("ddns config show", "ddns config show --json"))
@options.data
@options.as_json
def show(*, data: str | None, as_json: bool) -> None:
    """Show every value in force, and where it comes from. Secrets are references only."""
    from ddns import host
    from ddns.config.words import dotted
    from ddns.runtime import compose

    places = host.places(data)
    loaded, _ = compose.load(places)
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
