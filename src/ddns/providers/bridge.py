"""The seam to dns-lexicon's providers: finding and making one, a bound on its time, its exceptions in our error tree.

A provider of Lexicon's is used by its documented interface (`lexicon.interfaces.Provider`), without Lexicon's `Client`,
which fetches a list of public suffixes from the web and reads files and variables of its own.
Its requests get our time limit (`requests_time`): none begins after it, and none waits longer. What can't be kept here:
a call that still does not end in time is left behind in its thread, so that the request that it was at may still come
to pass; they use proxies of the environment and the certificates of `requests`, not ours.
Source: https://dns-lexicon.readthedocs.io/en/latest/developer_guide.html
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from ddns import edition
from ddns.errors import (
    BadCredentials,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    Rejected,
    SettingsError,
    Transport,
    Untrusted,
    foreign,
)
from ddns.ports import Deadline, HttpResponse
from ddns.providers import answers, requests_time

T = TypeVar("T")
_INSTALL = 'Install it with: pip install "ddns-fleet[lexicon]", or: pipx inject ddns-fleet dns-lexicon'
_NOT_HERE = (
    "ddns.exe comes without it; install ddns with pip or pipx and its extra lexicon on this machine, or give the record"
    " to another provider (ddns providers)."
)
#: Of the time that a call has, its requests get a little less, so that its end is seen.
_OF_REQUESTS = 0.95
_OPTIONS = "Check options and secrets of this provider; what it takes is told by: lexicon {name} --help"
#: What is wrong with an answer that a provider can't read, or with its code.
_UNREAD = (KeyError, IndexError, TypeError, AttributeError, ValueError, AssertionError)


class Operations(Protocol):
    """`lexicon.interfaces.Provider`, as far as it is used."""

    def authenticate(self) -> None:
        """Log in, and find the zone."""

    def cleanup(self) -> None:
        """Let go of what was opened."""

    def list_records(self, rtype: str, name: str, /) -> list[dict[str, Any]]:
        """Records of a type and name, at least."""
        ...

    def create_record(self, rtype: str, name: str, content: str, /) -> bool:
        """Make a record; nothing where it is there."""
        ...

    def update_record(self, identifier: object, rtype: str, name: str, content: str, /) -> bool:
        """Give a record another content."""
        ...

    def delete_record(self, identifier: object, rtype: str, name: str, content: str, /) -> bool:
        """Take a record away; nothing where it is not there."""
        ...


def installed() -> bool:
    """Whether Lexicon is there; imports nothing of it."""
    return importlib.util.find_spec("lexicon") is not None


def names() -> dict[str, bool]:
    """Lexicon's providers, and whether what each needs beside Lexicon is installed; none where Lexicon is not."""
    if not installed():
        return {}
    found = importlib.import_module("lexicon._private.discovery").find_providers()
    return {name: bool(complete) for name, complete in sorted(found.items()) if name != "auto"}


def require(name: str) -> None:
    """Raise SettingsError unless Lexicon and its provider of this name can be used here."""
    if not installed():
        advice = _NOT_HERE if edition.NOTE else _INSTALL
        raise SettingsError('a provider of kind "lexicon" needs dns-lexicon, which is not installed', advice=advice)
    known = names()
    if name not in known:
        raise SettingsError(f'dns-lexicon has no provider "{foreign(name, 40)}"', advice="See: ddns providers")
    if not known[name]:
        raise SettingsError(
            f'dns-lexicon\'s provider "{name}" needs more packages than are installed',
            advice=f'Install them with: pip install "dns-lexicon[{name}]" (pipx inject ddns-fleet for pipx)',
        )


class Bridge:
    """Runs operations of one provider of Lexicon's. Each has an instance of its own: some remember what they read."""

    def __init__(self, name: str, zone: str, options: Mapping[str, object]) -> None:
        self._name = name
        self._zone = zone
        self._options = options
        self._left_behind: list[threading.Thread] = []

    def read(self, work: Callable[[Operations], T], secrets: Mapping[str, str], deadline: Deadline) -> T:
        """What `work` reads, within the deadline. Raises ProviderError."""
        return self._run(work, secrets, None, deadline, writes=False)

    def write(self, work: Callable[[Operations], T], secrets: Mapping[str, str], ttl: int, deadline: Deadline) -> T:
        """What `work` returns after a write of records with this TTL, within the deadline. Raises ProviderError."""
        if any(thread.is_alive() for thread in self._left_behind):
            raise Transport(f"{self._said()}: an earlier call has not ended yet")
        return self._run(work, secrets, ttl, deadline, writes=True)

    def _said(self) -> str:
        return f"Lexicon's {self._name}"

    def _run(
        self,
        work: Callable[[Operations], T],
        secrets: Mapping[str, str],
        ttl: int | None,
        deadline: Deadline,
        *,
        writes: bool,
    ) -> T:
        ends: queue.SimpleQueue[tuple[str, T | None, Exception | None]] = queue.SimpleQueue()
        phase = ["open"]
        limit = deadline.within(deadline.left() * _OF_REQUESTS)

        def run() -> None:
            try:
                with requests_time.bounded(limit):
                    operations = _made(self._name, self._zone, {**self._options, **secrets}, ttl)
                    phase[0] = "authenticate"
                    operations.authenticate()
                    phase[0] = "work"
                    done = work(operations)
                    operations.cleanup()
                ends.put((phase[0], done, None))
            except Exception as error:  # noqa: BLE001 - Lexicon's providers raise what they like, Exception itself too
                ends.put((phase[0], None, error))

        thread = threading.Thread(target=run, daemon=True, name=f"lexicon {self._name}")
        thread.start()
        try:
            ended, done, error = ends.get(timeout=max(deadline.left(), 0.0))
        except queue.Empty:
            self._left_behind.append(thread)
            in_doubt = writes and phase[0] == "work"
            raise Transport(f"{self._said()}: no answer in time", ambiguous=in_doubt) from None
        if error is not None:
            problem = translated(self._name, error, ended, secrets.values())
            problem.in_doubt = writes and ended == "work" and problem.in_doubt
            raise problem from None  # the original's words may hold a URL with a token in it
        return done  # type: ignore[return-value]  # None only where there was an error, or `work` returns it


def _made(name: str, zone: str, options: Mapping[str, object], ttl: int | None) -> Operations:
    """A provider of Lexicon's with exactly these settings: no file, no variable, no command line."""
    for logger in ("lexicon", "urllib3", "requests"):
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)  # some log their requests, secrets included
    config = importlib.import_module("lexicon.config").ConfigResolver()
    general = {"provider_name": name, "domain": zone} | ({} if ttl is None else {"ttl": ttl})
    config.with_dict({**general, name: dict(options)})
    module = importlib.import_module(f"lexicon._private.providers.{name}")
    made: Operations = module.Provider(config)
    return made


def translated(name: str, error: Exception, phase: str, secrets: Any = ()) -> ProviderError:
    """What an exception of a provider of Lexicon's stands for, in `phase` open, authenticate or work."""
    said = f"Lexicon's {name}"
    requests = importlib.import_module("requests")
    words = _masked(error, secrets)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _status(said, error.response, phase)
    if isinstance(error, requests.exceptions.SSLError):
        return Untrusted(f"{said}: the server's certificate is not accepted")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return Malformed(f"{said}: the answer is not JSON")
    if isinstance(error, requests.RequestException | OSError):
        connected = not _never_connected(error)
        return Transport(f"{said}: {type(error).__name__}", ambiguous=connected)
    if phase == "open":
        return BadCredentials(f"{said} can't be set up: {words}", advice=_OPTIONS.format(name=name))
    authentication = type(error).__name__ == "AuthenticationError"
    if authentication or (phase == "authenticate" and not isinstance(error, _UNREAD)):
        lower = words.lower()
        if ("domain" in lower or "zone" in lower) and "auth" not in lower and "token" not in lower:
            return NoSuchZone(f"{said}: {words}")
        kind = BadCredentials if authentication else NotPermitted
        return kind(f"{said}: {words}", advice=_OPTIONS.format(name=name))
    if isinstance(error, _UNREAD):
        return Malformed(f"{said} can't read the answer: {type(error).__name__}: {words}")
    refused = Rejected(f"{said}: {words}")
    refused.in_doubt = True  # it may have been refused half-way
    return refused


def _masked(error: Exception, secrets: Any) -> str:
    text = str(error)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***") if secret else text
    return foreign(text, 120) or type(error).__name__


def _never_connected(error: Exception) -> bool:
    """Whether nothing left this machine: urllib3 hides that two exceptions deep."""
    requests = importlib.import_module("requests")
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def _status(said: str, response: Any, phase: str) -> ProviderError:
    status = int(response.status_code)
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    if status == 404 and phase == "authenticate":
        return NoSuchZone(f"{said}: HTTP 404: the account has no such zone")
    if status in (400, 404, 409, 422):
        return Rejected(f"{said}: HTTP {status}")
    # The body is left out: what some services say in it repeats the request.
    problem = answers.status_problem(HttpResponse(status, headers, b""), said, time.time())
    return problem or Malformed(f"{said}: HTTP {status}")
