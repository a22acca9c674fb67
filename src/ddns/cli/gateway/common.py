"""What every command of `ddns gateway` has: where its settings lie, and the lack of the gateway's packages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from ddns.cli import complete, paste
from ddns.errors import UsageError


def _file(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    paste.operator(ctx)
    paste.given(ctx, "--config", value)
    return value


config = click.option(
    "--config",
    metavar="FILE",
    callback=_file,
    shell_complete=complete.files,
    help="The gateway's settings, instead of gateway.toml in its place.",
)


@contextlib.contextmanager
def extra() -> Iterator[None]:
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
