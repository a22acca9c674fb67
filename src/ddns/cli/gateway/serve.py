"""`ddns gateway serve`."""

from __future__ import annotations

import contextlib

import click

from ddns.cli import options
from ddns.cli.gateway.common import config, extra


@click.command(**options.examples("ddns gateway serve", "ddns gateway serve --config gateway.toml --verbose"))
@options.data
@config
@click.option("--verbose", is_flag=True, help="Tell refusals and enrolments on standard error, as they happen.")
def serve(*, data: str | None, config: str | None, verbose: bool) -> None:
    """Serve until Ctrl-C or SIGTERM. The first line on standard output is the URL.

    Every decision is written to the audit log, which the second line names. Only one gateway can serve from a data
    folder.
    """
    import logging
    import signal

    with extra():
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
