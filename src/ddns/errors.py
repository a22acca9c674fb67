"""Every error this program raises on purpose, in one tree.

::

    DdnsError
    ├── UsageError                 2   the command line
    ├── SettingsError             10   a settings file, the environment, a policy
    ├── AddressError              11   the public address is not known
    │   └── SourceError                one source did not tell it
    │       └── CaptivePortal              something on the way answered in its place
    ├── BusyError                 14   another run holds this machine's lock
    ├── StateError                15   the state can't be used
    │   ├── StateUnwritable
    │   └── StateNewer
    └── ProviderError                  one record, or one call, at a provider
        ├── Retryable             13   counted by the breaker, retried under a policy
        │   ├── Transport              nothing (usable) came back; the write may have happened
        │   │   └── Untrusted          the server's certificate is not good for us; never retried
        │   ├── RateLimited            the provider names, or implies, a pause
        │   ├── ServerSide             5xx and its kin
        │   └── Malformed              an answer that does not say what its protocol says
        │       └── Intercepted        somebody on the way seems to answer in the server's place
        ├── Held                   0   acknowledged by the gateway, where it waits for an operator
        ├── Deferred              13   not asked: the breaker is open, or the deadline is spent
        │   └── LeaseUnavailable       not written: the fleet lease can't be had
        │       └── LeaseLost              it was had, and is not ours any more
        ├── LeaseTaken             0   another machine holds the fleet lease, and writes
        ├── Conflict              12   somebody else changed the record between our read and our write
        ├── Rejected              12   this one record is refused; others of the provider may pass
        └── Block                 12   a person must act; not asked again before the retry time
            ├── BadCredentials
            ├── NotPermitted
            ├── NoSuchZone
            ├── Banned
            └── ClockSkew

An error names the thing and the value in `message`, and what to do in `advice`. Texts that come from
elsewhere (a server's words) are shortened and stripped of control characters before they enter a message.
"""

from __future__ import annotations

import enum

TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from typing import ClassVar


class Exit(enum.IntEnum):
    """Exit codes of every command; documented for Task Scheduler, Intune and scripts."""

    FINE = 0
    CRASH = 1
    USAGE = 2
    SETTINGS = 10
    ADDRESS = 11
    REFUSED = 12
    UNREACHABLE = 13
    BUSY = 14
    STATE = 15
    DEGRADED = 20


#: Of several results of one run, the first of these that occurred is the run's exit code.
EXIT_ORDER = (Exit.STATE, Exit.SETTINGS, Exit.REFUSED, Exit.UNREACHABLE, Exit.ADDRESS, Exit.FINE)


def worst(exits: list[Exit]) -> Exit:
    """The exit code of a run whose parts ended so; FINE when there were none."""
    return next((code for code in EXIT_ORDER if code in exits), Exit.FINE)


class DdnsError(Exception):
    """The root. `code` is stable and machine-readable, `message` and `advice` are one sentence each."""

    code = "error"
    exit: ClassVar[Exit] = Exit.CRASH
    default_advice: ClassVar[str] = ""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = self.default_advice if advice is None else advice


class UsageError(DdnsError):
    """The command line asks for something that can't be done."""

    code = "usage"
    exit = Exit.USAGE
    default_advice = "See what the command takes with --help."


class SettingsError(DdnsError):
    """Settings are wrong; `problems` holds all of them, one line each, in the order of the file."""

    code = "settings"
    exit = Exit.SETTINGS
    default_advice = "Correct the settings, then check them with: ddns config validate"

    def __init__(self, message: str, problems: tuple[str, ...] = (), *, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.problems = problems


class AddressError(DdnsError):
    """The public address is not known; records stay as they are."""

    code = "address.unknown"
    exit = Exit.ADDRESS
    default_advice = "See what each source answers with: ddns detect"


class SourceError(AddressError):
    """One source did not give exactly one usable address. `retry_after`: seconds for which it asks to be left alone."""

    code = "address.source"

    def __init__(self, message: str, *, retry_after: float | None = None, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class CaptivePortal(SourceError):
    """A web page, a redirect or another certificate came in place of a source's answer."""

    code = "address.portal"
    default_advice = "Log in to this network with a browser; the next run tries again."


class BusyError(DdnsError):
    """Another run holds the lock of this machine (or of this data folder)."""

    code = "busy"
    exit = Exit.BUSY
    default_advice = "Wait for the other run to end; it has a time limit of its own."


class StateError(DdnsError):
    """The state can't be used."""

    code = "state"
    exit = Exit.STATE
    default_advice = "See that the account that runs ddns may read and write the state folder, and that it is intact."


class StateUnwritable(StateError):
    """The state can't be written: read-only, full disk, missing permission."""

    code = "state.unwritable"
    default_advice = "Give the account that runs ddns write access to the state folder, and free space."


class StateNewer(StateError):
    """The state was written by a newer version that asks older ones to stay away."""

    code = "state.newer"
    default_advice = "Install the newer version again, or restore the state's snapshot taken before the upgrade."


class ProviderError(DdnsError):
    """Something at a provider went wrong, for one record or for a whole call.

    `in_doubt`: the write may have happened all the same, so that the record must be read before anything else.
    `until`: UTC seconds since the epoch before which nothing is asked, where that is known.
    """

    code = "provider"
    exit = Exit.UNREACHABLE
    default_advice = "Read what the provider said in the log; the next run tries again."
    in_doubt = False
    until: float | None = None


class Retryable(ProviderError):
    """Worth another try under the retry policy; each one counts for the provider's breaker."""


class Transport(Retryable):
    """No usable answer. `ambiguous`: the request may have been carried out all the same (it is `in_doubt`)."""

    code = "provider.unreachable"
    default_advice = "Check the network and the provider's status; the next run tries again."

    def __init__(self, message: str, *, ambiguous: bool = False, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.in_doubt = ambiguous


class Untrusted(Transport):
    """The server's certificate is not accepted: nothing was sent, and asking again at once changes nothing.

    `authority`: because nobody that we trust signed it (and not for its name or its dates).
    """

    code = "provider.untrusted"
    default_advice = (
        "For a server with an authority of its own, name that one's PEM file with ca_file (of [gateway], or of the"
        " source). Otherwise something on the way answers in its place."
    )

    def __init__(self, message: str, *, authority: bool = True, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.authority = authority


class RateLimited(Retryable):
    """Too many calls. `retry_after`: seconds to wait, None when the provider does not say."""

    code = "provider.rate_limited"
    default_advice = "Nothing to do: the next call waits as long as the provider asks."

    def __init__(self, message: str, *, retry_after: float | None = None, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class ServerSide(Retryable):
    """The provider failed on its side; a write may have happened all the same."""

    code = "provider.server_side"
    in_doubt = True
    default_advice = "Nothing to do unless it lasts: see the provider's status page."


class Malformed(Retryable):
    """An answer that is not of its protocol; a write may have happened all the same."""

    code = "provider.malformed"
    in_doubt = True
    default_advice = "A portal or proxy may answer instead of the provider; check the URL from this machine."


class Intercepted(Malformed):
    """Somebody on the way seems to answer in the server's place: a captive portal, a filter."""


class Deferred(ProviderError):
    """Not asked now, but at `until`."""

    until: float

    code = "provider.deferred"
    default_advice = "Nothing to do: the record is kept and tried again later. `ddns run --now` tries at once."

    def __init__(self, message: str, *, until: float, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.until = until


class LeaseUnavailable(Deferred):
    """The server of the fleet lease did not grant it, nor say who has it. Nothing was written without it."""

    code = "lease.unavailable"
    default_advice = (
        "Check the lock server that [lock] names, and the way to it; the record is kept and the next run tries again."
    )


class LeaseLost(LeaseUnavailable):
    """The fleet lease ended, or somebody deleted it, while this machine held it: what is left of its time is void."""


class LeaseTaken(ProviderError):
    """Another machine of the fleet holds the lease, or wrote while this one waited for it: it goes first."""

    code = "lease.taken"
    exit = Exit.FINE
    default_advice = "Nothing to do: the next run looks at the record again, and writes if that is still needed."


class Held(ProviderError):
    """The gateway acknowledged the write and keeps it until an operator releases it; DNS stays as it is."""

    code = "provider.held"
    exit = Exit.FINE
    default_advice = (
        "Nothing to do here: the gateway keeps the update. Its operator releases it with: ddns gateway thaw HOST"
    )

    @classmethod
    def at(cls, key: object) -> Held:
        """The error of this record."""
        return cls(f"{key} is held by the gateway until an operator releases it")


class Conflict(ProviderError):
    """A compare-and-set write found something else than we had read."""

    code = "provider.conflict"
    exit = Exit.REFUSED
    default_advice = "Find the other writer of this record; two owners of one name undo each other."


class Rejected(ProviderError):
    """This record, as asked for, is refused (a CNAME stands there, a value or TTL is not allowed)."""

    code = "provider.rejected"
    exit = Exit.REFUSED
    default_advice = "Change the record's settings, or what stands at the name, then: ddns run --now"


class Block(ProviderError):
    """The provider refuses until a person acts; kept, and retried once in 24 h or by `run --now`."""

    code = "provider.block"
    exit = Exit.REFUSED
    default_advice = "Settle what the provider names in the log, then: ddns run --now"


class BadCredentials(Block):
    """The token, key or password is not accepted."""

    code = "provider.bad_credentials"
    default_advice = "Store a valid secret with `ddns secret set`, then: ddns run --now"


class NotPermitted(Block):
    """The credential is good but lacks the right."""

    code = "provider.not_permitted"
    default_advice = "Give the credential the right to read and edit this zone's records, then: ddns run --now"


class NoSuchZone(Block):
    """No zone of this account holds the name."""

    code = "provider.no_such_zone"
    default_advice = "Check the record's name and the provider it is assigned to."


class Banned(Block):
    """The provider shuts this client, account or host out."""

    code = "provider.banned"
    default_advice = "Read the provider's message, settle it with them, then: ddns run --now"


class ClockSkew(Block):
    """This machine's clock is wrong by `seconds` (theirs minus ours; None when unknown)."""

    code = "provider.clock_skew"
    default_advice = "Set this machine's clock (w32tm /resync, or timedatectl), then: ddns run --now"

    def __init__(self, message: str, *, seconds: float | None = None, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.seconds = seconds


def block_again(code: str, message: str, advice: str) -> Block:
    """The block that was stored under `code`, as an error again."""
    kind = next((kind for kind in Block.__subclasses__() if kind.code == code), Block)
    return kind(message, advice=advice)


def foreign(text: str, limit: int = 200) -> str:
    """Text from elsewhere, fit for a message: one line, no control or bidi characters, at most `limit` long."""
    clean = "".join(c if c.isprintable() else " " for c in text[: limit * 4])
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
