"""What update services answer with, and what each answer means: the words of dyndns2, or a service's own.

A `Form` is data; `Form.judge` reads an answer by it. Source of the dyndns2 words: https://help.dyn.com/return-codes/
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

import msgspec

from ddns.address import Address
from ddns.errors import (
    BadCredentials,
    Banned,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    foreign,
)
from ddns.ports import HttpResponse
from ddns.providers import answers

DONE = frozenset({"good", "nochg"})
#: Seconds that a client waits after 911 and dnserr.
REST = 1800.0


class Refusal(msgspec.Struct, frozen=True):
    """What a service's no means, and what to do; `rest`: seconds to wait (RateLimited only)."""

    kind: type[ProviderError]
    meaning: str
    advice: str = ""
    rest: float = 0.0

    def error(self, said: str) -> ProviderError:
        """The error; `said` names the service and what it said."""
        message, advice = f"{said}: {self.meaning}", self.advice or self.kind.default_advice
        if self.kind is RateLimited:
            return RateLimited(message, retry_after=self.rest or None, advice=advice)
        return self.kind(message, advice=advice)


_LATER = f"Nothing to do: the next call is {REST / 60:.0f} minutes away, as the protocol asks."
#: What each refusal of the protocol means.
REFUSALS: Mapping[str, Refusal] = {
    "badauth": Refusal(BadCredentials, "user name or password is not accepted"),
    "!donator": Refusal(
        NotPermitted, "the account's plan lacks this function", "Change the plan, or what is asked for."
    ),
    "!yours": Refusal(
        NotPermitted, "the host belongs to another account", "Check the record's name and the user name."
    ),
    "nohost": Refusal(
        NoSuchZone, "the account has no such host", "Create the host at the service, or correct the name."
    ),
    "notfqdn": Refusal(Rejected, "the name is not a full host name", "Correct the record's name."),
    "numhost": Refusal(
        Rejected, "too many hosts, or the wrong number of them", "Update fewer names with this account."
    ),
    "badagent": Refusal(Banned, "the service refuses this client"),
    "abuse": Refusal(Banned, "the host is blocked for abuse"),
    "911": Refusal(RateLimited, "the service has a problem", _LATER, REST),
    "dnserr": Refusal(RateLimited, "the service's DNS has a problem", _LATER, REST),
    "badsys": Refusal(ServerSide, "the service does not know the system parameter"),
}


class Answer(msgspec.Struct, frozen=True):
    """One line of an answer: a code of the protocol, and the addresses that follow it."""

    code: str
    addresses: tuple[Address, ...] = ()


def parse(body: bytes) -> tuple[Answer, ...]:
    """The lines of an answer, one for each host that was asked for.

    Raises Malformed unless every line is of the protocol: a whole known code, and after ``good`` and ``nochg``
    addresses or nothing.
    """
    try:
        lines = [line for line in body.decode("ascii").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise Malformed(f"the answer is not of the dyndns2 protocol: {answers.excerpt(body)}") from error
    if not lines:
        raise Malformed("the answer is empty")
    return tuple(map(_line, lines))


def _line(line: str) -> Answer:
    code, *rest = line.replace(",", " ").split() or [""]
    if code in REFUSALS:
        return Answer(code)  # what follows is for people
    try:
        if code in DONE:
            return Answer(code, tuple(map(ipaddress.ip_address, rest)))
    except ValueError:
        pass
    raise Malformed(f"the answer is not of the dyndns2 protocol: {foreign(line, 80)}")


class Form(msgspec.Struct, frozen=True):
    """How a service answers.

    `done`: a pattern that the whole answer of an update that was done matches, ``{name}`` and ``{address}`` filled
    in; empty: the words of dyndns2. `refusals`: patterns that such an answer begins with, first come first.
    `statuses`: HTTP statuses with a meaning of their own, None: done.
    """

    done: str = ""
    refusals: tuple[tuple[str, Refusal], ...] = ()
    statuses: Mapping[int, Refusal | None] = {}

    def judge(self, response: HttpResponse, who: str, name: str, asked: Address, now: float) -> None:
        """Return when the service says that `name` has the address `asked`; raise what else it says."""
        problem = answers.status_problem(response, who, now)
        if isinstance(problem, RateLimited):
            raise problem
        if response.status in self.statuses:
            refusal = self.statuses[response.status]
            if refusal is None:
                return
            raise refusal.error(f"{who}: HTTP {response.status} for {name}")
        if self.done:
            self._read(response, problem, who, name, asked)
        else:
            _read_words(response, problem, who, name, asked)

    def _read(self, response: HttpResponse, problem: ProviderError | None, who: str, name: str, asked: Address) -> None:
        text = response.body.decode("utf-8", "replace").strip()
        for pattern, refusal in self.refusals:
            found = re.match(pattern, text, re.IGNORECASE | re.DOTALL)
            if found:
                raise refusal.error(f"{who}: {foreign(found[0], 60)} for {name}")
        if problem is not None:
            raise problem
        pattern = self.done.replace("{name}", re.escape(name)).replace("{address}", re.escape(str(asked)))
        if not re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL):
            raise Malformed(f"{who}: the answer does not say that {name} was updated: {foreign(text, 80)}")


def _read_words(response: HttpResponse, problem: ProviderError | None, who: str, name: str, asked: Address) -> None:
    try:
        lines = parse(response.body)
    except Malformed as error:
        raise problem or Malformed(f"{who}: {error}") from error
    if len(lines) != 1:
        raise problem or Malformed(f"{who}: {len(lines)} answers to a request for one host")
    (answer,) = lines
    if answer.code in REFUSALS:
        raise REFUSALS[answer.code].error(f"{who}: {answer.code} for {name}")
    if problem is not None:
        raise problem
    if answer.addresses and asked not in answer.addresses:
        told = ", ".join(map(str, answer.addresses))
        if told == "127.0.0.1":
            raise Banned(f"{who}: {answer.code} 127.0.0.1 for {name}: the service ignores this client")
        raise Malformed(f"{who}: {answer.code} for {told}, but {asked} was asked for")
