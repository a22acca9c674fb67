"""The step that ends most runs: what the last run expects of the next one, and whether it came true.

An expectation is like an ETag. It holds no settings, no provider and no address to ask, so that whoever forges it
can suppress work until `until`, and nothing else. Standard library only, and little of it.
"""

from __future__ import annotations

#: Seconds that an expectation is believed at most, whatever it says of itself.
LONGEST = 24 * 3600.0
#: The probe of a family is the plain `probe4` / `probe6` line of the settings file.
OWN_PROBE = -1


class Expected:
    """What one family's probe will say, in canonical form. `probe`: a position in the built-in table, or OWN_PROBE."""

    __slots__ = ("address", "family", "probe")

    def __init__(self, family: int, probe: int, address: str) -> None:
        self.family = family
        self.probe = probe
        self.address = address

    def __repr__(self) -> str:
        return f"Expected({self.family}, {self.probe}, {self.address!r})"


class Expectation:
    """Made by a run that ended with nothing open. Times are UTC seconds; `exit` is that run's exit code.

    `fingerprint` is hex; `watched` names the files and variables it covers beside those that every run knows.
    """

    __slots__ = ("exit", "expected", "fingerprint", "made", "until", "watched")

    def __init__(
        self,
        fingerprint: str,
        made: float,
        until: float,
        expected: tuple[Expected, ...],
        exit: int,  # noqa: A002 - the field's name everywhere
        watched: tuple[str, ...],
    ) -> None:
        self.fingerprint = fingerprint
        self.made = made
        self.until = until
        self.expected = expected
        self.exit = exit
        self.watched = watched


class Ask:
    """Ask these, one a family, then `end`."""

    __slots__ = ("expected",)

    def __init__(self, expected: tuple[Expected, ...]) -> None:
        self.expected = expected


class End:
    """Nothing has changed: this is the run's exit code."""

    __slots__ = ("exit",)

    def __init__(self, exit: int) -> None:  # noqa: A002 - the field's name everywhere
        self.exit = exit


class Full:
    """The full way, and why."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


def expect(fingerprint: str, expectation: Expectation | None, now: float) -> Ask | Full:
    """Whether asking the probes may suffice."""
    if expectation is None:
        return Full("the last run left something open")
    if expectation.fingerprint != fingerprint:
        return Full("settings, secret, program or network changed")
    if not expectation.made <= now <= expectation.until or expectation.until - expectation.made > LONGEST:
        return Full("a proof or a retry is due")
    return Ask(expectation.expected)


def end(expectation: Expectation, answers: dict[int, str]) -> End | Full:
    """Whether the answers (canonical address by family, "" for none) are the expected ones."""
    for expected in expectation.expected:
        said = answers.get(expected.family, "")
        if said != expected.address:
            return Full(f"the IPv{expected.family} probe {'says ' + said if said else 'gave no usable answer'}")
    return End(expectation.exit)
