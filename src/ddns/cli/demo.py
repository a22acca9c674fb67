"""`ddns demo`: the whole product on loopback, narrated."""

from __future__ import annotations

import click

from ddns.cli.options import examples
from ddns.errors import Exit, UsageError

_INTERRUPTED = 130


@click.command(**examples("ddns demo"))
def demo() -> int:
    """Show a gateway, a DNS server and one machine at work, on loopback, with throw-away data.

    Nothing on this machine is changed, and nothing is left running. Needs the extra "gateway".
    """
    from ddns.demo.stopping import stoppable

    try:
        with stoppable():
            return _demonstrate()
    except KeyboardInterrupt:
        click.echo("\nddns: stopped; nothing is left running", err=True)
        return _INTERRUPTED


def _demonstrate() -> int:
    try:
        from ddns.demo.narrator import Narrator
        from ddns.demo.stage import DemoFailed
        from ddns.demo.story import demonstrate
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the demonstration needs {error.name}, which is not installed",
            advice='Install it with: pip install "ddns-fleet[gateway]"',
        ) from error
    import shutil

    from ddns.render import Screen

    try:
        demonstrate(Narrator(Screen(width=shutil.get_terminal_size().columns)))
    except DemoFailed as error:
        click.echo(f"ddns: {error}", err=True)
        return int(Exit.CRASH)
    return int(Exit.FINE)
