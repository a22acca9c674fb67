"""What is known of this machine's public address, and who said so. Frozen values, as in `model`."""

from __future__ import annotations

import msgspec

from ddns.address import Address


class Available(msgspec.Struct, frozen=True):
    """The public address of a family, and the operators that agreed on it."""

    address: Address
    agreed_by: tuple[str, ...]


class Absent(msgspec.Struct, frozen=True):
    """This machine has no public address of the family; `by` names how that is known."""

    by: str


class Elsewhere(Absent, frozen=True):
    """This machine is on a network from which the settings publish nothing; `by` names it."""


class Unknown(msgspec.Struct, frozen=True):
    """Nobody can tell. Each cause is one source's sentence."""

    causes: tuple[str, ...]


Detection = Available | Absent | Unknown


class Answer(msgspec.Struct, frozen=True):
    """What one source said: an address, or the sentence why not. `suffices`: it is believed alone.

    `portal`: something on the way answered in its place. `skew`: seconds by which its clock is ahead of ours, where
    its answer says the time. `retry_after`: seconds for which it asks to be left alone.
    """

    source: str
    operator: str
    authenticated: bool
    suffices: bool = False
    address: Address | None = None
    problem: str = ""
    seconds: float = 0.0
    portal: bool = False
    skew: float | None = None
    retry_after: float | None = None


class Detected(msgspec.Struct, frozen=True):
    """What is known of one family, and who said what."""

    detection: Detection
    answers: tuple[Answer, ...] = ()
