"""A service's documented error codes as data: what each stands for in the error tree, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ddns import http_time
from ddns.errors import ClockSkew, Malformed, ProviderError, RateLimited, Rejected, ServerSide
from ddns.ports import HttpResponse
from ddns.providers import answers
from ddns.providers.rows import Refusal


class Means(msgspec.Struct, frozen=True):
    """What a code stands for. `advice` None: that of the error itself."""

    error: type[ProviderError | Refusal]
    advice: str | None = None


class Said(msgspec.Struct, frozen=True):
    """A refusal as a service words it. `code` "": the answer is not the service's own."""

    code: str
    message: str


class Codes:
    """The codes of one service. One that is not in the table is looked up without its last part, at a dot.

    `otherwise` is the advice for a record that is refused with a code that is not there at all.
    """

    def __init__(self, who: str, table: Mapping[str, Means], otherwise: str) -> None:
        self._who = who
        self._table = table
        self._otherwise = otherwise

    def problem(self, said: Said, response: HttpResponse, now: float) -> ProviderError | Refusal:
        """What a refusal stands for; `now` is UTC seconds."""
        if response.status == 429:
            return self._made(Means(RateLimited), said, response, now)
        means = self._found(said.code)
        if means is not None:
            return self._made(means, said, response, now)
        if response.status >= 500:
            return ServerSide(said.message)
        if not said.code:
            return answers.status_problem(response, self._who, now) or Malformed(said.message)
        return Rejected(said.message, advice=self._otherwise)

    def skewed(self, said: Said) -> bool:
        """Whether the service says, by a code of its own, that the request's time is off."""
        means = self._found(said.code)
        return means is not None and issubclass(means.error, ClockSkew)

    def _found(self, code: str) -> Means | None:
        while code:
            if code in self._table:
                return self._table[code]
            code = code.rpartition(".")[0]
        return None

    def _made(self, means: Means, said: Said, response: HttpResponse, now: float) -> ProviderError | Refusal:
        if issubclass(means.error, Refusal):
            return means.error(said.message)
        if issubclass(means.error, RateLimited):
            return RateLimited(said.message, retry_after=http_time.retry_after(response.headers, now))
        if issubclass(means.error, ClockSkew):
            return answers.clock_skew(response, self._who, now)
        return means.error(said.message, advice=means.advice)
