"""What is said of a service, whatever the system."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from ddns.errors import UsageError

#: The service's name, and the account that it runs under unless another is asked for.
NAME, LOCAL_SERVICE = "DDNS", r"NT AUTHORITY\LocalService"


@dataclass(frozen=True, slots=True)
class Service:
    """What the system says of the service. `state`: not installed, stopped, starting, running, stopping or paused.

    `exit` is what it ended with last, 0 when nothing was wrong; `process` is 0 unless it runs.
    """

    state: str
    account: str = ""
    command: str = ""
    start: str = ""
    process: int = 0
    exit: int = 0

    @property
    def installed(self) -> bool:
        """Whether there is one."""
        return self.state != "not installed"


def elsewhere() -> UsageError:
    """What to use where there is no such service."""
    return UsageError(
        "services of this kind are Windows' own",
        advice="Let systemd keep `ddns watch` running; docs/guides/service.md has the unit.",
    )


def service_sid(name: str) -> str:
    """The identifier that Windows gives a service's own rights: known before there is a service.

    SHA-1 of the upper-cased name in UTF-16, as five numbers, as ``sc showsid`` prints it.
    """
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(map(str, struct.unpack("<5I", digest)))
