"""The run that changes nothing: compare a fingerprint, ask one probe a family, write down that it was so.

Every machine pays for this every ten minutes, so it imports little, and a test holds the list of what it imports.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time

from ddns import __version__, host
from ddns.config.policy_bytes import policy_bytes
from ddns.errors import StateError
from ddns.expect import OWN_PROBE, Ask, End, Expectation, end, expect
from ddns.host import route
from ddns.net import wire
from ddns.report.line import line
from ddns.runtime import Start, say
from ddns.state import ending
from ddns.state.schema import connect
from ddns.state.status import document

TYPE_CHECKING = False  # as typing has it, whose import this run can't afford
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Asks a probe for the address of a family, within seconds. Raises WireError.
    AskProbe = Callable[[wire.Probe, int, float], str]

#: Seconds that a probe may take; after that the full way decides.
_PROBE_SECONDS = 2.0
FAMILIES = (4, 6)
#: Bytes of a watched file that count: more than any secret or bundle of authorities has.
_WATCHED_BYTES = 4 << 20


def fingerprint(settings: bytes, watched: tuple[str, ...]) -> str:
    """What must be the same for an expectation to hold, as hex.

    Program, settings, policy, environment, what is `watched` (``file:PATH`` and ``env:NAME``), the local address of
    each family, and how long the machine slept.
    """
    digest = hashlib.sha256()
    parts = [__version__.encode(), settings, policy_bytes(host.policy_file())]
    parts += [f"{name}={os.environ[name]}".encode(errors="surrogateescape") for name in sorted(_ours(watched))]
    parts += [_content(item[5:]) for item in watched if item.startswith("file:")]
    parts += [route.source_address(family).encode() for family in FAMILIES]
    parts.append(b"%d" % host.sleep_bias())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _ours(watched: tuple[str, ...]) -> set[str]:
    named = {item[4:] for item in watched if item.startswith("env:")}
    return {name for name in os.environ if name.startswith("DDNS_") or name in named}


def _content(path: str) -> bytes:
    """What is watched. Whoever may write the state may name a pipe or an endless file here: neither holds a run up."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            return b"+" + host.read_at_most(file, _WATCHED_BYTES)
    except OSError:
        return b"-"


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def own_probe(settings: bytes, family: int) -> str:
    """The own probe of a family as the cheap path finds it: in the environment, else in the settings' plain line."""
    return os.environ.get(f"DDNS_DETECT_PROBE{family}") or wire.written(settings, f"probe{family}")


def leaves_by(settings: bytes, family: int) -> tuple[str, str]:
    """The address and the interface of `[network]` that the cheap question leaves by, found as the own probe is."""
    source = os.environ.get(f"DDNS_NETWORK_SOURCE{family}") or wire.written(settings, f"source{family}")
    return source, os.environ.get("DDNS_NETWORK_INTERFACE") or wire.written(settings, "interface")


def quick_run(start: Start, ask: AskProbe = wire.ask) -> int | None:
    """The exit code of a run that ended here, None when the full way must be gone. `ask` is the way to the network."""
    try:
        base = connect(start.places.state_file)
    except StateError:
        return None  # the full way finds it again, and has the means to tell it
    try:
        return _quick(start, base, ask)
    except (StateError, sqlite3.DatabaseError):
        return None  # what can't be read or written is the full way's to tell
    finally:
        base.close()


def _quick(start: Start, base: sqlite3.Connection, ask: AskProbe) -> int | None:
    expectation, log, paused_until = ending.load(base)
    if paused_until is not None and start.started < paused_until:
        _close(start, base, 0, '"paused"', f'{{"until":{paused_until!r}}}', log=log)
        say(f"paused; `ddns resume{start.places.option}` ends it")
        return 0
    if expectation is None:
        return None
    try:
        with open(start.places.config_file, "rb") as file:
            settings = file.read()
    except OSError:
        return None
    verdict = expect(fingerprint(settings, expectation.watched), expectation, start.started)
    if not isinstance(verdict, Ask):
        return None
    answers, asked = _ask(settings, verdict, ask)
    ending_or_not = end(expectation, answers)
    if not isinstance(ending_or_not, End):
        return None
    return _end(start, base, expectation, asked, log=log)


def _ask(settings: bytes, verdict: Ask, ask: AskProbe) -> tuple[dict[int, str], list[str]]:
    answers: dict[int, str] = {}
    asked = []
    for expected in verdict.expected:
        family = expected.family
        try:
            if expected.probe == OWN_PROBE:
                probe = wire.own_probe(own_probe(settings, family), family)
            else:
                probe = wire.PROBES[family][expected.probe]
            answers[family] = ask(probe.leaving(*leaves_by(settings, family)), family, _PROBE_SECONDS)
            asked.append(probe.name)
        except (wire.WireError, ValueError, LookupError):
            return answers, asked
    return answers, asked


def _end(start: Start, base: sqlite3.Connection, expectation: Expectation, asked: list[str], *, log: bool) -> int:
    addresses = [expected.address for expected in expectation.expected]
    listed = ",".join(f'"{text}"' for text in addresses)
    names = ",".join('"' + name.replace("\\", "").replace('"', "") + '"' for name in asked)
    _close(start, base, expectation.exit, '"nothing changed"', f'{{"addresses":[{listed}],"asked":[{names}]}}', log=log)
    again = f"; exit {expectation.exit} as before: see ddns status{start.places.option}" if expectation.exit else ""
    told = f": {', '.join(addresses)} (asked {', '.join(asked)})" if addresses else ""
    say(f"nothing changed{told}{again}")
    return expectation.exit


def _close(start: Start, base: sqlite3.Connection, code: int, message: str, details: str, *, log: bool) -> None:
    """Store the run, then show it, then log it. Only the first can fail the run."""
    places, ended = start.places, time.time()
    ending.record_run(base, places.state_file, start.trace_id, "schedule", start.started, ended, code)
    status = document(
        trace_id=start.trace_id,
        started=start.started,
        ended=ended,
        exit_code=code,
        full=False,
        last_runs=ending.last_runs(base),
        tail=ending.status_tail(base),
    )
    try:
        host.replace(places.status_file, status)
    except OSError as error:
        sys.stderr.write(f"ddns: {error.filename}: {error.strerror}\n")
    try:
        if log:
            host.append(places.log_file, line(ended, "INFO", start.trace_id, message, details).encode())
    except OSError as error:
        sys.stderr.write(f"ddns: {error.filename}: {error.strerror}\n")
