"""`ddns gateway`: serve a gateway, and what its operator does."""

from __future__ import annotations

import click

from ddns.cli import options
from ddns.cli.enroll import enroll
from ddns.cli.gateway.admit import add, code, password
from ddns.cli.gateway.audit import audit
from ddns.cli.gateway.bar import freeze, retire, revoke, thaw
from ddns.cli.gateway.hosts import hosts
from ddns.cli.gateway.serve import serve
from ddns.cli.output import Group


@click.group(cls=Group, **options.examples("ddns gateway serve --config gateway.toml", "ddns gateway code pc7"))
def gateway() -> None:
    """Serve a fleet's gateway, and manage its hosts."""


for _command in (enroll, serve, code, add, hosts, revoke, retire, freeze, thaw, password, audit):
    gateway.add_command(_command)
