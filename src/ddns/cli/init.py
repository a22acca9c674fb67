"""`ddns config init`: writes the settings file, from options or from a short dialogue."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import click

from ddns.cli import complete, dialogue, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec


def _kinds(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from ddns.providers import table

    return complete.beginning(table.MODULES, incomplete)


@click.command(
    **options.examples(
        "ddns config init --name home.example.com --provider cloudflare",
        "ddns config init --name home.example.com --type A --type AAAA --provider rfc2136 --set server=192.0.2.53",
        "ddns config init --name pc7.dyn.example.com --gateway https://ddns.example.com",
    )
)
@options.data
@click.option("--name", "names", multiple=True, metavar="NAME", help="A full name to keep; may be repeated.")
@click.option("--type", "types", multiple=True, type=click.Choice(["A", "AAAA"]), help="A record type to keep.")
@click.option(
    "--ttl", metavar="SECONDS", type=click.IntRange(1, 604800), help="Seconds that resolvers may keep the answer."
)
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
    """Write a commented settings file.

    In a terminal, and without options that say what is to be in it, it asks for a name, its provider and the secret,
    which is stored as `ddns secret set` does. Anywhere else it never asks.
    """
    import os

    from ddns import host

    places = host.places(data)
    file = places.config_file
    if os.path.lexists(file) and not force:
        raise click.UsageError(f"{file} exists; --force replaces it")
    secrets: dict[str, str] = {}
    talked = False
    if not any(asked.values()) and dialogue.possible():
        answers = dialogue.ask(_subject())
        secrets = answers.secrets
        talked = bool(answers.name)
        asked |= _asked(answers)
    text = _text(**asked)
    _check(text)
    later = [key for key, secret in secrets.items() if not _stored(data, f"main-{key}", secret)]
    _write(file, text.encode(), data)
    click.echo(f"wrote {file}")
    if talked or asked["gateway"]:
        _next_steps(places.option, [f"ddns secret set main-{key}" for key in later], asked["gateway"])


def _subject() -> dialogue.Subject:
    """What the dialogue must know of settings."""
    from ddns.config import convert
    from ddns.config.names import complaint, normal
    from ddns.config.near import hint
    from ddns.providers import table

    def fields(kind: str) -> list[dialogue.Field]:
        found = [_field(name, item) for name, item in convert.fields(table.load(kind).Settings).items()]
        return sorted((field for field in found if field is not None), key=lambda field: field.secret)

    def wrong(answers: dialogue.Answers) -> str:
        try:
            _check(_text(**NOTHING | _asked(answers)))
        except click.UsageError as error:
            return error.message
        return ""

    near = partial(hint, choices=table.MODULES)
    return dialogue.Subject(sorted(table.MODULES), lambda name: complaint(normal(name)), near, fields, wrong)


def _field(name: str, item: Any) -> dialogue.Field | None:
    """What the dialogue asks of a key: those that must be given, and those that say when they are asked for."""
    from ddns.config import convert
    from ddns.secret import STORED, SecretRef

    choices, metas = convert.options(item.type)
    about = next((meta.description for meta in metas if meta.description), "")
    asked = next((meta.extra["asked"] for meta in metas if meta.extra and "asked" in meta.extra), "")
    if not (item.required or asked):
        return None
    words = tuple(word for choice in choices for word in get_args(choice) if isinstance(word, str))
    default = item.default if isinstance(item.default, str) and not item.required else ""
    secret = SecretRef in choices
    return dialogue.Field(name, about, secret, asked, words, default, f"{STORED}:main-{name}")


#: The options of `ddns config init`, none of them given.
NOTHING: dict[str, Any] = {
    **dict.fromkeys(("names", "types", "pairs"), ()),
    **dict.fromkeys(("ttl", "kind", "ident", "gateway", "gateway_ca"), None),
}


def _asked(answers: dialogue.Answers) -> dict[str, Any]:
    """The options that say the same as these answers."""
    return {
        "names": (answers.name,) if answers.name else (),
        "types": answers.types,
        "kind": answers.kind or None,
        "gateway": answers.gateway or None,
        "pairs": tuple(answers.pairs),
    }


def _stored(data: str | None, ident: str, secret: str) -> bool:
    """Store a secret that was typed; False when none was. One that is there is replaced only if that is wanted."""
    from ddns.runtime.storing import store, stored_ids

    if not secret:
        return False
    if ident not in stored_ids(data) or click.confirm(f"\nA secret {ident} is stored already. Replace it?"):
        click.echo(f"stored {store(data, ident, secret)}")
    return True


def _next_steps(option: str, first: Sequence[str], gateway: str | None) -> None:
    """What to type next."""
    enrolment = [f"ddns enroll {gateway}"] if gateway else []
    click.echo("\nNext:")
    for command in (*first, *enrolment, "ddns doctor", "ddns plan", "ddns run"):
        click.echo(f"  {command}{option}")


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
    if not names and (kind or pairs or ident or types or ttl):
        raise click.UsageError("--provider, --id, --set, --type and --ttl need --name: the name to keep")
    if ident:
        _check_ident(ident)
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


def _check_ident(ident: str) -> None:
    """The provider's id begins those of its secrets, which are names of files."""
    from ddns.errors import UsageError
    from ddns.runtime.storing import checked_name

    try:
        checked_name(ident)
    except UsageError as error:
        raise click.UsageError(f'--id: "{ident}" is no id for a provider. {error.advice}') from None


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
