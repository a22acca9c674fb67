"""Who plays in the conformance suite: one zone, its names and addresses, the scenes and the faults.

All of it is documentation space (RFC 2606, RFC 5737), so that a slip reaches nobody.
"""

from __future__ import annotations

import enum
import ipaddress
import time
from collections.abc import Mapping
from typing import Protocol

import msgspec

from ddns.model import RecordKey, RecordType, RRset
from ddns.ports import Net

ZONE = "example.com"
HOME = RecordKey("main", "home.example.com", RecordType.A)
HOME6 = RecordKey("main", "home.example.com", RecordType.AAAA)
NEIGHBOUR = RecordKey("main", "near.example.com", RecordType.A)
STRANGER = RecordKey("main", "home.example.net", RecordType.A)
FIRST, SECOND, NEAR = "192.0.2.1", "192.0.2.2", "192.0.2.77"
#: What a rate limit asks to wait, in seconds.
WAIT = 7


class Scene(enum.StrEnum):
    """What a test plays. The acts of each are in `test_conformance.py`."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    MANY = "many"
    UNKNOWN_ZONE = "unknown_zone"
    BAD_CREDENTIALS = "bad_credentials"
    RATE_LIMITED = "rate_limited"


class Fault(enum.StrEnum):
    """What goes wrong on the wire, whatever the protocol. The value is its column in the documented matrix.

    The status codes come without words of the service: a front end or proxy gives them. In DNS they stand for BADSIG,
    REFUSED, NOTAUTH and a prerequisite that is not met.
    """

    REFUSED = "refused"
    RESET = "reset"
    SLOW = "slow"
    HALF_A_BODY = "half a body"
    GARBAGE = "garbage"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    CONFLICT = "409"
    SERVER_ERROR = "503"
    SILENT = "no answer after the write"
    WRONG_TYPE = "wrong content type"
    HUGE = "huge body"


class Zone(Protocol):
    """A double's zone, from behind: what stands in it, whoever wrote it."""

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        """The values in presentation form, none when there is no such record."""
        ...

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        """Set a record behind the provider's back; without values: remove it."""
        ...


class Double(Protocol):
    """A stand-in for one kind's service, on loopback: `serve()` of `providers/doubles/<kind>.py` gives one.

    `serve` is a context manager. Its zone is `ZONE`; it holds what is `put` and nothing else.
    """

    @property
    def settings(self) -> msgspec.Struct:
        """Settings that lead to it; secrets are references that `secrets` resolves."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """What references resolve to. Each text has the word ``canary`` in it, or is the base64 of one that has."""
        ...

    @property
    def net(self) -> Net:
        """The network that the provider gets."""
        ...

    @property
    def proof_servers(self) -> tuple[str, ...]:
        """Where write-only kinds are observed."""
        ...

    @property
    def zone(self) -> Zone:
        """What stands in it."""
        ...

    def limit(self) -> bool:
        """Answer from now on that too many calls were made, and ask to wait `WAIT`. False: the protocol has no such."""
        ...

    def fail(self, fault: Fault | None) -> None:
        """Have a fault from now on; None: none. `SILENT`: writes are carried out and not answered."""
        ...


class SystemClock:
    """The real clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def addresses(*texts: str, ttl: int | None = None) -> RRset:
    """An RRset of these addresses."""
    return RRset(frozenset(map(ipaddress.ip_address, texts)), ttl)
