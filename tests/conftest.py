"""Fixtures that every test may ask for, and the closing list of what could not run here."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from e2e import windows_kind
from e2e.windows_kind import WindowsProgram
from ground import NOT_RUN, NotHere, canary, not_run
from ground.bind import Bind
from ground.echo import Echo
from ground.tls import Authority
from ground.whoami import Whoami
from windows import wine


def pytest_configure(config: pytest.Config) -> None:
    """Search what is let out for the tests' secrets."""
    config.pluginmanager.register(canary, "canary")


@pytest.fixture(scope="session")
def _one_bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind | NotHere]:
    """One named for all tests of a worker; that it can't be had is remembered, not tried again for each test."""
    try:
        server = Bind(tmp_path_factory.mktemp("bind"))
    except NotHere as missing:
        yield missing
        return
    with server:
        yield server


@pytest.fixture
def bind(_one_bind: Bind | NotHere) -> Iterator[Bind]:
    """The real DNS server, running. Shared: take names from `fresh_name`. A test may stop, hang and start it."""
    if isinstance(_one_bind, NotHere):
        not_run(_one_bind)
    yield _one_bind
    _one_bind.resume() if _one_bind.running else _one_bind.start()


@pytest.fixture
def fresh_name(request: pytest.FixtureRequest) -> Callable[..., str]:
    """A name in a zone of `bind` that no other test uses."""
    counter = request.config.stash.setdefault(_NAMES, itertools.count(1))
    return lambda zone="example.test": f"host{next(counter)}.{zone}"


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The test certificate authority."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def echo(ca: Authority) -> Iterator[Callable[..., Echo]]:
    """Makes echo services: `echo("198.51.100.7")` over TLS, with ``tls=False`` in the clear. Closed after the test."""
    with ExitStack() as stack:

        def make(address: str, *, tls: bool = True) -> Echo:
            return stack.enter_context(Echo(address, ca.server() if tls else None))

        yield make


@pytest.fixture
def whoami() -> Iterator[Callable[..., Whoami]]:
    """Makes DNS servers that tell an address, and hold records. Closed after the test."""
    with ExitStack() as stack:
        yield lambda address="": stack.enter_context(Whoami(address))


@pytest.fixture(scope="session")
def windows_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsProgram]:
    """The program as it is installed on a Windows machine that the tests of a worker share."""
    try:
        machine = wine.fresh(tmp_path_factory.mktemp("windows") / "machine")
    except wine.NoWine as missing:
        not_run(NotHere(str(missing)))
    with machine:
        try:
            found = windows_kind.here(machine)
        except NotHere as missing:
            not_run(missing)
        yield found
    shutil.rmtree(machine.prefix)


_NAMES = pytest.StashKey["itertools.count[int]"]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test that used `bind` shows the end of named's log."""
    report = yield
    server = getattr(item, "funcargs", {}).get("bind")
    if report.failed and isinstance(server, Bind):
        report.sections.append(("named", server.tail()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what this machine lacks, once for each reason, as the last thing that is read."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = cast("tuple[str, int, str]", report.longrepr)[2].removeprefix("Skipped: ")
        if reason.startswith(NOT_RUN):
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} test{'s' if count > 1 else ''} {reason}", yellow=True)
